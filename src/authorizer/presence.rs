//! The verify and resolve stops: which credential counts, and whom it speaks for.

use super::place::Place;
use super::recent::{Known, Named};
use super::{Refusal, SessionUse, Supposed, Unavailable, World};
use crate::id::CredentialId;
use crate::identity::{
    Caller, Credentials, Expected, Presented, Source, Surroundings, TokenError, Verified,
    VerifiedHandle, identify,
};
use crate::policy::DenyReason;
use crate::request::{Request, Target};
use crate::service_account::{self, Machine, TokenSecret};
use crate::session::{self, HandleSecret};
use crate::state::Snapshot;
use crate::store::{RecordKey, Seen};
use crate::time::Timestamp;
use std::sync::Arc;

/// What was found out about the credential of a request.
pub(super) struct Presence {
    pub(super) credentials: Credentials,
    pub(super) caller: Caller,
    pub(super) error: Option<TokenError>,
    pub(super) bearer_is_ours: bool,
    pub(super) record: Option<SessionUse>,
    /// The machine whose token was shown: the one that counts, else the first that does not.
    pub(super) machine: Option<Arc<Machine>>,
    /// A credential could not be judged because the store is silent. Whoever it is, may do what
    /// anybody may, and for the rest nobody knows.
    pub(super) silent: bool,
}

/// Somebody, and the session they come with.
struct Found {
    caller: Caller,
    record: Option<SessionUse>,
    machine: Option<Arc<Machine>>,
}

/// Why a credential gives nobody.
enum Failure {
    Unusable(TokenError),
    Unseen(RecordKey),
    Stale,
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Self::Unusable(error)
    }
}

/// Reads credentials of one request.
struct Reader<'a> {
    world: World<'a>,
    expected: Expected<'a>,
    now: Timestamp,
    error: Option<TokenError>,
    /// The machine of the first token that was refused, if it is one's.
    refused: Option<Arc<Machine>>,
    silent: bool,
}

impl Presence {
    /// Tries every credential in order: the first that verifies counts, the first failure is kept.
    /// With somebody `supposed` to ask, no credential counts.
    pub(super) fn find(
        world: World<'_>,
        request: &Request,
        target: &Target,
        supposed: Option<&Supposed>,
        now: Timestamp,
    ) -> Result<Self, Unavailable> {
        let settings = &world.snapshot.settings;
        let credentials = Credentials::find(request, &settings.cookie_name);
        if let Some(Supposed { caller: Some(caller), machine, .. }) = supposed {
            return Ok(Self {
                credentials,
                caller: caller.clone(),
                error: None,
                bearer_is_ours: false,
                record: None,
                machine: machine.clone(),
                silent: false,
            });
        }
        let expected = Expected {
            issuers: &settings.issuers,
            host: target.host.name(),
            port: target.host.unusual_port(&request.scheme),
        };
        let mut reader = Reader { world, expected, now, error: None, refused: None, silent: false };
        let mut found = reader.first(&credentials.candidates)?;
        // An upstream's own bearer token is none of our business unless we made it.
        let bearer_is_ours = credentials.suspects.iter().any(|text| settings.keys.signed(text));
        let bearer = credentials.plain_bearer.as_ref().filter(|_| bearer_is_ours);
        if let (None, Some(text)) = (&found, bearer) {
            let presented = Presented { source: Source::PlainBearer, text: text.clone() };
            found = reader.first(&[presented])?;
        }
        let silent = reader.silent && found.is_none();
        let (error, refused) = (reader.error, reader.refused);
        let Found { caller, record, machine } = found.unwrap_or_else(|| Found {
            caller: Caller::Anonymous(error.clone()),
            record: None,
            machine: refused,
        });
        Ok(Self { credentials, caller, error, bearer_is_ours, record, machine, silent })
    }

    pub(super) fn refusal(&self, reason: DenyReason, place: &Place<'_>) -> Refusal {
        let unreadable =
            matches!(&reason, DenyReason::Unauthenticated(Some(TokenError::Malformed(_))));
        Refusal {
            token_outside_cookie: self.credentials.sent_outside_cookie() || self.bearer_is_ours,
            clear_cookie: unreadable && self.credentials.cookies.have_own(),
            cookie_chunks: self.credentials.cookies.chunks(),
            show_details: place.shows_details(),
            mcp: None,
            reason,
        }
    }
}

/// SECURITY: a page of a neighbouring domain can add a cookie of its choice. Of two sessions, neither
/// counts.
const TWO_SESSIONS: TokenError = TokenError::Malformed("cookies of two sessions came along");

