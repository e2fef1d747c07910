//! The end of a session: by its owner, or by the provider.

use super::answer::{Trouble, back, page, redirect, with};
use super::site;
use super::visit::Visit;
use super::{sign_in, view};
use crate::pages::{ConfirmPage, Confirmation, Message, OnwardPage, SignedOutPage};
use crate::people::Ending;
use crate::session::SessionRecord;
use crate::sign_in::same_host;
use crate::signed_url::REDIRECT;
use crate::state::{Provider, SignIn};
use crate::store::{AtProvider, Once, SessionQuery, StoreErrorKind};
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::time::Duration;
use url::{Url, form_urlencoded};

/// `GET /.pomerium/sign_out`: asks.
pub(super) async fn ask(visit: Visit) -> Response {
    let answer = asked(&visit).await;
    visit.answer(answer)
}

async fn asked(visit: &Visit) -> Result<Response, Trouble> {
    let visitor = visit.visitor().await?;
    if visitor.identity().is_none() {
        return Ok(back("/.pomerium/signed_out"));
    }
    let wanted = visit.parameter(REDIRECT).unwrap_or_default();
    let return_to = allowed(visit, &wanted).map(String::from).unwrap_or_default();
    let shown = ConfirmPage {
        frame: view::frame(visit, &visitor),
        question: Confirmation::SignOut { return_to },
        back: "/.pomerium/".to_owned(),
    };
    Ok(page(StatusCode::OK, shown.render()))
}

/// Only to the same host, or to where the operator says. SECURITY: a link to us must not lead anywhere.
fn allowed(visit: &Visit, wanted: &str) -> Option<Url> {
    let url = Url::parse(wanted).ok()?;
    let configured = visit.settings().sign_in.as_ref()?.sign_out_redirect.as_ref();
    (same_host(&url, &visit.url) || configured == Some(&url)).then_some(url)
}

/// `POST /.pomerium/sign_out`: does it.
pub(super) async fn sign_out(visit: Visit, body: Bytes) -> Response {
    let answer = signed_out_now(&visit, &body).await;
    visit.answer(answer)
}

async fn signed_out_now(visit: &Visit, body: &[u8]) -> Result<Response, Trouble> {
    let visitor = visit.visitor().await?;
    let clear = visit.cookies().clear_session(visit.url.host_str().unwrap_or_default());
    let Ok(used) = visitor.in_person() else {
        // A token without a session cannot be ended, but its cookie can go.
        return Ok(with(back("/.pomerium/signed_out"), clear));
    };
    let form = visit.form(body, used.secret.expose())?;
    let desk = visit.desk()?;
    desk.people.end(&used.record.id, &Ending::SignOut, visit.moment()).await?;
    let asked = allowed(visit, form.text(REDIRECT));
    let sign_in = visit.sign_in()?;
    let next = asked.or_else(|| sign_in.sign_out_redirect.clone());
    let answer = match next {
        None => back("/.pomerium/signed_out"),
        Some(to) if same_host(&to, &visit.url) => redirect(StatusCode::SEE_OTHER, to.as_str()),
        Some(to) => {
            // After a form a browser holds every redirect against `form-action`; a page leads on.
            let host = to.host_str().unwrap_or_default().to_owned();
            let frame = view::nobody(visit.now);
            page(StatusCode::OK, OnwardPage { frame, target: to.into(), host }.render())
        }
    };
    Ok(with(answer, clear))
}

/// `GET /.pomerium/signed_out`
pub(super) async fn signed_out(visit: Visit) -> Response {
    let provider = visit.settings().sign_in.as_ref().and_then(|sign_in| match &sign_in.provider {
        Some(Provider::Local(_)) | None => None,
    });
    let shown = SignedOutPage {
        frame: view::nobody(visit.now),
        sign_in: "/.pomerium/".to_owned(),
        provider: provider.unwrap_or_default(),
    };
    page(StatusCode::OK, shown.render())
}
