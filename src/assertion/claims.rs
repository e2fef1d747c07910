//! The claims of an assertion (semantics: RFC 7519; `act`: RFC 8693 §4.1).

use super::headers::ClaimHeader;
use crate::identity::{ClaimValue, Identity, Person};
use crate::time::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long an assertion lives at most.
pub(super) const MAX_LIFETIME: Duration = Duration::from_mins(5);

/// How `iss` is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IssuerFormat {
    /// `app.example.com`: verifiers find our JWKS by it.
    #[default]
    HostOnly,
    /// `https://app.example.com/`
    Uri,
}

/// What an assertion is about, besides the identity.
#[derive(Debug)]
pub(super) struct About<'a> {
    /// Host name of the route, without port.
    pub(super) host: &'a str,
    pub(super) issuer_format: IssuerFormat,
    pub(super) groups_filter: Option<&'a BTreeSet<String>>,
    pub(super) claim_headers: &'a [ClaimHeader],
    pub(super) show_actor: bool,
}

/// Ids, then names, of the groups that may leave.
pub(super) fn outgoing_groups(person: &Person, filter: Option<&BTreeSet<String>>) -> Vec<String> {
    let may_leave = |id: &&String| filter.is_none_or(|filter| filter.contains(*id));
    let ids = person.group_ids().iter().filter(may_leave);
    let names = ids.clone().filter_map(|id| person.group_names.get(id));
    ids.chain(names).cloned().collect()
}

/// The payload, members in alphabetical order.
pub(super) fn payload(
    identity: &Identity,
    about: &About<'_>,
    jti: &str,
    now: Timestamp,
) -> Map<String, Value> {
    let person = &identity.subject;
    let expires = now.plus(MAX_LIFETIME).min(identity.session.usable_until);
    let issuer = match about.issuer_format {
        IssuerFormat::HostOnly => about.host.to_owned(),
        IssuerFormat::Uri => format!("https://{}/", about.host),
    };
    let mut claims = Map::new();
    for header in about.claim_headers {
        if let Some(text) = claim_text(person, &header.claim) {
            claims.insert(header.claim.clone(), Value::String(text));
        }
    }
    let base = json!({
        "iss": issuer,
        "aud": about.host,
        "jti": jti,
        "iat": now.unix(),
        "nbf": now.unix(),
        "exp": expires.unix(),
        "sub": person.subject,
        "user": person.user,
        "email": person.email,
        "groups": outgoing_groups(person, about.groups_filter),
        "name": person.name,
        "sid": identity.session.id,
    });
    if let Value::Object(base) = base {
        claims.extend(base);
    }
    if let Some(actor) = identity.actor.as_ref().filter(|_| about.show_actor) {
        claims.insert("act".to_owned(), json!({ "sub": actor.subject, "email": actor.email }));
    } else {
        claims.remove("act");
    }
    claims
}

fn claim_text(person: &Person, claim: &str) -> Option<String> {
    let texts: Vec<String> =
        person.claims.values(claim).filter_map(ClaimValue::scalar_text).collect();
    (!texts.is_empty()).then(|| texts.join(","))
}

/// The elements of a claim as a header shows them; empty if the person has no such claim.
pub(super) fn header_elements(
    person: &Person,
    claim: &str,
    filter: Option<&BTreeSet<String>>,
) -> Vec<String> {
    let one = |text: &String| {
        if text.is_empty() { Vec::new() } else { vec![text.clone()] }
    };
    match claim {
        "sub" => one(&person.subject),
        "user" => one(&person.user),
        "email" => one(&person.email),
        "name" => one(&person.name),
        "groups" => outgoing_groups(person, filter),
        _ => person.claims.values(claim).filter_map(ClaimValue::scalar_text).collect(),
    }
}