impl Reader<'_> {
    /// The first that is usable.
    fn first(&mut self, candidates: &[Presented]) -> Result<Option<Found>, Unavailable> {
        let mut first: Option<Found> = None;
        for presented in candidates {
            if first.is_some() && presented.source != Source::Cookie {
                break;
            }
            // SECURITY: while a cookie cannot be judged, another one that a neighbour may have put there
            // does not take its place.
            if self.silent && presented.source == Source::Cookie {
                continue;
            }
            match (self.read(presented), &first) {
                (Ok(found), None) => first = Some(found),
                (Ok(found), Some(first)) if first.is_another_session(&found) => {
                    self.error = Some(TWO_SESSIONS);
                    return Ok(None);
                }
                (Ok(_), Some(_)) => {}
                (Err(Failure::Unusable(why)), _) => self.error = self.error.take().or(Some(why)),
                (Err(Failure::Unseen(id)), _) => return Err(Unavailable::Unseen(id)),
                (Err(Failure::Stale), _) => self.silent = true,
            }
        }
        Ok(first)
    }

    fn around(&self) -> Surroundings<'_> {
        let Snapshot { settings, directory, catalog } = self.world.snapshot;
        Surroundings { rules: &settings.impersonation, directory, blocked: &catalog.blocked }
    }

    fn read(&mut self, presented: &Presented) -> Result<Found, Failure> {
        let Snapshot { settings, directory, .. } = self.world.snapshot;
        let known = self.world.tokens.read(presented, self.world.snapshot)?;
        let verified = known.token().judge(&self.expected, self.now)?;
        let (rules, source) = (&settings.impersonation, presented.source);
        let handle = match verified {
            Verified::Stateless(token) => {
                let caller = known.caller(|| identify(&token, source, rules, directory));
                return Ok(Found { caller, record: None, machine: None });
            }
            Verified::Handle(handle) => handle,
        };
        let id = match known.names(|| named_by(&handle)) {
            Named::Session(id) => id,
            Named::Credential(id) => return self.machine(&known, &handle, (id, source)),
        };
        let record = match self.world.records.session(id) {
            Seen::Known(record) => record,
            Seen::Gone => return Err(Failure::Unusable(TokenError::UnknownSession)),
            Seen::Unseen => return Err(Failure::Unseen(RecordKey::Session(id.clone()))),
            Seen::Stale => return Err(Failure::Stale),
        };
        if !settings.trusts(&record.provider) {
            return Err(Failure::Unusable(TokenError::UnknownSession));
        }
        let used = (&handle, source);
        let identify = || session::identify(&record, used, self.around(), self.now);
        let caller = known.caller_by(&record, &self.world.snapshot.catalog, self.now, identify)?;
        let (programmatic, secret) = (handle.programmatic(), Arc::clone(handle.secret()));
        let record = Some(SessionUse { record, secret, programmatic });
        Ok(Found { caller, record, machine: None })
    }

    fn machine(
        &mut self,
        known: &Known,
        handle: &VerifiedHandle,
        (id, source): (&CredentialId, Source),
    ) -> Result<Found, Failure> {
        let machine = match self.world.records.machine(id) {
            Seen::Known(machine) => machine,
            Seen::Gone => return Err(Failure::Unusable(TokenError::UnknownCredential)),
            Seen::Unseen => return Err(Failure::Unseen(RecordKey::Credential(id.clone()))),
            Seen::Stale => return Err(Failure::Stale),
        };
        let identify =
            || service_account::identify(&machine, (handle, source), self.around(), self.now);
        match known.caller_by(&machine, &self.world.snapshot.catalog, self.now, identify) {
            Ok(caller) => Ok(Found { caller, record: None, machine: Some(machine) }),
            Err(error) => {
                self.refused.get_or_insert(machine);
                Err(Failure::Unusable(error))
            }
        }
    }
}

/// The record of a handle: a service account's says whose it is.
fn named_by(handle: &VerifiedHandle) -> Named {
    let secret = handle.secret().expose();
    match handle.account() {
        Some(_) => Named::Credential(TokenSecret::id_of(secret)),
        None => Named::Session(HandleSecret::of_handle(secret).id()),
    }
}

impl Found {
    /// Tokens that say themselves who holds them are of one session if they are of one person.
    fn is_another_session(&self, other: &Self) -> bool {
        let id = |found: &Self| found.record.as_ref().map(|used| used.record.id.clone());
        let holder = |found: &Self| {
            let identity = found.caller.identity()?;
            Some((identity.holder().user.clone(), identity.holder().email.clone()))
        };
        match (id(self), id(other)) {
            (Some(one), Some(other)) => one != other,
            (None, _) | (_, None) => holder(self) != holder(other),
        }
    }
}
