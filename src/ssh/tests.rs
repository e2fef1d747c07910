//! Keys and certificates made with `ssh-keygen` (`tests/cases/ssh/make`), and what attackers make.

use super::{KeyError, MAX_BLOB, PresentedKey, PublicKey};
use crate::time::Timestamp;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

/// In the year of the certificates.
const NOW: Timestamp = Timestamp::from_unix(1_750_000_000);
/// 2025-01-01T00:00:00Z
const BEGIN: i64 = 1_735_689_600;
/// 2026-01-01T00:00:00Z
const END: i64 = 1_767_225_600;

macro_rules! line {
    ($name:literal) => {
        include_str!(concat!("../../tests/cases/ssh/", $name))
    };
}

const GOOD: &str = line!("good-ed25519.cert");
const CA: &str = line!("ca-ed25519.pub");

fn blob(line: &str) -> Vec<u8> {
    STANDARD.decode(line.split(' ').nth(1).expect("base64")).expect("base64")
}

fn presented(line: &str) -> PresentedKey {
    PresentedKey::read(&blob(line))
}

fn ca(line: &str) -> PublicKey {
    PublicKey::parse_ca(line).expect(line)
}

fn is_certificate(blob: &[u8]) -> bool {
    matches!(PresentedKey::read(blob), PresentedKey::Certificate(_))
}

#[test]
fn authorities_of_every_type() {
    for (good, authority) in [
        (GOOD, CA),
        (line!("good-p256.cert"), line!("ca-p256.pub")),
        (line!("good-p384.cert"), line!("ca-p384.pub")),
        (line!("good-p521.cert"), line!("ca-p521.pub")),
        (line!("good-rsa.cert"), line!("ca-rsa.pub")),
        (line!("good-rsa-256.cert"), line!("ca-rsa.pub")),
        (line!("other-ca-good.cert"), line!("other-ca.pub")),
        (line!("for-p256.cert"), CA),
        (line!("for-rsa.cert"), CA),
        (line!("for-sk-ed25519.cert"), CA),
        (line!("for-sk-p256.cert"), CA),
    ] {
        let key = presented(good);
        assert_eq!(key.blob(), blob(good));
        assert!(key.is_signed_by(&ca(authority), "bob", NOW), "{good}");
        assert!(key.is_signed_by(&ca(authority), "carol", NOW), "{good}");
        for other in [CA, line!("ca-p256.pub"), line!("ca-rsa.pub"), line!("other-ca.pub")] {
            let right = other == authority;
            assert_eq!(key.is_signed_by(&ca(other), "bob", NOW), right, "{good} {other}");
        }
    }
}

#[test]
fn only_the_users_it_names() {
    let key = presented(GOOD);
    for name in ["", "bo", "bobb", "Bob", "bob,carol", "bob\0", " bob", "root", "*"] {
        assert!(!key.is_signed_by(&ca(CA), name, NOW), "{name}");
    }
    let nobody = presented(line!("nobody.cert"));
    assert!(matches!(nobody, PresentedKey::Certificate(_)));
    for name in ["", "bob", "root"] {
        assert!(!nobody.is_signed_by(&ca(CA), name, NOW), "{name}");
    }
}

#[test]
fn only_in_its_time() {
    let valid = |line: &str, at: i64| {
        presented(line).is_signed_by(&ca(CA), "bob", Timestamp::from_unix(at))
    };
    for (at, expected) in [
        (BEGIN - 1, false),
        (BEGIN, true),
        (END - 1, true),
        (END, false),
        (-1, false),
        (i64::MIN, false),
        (i64::MAX, false),
        (0, false),
    ] {
        assert_eq!(valid(GOOD, at), expected, "{at}");
    }
    for (at, expected) in [(0, true), (END, true), (i64::MAX, true), (-1, false)] {
        assert_eq!(valid(line!("forever.cert"), at), expected, "{at}");
    }
}

#[test]
fn what_is_no_certificate_here() {
    for line in [
        line!("host.cert"),
        line!("force-command.cert"),
        line!("source-address.cert"),
        line!("verify-required.cert"),
        line!("unknown-option.cert"),
        line!("sha1.cert"),
        line!("short-ca.cert"),
        line!("user-ed25519.pub"),
        CA,
    ] {
        let key = presented(line);
        assert_eq!(key, PresentedKey::Plain(blob(line).into()));
        assert!(!key.is_signed_by(&ca(CA), "bob", NOW), "{line}");
        assert_eq!(key.blob(), blob(line));
    }
    let with_extension = presented(line!("extension.cert"));
    assert!(with_extension.is_signed_by(&ca(CA), "bob", NOW), "extensions say nothing here");
}

