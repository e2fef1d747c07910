//! Service accounts.

use super::credentials::told as told_credential;
use super::{Handlers, all, ids, instant, made, once, small, told, word};
use crate::admin::{
    AccountEdit, AccountView, AccountsWanted, Actor, Created, Destination, Expiry, NewAccount,
    NewKind, PolicyMention,
};
use crate::api::error::{ApiError, Violation};
use crate::api::mask::{Mask, expected, unchanged};
use crate::api::message as m;
use crate::api::page::{Page, limited};
use crate::api::wire::Timestamp;
use crate::people::Moment;
use crate::store::{Filter, SortKey, Sorted, Usage};

/// What can be changed of an account.
pub(super) const EDITABLE: [&str; 2] = ["description", "expires_at"];
const UNIQUE: &str = "unique";
const IMPERSONATED: &str = "impersonated";

impl Handlers {
    pub async fn list_service_accounts(
        &self,
        by: &Actor,
        request: m::ListServiceAccountsRequest,
        at: Moment<'_>,
    ) -> Result<m::ListServiceAccountsResponse, ApiError> {
        let page = Page::of(&request)?;
        let which = wanted(request, &page)?;
        let found = self.admin.accounts(by, &which, at.now).await?;
        Ok(m::ListServiceAccountsResponse {
            next_cursor: page.next(found.views.len(), found.total),
            total: small(found.total),
            service_accounts: found.views.iter().map(account).collect(),
        })
    }

    pub async fn get_service_account(
        &self,
        by: &Actor,
        request: m::GetServiceAccountRequest,
        at: Moment<'_>,
    ) -> Result<m::ServiceAccount, ApiError> {
        let found = self.admin.account(by, &ids::account(&request.id)?, at.now).await?;
        Ok(account(&found))
    }

    pub async fn create_service_account(
        &self,
        by: &Actor,
        request: m::CreateServiceAccountRequest,
        at: Moment<'_>,
    ) -> Result<m::CreateServiceAccountResponse, ApiError> {
        let new = new_account(request)?;
        Ok(match self.admin.create_account(by, new, at).await? {
            Created::New(view, minted) => m::CreateServiceAccountResponse {
                service_account: Some(account(&view)),
                credential: Some(told_credential(&minted.credential, at.now)),
                token: minted.token.expose().clone(),
            },
            Created::Before(view) => m::CreateServiceAccountResponse {
                service_account: Some(account(&view)),
                ..m::CreateServiceAccountResponse::default()
            },
        })
    }

    pub async fn update_service_account(
        &self,
        by: &Actor,
        request: m::UpdateServiceAccountRequest,
        at: Moment<'_>,
    ) -> Result<m::ServiceAccount, ApiError> {
        let given = request.service_account.unwrap_or_default();
        let id = ids::account(&given.id)?;
        let mask = Mask::read(request.update_mask.as_ref(), "ServiceAccount", &EDITABLE)?;
        if !mask.is_given() {
            as_it_is(&given, &self.admin.account(by, &id, at.now).await?)?;
        }
        let edit = AccountEdit {
            description: mask.text("description", given.description),
            expires: expiry(&mask, given.expires_at)?,
            expected: expected(&given.etag)?,
        };
        Ok(account(&self.admin.update_account(by, &id, edit, at).await?))
    }

    pub async fn delete_service_account(
        &self,
        by: &Actor,
        request: m::DeleteServiceAccountRequest,
        at: Moment<'_>,
    ) -> Result<m::DeleteServiceAccountResponse, ApiError> {
        let id = ids::account(&request.id)?;
        self.admin.delete_account(by, &id, expected(&request.etag)?, at).await?;
        Ok(m::DeleteServiceAccountResponse {})
    }

    pub async fn disable_service_account(
        &self,
        by: &Actor,
        request: m::DisableServiceAccountRequest,
        at: Moment<'_>,
    ) -> Result<m::ServiceAccount, ApiError> {
        Ok(account(&self.admin.disable_account(by, &ids::account(&request.id)?, at).await?))
    }

