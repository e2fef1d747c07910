//! Client certificates: what is read of them, and which are good.

use crate::support::check::decode;
use crate::support::check::{asking, get};
use crate::support::config::snapshot_of;
use crate::support::pki::{Ca, NOW, dns, key, params, url_encoded};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::Peer;
use lictor::certificate::{
    AuthorityError, CertificateError, ClientAuthority, Demands, NameKind, NamePattern,
    PeerCertificate, Revocations,
};
use lictor::time::Timestamp;
use proptest::prelude::*;
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, ExtendedKeyUsagePurpose, GeneralSubtree,
    IsCa, KeyUsagePurpose, NameConstraints, OtherNameValue, SanType, SerialNumber, date_time_ymd,
};
use std::sync::{Arc, LazyLock};

/// The certificates of the policy cases, with what is known of them.
const CERTIFICATES: &str = include_str!("../cases/certificates.yaml");

static ROOT: LazyLock<Ca> = LazyLock::new(|| Ca::new("root"));

fn peer(pem: &str) -> PeerCertificate {
    PeerCertificate::from_pem(pem).expect("readable")
}

fn unreadable(pem: &str) -> CertificateError {
    PeerCertificate::from_pem(pem).expect_err("unreadable")
}

fn judge_at(authority: &ClientAuthority, pem: &str, unix: i64) -> Result<(), CertificateError> {
    authority.judge(&peer(pem), Timestamp::from_unix(unix))
}

fn judge(authority: &ClientAuthority, pem: &str) -> Result<(), CertificateError> {
    judge_at(authority, pem, NOW)
}

fn trusting(bundle: &str) -> ClientAuthority {
    ClientAuthority::new(bundle, Demands::default()).expect("an authority")
}

fn not_trusting(bundle: &str) -> AuthorityError {
    ClientAuthority::new(bundle, Demands::default()).expect_err("no authority")
}

fn deep(bundle: &str, max_depth: Option<usize>) -> ClientAuthority {
    ClientAuthority::new(bundle, Demands { max_depth, ..Demands::default() }).expect("an authority")
}

fn revoking(lists: &str) -> Demands {
    let revocations = Arc::new(Revocations::from_pem(lists).expect("lists"));
    Demands { revocations, ..Demands::default() }
}

// --- reading

#[test]
fn what_a_certificate_is_known_by() {
    let document: serde_json::Value = serde_yaml::from_str(CERTIFICATES).expect("YAML");
    for (name, expected) in document.as_object().expect("a map") {
        let text = |key: &str| expected[key].as_str().expect("text");
        let list = |key: &str| -> Vec<String> {
            serde_json::from_value(expected[key].clone()).expect("texts")
        };
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        for read in [
            PeerCertificate::from_pem(text("pem")),
            PeerCertificate::decode_envoy(&url_encoded(text("pem"))),
            PeerCertificate::decode_envoy(text("pem")),
        ] {
            let read = read.expect(name);
            assert_eq!(hex(read.fingerprint()), text("fingerprint"), "{name}");
            assert_eq!(STANDARD.encode(read.spki_hash()), text("spki_hash"), "{name}");
            assert_eq!(read.dns_names(), list("san_dns"), "{name}");
            assert_eq!(read.emails(), list("san_email"), "{name}");
            assert_eq!(read.uris(), list("san_uri"), "{name}");
        }
    }
}

#[test]
fn garbage() {
    let good = ROOT.client(|_| ());
    let cut = good.replace("-----END CERTIFICATE-----", "");
    let (head, tail) = good.split_at(good.len() / 2);
    let trailing = {
        let der = pem_body(&good);
        pem_of(&[der.as_slice(), &[0]].concat())
    };
    for text in [
        "",
        "certificate",
        "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        &cut,
        &format!("{head}\0{tail}"),
        &trailing,
        &format!("{good}-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"),
    ] {
        assert_eq!(unreadable(text), CertificateError::Unreadable, "{text:?}");
    }
    for encoded in ["%", "%zz", "%ff", "-----BEGIN%20CERTIFICATE-----%0A"] {
        let error = PeerCertificate::decode_envoy(encoded).expect_err("unreadable");
        assert_eq!(error, CertificateError::Unreadable, "{encoded}");
    }
}

fn pem_body(pem: &str) -> Vec<u8> {
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).expect("base64")
}

