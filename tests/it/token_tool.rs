//! `lictor token mint`: the token tool.

use crate::support::command::{Ran, lictor};
use crate::support::config::SECRET;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

const KEY: [(&str, &str); 1] = [("POMERIUM_SHARED_KEY", SECRET)];
const REQUIRED: [&str; 6] = ["-email", "a@b", "-aud", "h", "-iss", "i"];

fn mint(arguments: &[&str], environment: &[(&str, &str)], input: &str) -> Ran {
    let folder = tempfile::tempdir().expect("a folder");
    let all: Vec<&str> = ["token", "mint"].iter().chain(arguments).copied().collect();
    lictor(folder.path(), &all, environment, input)
}

fn claims(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let payload = ran.stdout.split('.').nth(1).expect("a payload");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("json")
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    REQUIRED.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn k1_the_claims_of_the_required_flags() {
    let ran = mint(&REQUIRED, &KEY, "");
    let claims = claims(&ran);
    let names: Vec<&String> = claims.as_object().expect("a map").keys().collect();
    assert_eq!(names, ["aud", "email", "exp", "iat", "iss", "jti", "nbf"]);
    assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|iat| iat + 3600));
    assert_eq!(claims["iat"], claims["nbf"]);
    assert_eq!(ran.stdout.matches('.').count(), 2, "K21");
    assert!(!ran.stdout.contains('\n'), "K21");
}

#[test]
fn every_flag() {
    let all = with(&[
        "-sub",
        "s",
        "-user",
        "u",
        "-groups",
        "g1, g2",
        "-impersonate_email",
        "c@d",
        "--impersonate-groups=g3",
        "-expiry",
        "90m",
    ]);
    let claims = claims(&mint(&all, &KEY, ""));
    assert_eq!(claims["groups"], serde_json::json!(["g1", "g2"]), "K14");
    assert_eq!((claims["sub"].as_str(), claims["user"].as_str()), (Some("s"), Some("u")));
    assert_eq!(claims["impersonate_email"], "c@d");
    assert_eq!(claims["impersonate_groups"], serde_json::json!(["g3"]));
    assert_eq!(claims["exp"].as_i64(), claims["iat"].as_i64().map(|iat| iat + 5400));
}

#[test]
fn lists() {
    let audience = |value: &str| {
        claims(&mint(&["-email", "a@b", "-iss", "i", "-aud", value], &KEY, ""))["aud"].clone()
    };
    assert_eq!(audience("a,b"), serde_json::json!(["a", "b"]), "K11");
    assert_eq!(audience(" a , b "), serde_json::json!(["a", "b"]), "K14");
    let empty = mint(&["-email", "a@b", "-iss", "i", "-aud", "a,,b"], &KEY, "");
    assert_eq!(
        (empty.code, empty.stderr.lines().next()),
        (2, Some("error: aud has an empty part: `a,,b`"))
    );
    let twice = mint(&with(&["-aud", "x"]), &KEY, "");
    assert_eq!(twice.code, 2, "K12");
    assert!(twice.stderr.contains("cannot be used multiple times"), "{}", twice.stderr);
}

#[test]
fn all_problems_at_once_the_key_first() {
    let ran = mint(&["-expiry", "1d"], &[], "");
    let errors: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(
        errors,
        [
            "error: shared key required",
            "error: email is required",
            "error: aud is required",
            "error: iss is required",
            "error: expiry: `1d` uses the unit `d`"
        ],
        "K3 K5 K6 K17"
    );
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
}

#[test]
fn expiry() {
    for bad in ["0", "0s", "-1h", "90", "soon", ""] {
        let ran = mint(&with(&["-expiry", bad]), &KEY, "");
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "K16 {bad}: {}", ran.stderr);
    }
    assert_eq!(mint(&with(&["-expiry", "1.5h"]), &KEY, "").code, 0);
}

#[test]
fn where_the_key_comes_from() {
    let signature = |ran: &Ran| {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let (signed, signature) = ran.stdout.rsplit_once('.').expect("three parts");
        let key = aws_lc_rs::hmac::Key::new(
            aws_lc_rs::hmac::HMAC_SHA256,
            &crate::support::fixture::host::SECRET_BYTES,
        );
        let tag = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        aws_lc_rs::hmac::verify(&key, signed.as_bytes(), &tag).is_ok()
    };
    assert!(signature(&mint(&REQUIRED, &KEY, "")), "K8");
    assert!(signature(&mint(&REQUIRED, &[("LICTOR_SHARED_KEY", SECRET)], "")));
    assert!(
        signature(&mint(&REQUIRED, &[("POMERIUM_SHARED_KEY", "")], &format!("{SECRET}\n"))),
        "K9"
    );
    let positional = mint(&with(&[SECRET]), &[], "");
    assert!(signature(&positional));
    assert!(
        positional.stderr.starts_with("warning: a key given as an argument"),
        "{}",
        positional.stderr
    );
    assert_eq!(mint(&with(&[SECRET, "another"]), &[], "").code, 2, "K10");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{SECRET}\n")).expect("writes");
    assert!(signature(&mint(&with(&["--key-file", file.to_str().expect("text")]), &[], "")));
    let text = mint(&with(&["--legacy-text-key"]), &KEY, "");
    assert!(!signature(&text), "signed with the text");
}

#[test]
fn a_bad_key() {
    for (key, message) in [
        ("not base64!", "error: the shared key is not standard base64"),
        ("c2hvcnQ=", "error: the shared key is 5 bytes long, not 32"),
    ] {
        let ran = mint(&REQUIRED, &[("LICTOR_SHARED_KEY", key)], "");
        assert_eq!(
            (ran.code, ran.stderr.lines().next(), ran.stdout.as_str()),
            (2, Some(message), ""),
            "K18"
        );
    }
}