    pub async fn enable_service_account(
        &self,
        by: &Actor,
        request: m::EnableServiceAccountRequest,
        at: Moment<'_>,
    ) -> Result<m::ServiceAccount, ApiError> {
        Ok(account(&self.admin.enable_account(by, &ids::account(&request.id)?, at).await?))
    }

    pub async fn get_service_account_usage(
        &self,
        by: &Actor,
        request: m::GetServiceAccountUsageRequest,
        at: Moment<'_>,
    ) -> Result<m::GetServiceAccountUsageResponse, ApiError> {
        let id = ids::account(&request.id)?;
        let days = match request.days {
            0 => 30,
            days @ 1..=90 => days,
            91.. => return Err(ApiError::field("days", "ask for at most 90")),
        };
        let usage = self.admin.account_usage(by, &id, days, at.now).await?;
        Ok(m::GetServiceAccountUsageResponse { usage: usage.into_iter().map(used).collect() })
    }

    pub async fn list_destinations(
        &self,
        by: &Actor,
        request: m::ListDestinationsRequest,
        at: Moment<'_>,
    ) -> Result<m::ListDestinationsResponse, ApiError> {
        let (page, id) = (Page::of(&request)?, ids::account(&request.id)?);
        let found = self.admin.destinations(by, &id, at.now).await?;
        let (part, next_cursor, total) = page.cut(found);
        let destinations = part.into_iter().map(destination).collect();
        Ok(m::ListDestinationsResponse { destinations, next_cursor, total })
    }

    pub async fn list_service_account_policies(
        &self,
        by: &Actor,
        request: m::ListServiceAccountPoliciesRequest,
        _at: Moment<'_>,
    ) -> Result<m::ListServiceAccountPoliciesResponse, ApiError> {
        let found = self.admin.mentions(by, &ids::account(&request.id)?).await?;
        let policies = found.into_iter().map(mention).collect();
        Ok(m::ListServiceAccountPoliciesResponse { policies })
    }
}

/// Which accounts a message asks for.
pub(super) fn wanted(
    request: m::ListServiceAccountsRequest,
    page: &Page,
) -> Result<AccountsWanted, ApiError> {
    Ok(AccountsWanted {
        namespace: ids::namespace_or_all("namespace", &request.namespace)?,
        recursive: request.recursive.unwrap_or(true),
        text: request.q,
        user: Some(request.user_id).filter(|user| !user.is_empty()),
        impersonating: word("kind", &request.kind, kind)?,
        filter: word("state", &request.state, Filter::parse)?,
        sorted: sorted(&request.sort)?,
        offset: page.offset(),
        limit: page.limit,
    })
}

/// Whether it acts as a person.
fn kind(text: &str) -> Option<bool> {
    match text {
        UNIQUE => Some(false),
        IMPERSONATED => Some(true),
        _ => None,
    }
}

fn sorted(text: &str) -> Result<Vec<Sorted>, Violation> {
    let columns = text.split(',').map(str::trim).filter(|column| !column.is_empty());
    let read = columns.map(|column| {
        let (name, descending) = match column.strip_prefix('-') {
            Some(name) => (name, true),
            None => (column, false),
        };
        let known = || SortKey::ALL.map(|key| format!("`{}`", key.name())).join(", ");
        let unknown = || Violation::new("sort", format!("order by {}", known()));
        Ok(Sorted { key: SortKey::parse(name).ok_or_else(unknown)?, descending })
    });
    read.collect()
}

