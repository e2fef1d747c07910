//! Throwaway CAs, and certificates for clients.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

/// 2030-01-01T00:00:00Z, when everything made here is good.
pub const NOW: i64 = 1_893_456_000;

/// A CA.
#[derive(Debug)]
pub struct Ca {
    pub pem: String,
    pub issuer: Issuer<'static, KeyPair>,
}

impl Ca {
    pub fn new(name: &str) -> Self {
        Self::with(name, |_| ())
    }

    /// A CA that signs itself, changed by `edit`.
    pub fn with(name: &str, edit: impl FnOnce(&mut CertificateParams)) -> Self {
        let (params, key) = (ca_params(name, edit), key());
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A CA that this one has signed.
    pub fn below(&self, name: &str, edit: impl FnOnce(&mut CertificateParams)) -> Self {
        let (params, key) = (ca_params(name, edit), key());
        let pem = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate for `client.example.com`, changed by `edit`.
    pub fn client(&self, edit: impl FnOnce(&mut CertificateParams)) -> String {
        self.client_with_key(edit).0
    }

    /// Such a certificate, and its private key.
    pub fn client_with_key(&self, edit: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let mut params = params("client");
        params.subject_alt_names = vec![dns("client.example.com")];
        edit(&mut params);
        let key = key();
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (certificate.pem(), key.serialize_pem())
    }

    /// A revocation list of these serial numbers, which expired in 2021.
    pub fn revoke(&self, serials: &[&[u8]]) -> String {
        let revoked = |serial: &&[u8]| RevokedCertParams {
            serial_number: SerialNumber::from_slice(serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2021, 1, 1),
            crl_number: SerialNumber::from_slice(&[1]),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        list.signed_by(&self.issuer).expect("a list").pem().expect("PEM")
    }
}

pub fn key() -> KeyPair {
    KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key")
}

pub fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn ca_params(name: &str, edit: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    edit(&mut params);
    params
}

pub fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("ASCII"))
}

/// As Envoy writes a certificate into a check: everything but letters, digits and `-._~` escaped.
pub fn url_encoded(pem: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let write =
        |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    pem.bytes().map(write).collect()
}