fn pem_of(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

#[test]
fn too_much() {
    let one = ROOT.client(|_| ());
    peer(&one.repeat(10));
    assert_eq!(unreadable(&one.repeat(11)), CertificateError::TooLarge);
    let long = " ".repeat(64 * 1024) + &one;
    assert_eq!(unreadable(&long), CertificateError::TooLarge);
    let encoded = PeerCertificate::decode_envoy(&"%20".repeat(64 * 1024 + 1));
    assert_eq!(encoded.expect_err("too much"), CertificateError::TooLarge);
    let names: Vec<SanType> = (0..500).map(|n| dns(&format!("host-{n}.example.com"))).collect();
    assert_eq!(
        peer(&ROOT.client(|params| params.subject_alt_names = names)).dns_names().len(),
        500
    );
}

#[test]
fn names_that_could_be_read_in_two_ways() {
    let ia5 = |text: &str| text.try_into().expect("ASCII");
    for name in [
        SanType::DnsName(ia5("good.example.com\0.evil.test")),
        SanType::DnsName(ia5("a\nb")),
        SanType::Rfc822Name(ia5("root@corp.test\0@evil.test")),
        SanType::URI(ia5("spiffe://corp.test/a\u{7f}")),
        SanType::OtherName((UPN.to_vec(), OtherNameValue::from("root@corp.test\0"))),
        SanType::OtherName((UPN.to_vec(), OtherNameValue::from("root@corp.test\u{85}"))),
    ] {
        let pem = ROOT.client(|params| params.subject_alt_names.push(name.clone()));
        assert_eq!(unreadable(&pem), CertificateError::BadName, "{name:?}");
    }
    let raw = |content: &[u8]| {
        let extension = CustomExtension::from_oid_content(&SAN, content.to_vec());
        ROOT.client(|params| {
            params.subject_alt_names.clear();
            params.custom_extensions.push(extension);
        })
    };
    assert_eq!(peer(&raw(b"\x30\x03\x82\x01a")).dns_names(), ["a"]);
    for bad in [
        b"\x30\x03\x82\x01\xff".as_slice(), // not UTF-8
        b"\x30\x04\x82\x02\xc3\xa9",        // not ASCII
        b"\x30\x05\x87\x03\x01\x02\x03",    // an address of three bytes
        b"\x30\x04\x82\x01a",               // too short
        b"\x30\x03\x82\x01ab",              // something behind
        b"a",
        b"",
    ] {
        assert_eq!(unreadable(&raw(bad)), CertificateError::BadName, "{bad:?}");
    }
    let twice = CustomExtension::from_oid_content(&SAN, b"\x30\x03\x82\x01a".to_vec());
    let pem = ROOT.client(|params| params.custom_extensions.push(twice));
    assert_eq!(unreadable(&pem), CertificateError::BadName);
}

const SAN: [u64; 4] = [2, 5, 29, 17];
const UPN: [u64; 10] = [1, 3, 6, 1, 4, 1, 311, 20, 2, 3];

#[test]
fn what_a_check_says_of_the_client() {
    let settings = &snapshot_of("").settings;
    for http in [Some(get("a.test", "/", &[])), None] {
        let mut request = asking(http.clone().unwrap_or_default());
        let attributes = request.attributes.as_mut().expect("attributes");
        if http.is_none() {
            attributes.request = None;
        }
        let certificate = url_encoded(&ROOT.client(|_| ()));
        let sent = certificate.clone();
        let principal = "spiffe://corp.test/alice".to_owned();
        attributes.source = Some(Peer { certificate, principal, ..Peer::default() });
        let decoded = decode(request, settings, None);
        assert_eq!(decoded.principal.as_deref(), Some("spiffe://corp.test/alice"));
        let text = decoded.certificate.expect("a certificate");
        assert_eq!(text, sent);
        let read = PeerCertificate::decode_envoy(&text).expect("readable");
        assert_eq!(read.dns_names(), ["client.example.com"]);
    }
    let nobody = decode(asking(get("a.test", "/", &[])), settings, None);
    assert_eq!((nobody.certificate, nobody.principal), (None, None));
}

// --- chain, time and purpose

#[test]
fn a_good_certificate() {
    assert_eq!(judge(&trusting(&ROOT.pem), &ROOT.client(|_| ())), Ok(()));
    let either = format!("some text\n{}{}", Ca::new("other").pem, ROOT.pem);
    assert_eq!(judge(&trusting(&either), &ROOT.client(|_| ())), Ok(()));
}

#[test]
fn time() {
    let root = Ca::with("root", |params| params.not_after = date_time_ymd(2035, 1, 1));
    let authority = trusting(&root.pem);
    let pem = root.client(|params| {
        params.not_before = date_time_ymd(2029, 1, 1);
        params.not_after = date_time_ymd(2040, 1, 1);
    });
    let at = |unix| judge_at(&authority, &pem, unix);
    let (from, until) = (1_861_920_000, 2_051_222_400);
    assert_eq!(at(from - 1), Err(CertificateError::NotYetValid));
    assert_eq!(at(from), Ok(()));
    assert_eq!(at(NOW), Ok(()));
    assert_eq!(at(until), Ok(()));
    assert_eq!(at(until + 1), Err(CertificateError::Expired), "the CA has expired");
    assert_eq!(at(3_000_000_000), Err(CertificateError::Expired));
    assert_eq!(at(-1), Err(CertificateError::NotYetValid));
    assert_eq!(at(i64::MIN), Err(CertificateError::NotYetValid));
    assert_eq!(at(i64::MAX), Err(CertificateError::Expired));
    let young = Ca::with("young", |params| params.not_before = date_time_ymd(2031, 1, 1));
    assert_eq!(
        judge(&trusting(&young.pem), &young.client(|_| ())),
        Err(CertificateError::NotYetValid)
    );
}

#[test]
fn a_ca_renewed_with_its_key_is_good_while_one_of_its_certificates_is() {
    let old = Ca::with("root", |params| params.not_after = date_time_ymd(2029, 1, 1));
    let mut renewed = params("root");
    renewed.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let renewed = renewed.self_signed(old.issuer.key()).expect("a certificate").pem();
    let pem = old.client(|_| ());
    assert_eq!(judge(&trusting(&old.pem), &pem), Err(CertificateError::Expired));
    for bundle in [format!("{}{renewed}", old.pem), format!("{renewed}{}", old.pem)] {
        assert_eq!(judge(&trusting(&bundle), &pem), Ok(()));
    }
}

#[test]
fn another_ca() {
    let (other, namesake) = (Ca::new("other"), Ca::new("root"));
    let authority = trusting(&ROOT.pem);
    assert_eq!(judge(&authority, &other.client(|_| ())), Err(CertificateError::UnknownIssuer));
    assert_eq!(judge(&authority, &namesake.client(|_| ())), Err(CertificateError::BadSignature));
    let own = params("client").self_signed(&key()).expect("a certificate").pem();
    assert_eq!(judge(&authority, &own), Err(CertificateError::UnknownIssuer));
    let posing = params("root").self_signed(&key()).expect("a certificate").pem();
    assert_eq!(judge(&authority, &posing), Err(CertificateError::BadSignature));
    let with_its_ca = other.client(|_| ()) + &other.pem;
    assert_eq!(judge(&authority, &with_its_ca), Err(CertificateError::UnknownIssuer));
}

#[test]
fn a_changed_certificate() {
    let authority = trusting(&ROOT.pem);
    let mut der = pem_body(&ROOT.client(|_| ()));
    let at = der.windows(6).position(|window| window == b"client").expect("the subject");
    der[at] = b'C';
    assert_eq!(judge(&authority, &pem_of(&der)), Err(CertificateError::BadSignature));
}

#[test]
fn purpose() {
    use ExtendedKeyUsagePurpose::{Any, ClientAuth, ServerAuth};
    let authority = trusting(&ROOT.pem);
    for (purposes, expected) in [
        (vec![], Ok(())),
        (vec![ClientAuth], Ok(())),
        (vec![ServerAuth, ClientAuth], Ok(())),
        (vec![ServerAuth], Err(CertificateError::WrongUsage)),
        (vec![Any], Err(CertificateError::WrongUsage)),
    ] {
        let pem = ROOT.client(|params| params.extended_key_usages.clone_from(&purposes));
        assert_eq!(judge(&authority, &pem), expected, "{purposes:?}");
    }
}

#[test]
fn a_ca_is_not_a_client_and_a_client_is_not_a_ca() {
    let authority = deep(&ROOT.pem, None);
    let ca = ROOT.below("ca", |_| ());
    assert_eq!(judge(&authority, &ca.pem), Err(CertificateError::Unfit));
    assert_eq!(judge(&authority, &ROOT.pem), Err(CertificateError::Unfit));
    for no_ca in [IsCa::NoCa, IsCa::ExplicitNoCa] {
        let client = ROOT.below("client", |params| params.is_ca = no_ca);
        let forged = client.client(|_| ()) + &client.pem;
        assert_eq!(judge(&authority, &forged), Err(CertificateError::UnknownIssuer));
    }
}

#[test]
fn a_ca_that_may_vouch_for_some_only() {
    let for_names = |permitted: GeneralSubtree| {
        Ca::with("bound", |params| {
            params.name_constraints = Some(NameConstraints {
                permitted_subtrees: vec![permitted],
                excluded_subtrees: Vec::new(),
            });
        })
    };
    let inside = for_names(GeneralSubtree::DnsName("example.com".to_owned()));
    assert_eq!(judge(&trusting(&inside.pem), &inside.client(|_| ())), Ok(()));
    let outside = for_names(GeneralSubtree::DnsName("example.net".to_owned()));
    assert_eq!(
        judge(&trusting(&outside.pem), &outside.client(|_| ())),
        Err(CertificateError::Unfit)
    );
    let email = for_names(GeneralSubtree::Rfc822Name("example.com".to_owned()));
    let pem = email.client(|params| {
        let name = "a@example.net".try_into().expect("ASCII");
        params.subject_alt_names = vec![SanType::Rfc822Name(name)];
    });
    assert_eq!(judge(&trusting(&email.pem), &pem), Err(CertificateError::Unfit));
}

#[test]
fn an_unknown_critical_extension() {
    let mut extension = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    extension.set_criticality(true);
    let pem = ROOT.client(|params| params.custom_extensions.push(extension));
    assert_eq!(judge(&trusting(&ROOT.pem), &pem), Err(CertificateError::Unfit));
}

/// A CA, a client certificate of version 1, one of version 3 (`openssl x509 -req`).
const VERSION_1: [&str; 3] = [
    "-----BEGIN CERTIFICATE-----
MIIBHjCBxQIUcdYs7kpYTRCmjxCnhHu5SCV1DNkwCgYIKoZIzj0EAwIwETEPMA0G
A1UEAwwGT2xkIENBMCAXDTI2MTEyMjA3MzIyMVoYDzIwODEwODI1MDczMjIxWjAR
MQ8wDQYDVQQDDAZPbGQgQ0EwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASlHcZE
dXyAC5tRMO7DNI4y509cwlQFg8/pGEdrdeyHjWB4nxl1J+eJ1ElGRcx/69oru8l2
nTCqIFvgFRpPHge0MAoGCCqGSM49BAMCA0gAMEUCIHA5+WWxsON52dzA+kn4YCQu
er7NllKzRwknIZi1gnIXAiEAmb3FEhB8RSzxzb9jQ6yv4N+vT7tsy+79b3yDar9p
1tw=
-----END CERTIFICATE-----
",
    "-----BEGIN CERTIFICATE-----
MIIBCjCBsgIBATAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZPbGQgQ0EwIBcNMjYx
MTIyMDczMjQ2WhgPMjA4MTA4MjUwNzMyNDZaMBExDzANBgNVBAMMBmNsaWVudDBZ
MBMGByqGSM49AgEGCCqGSM49AwEHA0IABIEOe/+AnI0y1cZDk+CLBxTiSrmHKJQb
bkJcNJayUt+76kXw/BsgYmHXjV6AjF3duS+4blxMP2ltgPb2c+BWXQ4wCgYIKoZI
zj0EAwIDRwAwRAIgZ2dTW8o3k0XgcO+nwTw+8WPS65ayWb+erszuyIigzooCIEZH
CSJMZDzXrE0JiKDPOTf0IOoKK/luFYkUe0oolP/A
-----END CERTIFICATE-----
",
    "-----BEGIN CERTIFICATE-----
MIIBizCCATGgAwIBAgIBAjAKBggqhkjOPQQDAjARMQ8wDQYDVQQDDAZPbGQgQ0Ew
IBcNMjYxMTIyMDczMjQ2WhgPMjA4MTA4MjUwNzMyNDZaMBExDzANBgNVBAMMBmNs
aWVudDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABIEOe/+AnI0y1cZDk+CLBxTi
SrmHKJQbbkJcNJayUt+76kXw/BsgYmHXjV6AjF3duS+4blxMP2ltgPb2c+BWXQ6j
eDB2MB0GA1UdEQQWMBSCEmNsaWVudC5leGFtcGxlLmNvbTAdBgNVHQ4EFgQUt7VI
MTdBkLAkH0PCcIre7G5saV0wNgYDVR0jBC8wLaEVpBMwETEPMA0GA1UEAwwGT2xk
IENBghRx1izuSlhNEKaPEKeEe7lIJXUM2TAKBggqhkjOPQQDAgNIADBFAiBcdGHD
hY/YO94ANLbksSMsxUlVPBiW5RHIEmyQ8qrhEQIhAJ5BjEImiFQ6gnnNGxhMfoYJ
b54AfeiNs1WqMemKKv4/
-----END CERTIFICATE-----
",
];

#[test]
fn version_1() {
    let [ca, old, new] = VERSION_1;
    let authority = trusting(ca);
    assert_eq!(judge(&authority, new), Ok(()), "an old CA that an operator trusts");
    assert_eq!(judge(&authority, old), Err(CertificateError::Unfit));
    assert_eq!(peer(old).dns_names(), <[String; 0]>::default());
    let other = deep(&ROOT.pem, None);
    assert_eq!(judge(&other, &(new.to_owned() + ca)), Err(CertificateError::UnknownIssuer));
}

// --- more than one CA above

#[test]
fn an_intermediate_ca_in_the_bundle() {
    let middle = ROOT.below("middle", |_| ());
    let pem = middle.client(|_| ());
    assert_eq!(judge(&trusting(&middle.pem), &pem), Ok(()));
    assert_eq!(judge(&trusting(&format!("{}{}", ROOT.pem, middle.pem)), &pem), Ok(()));
    assert_eq!(judge(&trusting(&ROOT.pem), &pem), Err(CertificateError::UnknownIssuer));
}

#[test]
fn intermediate_cas_that_are_presented() {
    let upper = ROOT.below("upper", |_| ());
    let lower = upper.below("lower", |_| ());
    let two = upper.client(|_| ()) + &upper.pem;
    let three = lower.client(|_| ()) + &upper.pem + &lower.pem;
    for (depth, with_two, with_three) in [
        (Some(0), Err(CertificateError::TooDeep), Err(CertificateError::TooDeep)),
        (Some(1), Err(CertificateError::TooDeep), Err(CertificateError::TooDeep)),
        (Some(2), Ok(()), Err(CertificateError::TooDeep)),
        (Some(3), Ok(()), Ok(())),
        (None, Ok(()), Ok(())),
    ] {
        let authority = deep(&ROOT.pem, depth);
        assert_eq!(judge(&authority, &two), with_two, "{depth:?}");
        assert_eq!(judge(&authority, &three), with_three, "{depth:?}");
    }
    let both = deep(&format!("{}{}", ROOT.pem, upper.pem), Some(1));
    assert_eq!(judge(&both, &two), Ok(()), "the shorter chain counts");
}

#[test]
fn limits_of_a_ca_count_below_it() {
    let root = Ca::with("root", |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0)));
    let middle = root.below("middle", |_| ());
    assert_eq!(judge(&deep(&root.pem, None), &root.client(|_| ())), Ok(()));
    let chain = middle.client(|_| ()) + &middle.pem;
    assert_eq!(judge(&deep(&root.pem, None), &chain), Err(CertificateError::Unfit));
    let for_servers = ROOT.below("middle", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let for_lists =
        ROOT.below("middle", |params| params.key_usages = vec![KeyUsagePurpose::CrlSign]);
    for middle in [for_servers, for_lists] {
        let chain = middle.client(|_| ()) + &middle.pem;
        assert_eq!(judge(&deep(&ROOT.pem, None), &chain), Err(CertificateError::UnknownIssuer));
    }
}

