//! `UserInfo` (`OpenID` Connect Core 1.0 §5.3): more about the person whose ID token was accepted. It
//! says nothing of anybody else.

use super::discovery::{Discovery, Known};
use super::error::SignInError;
use super::jws::{Members, UnverifiedJws, object};
use crate::identity::ClaimValue;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use openidconnect::AccessToken;

/// What the provider says there of `subject`; nothing if it has no such place.
pub(super) async fn user_info(
    discovery: &Discovery,
    known: &Known,
    token: &AccessToken,
    subject: &str,
) -> Result<Members, SignInError> {
    let Some(place) = known.metadata.userinfo_endpoint() else {
        return Ok(Members::new());
    };
    let bearer = HeaderValue::from_str(&format!("Bearer {}", token.secret()));
    let mut bearer = bearer.map_err(|_| bad("the access token is not one"))?;
    bearer.set_sensitive(true);
    let request = Request::get(place.url().as_str())
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, bearer)
        .body(Vec::new());
    let request = request.map_err(|_| bad("`userinfo_endpoint` cannot be asked"))?;
    let answer = discovery.http.ask(request).await?;
    if answer.status() != StatusCode::OK {
        let told = format!("`userinfo_endpoint` answers {}", answer.status());
        return Err(SignInError::Unreachable(told));
    }
    let said = match essence(answer.headers()).as_str() {
        "application/json" | "" => object(answer.body()),
        "application/jwt" => Some(signed(answer.body(), known)?),
        _ => None,
    };
    let said = said.ok_or_else(|| bad("what `userinfo_endpoint` answers cannot be read"))?;
    if said.get("sub").and_then(ClaimValue::as_text) != Some(subject) {
        return Err(bad("`userinfo_endpoint` speaks of somebody else"));
    }
    Ok(said)
}

fn essence(headers: &HeaderMap) -> String {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// A signed answer (§5.3.2), which then names issuer and audience.
fn signed(body: &[u8], known: &Known) -> Result<Members, SignInError> {
    let refused = |why: String| SignInError::BadProfile(format!("`userinfo_endpoint`: {why}"));
    let jwt = std::str::from_utf8(body).map_err(|_| refused("it is not a JWT".to_owned()))?;
    let jws = UnverifiedJws::parse(jwt.trim(), &["jwt"]).map_err(|why| refused(why.to_string()))?;
    let said = jws.verify(known.keys()).map_err(|why| refused(why.to_string()))?;
    if said.get("iss").is_some_and(|issuer| issuer.as_text() != Some(known.issuer().as_str())) {
        return Err(refused("it is of another issuer".to_owned()));
    }
    Ok(said)
}

fn bad(why: &str) -> SignInError {
    SignInError::BadProfile(why.to_owned())
}
