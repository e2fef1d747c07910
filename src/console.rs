//! The console: pages under `/console/` on the host where people sign in. Translates between forms and
//! the verbs of administration; who may do what is decided there.

mod account;
mod accounts;
mod form;
mod new_account;
mod overview;
mod refusal;
mod seat;
mod some_accounts;
mod token;
mod usage;

use crate::pages::console::path;
use crate::web::{Form, Sent, Site};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::response::{Redirect, Response};
use axum::routing::{MethodRouter, get};
use refusal::Refusal;
use seat::Seat;
use std::sync::Arc;

/// What a page of the console answers.
type Answer = Result<Response, Refusal>;

/// The longest form, in bytes: a policy may be long.
const MAX_BODY: usize = 1024 * 1024;

/// Every page of the console.
pub fn pages(site: &Arc<Site>) -> Router {
    Router::new()
        .route("/console", get(async || Redirect::permanent(path::CONSOLE)))
        .route("/console/", shown(overview::show))
        .merge(accounts())
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(Arc::clone(site))
}

fn accounts() -> Router<Arc<Site>> {
    let post = MethodRouter::new;
    Router::new()
        .route("/console/accounts", shown(accounts::list))
        .route("/console/accounts/new", sent(shown(new_account::show), new_account::create))
        .route("/console/accounts/some", sent(post(), some_accounts::act))
        .route("/console/accounts/{id}", shown(account::show))
        .route("/console/accounts/{id}/edit", sent(shown(account::ask_edit), account::edit))
        .route("/console/accounts/{id}/disable", sent(post(), account::disable))
        .route("/console/accounts/{id}/enable", sent(post(), account::enable))
        .route("/console/accounts/{id}/revoke", sent(shown(account::ask_revoke), account::revoke))
        .route("/console/accounts/{id}/delete", sent(shown(account::ask_delete), account::delete))
        .route("/console/accounts/{id}/token", sent(shown(token::gone), token::rotate))
}

/// A page that is asked for.
fn shown<F, A>(handler: F) -> MethodRouter<Arc<Site>>
where
    F: Fn(Arc<Seat>) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    get(async move |seat: Seat| {
        let seat = Arc::new(seat);
        let answer = handler(Arc::clone(&seat)).await;
        seat.answer(answer)
    })
}

/// What a form of ours does. SECURITY: nothing is done unless a page of this session has sent it.
fn sent<F, A>(router: MethodRouter<Arc<Site>>, handler: F) -> MethodRouter<Arc<Site>>
where
    F: Fn(Arc<Seat>, Form) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    router.post(async move |seat: Seat, Sent(body): Sent| {
        let seat = Arc::new(seat);
        let answer = match seat.form(&body) {
            Ok(form) => handler(Arc::clone(&seat), form).await,
            Err(refusal) => Err(refusal),
        };
        seat.answer(answer)
    })
}
