//! Settings about what leaves: signing keys, identity headers, response headers.

use super::source::value_or_file;
use crate::assertion::{
    ClaimHeader, HeaderNameError, IssuerFormat, Outgoing, SigningKeys, mutable_header, safe_value,
};
use crate::document::{Entry, Place, Problem, Problems, Section, Value};
use http::{HeaderName, HeaderValue};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// Checked settings about assertion and headers.
#[derive(Debug)]
pub struct OutgoingSettings {
    pub keys: SigningKeys,
    /// Where the signing key came from, for `config check`.
    pub key_place: String,
    pub outgoing: Outgoing,
    /// Zero: every request gets a fresh assertion.
    pub assertion_reuse: Duration,
    pub response_headers: Vec<(HeaderName, HeaderValue)>,
}

/// What routes inherit.
#[derive(Debug, Default)]
pub(crate) struct RouteDefaults {
    pub(super) pass_identity_headers: bool,
    pub(super) issuer_format: IssuerFormat,
    pub(super) groups_filter: Option<BTreeSet<String>>,
    pub(super) response_headers: Vec<(HeaderName, HeaderValue)>,
}

pub(super) struct ReadOutgoing {
    pub(super) settings: Option<OutgoingSettings>,
    pub(super) defaults: RouteDefaults,
}

/// Reuse may take at most this much of an assertion's five minutes.
const MAX_REUSE: Duration = Duration::from_mins(4);

impl OutgoingSettings {
    pub(super) fn read(
        section: &Section<'_>,
        base: &Path,
        secret: Option<&[u8; 32]>,
        problems: &mut Problems,
    ) -> ReadOutgoing {
        let defaults = RouteDefaults {
            pass_identity_headers: section.bool("pass_identity_headers", problems).unwrap_or(false),
            issuer_format: issuer_format(section, problems).unwrap_or_default(),
            groups_filter: section.texts("jwt_groups_filter", problems).map(BTreeSet::from_iter),
            response_headers: response_headers(section, problems),
        };
        let outgoing = Outgoing {
            claim_headers: claim_headers(section, problems),
            show_actor: section.bool("assertion_actor", problems).unwrap_or(true),
        };
        let assertion_reuse =
            section.duration("assertion_reuse", problems).unwrap_or(Duration::from_secs(30));
        if assertion_reuse > MAX_REUSE {
            let place = section.place_of("assertion_reuse");
            problems.push(
                Problem::new("bad_value", place, "`assertion_reuse` is longer than 4m")
                    .help("an assertion lives five minutes; use `0s` to `4m`"),
            );
        }
        let keys = signing_keys(section, base, secret, problems);
        let response_headers = defaults.response_headers.clone();
        let settings = keys.map(|(keys, key_place)| Self {
            keys,
            key_place,
            outgoing,
            assertion_reuse,
            response_headers,
        });
        ReadOutgoing { settings, defaults }
    }
}

fn signing_keys(
    section: &Section<'_>,
    base: &Path,
    secret: Option<&[u8; 32]>,
    problems: &mut Problems,
) -> Option<(SigningKeys, String)> {
    let given = section.node("signing_key").is_some() || section.node("signing_key_file").is_some();
    let (parsed, place) = if given {
        let (text, place) = value_or_file(section, "signing_key", base, problems)?;
        (SigningKeys::parse(&text), place)
    } else {
        (SigningKeys::derived(secret?), Place::whole("derived from the shared secret"))
    };
    match parsed {
        Ok(keys) => Some((keys, place.to_string())),
        Err(error) => {
            problems.push(
                Problem::new(
                    "bad_signing_key",
                    &place,
                    format!("the signing key cannot be used: {error}"),
                )
                .help("make one with `lictor key generate signing`"),
            );
            None
        }
    }
}

pub(super) fn issuer_format(
    section: &Section<'_>,
    problems: &mut Problems,
) -> Option<IssuerFormat> {
    let text = section.text("jwt_issuer_format", problems)?;
    match text.to_ascii_lowercase().trim_start_matches("issuer") {
        "hostonly" => Some(IssuerFormat::HostOnly),
        "uri" => Some(IssuerFormat::Uri),
        _ => {
            let place = section.place_of("jwt_issuer_format");
            problems.push(
                Problem::new("bad_value", place, format!("`jwt_issuer_format` cannot be `{text}`"))
                    .help("use `hostOnly` or `uri`"),
            );
            None
        }
    }
}

