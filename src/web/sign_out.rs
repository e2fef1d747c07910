//! The end of a session: by its owner, or by the provider.

use super::answer::{Trouble, back, page, redirect, with};
use super::sent::Sent;
use super::visit::Visit;
use super::{sign_in, view};
use crate::pages::{ConfirmPage, Confirmation, Message, OnwardPage, SignedOutPage};
use crate::people::Ending;
use crate::provider::Logout;
use crate::session::SessionRecord;
use crate::sign_in::same_host;
use crate::signed_url::REDIRECT;
use crate::state::{Provider, SignIn};
use crate::store::{AtProvider, SessionQuery};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
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
pub(super) async fn sign_out(visit: Visit, Sent(body): Sent) -> Response {
    let answer = signed_out_now(&visit, &body).await;
    visit.answer(answer)
}

async fn signed_out_now(visit: &Visit, body: &[u8]) -> Result<Response, Trouble> {
    let visitor = visit.visitor().await?;
    let clear = visit.cookies().clear_session(visit.url.host_str().unwrap_or_default());
    let Ok(used) = visitor.in_person() else {
        // SECURITY: a form of another site comes without cookies, and its answer would take them away.
        if !visit.is_same_origin() {
            return Err(Trouble::of(Message::FormRefused));
        }
        // A token without a session cannot be ended, but its cookie can go.
        return Ok(with(back("/.pomerium/signed_out"), clear));
    };
    let form = visit.form(body, used.secret.expose())?;
    let desk = visit.desk()?;
    desk.people.end(&used.record.id, &Ending::SignOut, visit.moment()).await?;
    let asked = allowed(visit, form.text(REDIRECT));
    let sign_in = visit.sign_in()?;
    let next = match at_provider(visit, sign_in, &used.record).await {
        Some(provider) => Some(provider),
        None => asked.or_else(|| sign_in.sign_out_redirect.clone()),
    };
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

/// What the provider sends back from there.
const ENDED_THERE: &str = "ended";

/// Where the provider ends its own session (`OpenID` Connect RP-Initiated Logout 1.0).
async fn at_provider(visit: &Visit, sign_in: &SignIn, record: &SessionRecord) -> Option<Url> {
    let Some(Provider::Oidc(provider)) = &sign_in.provider else {
        return None;
    };
    let sealed = record.tokens.as_ref()?;
    let tokens = sign_in.tokens.as_ref()?.open(sealed, &record.id).ok()?;
    let back = sign_in.sign_out_redirect.clone();
    let back = back.or_else(|| sign_in.url.join("/.pomerium/signed_out").ok())?;
    let logout =
        Logout { id_token: tokens.id_token.as_ref(), redirect_uri: &back, state: ENDED_THERE };
    provider.logout_url(logout, visit.now).await
}

/// `GET /.pomerium/signed_out`
pub(super) async fn signed_out(visit: Visit) -> Response {
    let sign_in = visit.settings().sign_in.as_ref();
    let there = visit.parameter("state").is_none_or(|state| state != ENDED_THERE);
    let provider = sign_in.filter(|_| there).and_then(|sign_in| match &sign_in.provider {
        Some(Provider::Oidc(provider)) => {
            provider.settings().issuer.url().host_str().map(str::to_owned)
        }
        Some(Provider::Local(_)) | None => None,
    });
    let shown = SignedOutPage {
        frame: view::nobody(visit.now),
        sign_in: "/.pomerium/".to_owned(),
        provider: provider.unwrap_or_default(),
    };
    page(StatusCode::OK, shown.render())
}

/// `POST /.pomerium/backchannel_logout` (`OpenID` Connect Back-Channel Logout 1.0).
pub(super) async fn by_provider(visit: Visit, Sent(body): Sent) -> Response {
    let status = match ended_by_provider(&visit, &body).await {
        Ok(()) => StatusCode::OK,
        Err(trouble) => match trouble.message {
            Message::StoreAway | Message::ProviderAway => StatusCode::SERVICE_UNAVAILABLE,
            Message::NotFound => StatusCode::NOT_FOUND,
            Message::LinkExpired
            | Message::LinkUsed
            | Message::LinkInvalid
            | Message::FormRefused
            | Message::SignInNeeded
            | Message::NotPermitted
            | Message::ProviderRefused
            | Message::ProviderWrong
            | Message::TooLarge
            | Message::MethodRefused
            | Message::Fault => StatusCode::BAD_REQUEST,
        },
    };
    let text = if status.is_success() { "" } else { "{\"error\":\"invalid_request\"}" };
    (status, [(CACHE_CONTROL, "no-store"), (CONTENT_TYPE, "application/json")], text)
        .into_response()
}

async fn ended_by_provider(visit: &Visit, body: &[u8]) -> Result<(), Trouble> {
    let sign_in = sign_in::authenticate_host(visit)?;
    let desk = visit.desk()?;
    let Provider::Oidc(provider) = sign_in::provider(sign_in)? else {
        return Err(Trouble::of(Message::NotFound));
    };
    let mut fields = form_urlencoded::parse(body);
    let token =
        fields.find(|(name, _)| name == "logout_token").map(|(_, value)| value.into_owned());
    let token = token.ok_or_else(|| Trouble::of(Message::LinkInvalid))?;
    let notice = provider.logout_token(&token, visit.now).await;
    let notice = notice.map_err(|error| sign_in::provider_trouble(&error))?;
    let which = SessionQuery {
        at_provider: Some(AtProvider {
            provider: notice.issuer,
            session: notice.session,
            user: notice.subject,
        }),
        limit: 1000,
        ..SessionQuery::default()
    };
    // What is ended is gone from the list; a notice that comes again finds nothing.
    while desk.people.end_all(&which, &Ending::Provider, visit.moment()).await? > 0 {}
    Ok(())
}
