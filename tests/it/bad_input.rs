//! Bad input, each with exactly what is said about it.

use crate::support::command::{Ran, lictor};
use crate::support::config::SECRET;
use std::path::Path;

fn check(folder: &Path, text: &str) -> Ran {
    std::fs::write(folder.join("lictor.yaml"), text).expect("writes");
    lictor(folder, &["config", "check", "lictor.yaml"], &[], "")
}

/// One problem of a configuration that is otherwise good.
#[track_caller]
fn refused(text: &str, expected: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let ran = check(folder.path(), text);
    assert_eq!(ran.stderr, format!("{expected}\n\n1 problem in lictor.yaml\n"));
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
}

fn with_secret(rest: &str) -> String {
    format!("shared_secret: {SECRET}\nauthenticate_service_url: https://auth.example.com\n{rest}")
}

#[test]
fn a_short_key() {
    refused(
        "authenticate_service_url: https://auth.example.com\nshared_secret: c2hvcnQ=\n",
        "error: the shared key is 5 bytes long, not 32
 --> lictor.yaml:2:16
  |
2 | shared_secret: …
  |                ^
help: make one with `lictor key generate shared`",
    );
}

#[test]
fn a_key_that_is_not_base64() {
    refused(
        "authenticate_service_url: https://auth.example.com\nshared_secret: hunter-two!\n",
        "error: the shared key is not standard base64
 --> lictor.yaml:2:16
  |
2 | shared_secret: …
  |                ^
help: make one with `lictor key generate shared`",
    );
}

#[test]
fn an_unknown_key() {
    refused(
        &with_secret("grpc_adress: 127.0.0.1:1\n"),
        "error: unknown key `grpc_adress`
 --> lictor.yaml:3:1
  |
3 | grpc_adress: 127.0.0.1:1
  | ^
help: did you mean `grpc_address`?",
    );
}

#[test]
fn a_bad_policy() {
    refused(
        &with_secret(
            "routes:\n- from: https://a.example.com\n  policy:\n    allow:\n      or:\n      - emial: bob@example.com\n",
        ),
        "error: unknown criterion `emial`
 --> lictor.yaml:8:9
  |
8 |       - emial: bob@example.com
  |         ^
help: did you mean `email`?",
    );
}

#[test]
fn a_bad_regex() {
    refused(
        &with_secret("routes:\n- from: https://a.example.com\n  regex: '/(a'\n"),
        "error: `regex`: `/(a` is not a regular expression: unclosed group
 --> lictor.yaml:5:10
  |
5 |   regex: '/(a'
  |          ^
help: write a regular expression as RE2 does, without look-around or back-references",
    );
}

#[test]
fn a_missing_file() {
    refused(
        "authenticate_service_url: https://auth.example.com\nshared_secret_file: /nonexistent/key\n",
        "error: cannot read `/nonexistent/key`: No such file or directory (os error 2)
 --> lictor.yaml:2:21
  |
2 | shared_secret_file: …
  |                     ^
help: make `shared_secret_file` name a file that this process may read",
    );
    let folder = tempfile::tempdir().expect("a folder");
    let ran = lictor(folder.path(), &["serve", "--config", "nowhere.yaml"], &[], "");
    assert_eq!(
        ran.stderr,
        "error: cannot read the configuration: No such file or directory (os error 2)
 --> nowhere.yaml
help: name an existing file with `--config FILE`

1 problem in nowhere.yaml
"
    );
    assert_eq!(ran.code, 3);
}

#[test]
fn an_unreadable_signing_key() {
    refused(
        &with_secret("signing_key: bm9uc2Vuc2U=\n"),
        "error: the signing key cannot be used: it is neither PEM, nor base64 of PEM, nor a private JWK
 --> lictor.yaml:3:14
  |
3 | signing_key: …
  |              ^
help: make one with `lictor key generate signing`",
    );
}

#[test]
fn a_key_given_twice() {
    refused(
        &with_secret("log_level: info\nlog_level: debug\n"),
        "error: the key `log_level` is given twice; the first is on line 3
 --> lictor.yaml:4:1
  |
4 | log_level: debug
  | ^
help: keep one of the two",
    );
}

#[test]
fn a_removed_field_and_one_that_cannot_be_done_yet() {
    refused(
        &with_secret("routes:\n- from: https://a.example.com\n  allowed_groups: [eng]\n"),
        "error: `allowed_groups` cannot be used here
 --> lictor.yaml:5:3
  |
5 |   allowed_groups: [eng]
  |   ^
help: write `policy: {allow: {or: [{groups: {has: GROUP_ID}}]}}`",
    );
    let folder = tempfile::tempdir().expect("a folder");
    let ran = check(
        folder.path(),
        &with_secret(
            "routes:\n- from: https://k.example.com\n  kubernetes_service_account_token: s3cret\n",
        ),
    );
    assert!(
        ran.stderr.starts_with("error: `kubernetes_service_account_token` cannot be used here"),
        "{}",
        ran.stderr
    );
}