#[test]
fn of_two_certificates_the_first_is_judged() {
    let (good, bad) = (ROOT.client(|_| ()), Ca::new("other").client(|_| ()));
    let authority = trusting(&ROOT.pem);
    assert_eq!(judge(&authority, &format!("{good}{bad}")), Ok(()));
    assert_eq!(judge(&authority, &format!("{bad}{good}")), Err(CertificateError::UnknownIssuer));
    assert_eq!(peer(&format!("{bad}{good}")).fingerprint(), peer(&bad).fingerprint());
}

// --- revocation

#[test]
fn revoked() {
    let numbered = |serial: &[u8]| {
        ROOT.client(|params| params.serial_number = Some(SerialNumber::from_slice(serial)))
    };
    let lists = ROOT.revoke(&[&[7], &[0x80, 1]]) + &ROOT.revoke(&[&[9]]);
    let authority = ClientAuthority::new(&ROOT.pem, revoking(&lists)).expect("an authority");
    for serial in [&[7][..], &[9], &[0x80, 1]] {
        assert_eq!(judge(&authority, &numbered(serial)), Err(CertificateError::Revoked));
    }
    for serial in [&[8][..], &[7, 7], &[1]] {
        assert_eq!(judge(&authority, &numbered(serial)), Ok(()));
    }
}