/// Reads `set_response_headers`: `disable` clears all.
pub(super) fn response_headers(
    section: &Section<'_>,
    problems: &mut Problems,
) -> Vec<(HeaderName, HeaderValue)> {
    let Some(map) = section.text_map("set_response_headers", problems) else {
        return Vec::new();
    };
    if map.contains_key("disable") {
        return Vec::new();
    }
    let mut headers = Vec::new();
    for (name, (value, place)) in map {
        let Some(header) = header_name(&name, &place, problems) else {
            continue;
        };
        match safe_value(&value) {
            Some(value) => headers.push((header, value)),
            None => problems.push(Problem::new(
                "bad_value",
                &place,
                format!("the value of `{name}` holds a control character"),
            )),
        }
    }
    headers
}

/// A header that configuration may change; `None` and a problem if it may not.
pub(super) fn header_name(
    name: &str,
    place: &Place,
    problems: &mut Problems,
) -> Option<HeaderName> {
    match mutable_header(name) {
        Ok(header)
            if header.as_str().starts_with("x-pomerium-jwt-assertion")
                || header == "x-pomerium-authorization" =>
        {
            problems.push(
                Problem::new("bad_header", place, format!("`{name}` is set by Lictor alone"))
                    .help("use another name"),
            );
            None
        }
        Ok(header) => Some(header),
        Err(error @ HeaderNameError::NotToken(_)) => {
            problems.push(
                Problem::new("bad_header", place, error.to_string())
                    .help("use letters, digits and `-`"),
            );
            None
        }
        Err(error @ HeaderNameError::Reserved(_)) => {
            problems.push(
                Problem::new("bad_header", place, error.to_string()).help("configure it in Envoy"),
            );
            None
        }
    }
}

/// A map from header to claim, a list of claims, or one text of claims.
fn claim_headers(section: &Section<'_>, problems: &mut Problems) -> Vec<ClaimHeader> {
    let Some(node) = section.node("jwt_claims_headers") else {
        return Vec::new();
    };
    let pairs = match &node.value {
        Value::Map(entries) => from_map(entries, problems),
        Value::Text(text) => {
            named(text.split([',', ' ']).filter(|claim| !claim.is_empty()), &node.place)
        }
        Value::List(_) => named(
            section.texts("jwt_claims_headers", problems).iter().flatten().map(String::as_str),
            &node.place,
        ),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            problems.push(
                Problem::new(
                    "wrong_type",
                    &node.place,
                    format!(
                        "`jwt_claims_headers` must be a map, a list or text, not {}",
                        node.value.kind()
                    ),
                )
                .help("write it as `{x-pomerium-claim-email: email}` or `[email, groups]`"),
            );
            Vec::new()
        }
    };
    let mut headers: Vec<ClaimHeader> = Vec::new();
    for (name, claim, place) in pairs {
        let Some(name) = header_name(&name, &place, problems) else {
            continue;
        };
        if name == "cookie" || name == "authorization" {
            problems.push(
                Problem::new(
                    "bad_header",
                    &place,
                    format!("`{name}` carries credentials and cannot show a claim"),
                )
                .help("use another name"),
            );
        } else {
            headers.push(ClaimHeader { name, claim });
        }
    }
    headers
}

fn from_map(entries: &[Entry], problems: &mut Problems) -> Vec<(String, String, Place)> {
    let mut pairs = Vec::new();
    for entry in entries {
        match &entry.node.value {
            Value::Text(claim) => {
                pairs.push((entry.key.clone(), claim.clone(), entry.place.clone()));
            }
            other @ (Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::List(_)
            | Value::Map(_)) => problems.push(Problem::new(
                "wrong_type",
                &entry.node.place,
                format!(
                    "`jwt_claims_headers.{}` must be the name of a claim, not {}",
                    entry.key,
                    other.kind()
                ),
            )),
        }
    }
    pairs
}

fn named<'c>(claims: impl Iterator<Item = &'c str>, place: &Place) -> Vec<(String, String, Place)> {
    claims
        .map(|claim| (format!("x-pomerium-claim-{claim}"), claim.to_owned(), place.clone()))
        .collect()
}
