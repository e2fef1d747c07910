//! The right to administer, as a value that only this file makes.

use crate::activity::Who;
use crate::identity::{Caller, ImpersonationRules, Person};

/// Somebody who may administer: the holder of a session or token, never whom they act as.
#[derive(Clone, Debug)]
pub struct Administrator {
    holder: Person,
}

impl Administrator {
    pub fn person(&self) -> &Person {
        &self.holder
    }

    /// Somebody at the terminal who can read the configuration, and so holds the shared secret.
    pub fn operator() -> Self {
        Self { holder: Person { user: "operator".to_owned(), ..Person::default() } }
    }

    pub fn who(&self) -> Who {
        Who::from(&self.holder)
    }
}

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    #[error("only administrators may do this")]
    NoAdministrator,
    #[error("acting as somebody else is turned off (`enable_user_impersonation`)")]
    TurnedOff,
    #[error("the rules keep you from acting as this one")]
    Target,
}

impl NotPermitted {
    /// As written in the activity log.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoAdministrator => "no-administrator",
            Self::TurnedOff => "impersonation-turned-off",
            Self::Target => "target-not-permitted",
        }
    }
}

/// The right of whoever is behind a request.
///
/// # Errors
/// They are not among `administrators`.
pub fn administrator(
    rules: &ImpersonationRules,
    caller: &Caller,
) -> Result<Administrator, NotPermitted> {
    let holder = caller.identity().map(|identity| identity.holder());
    let holder = holder.filter(|holder| rules.is_administrator(holder));
    let holder = holder.ok_or(NotPermitted::NoAdministrator)?;
    Ok(Administrator { holder: holder.clone() })
}
