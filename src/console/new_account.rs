//! Making a service account, and showing its token in the answer.

use super::form::{chosen_end, expiries, fresh_key, key, usual};
use super::refusal::mistakes;
use super::{Answer, Refusal, Seat, token};
use crate::admin::{AdminError, Created, NewAccount, NewKind, UserView, What};
use crate::id::NamespaceId;
use crate::namespace::Role;
use crate::pages::console::{AccountForm, Mistake, Mistakes, NewAccountPage, PersonShown, path};
use crate::people::Source;
use crate::web::{Form, page};
use axum::http::StatusCode;
use std::sync::Arc;

/// What was typed, where, and what is wrong with it.
struct Typed {
    namespace: NamespaceId,
    form: AccountForm,
    mistakes: Mistakes,
    /// Whether somebody has to sign in again first.
    stale: bool,
}

pub(super) async fn show(seat: Arc<Seat>) -> Answer {
    let form = AccountForm {
        impersonating: seat.parameter("kind") == "impersonated",
        name: seat.parameter("name"),
        user: seat.parameter("user"),
        unknown: false,
        description: seat.parameter("description"),
        expiry: seat.parameter("expiry"),
        until: seat.parameter("until"),
        key: fresh_key(),
    };
    let namespace = seat.namespace.clone();
    let typed = Typed { namespace, form, mistakes: Mistakes::default(), stale: false };
    form_page(&seat, typed, StatusCode::OK).await
}

async fn form_page(seat: &Seat, typed: Typed, status: StatusCode) -> Answer {
    let Typed { namespace, mut form, mistakes, stale } = typed;
    let role = seat.role(&namespace);
    if role < Some(Role::Manager) {
        return Err(seat.takes(Role::Manager, &namespace).into());
    }
    let tree = seat.tree();
    let now = seat.now();
    let mut offered = expiries(tree.lifetime(&namespace), (now, now), &form.expiry);
    if form.expiry.is_empty() {
        form.expiry = usual(&offered);
        offered = expiries(tree.lifetime(&namespace), (now, now), &form.expiry);
    }
    let person = if form.impersonating { seat.person_called(&form.user).await? } else { None };
    let unknown = mistakes.0.iter().any(|mistake| mistake.field == "user");
    let again = if stale { seat.sign_in_again(&address(&namespace, &form)) } else { String::new() };
    let shown = NewAccountPage {
        frame: seat.frame(),
        namespace: tree.path(&namespace),
        below: u64::try_from(tree.within(&namespace).len().saturating_sub(1)).unwrap_or(0),
        suffix: suffix(&namespace),
        namespace_id: namespace.to_string(),
        expiries: offered,
        may_impersonate: role >= Some(Role::Admin),
        person: person.as_ref().map(shown_person),
        offers_unknown: form.impersonating && unknown && seat.is_global_admin(),
        form,
        sign_in_again: again,
        mistakes,
    };
    Ok(page(status, shown.render()))
}

/// The longest address to be led back to.
const LONGEST: usize = 2000;

/// The form with what was typed, to be led back to. There is nothing secret in it.
fn address(namespace: &NamespaceId, form: &AccountForm) -> String {
    let whole = written(namespace, form, &form.description);
    if whole.len() <= LONGEST { whole } else { written(namespace, form, "") }
}

fn written(namespace: &NamespaceId, form: &AccountForm, description: &str) -> String {
    path::with(
        path::NEW_ACCOUNT,
        [
            ("ns", namespace.as_str()),
            ("kind", if form.impersonating { "impersonated" } else { "unique" }),
            ("name", &form.name),
            ("user", &form.user),
            ("description", description),
            ("expiry", &form.expiry),
            ("until", &form.until),
        ],
    )
}

/// What stands after the name in the user id of a unique account.
fn suffix(namespace: &NamespaceId) -> String {
    if namespace.is_global() { String::new() } else { format!("@{namespace}.pomerium") }
}

