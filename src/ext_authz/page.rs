//! The error page a person sees.

use crate::authorizer::{Record, Refusal};
use crate::identity::Identity;
use crate::policy::DenyReason;
use crate::request::Request;
use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const STYLE: &str = include_str!("templates/error.css");

#[derive(Template)]
#[template(path = "error.html", config = ".askama.toml")]
struct ErrorPage<'a> {
    style: &'static str,
    status: u16,
    title: &'a str,
    sentence: &'a str,
    /// Who is signed in; empty for nobody.
    person: &'a str,
    /// Whom they act as; empty for nobody.
    acting_as: &'a str,
    signed_in: bool,
    request_id: &'a str,
    reasons: Vec<&'static str>,
}

/// Nothing may load but the one style sheet, known by its hash.
pub(super) fn content_security_policy() -> String {
    let hash = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

pub(super) fn render(
    status: u16,
    title: &str,
    sentence: &str,
    request: &Request,
    refusal: &Refusal,
    record: &Record,
) -> String {
    let identity = record.identity.as_deref();
    let holder = identity.map(Identity::holder);
    let name = |person: &'_ crate::identity::Person| {
        if person.email.is_empty() { person.user.clone() } else { person.email.clone() }
    };
    let acting = identity.filter(|identity| identity.actor.is_some()).map(|identity| {
        let subject = name(&identity.subject);
        if subject.is_empty() { identity.subject.group_ids().join(", ") } else { subject }
    });
    let details = refusal
        .show_details
        .then(|| record.allow.reasons.union(record.deny.reasons).names().collect());
    let page = ErrorPage {
        style: STYLE,
        status,
        title,
        sentence,
        person: &holder.map(name).unwrap_or_default(),
        acting_as: &acting.unwrap_or_default(),
        signed_in: holder.is_some() && !matches!(refusal.reason, DenyReason::Unauthenticated(_)),
        request_id: request.id.as_str(),
        reasons: details.unwrap_or_default(),
    };
    page.render().unwrap_or_else(|_| title.to_owned())
}
