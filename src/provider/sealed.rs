//! Tokens of a provider as a record may hold them: encrypted by AES-256-GCM, with a key that the store
//! does not have, and bound to their session, so that whoever can write the store cannot hand one
//! session the tokens of another.

use super::ProviderTokens;
use crate::id::SessionId;
use crate::sealed::{SealError, Sealer};
use crate::secret::Secret;
use crate::session::SealedTokens;
use crate::time::Timestamp;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// Seals and opens tokens.
#[derive(Debug)]
pub struct TokenSealer(Sealer);

const FORM: &str = "v1.";
const PURPOSE: &str = "lictor: tokens of an identity provider";
/// The provider is asked this long before an access token expires,
const EARLY: Duration = Duration::from_mins(1);
/// not more often than this,
const SOONEST: Duration = Duration::from_mins(1);
/// and if it does not say when, after this.
const UNTOLD: Duration = Duration::from_hours(1);

impl TokenSealer {
    /// With a key derived from a secret of this deployment.
    ///
    /// # Errors
    /// None that a caller could bring about.
    pub fn new(secret: &[u8; 32]) -> Result<Self, SealError> {
        Sealer::derive(secret, PURPOSE).map(Self)
    }

    /// The tokens of `session`, encrypted, and when the provider should be asked again.
    ///
    /// # Errors
    /// No randomness.
    pub fn seal(
        &self,
        tokens: &ProviderTokens,
        session: &SessionId,
        now: Timestamp,
    ) -> Result<SealedTokens, SealError> {
        let plain = Secret::new(written(tokens));
        let sealed = self.0.seal(plain.expose().as_bytes(), &bound_to(session))?;
        Ok(SealedTokens { sealed: format!("{FORM}{sealed}"), refresh_at: refresh_at(tokens, now) })
    }

    /// The tokens of `session`.
    ///
    /// # Errors
    /// Anything but what was sealed with this key for this session.
    pub fn open(
        &self,
        tokens: &SealedTokens,
        session: &SessionId,
    ) -> Result<ProviderTokens, SealError> {
        let encoded = tokens.sealed.strip_prefix(FORM).ok_or(SealError)?;
        let opened = self.0.open(encoded, &bound_to(session))?;
        read(&opened).ok_or(SealError)
    }
}

fn bound_to(session: &SessionId) -> String {
    format!("{FORM}{session}")
}

fn refresh_at(tokens: &ProviderTokens, now: Timestamp) -> Option<Timestamp> {
    tokens.refresh.as_ref()?;
    let early = tokens.expires.map(|expires| expires.minus(EARLY));
    Some(early.unwrap_or(now.plus(UNTOLD)).max(now.plus(SOONEST)))
}

fn written(tokens: &ProviderTokens) -> String {
    let mut members = Map::new();
    for (name, token) in [("refresh", &tokens.refresh), ("id_token", &tokens.id_token)] {
        if let Some(token) = token {
            members.insert(name.to_owned(), Value::from(token.expose().as_str()));
        }
    }
    if let Some(expires) = tokens.expires {
        members.insert("expires".to_owned(), Value::from(expires.unix()));
    }
    Value::Object(members).to_string()
}

fn read(bytes: &[u8]) -> Option<ProviderTokens> {
    let members: BTreeMap<String, Value> = serde_json::from_slice(bytes).ok()?;
    let token = |name: &str| members.get(name)?.as_str().map(|text| Secret::new(text.to_owned()));
    let expires = members.get("expires").and_then(Value::as_i64).map(Timestamp::from_unix);
    Some(ProviderTokens { refresh: token("refresh"), id_token: token("id_token"), expires })
}

#[cfg(test)]
mod tests {
    use super::{FORM, SealError, TokenSealer};
    use crate::id::SessionId;
    use crate::provider::ProviderTokens;
    use crate::secret::Secret;
    use crate::session::SealedTokens;
    use crate::time::Timestamp;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

    fn session(digit: &str) -> SessionId {
        SessionId::parse(&format!("ses_{}", digit.repeat(32))).expect("a name")
    }

    fn tokens(expires: Option<i64>) -> ProviderTokens {
        ProviderTokens {
            refresh: Some(Secret::new("r3fresh".to_owned())),
            id_token: Some(Secret::new("an.id.token".to_owned())),
            expires: expires.map(|after| Timestamp::from_unix(NOW.unix() + after)),
        }
    }

    #[test]
    fn what_is_sealed_can_be_opened() {
        let key = TokenSealer::new(&[7; 32]).expect("a sealer");
        let sealed = key.seal(&tokens(Some(300)), &session("a"), NOW).expect("sealed");
        let encoded = sealed.sealed.strip_prefix(FORM).expect("a form");
        assert!(!URL_SAFE_NO_PAD.decode(encoded).expect("base64").is_ascii());
        let opened = TokenSealer::new(&[7; 32]).expect("a sealer").open(&sealed, &session("a"));
        let opened = opened.expect("opened");
        assert_eq!(opened.refresh.expect("one").expose(), "r3fresh");
        assert_eq!(opened.id_token.expect("one").expose(), "an.id.token");
        assert_eq!(opened.expires, Some(Timestamp::from_unix(NOW.unix() + 300)));
        let again = key.seal(&tokens(Some(300)), &session("a"), NOW).expect("sealed");
        assert_ne!(sealed.sealed, again.sealed, "never the same twice");
        let none = ProviderTokens { refresh: None, id_token: None, expires: None };
        let sealed = key.seal(&none, &session("a"), NOW).expect("sealed");
        assert!(key.open(&sealed, &session("a")).expect("opened").refresh.is_none());
    }

    #[test]
    fn nothing_else_can_be() {
        let key = TokenSealer::new(&[7; 32]).expect("a sealer");
        let sealed = key.seal(&tokens(None), &session("a"), NOW).expect("sealed");
        assert_eq!(key.open(&sealed, &session("b")).err(), Some(SealError));
        let other = TokenSealer::new(&[8; 32]).expect("a sealer");
        assert_eq!(other.open(&sealed, &session("a")).err(), Some(SealError));
        let whole = URL_SAFE_NO_PAD
            .decode(sealed.sealed.strip_prefix(FORM).expect("a form"))
            .expect("base64");
        for index in 0..whole.len() {
            let mut bent = whole.clone();
            bent[index] ^= 1;
            let sealed = format!("{FORM}{}", URL_SAFE_NO_PAD.encode(bent));
            let bent = SealedTokens { sealed, refresh_at: None };
            assert_eq!(key.open(&bent, &session("a")).err(), Some(SealError), "{index}");
        }
        for text in ["", "v1.", "v1.AAAA", "v2.AAAA", "v1.!", sealed.sealed.split_at(40).0] {
            let bent = SealedTokens { sealed: text.to_owned(), refresh_at: None };
            assert_eq!(key.open(&bent, &session("a")).err(), Some(SealError), "{text}");
        }
    }

    #[test]
    fn when_to_ask_again() {
        let key = TokenSealer::new(&[7; 32]).expect("a sealer");
        let after = |tokens: &ProviderTokens| {
            let sealed = key.seal(tokens, &session("a"), NOW).expect("sealed");
            sealed.refresh_at.map(|at| at.unix() - NOW.unix())
        };
        assert_eq!(after(&tokens(Some(3600))), Some(3540));
        assert_eq!(after(&tokens(Some(30))), Some(60));
        assert_eq!(after(&tokens(None)), Some(3600));
        assert_eq!(after(&ProviderTokens { refresh: None, ..tokens(Some(3600)) }), None);
    }
}
