//! The verify and resolve stops: which credential counts, and whom it speaks for.

use super::Refusal;
use super::place::Place;
use crate::identity::{
    Caller, Credentials, Expected, Presented, Source, TokenError, identify, verify,
};
use crate::policy::DenyReason;
use crate::request::{Request, Target};
use crate::state::Snapshot;
use crate::time::Timestamp;

/// What was found out about the credential of a request.
pub(super) struct Presence {
    pub(super) credentials: Credentials,
    pub(super) caller: Caller,
    pub(super) error: Option<TokenError>,
    pub(super) bearer_is_ours: bool,
}

impl Presence {
    /// Tries every credential in order: the first that verifies counts, the first failure is kept.
    /// With somebody `supposed` to ask, no credential counts.
    pub(super) fn find(
        snapshot: &Snapshot,
        request: &Request,
        target: &Target,
        supposed: Option<Caller>,
        now: Timestamp,
    ) -> Self {
        let settings = &snapshot.settings;
        let credentials = Credentials::find(request, &settings.cookie_name);
        if let Some(caller) = supposed {
            return Self { credentials, caller, error: None, bearer_is_ours: false };
        }
        let expected = Expected {
            issuers: &settings.issuers,
            host: target.host.name(),
            port: target.host.unusual_port(&request.scheme),
        };
        let read = |presented: &Presented| {
            let token = verify(&presented.text, &settings.keys, &expected, now)?;
            Ok(identify(&token, presented.source, &settings.impersonation, &snapshot.directory))
        };
        let mut error = None;
        let mut caller = None;
        for presented in &credentials.candidates {
            match read(presented) {
                Ok(found) => {
                    caller = Some(found);
                    break;
                }
                Err(why) => error = error.or(Some(why)),
            }
        }
        // An upstream's own bearer token is none of our business unless we made it.
        let bearer_is_ours = credentials.suspects.iter().any(|text| settings.keys.signed(text));
        let bearer = credentials.plain_bearer.as_ref().filter(|_| bearer_is_ours);
        if let (None, Some(text)) = (&caller, bearer) {
            match read(&Presented { source: Source::PlainBearer, text: text.clone() }) {
                Ok(found) => caller = Some(found),
                Err(why) => error = error.or(Some(why)),
            }
        }
        let caller = caller.unwrap_or_else(|| Caller::Anonymous(error.clone()));
        Self { credentials, caller, error, bearer_is_ours }
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
