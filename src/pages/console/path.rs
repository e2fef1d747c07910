//! Where the pages of the console are, and where their forms are sent to.

use url::form_urlencoded;

/// Everything of the console stands below this.
pub const CONSOLE: &str = "/console/";
pub const ACCOUNTS: &str = "/console/accounts";
/// `GET` shows the form, `POST` makes the account.
pub const NEW_ACCOUNT: &str = "/console/accounts/new";
/// `POST`. Fields: `csrf`, `do` (`disable`, `enable` or `delete`), and `pick-ID` for each account.
pub const SOME_ACCOUNTS: &str = "/console/accounts/some";
/// What the admin API gives of them as a file.
pub const ACCOUNTS_EXPORT: &str = "/api/v1/service-accounts/export";
pub const NAMESPACES: &str = "/console/namespaces";
pub const NEW_NAMESPACE: &str = "/console/namespaces/new";
pub const POLICIES: &str = "/console/policies";
pub const NEW_POLICY: &str = "/console/policies/new";
/// `POST`. Fields: `csrf`, `text`. Answers `{problems:[{line, column, code, message, help}]}`.
pub const CHECK_POLICY: &str = "/console/policies/check";
pub const ROUTES: &str = "/console/routes";
pub const NEW_ROUTE: &str = "/console/routes/new";
pub const SIMULATOR: &str = "/console/simulator";
pub const ACTIVITY: &str = "/console/activity";
/// What the admin API gives of it as a file.
pub const ACTIVITY_EXPORT: &str = "/api/v1/activity/export";
pub const USERS: &str = "/console/users";
/// Looks in everything. Parameter: `q`.
pub const SEARCH: &str = "/console/search";
/// The look-ahead. Parameters: `q`, and `accounts` (`on`) for service accounts, too. Answers
/// `{people:[{id, email, name, source}], groups:[{id, name}], total}`.
pub const PEOPLE: &str = "/console/people";

/// A path with parameters; those without a value are left out.
pub fn with<'a>(path: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in parameters.into_iter().filter(|(_, value)| !value.is_empty()) {
        query.append_pair(name, value);
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// What is below an account, or the account itself for `""`.
pub fn account(id: &str, below: &str) -> String {
    below_of(ACCOUNTS, id, below)
}

/// What is below a namespace, or the namespace itself for `""`.
pub fn namespace(id: &str, below: &str) -> String {
    below_of(NAMESPACES, id, below)
}

fn below_of(list: &str, id: &str, below: &str) -> String {
    // Ids are letters, digits, hyphens and underscores; anything else is no id, and leads nowhere.
    let id: String = form_urlencoded::byte_serialize(id.as_bytes()).collect();
    if below.is_empty() { format!("{list}/{id}") } else { format!("{list}/{id}/{below}") }
}

/// A policy, or `edit` or `delete` below it. Its id may be any text.
pub fn policy(id: &str, below: &str) -> String {
    named("/console/policy", id, below)
}

/// A route, or `edit` or `delete` below it. Its id may be any text.
pub fn route(id: &str, below: &str) -> String {
    named("/console/route", id, below)
}

/// A person, or `block`, `unblock` or `revoke` below them. Their id may be any text.
pub fn user(id: &str, below: &str) -> String {
    named("/console/user", id, below)
}

fn named(page: &str, id: &str, below: &str) -> String {
    let path = if below.is_empty() { page.to_owned() } else { format!("{page}/{below}") };
    with(&path, [("id", id)])
}

/// An entry of the activity log.
pub fn entry(number: &u64) -> String {
    format!("{ACTIVITY}/{number}")
}