#[test]
fn a_list_of_another_ca() {
    let other = Ca::new("other");
    let serial = |params: &mut CertificateParams| {
        params.serial_number = Some(SerialNumber::from_slice(&[7]));
    };
    let both = ROOT.pem.clone() + &other.pem;
    let authority =
        ClientAuthority::new(&both, revoking(&other.revoke(&[&[7]]))).expect("an authority");
    assert_eq!(judge(&authority, &ROOT.client(serial)), Ok(()));
    assert_eq!(judge(&authority, &other.client(serial)), Err(CertificateError::Revoked));
    let stray = ClientAuthority::new(&ROOT.pem, revoking(&other.revoke(&[&[7]])));
    assert_eq!(judge(&stray.expect("an authority"), &ROOT.client(serial)), Ok(()));
}

#[test]
fn a_list_counts_for_clients_and_not_for_cas() {
    let middle = ROOT.below("middle", |params| {
        params.serial_number = Some(SerialNumber::from_slice(&[7]));
    });
    let demands = Demands { max_depth: None, ..revoking(&ROOT.revoke(&[&[7]])) };
    let authority = ClientAuthority::new(&ROOT.pem, demands).expect("an authority");
    assert_eq!(judge(&authority, &(middle.client(|_| ()) + &middle.pem)), Ok(()));
}

