//! The login form of the users file.

use super::{authenticate_host, begin_again, onward, open, provider};
use crate::pages::{Frame, Message, OnwardPage, SignInPage, SignInTrouble};
use crate::provider::{LocalUsers, Profile};
use crate::secret::Secret;
use crate::sign_in::{Attempt, BrowserKey, Goal, page_of};
use crate::state::Provider;
use crate::web::answer::{Trouble, page, with};
use crate::web::sent::Sent;
use crate::web::site::{Desk, throttle};
use crate::web::visit::Visit;
use crate::web::{guard, view};
use axum::http::StatusCode;
use axum::response::Response;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The form, before anything was typed.
pub(super) fn first_page(
    visit: &Visit,
    desk: &Desk,
    browser: &BrowserKey,
    goal: Goal,
) -> Result<Response, Trouble> {
    login_page(visit, desk, browser, &attempt(visit, browser, goal), ("", None))
}

fn attempt(visit: &Visit, browser: &BrowserKey, goal: Goal) -> Attempt {
    let (nonce, verifier) = (String::new(), String::new());
    let expires = Attempt::expiry(visit.now);
    Attempt { goal, browser: browser.hash(), nonce, verifier, expires }
}

fn login_page(
    visit: &Visit,
    desk: &Desk,
    browser: &BrowserKey,
    attempt: &Attempt,
    (login, trouble): (&str, Option<SignInTrouble>),
) -> Result<Response, Trouble> {
    let sealed = desk.sealers.seal_attempt(attempt)?;
    let destination = match &attempt.goal {
        Goal::Here | Goal::Console { .. } => String::new(),
        Goal::Page { redirect, .. } | Goal::Program { redirect, .. } => shown(redirect),
    };
    let csrf = guard::token(browser.cookie(), &visit.host);
    let status = match trouble {
        None => StatusCode::OK,
        Some(SignInTrouble::Wait(_)) => StatusCode::TOO_MANY_REQUESTS,
        Some(SignInTrouble::Incomplete | SignInTrouble::Wrong | SignInTrouble::Stale) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    let shown = SignInPage {
        frame: Frame { csrf, ..view::nobody(visit.now) },
        action: format!("/.pomerium/sign_in?attempt={sealed}"),
        destination,
        login: login.to_owned(),
        trouble,
    };
    Ok(page(status, shown.render()))
}

fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}{}", url.host_str().unwrap_or_default(), url.path())
}

/// `POST /.pomerium/sign_in`: name and password.
pub(in crate::web) async fn login(visit: Visit, Sent(body): Sent) -> Response {
    let answer = logged_in(&visit, &body).await;
    visit.answer(answer)
}

async fn logged_in(visit: &Visit, body: &[u8]) -> Result<Response, Trouble> {
    let sign_in = authenticate_host(visit)?;
    let desk = visit.desk()?;
    let Provider::Local(users) = provider(sign_in)? else {
        return Err(Trouble::of(Message::NotFound));
    };
    let sealed = visit.parameter("attempt").unwrap_or_default();
    let wanted = desk.sealers.goal(&sealed);
    let refused = |trouble| Trouble { again: begin_again(visit, wanted.as_ref()), ..trouble };
    let browser = visit.browser().ok_or_else(|| refused(Trouble::of(Message::FormRefused)))?;
    let form = visit.form(body, browser.cookie()).map_err(refused)?;
    let begun = desk.sealers.open_attempt(&sealed, Some(&browser), visit.now);
    let Some(begun) = begun else {
        // The same page, to be bound anew: what was bound before may be another browser.
        let page = wanted.as_ref().and_then(|goal| page_of(goal, &visit.snapshot, sign_in));
        let page = page.map(|redirect| Goal::Page { redirect, browser: None });
        let console = wanted.filter(|goal| matches!(goal, Goal::Console { .. }));
        let fresh = attempt(visit, &browser, page.or(console).unwrap_or(Goal::Here));
        let stale = (form.text("login"), Some(SignInTrouble::Stale));
        return login_page(visit, desk, &browser, &fresh, stale);
    };
    let login = form.text("login").trim().to_owned();
    let password = Secret::new(form.text("password").to_owned());
    match password_fits(visit, desk, users, (&login, password)).await? {
        Ok(profile) => {
            let (signed_in, cookies) = open(visit, sign_in, profile).await?;
            let to = onward(visit, sign_in, &begun.goal, &signed_in)?;
            // After a form a browser holds every redirect against `form-action`; a page leads on.
            let host = to.host_str().unwrap_or_default().to_owned();
            let shown = OnwardPage { frame: view::nobody(visit.now), target: to.into(), host };
            Ok(with(page(StatusCode::OK, shown.render()), cookies))
        }
        Err(trouble) => login_page(visit, desk, &browser, &begun, (&login, Some(trouble))),
    }
}

/// How long somebody waits when too many sign in at once.
const BUSY: Duration = Duration::from_secs(2);

/// Whether the password is right, as often as it may be tried.
async fn password_fits(
    visit: &Visit,
    desk: &Desk,
    users: &Arc<LocalUsers>,
    (login, password): (&str, Secret<String>),
) -> Result<Result<Profile, SignInTrouble>, Trouble> {
    if login.is_empty() || password.expose().is_empty() {
        return Ok(Err(SignInTrouble::Incomplete));
    }
    let address = visit.origin.address.parse().ok();
    let admitted = throttle(desk).admit(login, address, visit.now);
    if let Err(wait) = admitted {
        return Ok(Err(SignInTrouble::Wait(visit.now.plus(wait.0))));
    }
    let Some(pass) = desk.turnstile.enter().await else {
        // Too many at once: the try was not made.
        throttle(desk).withdraw(login, address);
        return Ok(Err(SignInTrouble::Wait(visit.now.plus(BUSY))));
    };
    let (users, name) = (Arc::clone(users), login.to_owned());
    let compared = visit.site.tasks.compute(move || {
        let outcome = users.authenticate(&name, password.expose());
        drop(pass);
        outcome
    });
    match compared.await.ok_or_else(|| Trouble::of(Message::Fault))? {
        Ok(profile) => {
            throttle(desk).succeeded(login, address);
            Ok(Ok(profile))
        }
        Err(why) => {
            desk.people.note_failed_sign_in(login, why.code(), visit.moment()).await?;
            Ok(Err(SignInTrouble::Wrong))
        }
    }
}