#[test]
fn a_certificate_cut_short_or_made_longer() {
    for line in [GOOD, line!("good-p256.cert"), line!("good-rsa.cert")] {
        let good = blob(line);
        for length in 0..good.len() {
            assert!(!is_certificate(&good[..length]), "{length} bytes of {line}");
        }
        assert!(!is_certificate(&[good.as_slice(), &[0]].concat()));
        assert!(!is_certificate(&[good.as_slice(), &good].concat()));
    }
}

#[test]
fn a_certificate_changed_in_one_bit() {
    let good = blob(GOOD);
    for bit in 0..good.len() * 8 {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!is_certificate(&changed), "bit {bit}");
    }
    for line in [line!("good-p256.cert"), line!("good-rsa.cert")] {
        let good = blob(line);
        for byte in 0..good.len() {
            let mut changed = good.clone();
            changed[byte] ^= 1;
            assert!(!is_certificate(&changed), "byte {byte} of {line}");
        }
    }
}

/// The fields of a certificate, to be changed and signed.
struct Forged {
    kind: &'static str,
    user: u32,
    principals: Vec<Vec<u8>>,
    options: Vec<u8>,
    authority: Option<Vec<u8>>,
    algorithm: &'static str,
    tail: Vec<u8>,
}

impl Default for Forged {
    fn default() -> Self {
        Self {
            kind: "ssh-ed25519-cert-v01@openssh.com",
            user: 1,
            principals: vec![b"bob".to_vec()],
            options: Vec::new(),
            authority: None,
            algorithm: "ssh-ed25519",
            tail: Vec::new(),
        }
    }
}

fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("short");
    [length.to_be_bytes().as_slice(), bytes].concat()
}

impl Forged {
    /// The certificate, and the line of its authority.
    fn sign(self) -> (Vec<u8>, String) {
        let pair = Ed25519KeyPair::generate().expect("a key");
        let key = [string(b"ssh-ed25519"), string(pair.public_key().as_ref())].concat();
        let line = format!("ssh-ed25519 {}", STANDARD.encode(&key));
        let principals: Vec<Vec<u8>> = self.principals.iter().map(|name| string(name)).collect();
        let signed = [
            string(self.kind.as_bytes()),
            string(&[7; 32]),
            string(&[9; 32]),
            0_u64.to_be_bytes().to_vec(),
            self.user.to_be_bytes().to_vec(),
            string(b"forged"),
            string(&principals.concat()),
            0_u64.to_be_bytes().to_vec(),
            u64::MAX.to_be_bytes().to_vec(),
            string(&self.options),
            string(b""),
            string(b""),
            string(&self.authority.unwrap_or(key)),
        ]
        .concat();
        let signature = pair.sign(&signed);
        let signature = [string(self.algorithm.as_bytes()), string(signature.as_ref())].concat();
        ([signed, string(&[signature, self.tail].concat())].concat(), line)
    }

    fn lets_in(self, username: &str) -> bool {
        let (blob, authority) = self.sign();
        PresentedKey::read(&blob).is_signed_by(&ca(&authority), username, NOW)
    }
}

#[test]
fn signed_and_still_wrong() {
    assert!(Forged::default().lets_in("bob"), "the forge works");
    for user in [0, 2, 3, u32::MAX] {
        assert!(!Forged { user, ..Forged::default() }.lets_in("bob"), "type {user}");
    }
    let names = |principals: Vec<Vec<u8>>| Forged { principals, ..Forged::default() };
    assert!(!names(vec![Vec::new()]).lets_in(""), "an empty name is nobody's");
    assert!(!names(vec![b"b\xffob".to_vec()]).lets_in("b\u{fffd}ob"));
    assert!(names(vec![b"\xff".to_vec(), b"bob".to_vec()]).lets_in("bob"));
    assert!(names(vec![b"bob".to_vec(); 256]).lets_in("bob"));
    assert!(!names(vec![b"bob".to_vec(); 257]).lets_in("bob"));
    for options in [string(b"force-command"), vec![0], vec![0, 0, 0, 0, 0, 0, 0, 0]] {
        assert!(!Forged { options, ..Forged::default() }.lets_in("bob"));
    }
    for kind in
        ["ssh-ed25519", "ssh-ed25519-cert-v00@openssh.com", "ssh-dss-cert-v01@openssh.com", ""]
    {
        assert!(!Forged { kind, ..Forged::default() }.lets_in("bob"), "{kind}");
    }
    for algorithm in ["", "rsa-sha2-256", "ecdsa-sha2-nistp256", "ssh-ed25519@openssh.com"] {
        assert!(!Forged { algorithm, ..Forged::default() }.lets_in("bob"), "{algorithm}");
    }
    assert!(!Forged { tail: vec![0], ..Forged::default() }.lets_in("bob"));
    let (certificate, _) = Forged::default().sign();
    for authority in [blob(CA), certificate, Vec::new(), blob(line!("user-sk-ed25519.pub"))] {
        let (forged, _) = Forged { authority: Some(authority), ..Forged::default() }.sign();
        assert!(!is_certificate(&forged), "signed by somebody else than it says");
    }
}

