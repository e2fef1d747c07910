//! The users file: people of one's own, each with an argon2id hash of their password. Reads it,
//! telling everything that is wrong at once, and tells who has given the right password.
//!
//! [`LocalUsers::authenticate`] takes tens of milliseconds and tens of megabytes, by design. It waits
//! for nobody: call it where no check has to wait (`Tasks::compute`), behind a
//! [`Turnstile`](super::Turnstile) for the memory and a [`Throttle`](super::Throttle) for the guessing.

mod hash;
mod read;

pub use hash::{PasswordError, hash_password};

use super::Profile;
use crate::identity::{ClaimValue, Claims};
use hash::PasswordHash;
use std::collections::{BTreeMap, HashMap};

/// A longer password is nobody's. Hashing one of megabytes would cost more than it should.
const MAX_PASSWORD_BYTES: usize = 1024;

/// The people of a users file.
#[derive(Debug)]
pub struct LocalUsers {
    users: Vec<LocalUser>,
    /// Folded id or e-mail address → place in `users`.
    logins: HashMap<String, usize>,
    /// Whoever's hash costs most. There is one: a file without users is refused.
    strongest: PasswordHash,
}

#[derive(Debug)]
struct LocalUser {
    id: String,
    /// Empty if there is none.
    email: String,
    name: String,
    groups: Option<Vec<String>>,
    password: PasswordHash,
}

/// Why somebody is not let in. Which of these it is concerns the log; the person is told the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginRefusal {
    #[error("nobody is called so")]
    UnknownUser,
    #[error("the password is wrong")]
    WrongPassword,
    #[error("the password is longer than 1024 bytes")]
    TooLong,
}

impl LoginRefusal {
    /// What the person may be told.
    pub const TOLD: &'static str = "name or password is wrong";

    /// The stable name for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown_user",
            Self::WrongPassword => "wrong_password",
            Self::TooLong => "password_too_long",
        }
    }
}

impl LocalUsers {
    /// What [`Profile::provider`] says of these people.
    pub const PROVIDER: &'static str = "local";

    /// Whose password this is. `login` is an e-mail address or an id; case and space around it do not
    /// count. For an unknown one the hash that costs most is computed all the same, so that time does
    /// not tell who is in the file.
    ///
    /// # Errors
    /// Anybody else.
    pub fn authenticate(&self, login: &str, password: &str) -> Result<Profile, LoginRefusal> {
        if password.len() > MAX_PASSWORD_BYTES {
            return Err(LoginRefusal::TooLong);
        }
        let user = self.logins.get(&folded(login)).and_then(|index| self.users.get(*index));
        let hash = user.map_or(&self.strongest, |user| &user.password);
        match (hash.fits(password), user) {
            (true, Some(user)) => Ok(user.profile()),
            (false, Some(_)) => Err(LoginRefusal::WrongPassword),
            (true | false, None) => Err(LoginRefusal::UnknownUser),
        }
    }

    /// What the file says now of the person with this id, for those who signed in before; `None` if
    /// they are not in it any more.
    pub fn profile(&self, id: &str) -> Option<Profile> {
        self.users.iter().find(|user| user.id == id).map(LocalUser::profile)
    }

    /// Whether somebody in the file has this id.
    pub fn lists(&self, id: &str) -> bool {
        self.users.iter().any(|user| user.id == id)
    }

    pub fn len(&self) -> usize {
        self.users.len()
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

impl LocalUser {
    fn profile(&self) -> Profile {
        let text = |text: &str| ClaimValue::Text(text.to_owned());
        let mut said = BTreeMap::from([("sub".to_owned(), text(&self.id))]);
        for (name, value) in [("email", &self.email), ("name", &self.name)] {
            if !value.is_empty() {
                said.insert(name.to_owned(), text(value));
            }
        }
        if let Some(groups) = &self.groups {
            let groups = groups.iter().map(|group| text(group)).collect();
            said.insert("groups".to_owned(), ClaimValue::List(groups));
        }
        Profile {
            provider: LocalUsers::PROVIDER.to_owned(),
            subject: self.id.clone(),
            email: self.email.clone(),
            name: self.name.clone(),
            groups: self.groups.clone(),
            claims: Claims::flatten(said),
            provider_session: String::new(),
            tokens: None,
        }
    }
}

/// A login as it is looked up and counted.
pub(super) fn folded(login: &str) -> String {
    login.trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
