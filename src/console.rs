//! The console: pages under `/console/` on the host where people sign in. Translates between forms and
//! the verbs of administration; who may do what is decided there.

mod account;
mod accounts;
mod builder;
mod form;
mod log;
mod namespace_form;
mod namespaces;
mod new_account;
mod overview;
mod policies;
mod policy_editor;
mod refusal;
mod roles;
mod routes;
mod search;
mod seat;
mod simulator;
mod some_accounts;
mod token;
mod usage;
mod users;

use crate::pages::Message;
use crate::pages::console::path;
use crate::web::{Form, Sent, Site, Trouble, Visit};
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
        .merge(namespaces())
        .merge(policies())
        .merge(routes())
        .merge(people())
        .route("/console/simulator", sent(shown(simulator::show), simulator::with_token))
        .route("/console/activity", shown(log::list))
        .route("/console/activity/{number}", shown(log::show))
        .route("/console/search", shown(search::everything))
        .route("/console/people", shown(search::ahead))
        .method_not_allowed_fallback(async |visit: Visit| {
            visit.trouble(Trouble::of(Message::MethodRefused))
        })
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

fn namespaces() -> Router<Arc<Site>> {
    let post = MethodRouter::new;
    let (asked_new, asked_edit) = (shown(namespace_form::ask_new), shown(namespace_form::ask_edit));
    let asked_move = shown(namespace_form::ask_move);
    let asked_end = shown(namespaces::ask_delete);
    Router::new()
        .route("/console/namespaces", shown(namespaces::list))
        .route("/console/namespaces/new", sent(asked_new, namespace_form::create))
        .route("/console/namespaces/{id}", shown(namespaces::show))
        .route("/console/namespaces/{id}/edit", sent(asked_edit, namespace_form::edit))
        .route("/console/namespaces/{id}/move", sent(asked_move, namespace_form::move_there))
        .route("/console/namespaces/{id}/delete", sent(asked_end, namespaces::delete))
        .route("/console/namespaces/{id}/roles", sent(post(), roles::give))
        .route("/console/namespaces/{id}/remove-role", sent(post(), roles::take_away))
}

fn policies() -> Router<Arc<Site>> {
    Router::new()
        .route("/console/policies", shown(policies::list))
        .route("/console/policies/new", sent(shown(policy_editor::ask_new), policy_editor::create))
        .route("/console/policies/check", sent(MethodRouter::new(), policy_editor::check_text))
        .route("/console/policy", shown(policies::show))
        .route("/console/policy/edit", sent(shown(policy_editor::ask_edit), policy_editor::edit))
        .route("/console/policy/delete", sent(shown(policies::ask_delete), policies::delete))
}

fn routes() -> Router<Arc<Site>> {
    Router::new()
        .route("/console/routes", shown(routes::list))
        .route("/console/routes/new", sent(shown(routes::ask_new), routes::create))
        .route("/console/route", shown(routes::show))
        .route("/console/route/edit", sent(shown(routes::ask_edit), routes::edit))
        .route("/console/route/delete", sent(shown(routes::ask_delete), routes::delete))
}

fn people() -> Router<Arc<Site>> {
    Router::new()
        .route("/console/users", shown(users::list))
        .route("/console/user", shown(users::show))
        .route("/console/user/block", sent(shown(users::ask_block), users::block))
        .route("/console/user/unblock", sent(shown(users::ask_unblock), users::unblock))
        .route("/console/user/revoke", sent(shown(users::ask_revoke), users::revoke))
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