#[test]
fn a_presented_key_is_a_key() {
    for line in [
        line!("user-ed25519.pub"),
        line!("user-p256.pub"),
        line!("user-rsa.pub"),
        line!("user-sk-ed25519.pub"),
        line!("user-sk-p256.pub"),
        line!("ca-p384.pub"),
        line!("ca-p521.pub"),
        line!("ca-rsa-short.pub"),
    ] {
        let key = PublicKey::parse(line).expect(line);
        assert_eq!(key.blob(), blob(line));
        assert!(presented(line).is(&key));
        assert!(!presented(GOOD).is(&key), "a certificate is not the key it is for");
        let words: Vec<&str> = line.split_whitespace().collect();
        let again = format!("  {}\t{}  another comment, with \"quotes\"\r\n", words[0], words[1]);
        assert_eq!(PublicKey::parse(&again), Ok(key));
        let bare = words[..2].join(" ");
        assert!(PublicKey::parse(&bare).is_ok());
    }
    let [one, other] =
        [line!("user-ed25519.pub"), CA].map(|line| PublicKey::parse(line).expect(line));
    assert_ne!(one, other);
    assert!(!presented(line!("user-ed25519.pub")).is(&other));
}

#[test]
fn lines_that_are_no_key() {
    let (name, base64) =
        CA.trim().rsplit_once(' ').expect("a comment").0.split_once(' ').expect("two");
    let refused = |line: &str| PublicKey::parse(line).expect_err(line);
    for line in ["", " ", "ssh-ed25519", name, base64, &format!("{CA}{CA}"), "ssh-ed25519\nAAAA"] {
        assert_eq!(refused(line), KeyError::Shape, "{line}");
    }
    for option in
        ["no-pty", "restrict,command=\"/bin/true\"", "cert-authority", "@cert-authority", "#"]
    {
        assert_eq!(refused(&format!("{option} {CA}")), KeyError::UnknownType(option.into()));
    }
    for kind in ["ssh-dss", "SSH-ED25519", "rsa-sha2-256", "ssh-ed25519@openssh.com", "AAAA"] {
        assert_eq!(refused(&format!("{kind} {base64}")), KeyError::UnknownType(kind.into()));
    }
    assert_eq!(refused(&format!("ssh-rsa {base64}")), KeyError::OtherType("ssh-rsa".into()));
    assert_eq!(refused(GOOD), KeyError::Certificate);
    for bad in ["!", "AAAA=", base64.trim_start_matches('A'), &base64.replace('A', "-")] {
        let error = refused(&format!("{name} {bad}"));
        let malformed = STANDARD.decode(bad).is_ok();
        assert_eq!(error == KeyError::Malformed, malformed, "{bad}: {error}");
    }
    let padded = line!("ca-p256.pub").replace("= ", " ");
    assert_eq!(refused(&padded), KeyError::NotBase64);
    let whole = blob(CA);
    for length in 0..whole.len() {
        let line = format!("{name} {}", STANDARD.encode(&whole[..length]));
        assert!(PublicKey::parse(&line).is_err(), "{length}");
    }
    let longer = STANDARD.encode([whole.as_slice(), &[0]].concat());
    assert_eq!(refused(&format!("{name} {longer}")), KeyError::Malformed);
    assert_eq!(refused(&format!("{name} {}", "A".repeat(MAX_BLOB + 4))), KeyError::Malformed);
}

