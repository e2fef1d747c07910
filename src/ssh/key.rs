//! A public key: as a line of `authorized_keys`, as bytes, and as what signatures are verified with.

use super::MAX_BLOB;
use super::wire::Wire;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    EcdsaVerificationAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A public key that an operator wrote down. Equal if it is the same key, whatever the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    blob: Box<[u8]>,
}

/// Why a line is not a public key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("it is not one line of a key type and base64")]
    Shape,
    #[error("`{0}` is not a key type known here")]
    UnknownType(String),
    #[error("it is a certificate, not a key")]
    Certificate,
    #[error("the key is not standard base64")]
    NotBase64,
    #[error("it says `{0}`, and the key in it is of another type")]
    OtherType(String),
    #[error("the key is not whole, or not the only thing in it")]
    Malformed,
    #[error("certificates signed by a `{0}` key cannot be verified here")]
    NotACa(&'static str),
    #[error("an RSA key that signs certificates must have 2048 to 8192 bits")]
    RsaLength,
}

impl KeyError {
    /// What to write instead.
    pub const HELP: &'static str = "write the line of the `.pub` file without options before it, such as `ssh-ed25519 AAAA… comment`";
}

impl PublicKey {
    /// Reads a line as it stands in `authorized_keys` and in `.pub` files: `type base64 [comment]`.
    /// Options before the type are not accepted: they would limit what is not limited here.
    ///
    /// # Errors
    /// Anything else; a type that does not agree with the key; a certificate.
    pub fn parse(line: &str) -> Result<Self, KeyError> {
        let line = line.trim_matches([' ', '\t', '\r', '\n']);
        if line.contains(['\r', '\n']) {
            return Err(KeyError::Shape);
        }
        let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
        let (Some(name), Some(base64)) = (words.next(), words.next()) else {
            return Err(KeyError::Shape);
        };
        if name.contains("-cert-v0") {
            return Err(KeyError::Certificate);
        }
        let kind = KeyKind::named(name.as_bytes());
        let kind = kind.ok_or_else(|| KeyError::UnknownType(name.to_owned()))?;
        if base64.len() > MAX_BLOB {
            return Err(KeyError::Malformed);
        }
        let blob = STANDARD.decode(base64).map_err(|_| KeyError::NotBase64)?;
        let mut wire = Wire::new(&blob);
        match wire.string() {
            Some(inside) if inside == name.as_bytes() => {}
            Some(_) => return Err(KeyError::OtherType(name.to_owned())),
            None => return Err(KeyError::Malformed),
        }
        kind.material(&mut wire).and_then(|_| wire.end()).ok_or(KeyError::Malformed)?;
        Ok(Self { blob: blob.into() })
    }

    /// Reads the key of an authority: as [`PublicKey::parse`], and its signatures can be verified.
    ///
    /// # Errors
    /// As [`PublicKey::parse`]; keys in security keys; RSA keys that are too short or too long.
    pub fn parse_ca(line: &str) -> Result<Self, KeyError> {
        let key = Self::parse(line)?;
        match Material::read(&key.blob).ok_or(KeyError::Malformed)? {
            Material::Ed25519(_) | Material::Ecdsa(..) => Ok(key),
            Material::Rsa { modulus, .. } if has_verifiable_length(modulus) => Ok(key),
            Material::Rsa { .. } => Err(KeyError::RsaLength),
            Material::SecurityKey(name) => Err(KeyError::NotACa(name)),
        }
    }

    /// The key as it goes over the wire (RFC 4253 §6.6).
    pub fn blob(&self) -> &[u8] {
        &self.blob
    }
}

fn has_verifiable_length(modulus: &[u8]) -> bool {
    let high = modulus.first().map_or(8, |byte| byte.leading_zeros());
    let bits = (modulus.len() * 8).saturating_sub(usize::try_from(high).unwrap_or(8));
    (2048..=8192).contains(&bits)
}

/// The types of keys. DSA is not among them: nobody accepts it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Ed25519,
    Ecdsa(Curve),
    Rsa,
    SecurityKeyEd25519,
    SecurityKeyEcdsa,
}

/// The curves of RFC 5656 §10.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    fn name(self) -> &'static [u8] {
        match self {
            Self::P256 => b"nistp256",
            Self::P384 => b"nistp384",
            Self::P521 => b"nistp521",
        }
    }

    /// How many bytes a coordinate, or half a signature, has.
    fn width(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED,
            Self::P384 => &ECDSA_P384_SHA384_FIXED,
            Self::P521 => &ECDSA_P521_SHA512_FIXED,
        }
    }

    /// A name of this curve and an uncompressed point.
    fn point<'b>(self, wire: &mut Wire<'b>) -> Option<&'b [u8]> {
        let named = wire.string()? == self.name();
        let point = wire.string()?;
        let uncompressed = point.len() == 1 + 2 * self.width() && point.first() == Some(&4);
        (named && uncompressed).then_some(point)
    }
}