fn new_account(request: m::CreateServiceAccountRequest) -> Result<NewAccount, ApiError> {
    let namespace = ids::namespace_or_global("namespace_id", &request.namespace_id)?;
    let impersonates = word("kind", &request.kind, kind);
    let expires = instant("expires_at", request.expires_at);
    let absent = |field: &str, text: &str| {
        let message = "this is not for an account of this kind";
        if text.is_empty() { Ok(()) } else { Err(Violation::new(field, message)) }
    };
    let acts = matches!(impersonates, Ok(Some(true)));
    let other =
        if acts { absent("name", &request.name) } else { absent("user_id", &request.user_id) };
    let (lone, held) = (impersonates.map(|_| ()), expires.clone().map(|_| ()));
    all([lone, other, held])?;
    let kind = if acts {
        NewKind::Impersonating { user: request.user_id, unknown: request.allow_unknown_user }
    } else {
        NewKind::Unique { name: request.name }
    };
    Ok(NewAccount {
        namespace,
        kind,
        description: request.description,
        expires: expires?,
        originator: request.originator,
        idempotency_key: once(request.idempotency_key),
    })
}

/// Without a mask a whole account may be sent back: what cannot be changed must be as it is.
fn as_it_is(given: &m::ServiceAccount, is: &AccountView) -> Result<(), ApiError> {
    let record = &is.record;
    // Clients that made a unique one by its name know its user id by that.
    let user = if record.is_impersonating() || given.user_id != record.name {
        &record.user
    } else {
        &record.name
    };
    all([
        unchanged("namespace_id", &given.namespace_id, record.namespace.as_str()),
        unchanged("kind", &given.kind, record.kind_name()),
        unchanged("name", &given.name, &record.name),
        unchanged("user_id", &given.user_id, user),
    ])
}

fn expiry(mask: &Mask, given: Option<Timestamp>) -> Result<Expiry, ApiError> {
    Ok(match (mask.names("expires_at", given.is_some()), instant("expires_at", given)?) {
        (false, _) => Expiry::Keep,
        (true, Some(at)) => Expiry::At(at),
        (true, None) => Expiry::Never,
    })
}

/// An account as messages tell of it.
pub(super) fn account(view: &AccountView) -> m::ServiceAccount {
    let record = &view.record;
    m::ServiceAccount {
        id: record.id.to_string(),
        namespace_id: record.namespace.to_string(),
        namespace_path: view.namespace_path.clone(),
        kind: record.kind_name().to_owned(),
        name: record.name.clone(),
        user_id: record.user.clone(),
        description: Some(record.description.clone()),
        originator: record.originator.clone(),
        issued_at: told(record.created),
        issued_by: record.created_by.clone(),
        modified_at: told(record.modified),
        expires_at: record.expires.and_then(told),
        disabled_at: record.disabled.and_then(told),
        last_used_at: record.used.and_then(told),
        state: view.state.name().to_owned(),
        person: view.person.clone(),
        etag: record.version.to_string(),
    }
}

fn used(usage: Usage) -> m::Usage {
    m::Usage {
        day: day(usage.day),
        route_id: usage.route,
        outcome: usage.outcome,
        count: small(usage.count),
        last_at: told(usage.last),
    }
}

/// A day since 1970-01-01, as a date.
fn day(number: i64) -> String {
    let at = crate::time::Timestamp::from_unix(number.saturating_mul(86_400));
    let text = Timestamp::of(at).text();
    text.split('T').next().unwrap_or_default().to_owned()
}

fn destination(found: Destination) -> m::Destination {
    m::Destination {
        route_id: found.route,
        from: found.from,
        namespace_path: found.namespace_path,
        allowed: found.allowed,
        reason: found.reason.to_owned(),
    }
}

/// A policy in a word, as messages tell of it.
pub(super) fn mention(found: PolicyMention) -> m::PolicyMention {
    m::PolicyMention {
        id: found.id,
        name: found.name,
        made: made(found.made),
        enforced: found.enforced,
        namespace_path: found.namespace_path,
    }
}

/// How many people or groups are asked for.
pub(super) fn few(limit: u32) -> Result<usize, ApiError> {
    limited(limit, 20, 20)
}

#[cfg(test)]
mod tests {
    use super::{EDITABLE, day, kind, new_account, sorted};
    use crate::admin::NewKind;
    use crate::api::descriptor::descriptors;
    use crate::api::error::ErrorKind;
    use crate::api::handlers::{namespaces, policies, routes};
    use crate::api::message::CreateServiceAccountRequest;
    use crate::api::wire::Timestamp;
    use crate::service_account::{AccountState, CredentialState};
    use crate::store::{Filter, SortKey};

