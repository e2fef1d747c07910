//! `downstream_mtls` and the CA of a route: what they come to, and what is said about bad ones.

use crate::support::config::load;
use crate::support::pki::{Ca, NOW};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lictor::certificate::{CertificateError, ClientAuthority, PeerCertificate};
use lictor::config::{Config, Enforcement, Environment};
use lictor::document::Problem;
use lictor::identity::Directory;
use lictor::state::Snapshot;
use lictor::time::Timestamp;
use rcgen::SerialNumber;
use std::path::Path;

/// A folder with `ca.pem`, `other.pem`, `crl.pem` (revoking serial number 7 of `ca`), `text.pem`.
struct Folder {
    path: tempfile::TempDir,
    ca: Ca,
    other: Ca,
}

impl Folder {
    fn new() -> Self {
        let path = tempfile::tempdir().expect("a folder");
        let (ca, other) = (Ca::new("ca"), Ca::new("other"));
        let write =
            |name: &str, text: &str| std::fs::write(path.path().join(name), text).expect("writes");
        write("ca.pem", &ca.pem);
        write("other.pem", &other.pem);
        write("crl.pem", &ca.revoke(&[&[7]]));
        write("text.pem", "no certificate\n");
        Self { path, ca, other }
    }

    fn path(&self) -> &Path {
        self.path.path()
    }

    fn load(&self, text: &str) -> Config {
        load(text, self.path()).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
    }

    fn problems(&self, text: &str) -> Vec<Problem> {
        load(text, self.path()).err().unwrap_or_default()
    }

    /// The one problem, told without the folder.
    #[track_caller]
    fn refuses(&self, text: &str, expected: &str) {
        let problems: Vec<String> = self.problems(text).iter().map(ToString::to_string).collect();
        let folder = format!("{}/", self.path().display());
        assert_eq!(problems.join("\n").replace(&folder, ""), expected, "{text}");
    }
}

fn judge(authority: Option<&ClientAuthority>, pem: &str) -> Result<(), CertificateError> {
    let read = PeerCertificate::from_pem(pem).expect("readable");
    authority.expect("an authority").judge(&read, Timestamp::from_unix(NOW))
}

fn with_routes(text: &str) -> String {
    format!(
        "{text}\nroutes:\n- {{id: a, from: https://a.test}}\n- {{id: b, from: https://b.test, tls_downstream_client_ca_file: other.pem}}\n"
    )
}

#[test]
fn a_global_ca_and_one_of_a_route() {
    let folder = Folder::new();
    let config = folder.load(&with_routes("downstream_mtls: {ca_file: ca.pem, crl_file: crl.pem}"));
    let (good, foreign) = (folder.ca.client(|_| ()), folder.other.client(|_| ()));
    let revoked =
        folder.ca.client(|params| params.serial_number = Some(SerialNumber::from_slice(&[7])));
    for authority in
        [config.certificates.authority.as_deref(), config.routes[0].authority.as_deref()]
    {
        assert_eq!(judge(authority, &good), Ok(()));
        assert_eq!(judge(authority, &foreign), Err(CertificateError::UnknownIssuer));
        assert_eq!(judge(authority, &revoked), Err(CertificateError::Revoked));
    }
    let own = config.routes[1].authority.as_deref();
    assert_eq!(judge(own, &foreign), Ok(()));
    assert_eq!(judge(own, &good), Err(CertificateError::UnknownIssuer));
    assert_eq!(config.certificates.enforcement, Enforcement::PolicyWithDefaultDeny);
    let names: Vec<_> =
        config.origin.files.iter().filter_map(|file| file.file_name()?.to_str()).collect();
    assert_eq!(names, ["lictor.yaml", "crl.pem", "ca.pem", "other.pem"]);
    assert!(config.notices.iter().all(|notice| !notice.message.contains("certificate")));
}