#[test]
fn keys_that_are_not_written_as_they_have_to_be() {
    let line = |fields: &[&[u8]]| {
        let blob: Vec<u8> = fields.iter().flat_map(|field| string(field)).collect();
        format!("{} {}", String::from_utf8_lossy(fields[0]), STANDARD.encode(blob))
    };
    let modulus = [&[0_u8][..], &[0xc0; 256]].concat();
    let (x, short) = ([&[4_u8][..], &[7; 64]].concat(), [7_u8; 31]);
    let rsa: &[u8] = b"ssh-rsa";
    assert!(PublicKey::parse_ca(&line(&[rsa, &[1, 0, 1], &modulus])).is_ok());
    for (exponent, modulus) in [
        (&[][..], &modulus[..]),
        (&[0], &modulus),
        (&[0, 1], &modulus),
        (&[0x81], &modulus),
        (&[3], &[]),
        (&[3], &modulus[1..]),
    ] {
        assert_eq!(PublicKey::parse(&line(&[rsa, exponent, modulus])), Err(KeyError::Malformed));
    }
    for bad in [
        line(&[b"ssh-ed25519", &short]),
        line(&[b"ssh-ed25519", &[7; 33]]),
        line(&[b"ssh-ed25519", &[7; 32], b""]),
        line(&[b"ecdsa-sha2-nistp256", b"nistp384", &x]),
        line(&[b"ecdsa-sha2-nistp256", b"nistp256", &[&[2_u8][..], &[7; 32]].concat()]),
        line(&[b"ecdsa-sha2-nistp256", b"nistp256", &x[1..]]),
        line(&[b"ecdsa-sha2-nistp384", b"nistp384", &x]),
        line(&[b"sk-ssh-ed25519@openssh.com", &[7; 32]]),
        line(&[b"sk-ecdsa-sha2-nistp256@openssh.com", b"nistp256", &x]),
    ] {
        assert_eq!(PublicKey::parse(&bad), Err(KeyError::Malformed), "{bad}");
    }
}

#[test]
fn keys_that_are_no_authority() {
    let refused = |line: &str| PublicKey::parse_ca(line).expect_err(line);
    assert_eq!(
        refused(line!("user-sk-ed25519.pub")),
        KeyError::NotACa("sk-ssh-ed25519@openssh.com")
    );
    assert_eq!(
        refused(line!("user-sk-p256.pub")),
        KeyError::NotACa("sk-ecdsa-sha2-nistp256@openssh.com")
    );
    assert_eq!(refused(line!("ca-rsa-short.pub")), KeyError::RsaLength);
    assert_eq!(refused("cert-authority"), KeyError::Shape);
    assert!(PublicKey::parse(line!("ca-rsa-short.pub")).is_ok(), "to be presented it may be short");
}

#[test]
fn sizes_are_bounded() {
    let huge = vec![0_u8; MAX_BLOB + 1];
    assert_eq!(PresentedKey::read(&huge), PresentedKey::Plain(Box::default()));
    assert_eq!(PresentedKey::read(&huge[1..]).blob().len(), MAX_BLOB);
    assert_eq!(PresentedKey::read(&[]).blob(), b"");
    // Lengths that promise more than there is.
    for length in [u32::MAX, 1 << 31, 1 << 16] {
        assert!(!is_certificate(&length.to_be_bytes()));
        let name = string(b"ssh-ed25519-cert-v01@openssh.com");
        assert!(!is_certificate(&[name, length.to_be_bytes().to_vec()].concat()));
    }
}

proptest! {
    #[test]
    fn bytes_are_no_certificate(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(!is_certificate(&bytes));
        let key = PresentedKey::read(&bytes);
        prop_assert_eq!(key.blob(), bytes);
    }

    #[test]
    fn bytes_after_a_good_beginning_are_no_certificate(
        kept in 0_usize..400,
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let good = blob(GOOD);
        let mixed = [&good[..kept.min(good.len() - 1)], &bytes].concat();
        prop_assert!(mixed == good || !is_certificate(&mixed));
    }

    #[test]
    fn any_line_is_read_or_refused(line in "\\PC{0,80}", base64 in "[A-Za-z0-9+/=]{0,120}") {
        prop_assert!(PublicKey::parse(&line).is_err());
        for name in ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"] {
            let read = PublicKey::parse(&format!("{name} {base64} {line}"));
            prop_assert!(read.is_err() || base64.len() > 60);
        }
    }
}