impl KeyKind {
    pub(super) const ALL: [Self; 7] = [
        Self::Ed25519,
        Self::Ecdsa(Curve::P256),
        Self::Ecdsa(Curve::P384),
        Self::Ecdsa(Curve::P521),
        Self::Rsa,
        Self::SecurityKeyEd25519,
        Self::SecurityKeyEcdsa,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519",
            Self::Ecdsa(Curve::P256) => "ecdsa-sha2-nistp256",
            Self::Ecdsa(Curve::P384) => "ecdsa-sha2-nistp384",
            Self::Ecdsa(Curve::P521) => "ecdsa-sha2-nistp521",
            Self::Rsa => "ssh-rsa",
            Self::SecurityKeyEd25519 => "sk-ssh-ed25519@openssh.com",
            Self::SecurityKeyEcdsa => "sk-ecdsa-sha2-nistp256@openssh.com",
        }
    }

    /// What a certificate for such a key is called.
    pub(super) fn certificate_name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ssh-ed25519-cert-v01@openssh.com",
            Self::Ecdsa(Curve::P256) => "ecdsa-sha2-nistp256-cert-v01@openssh.com",
            Self::Ecdsa(Curve::P384) => "ecdsa-sha2-nistp384-cert-v01@openssh.com",
            Self::Ecdsa(Curve::P521) => "ecdsa-sha2-nistp521-cert-v01@openssh.com",
            Self::Rsa => "ssh-rsa-cert-v01@openssh.com",
            Self::SecurityKeyEd25519 => "sk-ssh-ed25519-cert-v01@openssh.com",
            Self::SecurityKeyEcdsa => "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
        }
    }

    fn named(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().as_bytes() == name)
    }

    /// What makes a key of this type, after its name.
    pub(super) fn material<'b>(self, wire: &mut Wire<'b>) -> Option<Material<'b>> {
        match self {
            Self::Ed25519 => wire.string()?.try_into().ok().map(Material::Ed25519),
            Self::Ecdsa(curve) => Some(Material::Ecdsa(curve, curve.point(wire)?)),
            Self::Rsa => {
                let exponent = wire.positive()?;
                Some(Material::Rsa { exponent, modulus: wire.positive()? })
            }
            Self::SecurityKeyEd25519 => {
                let _: &[u8; 32] = wire.string()?.try_into().ok()?;
                let _application = wire.string()?;
                Some(Material::SecurityKey(self.name()))
            }
            Self::SecurityKeyEcdsa => {
                let _point = Curve::P256.point(wire)?;
                let _application = wire.string()?;
                Some(Material::SecurityKey(self.name()))
            }
        }
    }
}

/// The numbers of a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum Material<'b> {
    Ed25519(&'b [u8; 32]),
    Ecdsa(Curve, &'b [u8]),
    Rsa {
        exponent: &'b [u8],
        modulus: &'b [u8],
    },
    /// Signs together with a counter and flags, which is not verified here.
    SecurityKey(&'static str),
}

impl<'b> Material<'b> {
    /// Reads a whole key.
    pub(super) fn read(blob: &'b [u8]) -> Option<Self> {
        let mut wire = Wire::new(blob);
        let material = KeyKind::named(wire.string()?)?.material(&mut wire)?;
        wire.end()?;
        Some(material)
    }

    /// Whether `signature`, as it goes over the wire, is one of this key over `message`. SHA-1 does not
    /// count.
    pub(super) fn has_signed(self, message: &[u8], signature: &[u8]) -> bool {
        self.verify(message, signature).is_some()
    }

    fn verify(self, message: &[u8], signature: &[u8]) -> Option<()> {
        let mut wire = Wire::new(signature);
        let (algorithm, signature) = (wire.string()?, wire.string()?);
        wire.end()?;
        match (self, algorithm) {
            (Self::Ed25519(key), b"ssh-ed25519") => {
                UnparsedPublicKey::new(&ED25519, key).verify(message, signature).ok()
            }
            (Self::Ecdsa(curve, point), _)
                if algorithm == KeyKind::Ecdsa(curve).name().as_bytes() =>
            {
                let halves = halves(signature, curve.width())?;
                UnparsedPublicKey::new(curve.verification(), point).verify(message, &halves).ok()
            }
            (Self::Rsa { exponent, modulus }, b"rsa-sha2-256" | b"rsa-sha2-512") => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                let hash = if algorithm == b"rsa-sha2-256" {
                    &RSA_PKCS1_2048_8192_SHA256
                } else {
                    &RSA_PKCS1_2048_8192_SHA512
                };
                key.verify(hash, message, signature).ok()
            }
            (Self::Ed25519(_) | Self::Ecdsa(..) | Self::Rsa { .. } | Self::SecurityKey(_), _) => {
                None
            }
        }
    }
}

/// The two numbers of an ECDSA signature (RFC 5656 §3.1.2), each filled up to `width`.
fn halves(signature: &[u8], width: usize) -> Option<Vec<u8>> {
    let mut wire = Wire::new(signature);
    let (r, s) = (wire.positive()?, wire.positive()?);
    wire.end()?;
    let mut halves = vec![0; 2 * width];
    let (left, right) = halves.split_at_mut(width);
    for (half, number) in [(left, r), (right, s)] {
        let at = width.checked_sub(number.len())?;
        half.get_mut(at..)?.copy_from_slice(number);
    }
    Some(halves)
}