#[test]
fn inline_and_in_the_environment() {
    let folder = Folder::new();
    let (ca, lists) = (STANDARD.encode(&folder.ca.pem), STANDARD.encode(folder.ca.revoke(&[&[7]])));
    let config = folder.load(&with_routes(&format!("downstream_mtls: {{ca: {ca}, crl: {lists}}}")));
    assert_eq!(judge(config.routes[0].authority.as_deref(), &folder.ca.client(|_| ())), Ok(()));
    let wrapped: Vec<&str> =
        ca.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    let folded = format!("downstream_mtls:\n  ca: |\n    {}\n", wrapped.join("\n    "));
    assert!(folder.load(&folded).certificates.authority.is_some());

    for file in [
        "",
        "downstream_mtls:\n",
        "downstream_mtls: {max_verify_depth: 1, enforcement: reject_connection}\n",
    ] {
        let path = folder.path().join("lictor.yaml");
        std::fs::write(&path, file).expect("writes");
        let names = STANDARD.encode("[{dns: nobody}]");
        let variables = [
            ("SHARED_SECRET", crate::support::config::SECRET),
            ("DOWNSTREAM_MTLS_CA_FILE", "ca.pem"),
            ("DOWNSTREAM_MTLS_ENFORCEMENT", "policy"),
            ("DOWNSTREAM_MTLS_MATCH_SUBJECT_ALT_NAMES", &names),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::load(&path, &Environment::new(variables)).expect("loads");
        assert_eq!(config.certificates.enforcement, Enforcement::Policy, "{file}");
        let judged = judge(config.certificates.authority.as_deref(), &folder.ca.client(|_| ()));
        assert_eq!(judged, Err(CertificateError::WrongName), "{file}");
    }
}

#[test]
fn names_and_depth() {
    let folder = Folder::new();
    let judged = |rest: &str, pem: &str| {
        let config = folder.load(&format!("downstream_mtls: {{ca_file: ca.pem, {rest}}}"));
        judge(config.certificates.authority.as_deref(), pem)
    };
    let client = folder.ca.client(|_| ());
    let names = r"match_subject_alt_names: [{email: '.*'}, {dns: '.*\.example\.com'}]";
    assert_eq!(judged(names, &client), Ok(()));
    let names = r"match_subject_alt_names: [{email: '.*'}, {dns: 'example\.com'}]";
    assert_eq!(judged(names, &client), Err(CertificateError::WrongName));
    let middle = folder.ca.below("middle", |_| ());
    let chain = middle.client(|_| ()) + &middle.pem;
    assert_eq!(judged("max_verify_depth: 1", &chain), Err(CertificateError::TooDeep));
    assert_eq!(judged("enforcement: policy", &chain), Err(CertificateError::TooDeep));
    assert_eq!(judged("max_verify_depth: 2", &chain), Ok(()));
    assert_eq!(judged("max_verify_depth: 0", &chain), Ok(()));
}

#[test]
fn what_a_route_asks_by_default() {
    let folder = Folder::new();
    let rule = |text: &str| {
        let config = folder.load(text);
        Snapshot::assemble(config, Directory::default()).settings.default_certificate_rule
    };
    assert!(!rule(""));
    assert!(!rule("downstream_mtls: {enforcement: reject_connection}"));
    assert!(rule("downstream_mtls: {ca_file: ca.pem}"));
    assert!(rule("downstream_mtls: {ca_file: ca.pem, enforcement: reject_connection}"));
    assert!(!rule("downstream_mtls: {ca_file: ca.pem, enforcement: policy}"));
    assert!(rule(&with_routes("")));
    assert!(!rule(&with_routes("downstream_mtls: {enforcement: policy}")));
    let config = folder.load(&with_routes(""));
    assert!(config.has_client_ca());
    assert!(config.routes[0].authority.is_none());
}

#[test]
fn nobody_to_trust_is_told() {
    let folder = Folder::new();
    let told = |text: &str| {
        let notices = folder.load(text).notices;
        notices.iter().any(|notice| notice.message.starts_with("no client certificate is judged"))
    };
    assert!(told("downstream_mtls: {crl_file: crl.pem}"));
    assert!(told("downstream_mtls:\n"));
    assert!(!told(&with_routes("downstream_mtls: {crl_file: crl.pem}")));
    assert!(!told(""));
}

#[test]
fn a_list_that_revokes_nothing_is_told() {
    let folder = Folder::new();
    let told = |text: &str| {
        let notices = folder.load(text).notices;
        notices.into_iter().find(|notice| notice.advice.code() == "idle-revocation-list")
    };
    assert!(told("downstream_mtls: {ca_file: ca.pem, crl_file: crl.pem}").is_none());
    let notice =
        told("downstream_mtls: {ca_file: other.pem, crl_file: crl.pem}").expect("a notice");
    assert!(notice.place.source().ends_with("crl.pem"));
    assert_eq!(
        notice.message,
        "revocation list 1 is not by a CA that is trusted here, so it revokes nothing"
    );
}

#[test]
fn bad_settings() {
    let folder = Folder::new();
    let refuses = |inside: &str, expected: &str| {
        folder.refuses(&format!("downstream_mtls: {{{inside}}}"), expected);
    };
    refuses(
        "ca: x!",
        "lictor.yaml:1:23: `downstream_mtls.ca` is not base64 of PEM (encode the file with `base64 -w0`, or name it by `ca_file`)",
    );
    refuses(
        "ca: aGVsbG8=",
        "lictor.yaml:1:23: `downstream_mtls.ca` cannot be used: it holds no certificate (give PEM with one `BEGIN CERTIFICATE` for each trusted CA)",
    );
    refuses(
        "ca: ''",
        "lictor.yaml:1:23: `downstream_mtls.ca` cannot be used: it holds no certificate (give PEM with one `BEGIN CERTIFICATE` for each trusted CA)",
    );
    refuses(
        "ca_file: text.pem",
        "text.pem: `downstream_mtls.ca` cannot be used: it holds no certificate (give PEM with one `BEGIN CERTIFICATE` for each trusted CA)",
    );
    refuses(
        "ca_file: nowhere.pem",
        "lictor.yaml:1:28: cannot read `nowhere.pem`: No such file or directory (os error 2) (make `ca_file` name a file that this process may read)",
    );
    refuses(
        "ca: eA==, ca_file: ca.pem",
        "lictor.yaml:1:38: `downstream_mtls.ca` and `downstream_mtls.ca_file` are both given (keep one of them)",
    );
    refuses(
        "ca_file: ca.pem, crl: eA==, crl_file: crl.pem",
        "lictor.yaml:1:57: `downstream_mtls.crl` and `downstream_mtls.crl_file` are both given (keep one of them)",
    );
    refuses(
        "ca_file: ca.pem, crl_file: ca.pem",
        "ca.pem: `downstream_mtls.crl` cannot be used: it holds no revocation list (give PEM with `BEGIN X509 CRL`; delta and indirect lists, and lists of version 1, are not read)",
    );
    refuses(
        "enforcement: polcy",
        "lictor.yaml:1:32: `downstream_mtls.enforcement` cannot be `polcy` (use `policy_with_default_deny`, `policy` or `reject_connection`)",
    );
    refuses(
        "max_verify_depth: -1",
        "lictor.yaml:1:37: `downstream_mtls.max_verify_depth` must be a whole number, 0 or more, not a number (write the number in digits, such as `1`)",
    );
    refuses(
        "ca_fle: ca.pem",
        "lictor.yaml:1:19: unknown key `downstream_mtls.ca_fle` (did you mean `ca_file`?)",
    );
    folder.refuses(
        "downstream_mtls: on",
        "lictor.yaml:1:18: `downstream_mtls` must be a map, not text (write `key: value` below it, or `{key: value}`)",
    );
}

#[test]
fn bad_names() {
    let folder = Folder::new();
    let refuses = |names: &str, expected: &str| {
        let text = format!("downstream_mtls: {{match_subject_alt_names: {names}}}");
        folder.refuses(&text, &format!("lictor.yaml:1:{expected}"));
    };
    let form = "must be a list of single patterns, not";
    let help = "(write each as `- dns: '.*\\.example\\.com'`, with dns, email, ip_address, uri or user_principal_name)";
    refuses("x", &format!("44: `downstream_mtls.match_subject_alt_names` {form} text {help}"));
    refuses(
        "{dns: x}",
        &format!("44: `downstream_mtls.match_subject_alt_names` {form} a map {help}"),
    );
    refuses("[x]", &format!("45: `downstream_mtls.match_subject_alt_names` {form} text {help}"));
    refuses(
        "[{dns: x, email: y}]",
        &format!("45: `downstream_mtls.match_subject_alt_names` {form} a map {help}"),
    );
    refuses(
        "[{emial: x}]",
        "46: certificates have no names of the kind `emial` (did you mean `email`?)",
    );
    refuses(
        "[{dns: 5}]",
        "51: `dns` must be a regular expression, not a number (put it in quotes)",
    );
    refuses(
        "[{dns: '('}]",
        "51: `dns`: `(` is not a regular expression: unclosed group (write a regular expression as RE2 does, without look-around or back-references)",
    );
}

#[test]
fn a_bad_ca_of_a_route_and_a_forged_list() {
    let folder = Folder::new();
    let route = |rest: &str| format!("routes:\n- from: https://a.test\n  {rest}\n");
    folder.refuses(
        &route("tls_downstream_client_ca: aGVsbG8="),
        "lictor.yaml:3:29: `routes[0].tls_downstream_client_ca` cannot be used: it holds no certificate (give PEM with one `BEGIN CERTIFICATE` for each trusted CA)",
    );
    folder.refuses(
        &route("tls_downstream_client_ca_file: text.pem"),
        "text.pem: `routes[0].tls_downstream_client_ca` cannot be used: it holds no certificate (give PEM with one `BEGIN CERTIFICATE` for each trusted CA)",
    );
    folder.refuses(
        &route("tls_downstream_client_ca_file: ca.pem\n  tls_downstream_client_ca: eA=="),
        "lictor.yaml:3:34: `routes[0].tls_downstream_client_ca` and `routes[0].tls_downstream_client_ca_file` are both given (keep one of them)",
    );
    let namesake = Ca::new("ca");
    std::fs::write(folder.path().join("forged.pem"), namesake.revoke(&[])).expect("writes");
    folder.refuses(
        "downstream_mtls: {ca_file: ca.pem, crl_file: forged.pem}",
        "forged.pem: `downstream_mtls.crl` cannot be used: revocation list 1 in it is not signed by the CA that it names (fetch the list again from the CA)",
    );
    let client = folder.ca.client(|_| ());
    std::fs::write(folder.path().join("client.pem"), client).expect("writes");
    folder.refuses(
        "downstream_mtls: {ca_file: client.pem}",
        "client.pem: `downstream_mtls.ca` cannot be used: certificate 1 in it is not that of a CA for clients (name CAs only; a single client is told by `client_certificate: {fingerprint: …}` in a policy)",
    );
}
