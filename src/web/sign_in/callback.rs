//! How a host that one wanted gets a cookie of its own.

use super::{authority, browser, handle, link_trouble, use_once};
use crate::pages::Message;
use crate::sign_in::{Callback, Code, Goal, read_callback, same_host, sign_in_link};
use crate::state::SignIn;
use crate::web::answer::{Trouble, lead, redirect, with};
use crate::web::program;
use crate::web::site::Desk;
use crate::web::visit::Visit;
use axum::http::StatusCode;
use axum::response::Response;

/// `GET /.pomerium/callback/` of a route host.
pub(in crate::web) async fn callback(visit: Visit) -> Response {
    let answer = called_back(&visit).await;
    visit.answer(answer)
}

async fn called_back(visit: &Visit) -> Result<Response, Trouble> {
    let sign_in = visit.sign_in()?;
    let desk = visit.desk()?;
    let read = read_callback(&visit.url, sign_in, visit.now);
    let sealed = match read.map_err(|error| link_trouble(visit, error))? {
        Callback::Begin(page) => {
            // The browser's key binds what follows to this browser: a link from elsewhere signs nobody in.
            let (browser, cookie) = browser(visit)?;
            let goal = Goal::Page { redirect: page, browser: Some(browser.hash()) };
            let link = sign_in_link(&goal, sign_in, visit.now);
            return Ok(with(lead(&link), cookie));
        }
        Callback::Code(sealed) => sealed,
    };
    let code = desk.sealers.open_code(&sealed, &authority(&visit.url), visit.now);
    let code = code.ok_or_else(|| Trouble::of(Message::LinkExpired))?;
    // Whoever goes back to this address, or came twice at once, is signed in already.
    let page = !code.browser.is_empty() && same_host(&code.redirect, &visit.url);
    let again = if page { code.redirect.to_string() } else { String::new() };
    let taken = taken(visit, (sign_in, desk), &sealed, code).await;
    taken.map_err(|trouble| Trouble { again, ..trouble })
}

/// A cookie, or a token for a program, in exchange for a code.
async fn taken(
    visit: &Visit,
    (sign_in, desk): (&SignIn, &Desk),
    sealed: &str,
    code: Code,
) -> Result<Response, Trouble> {
    // Before anything else: a code that turned up in another browser is worth nothing in its own.
    use_once(visit, desk, sealed, code.expires).await?;
    let program = code.browser.is_empty();
    if !program && !visit.browser().is_some_and(|browser| browser.is(&code.browser)) {
        return Err(Trouble::of(Message::LinkInvalid));
    }
    let record = desk.people.store().session(&code.secret.id()).await?;
    let record = record.filter(|record| record.is_live(visit.now));
    let record = record.ok_or_else(|| Trouble::of(Message::LinkExpired))?;
    let whose = (record.account.user.as_str(), record.expires);
    let token = handle(visit, sign_in, &code.secret, whose, program);
    if program {
        return program::give(visit, &record, &code.redirect, &token).await;
    }
    if !same_host(&code.redirect, &visit.url) {
        return Err(Trouble::of(Message::LinkInvalid));
    }
    let mut cookies = visit.cookies().clear_tossed(visit.url.host_str().unwrap_or_default());
    cookies.extend(visit.cookies().set_session(token.expose(), record.expires, visit.now));
    Ok(with(redirect(StatusCode::FOUND, code.redirect.as_str()), cookies))
}