    /// What the comment of a field says can be changed is what can be changed.
    #[test]
    fn comments_tell_what_can_be_changed() {
        let told = |message: &str| -> Vec<&str> {
            let fields = descriptors().message(message).fields.iter();
            fields.filter(|field| field.is_editable()).map(|field| field.name.as_str()).collect()
        };
        assert_eq!(told("ServiceAccount"), EDITABLE);
        assert_eq!(told("Namespace"), namespaces::EDITABLE);
        assert_eq!(told("Policy"), policies::EDITABLE);
        assert_eq!(told("Route"), routes::EDITABLE);
    }

    /// Every word that is known stands in the comment of the field.
    #[test]
    fn comments_name_every_word() {
        let told = |message: &str, field: &str, word: &str| {
            let comment = &descriptors().message(message).field(field).expect("a field").comment;
            assert!(comment.contains(&format!("`{word}`")), "{message}.{field}: {word}");
        };
        for filter in Filter::ALL {
            told("ListServiceAccountsRequest", "state", filter.name());
        }
        for key in SortKey::ALL {
            told("ListServiceAccountsRequest", "sort", key.name());
        }
        for state in AccountState::ALL {
            told("ServiceAccount", "state", state.name());
        }
        for state in [
            CredentialState::Active,
            CredentialState::Ending,
            CredentialState::Expired,
            CredentialState::Revoked,
            CredentialState::Superseded,
        ] {
            told("Credential", "state", state.name());
        }
        for word in ["unique", "impersonated"] {
            assert!(kind(word).is_some());
            told("ServiceAccount", "kind", word);
        }
    }

    #[test]
    fn columns() {
        let read = |text: &str| {
            let read = sorted(text).ok()?;
            Some(read.iter().map(|by| (by.key.name(), by.descending)).collect::<Vec<_>>())
        };
        let expected = vec![("issued_at", true), ("user_id", false)];
        assert_eq!(read("-issued_at,user_id"), Some(expected));
        assert_eq!(read(""), Some(Vec::new()));
        for text in ["salary", "--user_id", "user_id desc", "-"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_new_account_is_of_one_kind() {
        let request = |kind: &str, name: &str, user: &str| CreateServiceAccountRequest {
            kind: kind.to_owned(),
            name: name.to_owned(),
            user_id: user.to_owned(),
            ..CreateServiceAccountRequest::default()
        };
        let unique = new_account(request("", "ci", "")).expect("an account");
        assert!(matches!(unique.kind, NewKind::Unique { name } if name == "ci"));
        assert!(unique.namespace.is_global() && unique.idempotency_key.is_none());
        let acts = new_account(request("impersonated", "", "u-7")).expect("an account");
        assert!(matches!(acts.kind, NewKind::Impersonating { user, .. } if user == "u-7"));
        let wrong = |kind, name, user| {
            let error = new_account(request(kind, name, user)).expect_err("no account");
            error.violations.into_iter().map(|found| found.field).collect::<Vec<_>>()
        };
        assert_eq!(wrong("both", "ci", ""), ["kind"]);
        assert_eq!(wrong("unique", "ci", "u-7"), ["user_id"]);
        assert_eq!(wrong("impersonated", "ci", "u-7"), ["name"]);
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let request = CreateServiceAccountRequest {
            kind: "x".to_owned(),
            expires_at: Some(Timestamp { seconds: i64::MAX, nanos: 0 }),
            ..CreateServiceAccountRequest::default()
        };
        let error = new_account(request).expect_err("no account");
        let told: Vec<_> = error.violations.iter().map(|found| found.field.as_str()).collect();
        assert_eq!((error.kind, told), (ErrorKind::Invalid, vec!["kind", "expires_at"]));
    }

    #[test]
    fn days_are_dates() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(20_695), "2026-08-30");
        assert_eq!(day(i64::MAX), "9999-12-31");
    }
}
