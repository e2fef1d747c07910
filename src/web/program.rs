//! Tokens for programs: a link to open in a browser, and the token sent back to the program.

use super::answer::{Trouble, lead};
use super::visit::Visit;
use crate::activity::{Event, Verb};
use crate::pages::Message;
use crate::secret::Secret;
use crate::session::SessionRecord;
use crate::sign_in::{Goal, callback_of, sign_in_link};
use crate::signed_url::REDIRECT;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};
use url::Url;

/// The parameter that carries the token to the program.
const TOKEN: &str = "pomerium_jwt";

/// `GET /.pomerium/api/v1/login?pomerium_redirect_uri=…`: the link, as text.
pub(super) async fn login(visit: Visit) -> Response {
    let plain = |status: StatusCode, text: String| {
        let headers = [
            (CONTENT_TYPE, "text/plain; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (status, headers, text).into_response()
    };
    let (Ok(sign_in), Ok(_)) = (visit.sign_in(), visit.desk()) else {
        return plain(StatusCode::NOT_FOUND, "nobody signs in here\n".to_owned());
    };
    let Some(wanted) = visit.parameter(REDIRECT) else {
        return plain(StatusCode::NOT_FOUND, format!("`{REDIRECT}` is missing\n"));
    };
    let redirect = Url::parse(&wanted).ok().filter(|url| sign_in.programs.allow(url));
    let Some(redirect) = redirect else {
        let text = format!(
            "`{REDIRECT}` leads to a host that is not in `programmatic_redirect_domain_whitelist`\n"
        );
        return plain(StatusCode::BAD_REQUEST, text);
    };
    let goal = Goal::Program { redirect, callback: callback_of(&visit.url) };
    plain(StatusCode::OK, sign_in_link(&goal, sign_in, visit.now).into())
}

/// Sends the token to the program, and writes that down.
pub(super) async fn give(
    visit: &Visit,
    record: &SessionRecord,
    redirect: &Url,
    token: &Secret<String>,
) -> Result<Response, Trouble> {
    if !visit.sign_in()?.programs.allow(redirect) {
        return Err(Trouble::of(Message::LinkInvalid));
    }
    let mut to = redirect.clone();
    to.query_pairs_mut().append_pair(TOKEN, token.expose());
    let receiver = redirect.origin().ascii_serialization();
    let event = Event {
        detail: format!("{} for {}", receiver, visit.host),
        ..visit.moment().of_session(Verb::ProgrammaticSignIn, record)
    };
    visit.desk()?.people.note(event).await?;
    Ok(lead(&to))
}