#[test]
fn all_problems_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = with_secret(
        "log_level: loud\nroutes:\n- from: ftp://a\n- from: https://b.example.com\n  prefix: api\n  policy:\n    alow: {}\n- policies: [staff]\n",
    );
    let ran = check(folder.path(), &text);
    let places: Vec<&str> =
        ran.stderr.lines().filter_map(|line| line.strip_prefix(" --> lictor.yaml:")).collect();
    assert_eq!(places, ["3:12", "5:9", "7:11", "9:5", "10:3", "10:14"], "{}", ran.stderr);
    assert!(ran.stderr.ends_with("6 problems in lictor.yaml\n"));
}

/// The store counts uses by it.
#[test]
fn an_id_of_a_route_that_is_too_long() {
    let folder = tempfile::tempdir().expect("a folder");
    let checked = |count: usize| {
        let id = "ä".repeat(count);
        let text = format!("routes:\n- {{from: https://a.example.com, id: {id}}}\n");
        check(folder.path(), &with_secret(&text)).stderr
    };
    assert!(!checked(255).contains("too long"));
    let told = checked(256);
    let message = "error: an id of 256 characters is too long\n";
    assert!(told.starts_with(message), "{told}");
    assert!(told.contains("help: write up to 255 characters\n"), "{told}");
}

#[test]
fn a_port_that_is_taken() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    std::fs::write(
        folder.path().join("lictor.yaml"),
        with_secret(&format!("grpc_address: {address}\nlog_level: disabled\n")),
    )
    .expect("writes");
    let ran = lictor(folder.path(), &["serve", "--config", "lictor.yaml"], &[], "");
    assert_eq!(
        ran.stderr,
        format!(
            "error: cannot listen on {address} (`grpc_address`): the address is in use\nhelp: stop the process that listens there, or set another `grpc_address`\n"
        )
    );
    assert_eq!(ran.code, 5);
}

#[test]
fn secrets_are_never_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = check(folder.path(), &with_secret(""));
    assert_eq!(good.code, 0, "{}", good.stderr);
    assert!(good.stdout.contains("shared secret: from lictor.yaml:1:16"), "{}", good.stdout);
    assert!(!(good.stdout + &good.stderr).contains(SECRET));
    for slip in [
        format!("shared_secrets: {SECRET}"),
        format!("shared_secret: {{a: {SECRET}}}"),
        format!("shared_secret: {SECRET}{SECRET}"),
        format!("signing_key: {SECRET}"),
        format!("grpc_adress: x # {SECRET}"),
        format!("{{\"log_level\": \"loud\", \"shared_secret\": \"{SECRET}\"}}"),
        format!("routes: [{{from: https://a.test, kubernetes_service_account_token: {SECRET}}}]"),
    ] {
        let ran = check(folder.path(), &slip);
        assert_eq!(ran.code, 3, "{slip}");
        assert!(!(ran.stdout + &ran.stderr).contains(SECRET), "{slip}");
    }
    let environment = [("SHARED_SECRET", "c3VwZXItc2VjcmV0")];
    std::fs::write(folder.path().join("lictor.yaml"), "").expect("writes");
    let bad = lictor(folder.path(), &["config", "check", "lictor.yaml"], &environment, "");
    assert!(bad.stderr.contains("environment variable SHARED_SECRET"), "{}", bad.stderr);
    assert!(!bad.stderr.contains("c3VwZXItc2VjcmV0"), "{}", bad.stderr);
}

#[test]
fn tokens_that_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = [("LICTOR_SHARED_KEY", SECRET)];
    let expired = crate::support::fixture::token("T-alice-expired");
    let ran = lictor(folder.path(), &["token", "verify", expired], &key, "");
    assert!(
        ran.stderr.starts_with("error: expired: the token expired at 1699999939 (unix time), "),
        "{}",
        ran.stderr
    );
    assert_eq!(ran.code, 3);
    let mint =
        ["token", "mint", "-email", "a@b", "-aud", "app.example.com", "-iss", "auth.example.com"];
    let token = lictor(folder.path(), &mint, &key, "").stdout;
    let verify = |extra: [&str; 2]| {
        lictor(folder.path(), &["token", "verify", extra[0], extra[1]], &key, &token).stderr
    };
    assert_eq!(
        verify(["--aud", "other.example.com"]),
        "error: invalid-audience: the token is not for `other.example.com`\n"
    );
    assert_eq!(
        verify(["--iss", "other.example.com"]),
        "error: invalid-issuer: the issuer `auth.example.com` is not accepted\n"
    );
}