#[test]
fn lists_that_cannot_be_used() {
    let forged = Ca::new("root").revoke(&[&[7]]);
    let error = ClientAuthority::new(&ROOT.pem, revoking(&forged)).expect_err("forged");
    assert_eq!(error, AuthorityError::ListSignature(1));
    let second = ROOT.revoke(&[&[7]]) + &forged;
    let error = ClientAuthority::new(&ROOT.pem, revoking(&second)).expect_err("forged");
    assert_eq!(error, AuthorityError::ListSignature(2));
    let refused = |pem: &str| Revocations::from_pem(pem).expect_err("no lists");
    assert_eq!(refused(""), AuthorityError::NoList);
    assert_eq!(refused(&ROOT.pem), AuthorityError::NoList);
    assert_eq!(refused("-----BEGIN X509 CRL-----\n!"), AuthorityError::NotPem);
    let empty = "-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n";
    assert_eq!(refused(empty), AuthorityError::List(1));
    assert_eq!(refused(&(ROOT.revoke(&[]) + empty)), AuthorityError::List(2));
}

// --- names

#[test]
fn names_that_are_asked_for() {
    let pem = ROOT.client(|params| {
        params.subject_alt_names = vec![
            dns("laptop.corp.test"),
            SanType::Rfc822Name("alice@corp.test".try_into().expect("ASCII")),
            SanType::URI("spiffe://corp.test/alice".try_into().expect("ASCII")),
            SanType::IpAddress([192, 0, 2, 7].into()),
            SanType::IpAddress([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()),
            SanType::OtherName((UPN.to_vec(), OtherNameValue::from("alice@ad.corp.test"))),
            SanType::OtherName((vec![1, 2, 3], OtherNameValue::from("other"))),
        ];
    });
    let check = |patterns: &[(NameKind, &str)], expected: bool| {
        let patterns = patterns.iter().map(|(kind, text)| NamePattern::new(*kind, text));
        let names = patterns.map(|pattern| pattern.expect("a pattern")).collect();
        let authority = ClientAuthority::new(&ROOT.pem, Demands { names, ..Demands::default() });
        let judged = judge(&authority.expect("an authority"), &pem);
        let expected = if expected { Ok(()) } else { Err(CertificateError::WrongName) };
        assert_eq!(judged, expected);
    };
    check(&[(NameKind::Dns, r".*\.corp\.test")], true);
    check(&[(NameKind::Dns, r"corp\.test")], false);
    check(&[(NameKind::Dns, "laptop")], false);
    check(&[(NameKind::Dns, "x|laptop.corp.test|y")], true);
    check(&[(NameKind::Dns, "laptop|y")], false);
    check(&[(NameKind::Dns, "")], false);
    check(&[(NameKind::Dns, "client")], false);
    check(&[(NameKind::Email, "alice@corp.test")], true);
    check(&[(NameKind::Email, "Alice@corp.test")], false);
    check(&[(NameKind::Email, "laptop.corp.test")], false);
    check(&[(NameKind::Uri, "spiffe://corp.test/.*")], true);
    check(&[(NameKind::IpAddress, r"192\.0\.2\.7")], true);
    check(&[(NameKind::IpAddress, "2001:db8::1")], true);
    check(&[(NameKind::UserPrincipalName, "alice@ad.corp.test")], true);
    check(&[(NameKind::UserPrincipalName, "other")], false);
    check(&[(NameKind::Dns, "no"), (NameKind::Email, "alice@.*")], true);
    check(&[(NameKind::Dns, "no"), (NameKind::Email, "bob@.*")], false);
    check(&[], true);
    assert!(NamePattern::new(NameKind::Dns, "a)|(b").is_err());
    assert!(NamePattern::new(NameKind::Dns, "(").is_err());
}

// --- bundles

#[test]
fn bundles_that_cannot_be_used() {
    assert_eq!(not_trusting(""), AuthorityError::NoCertificate);
    assert_eq!(not_trusting(&ROOT.issuer.key().serialize_pem()), AuthorityError::NoCertificate);
    assert_eq!(not_trusting("-----BEGIN CERTIFICATE-----\n!"), AuthorityError::NotPem);
    assert_eq!(not_trusting(&pem_of(b"\x30\x00")), AuthorityError::Certificate(1));
    let good_and_bad = ROOT.pem.clone() + &pem_of(b"\x30\x00");
    assert_eq!(not_trusting(&good_and_bad), AuthorityError::Certificate(2));
    let client = ROOT.client(|_| ());
    assert_eq!(not_trusting(&(ROOT.pem.clone() + &client)), AuthorityError::NotCa(2));
    let no_signer =
        Ca::with("root", |params| params.key_usages = vec![KeyUsagePurpose::DigitalSignature]);
    assert_eq!(not_trusting(&no_signer.pem), AuthorityError::NotCa(1));
    let for_servers = Ca::with("root", |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    assert_eq!(not_trusting(&for_servers.pem), AuthorityError::NotCa(1));
}

// --- whatever comes

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// A certificate with bytes changed is never good, and never breaks anything.
    #[test]
    fn changed_bytes(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        static GOOD: LazyLock<(Vec<u8>, ClientAuthority)> =
            LazyLock::new(|| (pem_body(&ROOT.client(|_| ())), trusting(&ROOT.pem)));
        let (good, authority) = &*GOOD;
        let mut der = good.clone();
        for (index, byte) in changes {
            der[index.index(good.len())] = byte;
        }
        if let Ok(read) = PeerCertificate::from_pem(&pem_of(&der)) {
            let judged = authority.judge(&read, Timestamp::from_unix(NOW));
            prop_assert!(judged.is_err() || der == *good);
        }
    }

    #[test]
    fn any_text(text in any::<String>()) {
        prop_assert!(PeerCertificate::decode_envoy(&text).is_err());
        prop_assert!(ClientAuthority::new(&text, Demands::default()).is_err());
        prop_assert!(Revocations::from_pem(&text).is_err());
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(PeerCertificate::from_pem(&pem_of(&bytes)).is_err());
    }
}
