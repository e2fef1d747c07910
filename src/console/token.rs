//! Tokens: shown in the answer to the form that made them, and never again.

use super::{Answer, Seat};
use crate::admin::{AccountView, Minted, Overlap};
use crate::namespace::Role;
use crate::pages::console::{AlreadyShownPage, TokenClaim, TokenPage};
use crate::service_account::{AccountRecord, CredentialRecord};
use crate::time::{Timestamp, parse_duration};
use crate::web::{Form, page};
use axum::http::header::PRAGMA;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use std::sync::Arc;

/// What a token page tells besides the token.
struct Around {
    others_until: Option<Timestamp>,
    new: bool,
}

/// The page after an account was made.
pub(super) async fn created(seat: &Seat, view: &AccountView, minted: Minted) -> Answer {
    Ok(shown(seat, view, minted, Around { others_until: None, new: true }).await)
}

/// SECURITY: the token leaves in this answer alone, which nobody keeps.
async fn shown(seat: &Seat, view: &AccountView, minted: Minted, around: Around) -> Response {
    let record = &view.record;
    let Minted { credential, token } = minted;
    // Whatever cannot be known now, the token is shown.
    let mentions = seat.admin.mentions(&seat.actor, &record.id).await.unwrap_or_default();
    let places = seat.admin.destinations(&seat.actor, &record.id, seat.now()).await;
    let places = places.unwrap_or_default();
    let example = places.iter().find(|place| place.allowed).or_else(|| places.first());
    let example = example.map_or("https://app.example.com", |place| place.from.as_str());
    let told = TokenPage {
        frame: seat.frame(),
        account_id: record.id.to_string(),
        account: record.name.clone(),
        user_id: record.user.clone(),
        namespace_id: record.namespace.to_string(),
        namespace: view.namespace_path.clone(),
        claims: claims(token.expose(), record),
        credential: credential.id.to_string(),
        expires: credential.expires,
        token,
        mentions: mentions.into_iter().map(|policy| policy.name).collect(),
        manages: seat.role(&record.namespace) >= Some(Role::Manager),
        example: format!("{}/", example.trim_end_matches('/')),
        others_until: around.others_until,
        new: around.new,
    };
    let mut response = page(StatusCode::OK, told.render());
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// What a token of ours says. SECURITY: all but its secret.
fn claims(token: &str, record: &AccountRecord) -> Vec<TokenClaim> {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let payload = URL_SAFE_NO_PAD.decode(payload).unwrap_or_default();
    let all: Map<String, Value> = serde_json::from_slice(&payload).unwrap_or_default();
    let known = ["sub", "sid", "iat", "nbf", "exp", "jti"];
    let found = known.into_iter().filter_map(|name| Some((name, all.get(name)?)));
    found.map(|(name, value)| claim(name, value, record)).collect()
}

fn claim(name: &'static str, value: &Value, record: &AccountRecord) -> TokenClaim {
    let at = || {
        let seconds = value.as_i64().unwrap_or_default();
        let instant = jiff::Timestamp::from_second(seconds).unwrap_or_default();
        instant.strftime("%-d %b %Y, %H:%M:%S UTC").to_string()
    };
    let meaning = match name {
        "sub" if record.is_impersonating() => "the user id of the person it acts as".to_owned(),
        "sub" => "the user id that policies name".to_owned(),
        "sid" => "the account".to_owned(),
        "iat" => format!("issued {}", at()),
        "nbf" => format!("good from {}", at()),
        "exp" => format!("expires {}", at()),
        _ => "the secret; only a hash of it is kept here".to_owned(),
    };
    let value = match value {
        _ if name == "jti" => "•••".to_owned(),
        Value::String(text) => text.clone(),
        other @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::Array(_)
        | Value::Object(_)) => other.to_string(),
    };
    TokenClaim { name, value, meaning }
}

/// `GET` where a token was shown.
pub(super) async fn gone(seat: Arc<Seat>) -> Answer {
    let id = seat.account_id()?;
    let view = seat.admin.account(&seat.actor, &id, seat.now()).await?;
    shown_before(&seat, &view).await
}

/// The page that says that a token was shown already.
pub(super) async fn shown_before(seat: &Seat, view: &AccountView) -> Answer {
    let record = &view.record;
    let credentials = seat.admin.credentials(&seat.actor, &record.id, seat.now()).await?;
    let told = AlreadyShownPage {
        frame: seat.frame(),
        account_id: record.id.to_string(),
        account: record.name.clone(),
        issued: credentials.first().map(|credential| credential.issued),
        manages: super::accounts::row(seat, view).manages,
    };
    Ok(page(StatusCode::OK, told.render()))
}

/// Rotates, or issues one more.
pub(super) async fn rotate(seat: Arc<Seat>, form: Form) -> Answer {
    let id = seat.account_id()?;
    let now = seat.now();
    let view = seat.admin.account(&seat.actor, &id, now).await?;
    let before = seat.admin.credentials(&seat.actor, &id, now).await?;
    // SECURITY: a form that is sent twice takes the place of nothing twice.
    let latest = before.first().map(|credential| credential.id.as_str()).unwrap_or_default();
    if form.text("after") != latest {
        return shown_before(&seat, &view).await;
    }
    let good = before.iter().any(|credential: &CredentialRecord| credential.is_good(now));
    let (minted, others_until) = match form.text("overlap") {
        "beside" => {
            let minted = seat.admin.issue_credential(&seat.actor, &id, None, seat.moment()).await;
            (minted?, None)
        }
        chosen => {
            let overlap = parse_duration(chosen).unwrap_or_default();
            let minted = seat.admin.rotate(&seat.actor, &id, Overlap(overlap), seat.moment()).await;
            (minted?, good.then(|| now.plus(overlap)))
        }
    };
    Ok(shown(&seat, &view, minted, Around { others_until, new: false }).await)
}

#[cfg(test)]
mod tests {
    use super::claims;
    use crate::id::{NamespaceId, ServiceAccountId};
    use crate::service_account::{AccountKind, AccountRecord};
    use crate::time::Timestamp;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn the_secret_is_not_told() {
        let record = AccountRecord {
            id: ServiceAccountId::new(&"0".repeat(32)),
            namespace: NamespaceId::global(),
            kind: AccountKind::Unique,
            user: "ci".to_owned(),
            name: "ci".to_owned(),
            description: String::new(),
            originator: String::new(),
            created: Timestamp::default(),
            created_by: String::new(),
            modified: Timestamp::default(),
            expires: None,
            disabled: None,
            deleted: None,
            used: None,
            version: 0,
        };
        let payload = r#"{"exp":1771583642,"iat":1763807642,"jti":"HUSH","sub":"ci","x":"HUSH"}"#;
        let told = claims(&format!("h.{}.s", URL_SAFE_NO_PAD.encode(payload)), &record);
        let names: Vec<&str> = told.iter().map(|claim| claim.name).collect();
        assert_eq!(names, ["sub", "iat", "exp", "jti"]);
        assert!(!format!("{told:?}").contains("HUSH"));
        assert_eq!(
            told.get(2).map(|claim| claim.meaning.as_str()),
            Some("expires 20 Feb 2026, 10:34:02 UTC")
        );
        assert!(claims("", &record).is_empty() && claims("a.%%.c", &record).is_empty());
    }
}
