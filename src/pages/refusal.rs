//! The error page that Envoy shows on hosts that are not ours: one document, which loads nothing.

use super::rendered;
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use std::sync::LazyLock;

/// Why somebody was not let through.
#[derive(Clone, Debug, Template)]
#[template(path = "refusal.html", config = ".askama.toml")]
pub struct RefusalPage<'a> {
    pub status: u16,
    pub title: &'a str,
    pub sentence: &'a str,
    /// Who is signed in; empty for nobody.
    pub person: &'a str,
    /// Whom they act as; empty for nobody.
    pub acting_as: &'a str,
    pub request_id: &'a str,
    /// What the policy saw, if it may be told.
    pub reasons: Vec<&'a str>,
}

impl RefusalPage<'_> {
    const STYLE: &'static str = include_str!("assets/base.css");

    pub fn render(&self) -> String {
        rendered(self)
    }

    /// Nothing may load but the one style sheet, known by its hash.
    pub fn content_security_policy() -> HeaderValue {
        static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
            let hash = STANDARD.encode(digest(&SHA256, RefusalPage::STYLE.as_bytes()));
            let policy = format!(
                "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            );
            HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
        });
        POLICY.clone()
    }
}
