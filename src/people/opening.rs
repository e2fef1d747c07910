//! Opening a session for somebody whom a provider vouches for, and confirming it again.

use super::{Moment, People, Update, Updated};
use crate::activity::{Event, Verb};
use crate::id::SessionId;
use crate::provider::{Profile, ProviderTokens};
use crate::session::{Account, HandleSecret, KnownPerson, SealedTokens, SessionRecord};
use crate::store::{Change, StoreError};
use std::time::Duration;

/// Encrypts a provider's tokens for one session.
pub type Seal<'a> = &'a (dyn Fn(&SessionId, &ProviderTokens) -> Option<SealedTokens> + Sync);

/// What a new session needs.
pub struct Opening<'a> {
    pub profile: Profile,
    /// 32 random bytes.
    pub random: [u8; 32],
    /// `cookie_expire`
    pub lifetime: Duration,
    pub seal: Seal<'a>,
}

impl std::fmt::Debug for Opening<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").field("profile", &self.profile).finish_non_exhaustive()
    }
}

/// A session that has just been opened, and the secret of its handles.
#[derive(Debug)]
pub struct Opened {
    pub record: SessionRecord,
    pub secret: HandleSecret,
}

impl People {
    /// Opens a session. Nobody is anybody else in it.
    ///
    /// # Errors
    /// The store does not answer; then there is no session.
    pub async fn open(&self, opening: Opening<'_>, at: Moment<'_>) -> Result<Opened, StoreError> {
        let secret = HandleSecret::new(opening.random);
        let record = record(&secret, opening, at);
        let known = KnownPerson {
            account: record.account.clone(),
            provider: record.provider.clone(),
            last_sign_in: at.now,
        };
        let changes = vec![Change::OpenSession(record.clone()), Change::KnowPerson(known)];
        let detail = record.provider.clone();
        let event = Event { detail, ..at.of_session(Verb::SignIn, &record) };
        self.commit(&record.id, changes, vec![event]).await?;
        Ok(Opened { record, secret })
    }

    /// Takes what the provider says now; written down if it is something new. Acting as somebody else ends with it. `false` if the session
    /// is gone.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn refreshed(
        &self,
        id: &SessionId,
        profile: &Profile,
        seal: Seal<'_>,
        at: Moment<'_>,
    ) -> Result<bool, StoreError> {
        let account = account(profile);
        let sealed = profile.tokens.as_ref().and_then(|tokens| seal(id, tokens));
        let updated = self.update(id, |before| {
            let ended = at.impersonation_end(before, "refresh");
            let record = SessionRecord {
                account: account.clone(),
                refreshed: at.now,
                impersonation: None,
                tokens: sealed.clone().or_else(|| before.tokens.clone()),
                ..before.clone()
            };
            let news = ended.is_some() || record.account != before.account;
            let event = news.then(|| at.of_session(Verb::Refresh, &record));
            let events = ended.into_iter().chain(event).collect();
            Ok::<_, std::convert::Infallible>(Some(Update { record, events }))
        });
        let Ok(updated) = updated.await?;
        Ok(matches!(updated, Updated::Done(_)))
    }
}

fn record(secret: &HandleSecret, opening: Opening<'_>, at: Moment<'_>) -> SessionRecord {
    let id = secret.id();
    let Opening { profile, lifetime, seal, .. } = opening;
    let account = account(&profile);
    let Profile { provider, provider_session, tokens, .. } = profile;
    SessionRecord {
        account,
        provider,
        provider_session,
        opened: at.now,
        refreshed: at.now,
        expires: at.now.plus(lifetime),
        impersonation: None,
        tokens: tokens.as_ref().and_then(|tokens| seal(&id, tokens)),
        origin: at.origin.clone(),
        version: 0,
        id,
    }
}

fn account(profile: &Profile) -> Account {
    Account {
        user: profile.subject.clone(),
        email: profile.email.clone(),
        name: profile.name.clone(),
        groups: profile.groups.clone(),
        claims: profile.claims.clone(),
    }
}
