//! Asking providers again, in the background, whether sessions still stand.

use super::{Ending, Moment, People};
use crate::id::SessionId;
use crate::provider::{LocalUsers, OidcProvider, Profile, TokenSealer};
use crate::session::SessionRecord;
use crate::store::{Once, SessionQuery, StoreError, StoreErrorKind};
use crate::time::Timestamp;
use std::time::Duration;

/// How many sessions are confirmed in one go.
const AT_ONCE: usize = 200;
/// No session has this id, which stands before all others.
const BEFORE_ALL: &str = "00000000000000000000000000000000";
/// How long one replica keeps the others from asking for the same session; and how long it waits
/// before it asks again a provider that did not answer.
const TURN: Duration = Duration::from_mins(1);

impl People {
    /// Asks the provider for every session whose tokens are about to expire.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn confirm_at_provider(
        &self,
        provider: &OidcProvider,
        sealer: &TokenSealer,
        at: Moment<'_>,
    ) -> Result<(), StoreError> {
        let due = SessionQuery {
            refresh_before: Some(at.now),
            limit: AT_ONCE,
            ..SessionQuery::default()
        };
        for record in self.store().sessions(&due, at.now).await? {
            if record.provider != provider.settings().issuer.as_str() {
                // SECURITY: tokens of one provider are never shown to another.
                let why = "its provider does not vouch for people here any more".to_owned();
                self.end(&record.id, &Ending::RefreshRefused(why), at).await?;
                continue;
            }
            if self.takes_turn(&record, at.now).await? {
                self.confirm_one(&record, provider, sealer, at).await?;
            }
        }
        Ok(())
    }

    /// Of several replicas one asks.
    async fn takes_turn(&self, record: &SessionRecord, now: Timestamp) -> Result<bool, StoreError> {
        let key = format!("refresh:{}:{}", record.id, record.version);
        let turn = Once { key, value: String::new(), expires: now.plus(TURN) };
        match self.store().keep_once(turn).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == StoreErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn confirm_one(
        &self,
        record: &SessionRecord,
        provider: &OidcProvider,
        sealer: &TokenSealer,
        at: Moment<'_>,
    ) -> Result<(), StoreError> {
        let tokens = record.tokens.as_ref();
        let Some(tokens) = tokens.and_then(|tokens| sealer.open(tokens, &record.id).ok()) else {
            let why = "the tokens cannot be opened; was the secret changed?".to_owned();
            self.end(&record.id, &Ending::RefreshRefused(why), at).await?;
            return Ok(());
        };
        match provider.refresh(&tokens, &record.account.user, at.now).await {
            Ok(profile) => {
                let seal = |id: &_, tokens: &_| sealer.seal(tokens, id, at.now).ok();
                self.refreshed(&record.id, &profile, &seal, at).await?;
            }
            Err(error) if error.is_final() => {
                let ending = Ending::RefreshRefused(error.code().to_owned());
                self.end(&record.id, &ending, at).await?;
                tracing::info!(%error, session = %record.id, "a session was not confirmed and ended");
            }
            Err(error) => {
                tracing::warn!(%error, session = %record.id, "a session could not be confirmed yet");
            }
        }
        Ok(())
    }

    /// Ends the sessions of people whom the users file does not know any more, and gives the others what
    /// it says now.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn confirm_in_file(
        &self,
        users: &LocalUsers,
        at: Moment<'_>,
    ) -> Result<(), StoreError> {
        let mut after = Some(SessionId::new(BEFORE_ALL));
        while after.is_some() {
            let page = SessionQuery { after, limit: AT_ONCE, ..SessionQuery::default() };
            let records = self.store().sessions(&page, at.now).await?;
            let local = records.iter().filter(|record| record.provider == LocalUsers::PROVIDER);
            for record in local {
                self.compare(record, users, at).await?;
            }
            let more = records.len() == AT_ONCE;
            after = records.last().filter(|_| more).map(|record| record.id.clone());
        }
        Ok(())
    }

    async fn compare(
        &self,
        record: &SessionRecord,
        users: &LocalUsers,
        at: Moment<'_>,
    ) -> Result<(), StoreError> {
        let Some(profile) = users.profile(&record.account.user) else {
            let why = "not in the users file any more".to_owned();
            return self.end(&record.id, &Ending::RefreshRefused(why), at).await.map(drop);
        };
        if is_other(&profile, record) {
            self.refreshed(&record.id, &profile, &|_, _| None, at).await?;
        }
        Ok(())
    }
}

/// Whether the profile says something else than the record.
fn is_other(profile: &Profile, record: &SessionRecord) -> bool {
    let account = &record.account;
    profile.email != account.email
        || profile.name != account.name
        || profile.groups != account.groups
        || profile.claims != account.claims
}
