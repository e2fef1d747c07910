//! The name of a service account, and the user id made of it.

use crate::id::NamespaceId;
use std::fmt;

/// A short name: 1 to 63 ASCII letters, digits and `._-`, no dot at either end. ASCII alone, because it
/// becomes a user id that policies compare and headers carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountName(String);

/// Why a text is no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountNameError {
    #[error("write a name")]
    Empty,
    #[error("write at most 63 characters")]
    TooLong,
    #[error("use the letters a-z and A-Z, digits, `.`, `_` and `-` only")]
    Character,
    #[error("do not begin or end with a dot")]
    Dot,
    #[error("this is the name of an account in another namespace")]
    Elsewhere,
}

const LONGEST: usize = 63;

impl AccountName {
    /// # Errors
    /// The first rule broken.
    pub fn parse(text: &str) -> Result<Self, AccountNameError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if text.is_empty() {
            Err(AccountNameError::Empty)
        } else if text.chars().count() > LONGEST {
            Err(AccountNameError::TooLong)
        } else if !text.bytes().all(fits) {
            Err(AccountNameError::Character)
        } else if text.starts_with('.') || text.ends_with('.') {
            Err(AccountNameError::Dot)
        } else {
            Ok(Self(text.to_owned()))
        }
    }

    /// Reads a short name, or the full user id of an account of this namespace.
    ///
    /// # Errors
    /// It is neither.
    pub fn parse_in(text: &str, namespace: &NamespaceId) -> Result<Self, AccountNameError> {
        let Some((name, home)) = text.split_once('@') else {
            return Self::parse(text);
        };
        let own = home.strip_suffix(DOMAIN).is_some_and(|id| id == namespace.as_str());
        match (own && !namespace.is_global(), home.ends_with(DOMAIN)) {
            (true, _) => Self::parse(name),
            (false, true) => Err(AccountNameError::Elsewhere),
            (false, false) => Err(AccountNameError::Character),
        }
    }

    /// The user id: `NAME@NAMESPACE.pomerium`, and `NAME` alone in Global.
    pub fn user(&self, namespace: &NamespaceId) -> String {
        if namespace.is_global() {
            self.0.clone()
        } else {
            format!("{}@{namespace}{DOMAIN}", self.0)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Stands after the namespace in user ids.
const DOMAIN: &str = ".pomerium";

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountName, AccountNameError};
    use crate::id::NamespaceId;

    #[test]
    fn a_name_becomes_a_user_id() {
        let name = AccountName::parse("build-bot_2.x").expect("a name");
        let design = NamespaceId::parse("design").expect("an id");
        assert_eq!(name.user(&NamespaceId::global()), "build-bot_2.x");
        assert_eq!(name.user(&design), "build-bot_2.x@design.pomerium");
        assert_eq!(
            AccountName::parse_in("ci@design.pomerium", &design).expect("own").as_str(),
            "ci"
        );
        let elsewhere = AccountName::parse_in("ci@sales.pomerium", &design);
        assert_eq!(elsewhere, Err(AccountNameError::Elsewhere));
        let global = NamespaceId::global();
        assert!(AccountName::parse_in(&format!("ci@{global}.pomerium"), &global).is_err());
    }

    #[test]
    fn what_is_no_name() {
        use AccountNameError::{Character, Dot, Empty, TooLong};
        let (long, longest) = ("x".repeat(64), "x".repeat(63));
        assert!(AccountName::parse(&longest).is_ok());
        let wrong = [
            ("", Empty),
            (" ", Character),
            ("a b", Character),
            ("\n", Character),
            ("a\n", Character),
            ("a@b", Character),
            ("🦊", Character),
            ("a\u{202e}b", Character),
            ("ä", Character),
            (".a", Dot),
            ("a.", Dot),
            (long.as_str(), TooLong),
        ];
        for (text, why) in wrong {
            assert_eq!(AccountName::parse(text), Err(why), "{text:?}");
        }
    }
}