pub(super) fn shown_person(view: &UserView) -> PersonShown {
    PersonShown {
        id: view.id.clone(),
        name: if view.name.is_empty() { view.email.clone() } else { view.name.clone() },
        email: if view.name.is_empty() { String::new() } else { view.email.clone() },
        source: source_word(view.source).to_owned(),
    }
}

/// Who knows somebody.
pub(super) fn source_word(source: Source) -> &'static str {
    match source {
        Source::Directory => "directory",
        Source::SignIn => "sign-in",
    }
}

pub(super) async fn create(seat: Arc<Seat>, posted: Form) -> Answer {
    let namespace = NamespaceId::parse(posted.text("namespace"));
    let namespace = namespace.unwrap_or_else(|| seat.namespace.clone());
    let text = |name: &str| posted.text(name).trim().to_owned();
    let form = AccountForm {
        impersonating: text("kind") == "impersonated",
        name: text("name"),
        user: text("user"),
        unknown: posted.text("unknown") == "on",
        description: text("description"),
        expiry: text("expiry"),
        until: text("until"),
        key: text("key"),
    };
    match made(&seat, &namespace, &form).await {
        Ok(Created::New(view, minted)) => token::created(&seat, &view, minted).await,
        Ok(Created::Before(view)) => token::shown_before(&seat, &view).await,
        Err(Wrong::Form(mistakes, stale)) => {
            let typed = Typed { namespace, form, mistakes, stale };
            form_page(&seat, typed, StatusCode::BAD_REQUEST).await
        }
        Err(Wrong::Refused(refusal)) => Err(refusal),
    }
}

/// Why there is no account.
enum Wrong {
    Form(Mistakes, bool),
    Refused(Refusal),
}

async fn made(seat: &Seat, namespace: &NamespaceId, form: &AccountForm) -> Result<Created, Wrong> {
    let expires = chosen_end(&form.expiry, &form.until, seat.now());
    let expires = expires.map_err(|wrong: Mistake| Wrong::Form(Mistakes(vec![wrong]), false))?;
    let kind = if form.impersonating {
        let person = seat.person_called(&form.user).await.map_err(Wrong::Refused)?;
        let user = person.map_or_else(|| form.user.clone(), |person| person.id);
        NewKind::Impersonating { user, unknown: form.unknown }
    } else {
        NewKind::Unique { name: form.name.clone() }
    };
    let new = NewAccount {
        namespace: namespace.clone(),
        kind,
        description: form.description.clone(),
        expires,
        originator: "console".to_owned(),
        idempotency_key: key(&form.key),
    };
    let created = seat.admin.create_account(&seat.actor, new, seat.moment()).await;
    created.map_err(|error| {
        let stale = matches!(error, AdminError::NotFresh);
        let end = if form.expiry == "custom" { "until" } else { "expiry" };
        let names = [("user_id", "user"), ("expires_at", end), ("idempotency_key", "")];
        match mistakes(error, &names) {
            Ok(mistakes) => Wrong::Form(mistakes, stale),
            Err(refusal) => Wrong::Refused(refusal),
        }
    })
}

impl Seat {
    /// The one person whose user id or e-mail address this is.
    ///
    /// # Errors
    /// The store does not answer.
    pub(super) async fn person_called(&self, text: &str) -> Result<Option<UserView>, Refusal> {
        let (found, _) = self.admin.search_users(&self.actor, text, 5).await?;
        let is = |view: &UserView| view.id == text || view.email.eq_ignore_ascii_case(text);
        let mut fits = found.into_iter().filter(is);
        let first = fits.next();
        // An address of two people means neither.
        let exact = first.as_ref().is_some_and(|view| view.id == text);
        Ok(first.filter(|_| exact || fits.next().is_none()))
    }

    /// What is said to somebody who may look here and not do something. SECURITY: to somebody who may not
    /// even look, what is said of what is not there.
    pub(super) fn takes(&self, role: Role, namespace: &NamespaceId) -> AdminError {
        if self.role(namespace).is_none() {
            return AdminError::NotFound(What::Namespace);
        }
        AdminError::Forbidden { role, place: format!("in {}", self.tree().path(namespace)) }
    }
}
