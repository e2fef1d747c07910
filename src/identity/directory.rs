//! The people and groups a directory knows, indexed by folded e-mail address.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A person in the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct User {
    pub id: String,
    #[serde(default)]
    pub email: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub group_ids: Vec<String>,
}

/// A group in the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
pub struct Group {
    pub id: String,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub email: String,
}

/// Everybody who can be impersonated with their own groups.
#[derive(Debug, Default)]
pub struct Directory {
    users: HashMap<String, User>,
    /// Id → folded e-mail address.
    ids: HashMap<String, String>,
    group_names: BTreeMap<String, String>,
    /// Every group that a user is a member of, listed or not.
    memberships: BTreeSet<String>,
}

/// Why a set of records is no directory.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    #[error("user {0} has no id")]
    UserWithoutId(usize),
    #[error("group {0} has no id")]
    GroupWithoutId(usize),
    #[error("user {0} has an id of more than 255 characters")]
    LongUserId(usize),
    #[error("user {0} has an e-mail of more than 254 characters")]
    LongEmail(usize),
    #[error("the id `{0}` is given to two users")]
    SameId(String),
    #[error("the e-mail `{0}` is given to two users")]
    SameEmail(String),
}

/// What no provider names anybody by (`OpenID` Connect Core 1.0 §2), and no store finds them by.
const LONGEST_ID: usize = 255;
/// RFC 5321.
const LONGEST_EMAIL: usize = 254;

impl Directory {
    /// Indexes records. People without an e-mail address are kept out: nobody can look them up.
    ///
    /// # Errors
    /// Ids that are empty or too long, e-mail addresses that are too long, and two users with one id or (case folded) one e-mail address.
    pub fn new(users: Vec<User>, groups: Vec<Group>) -> Result<Self, DirectoryError> {
        let mut directory = Self::default();
        for (index, user) in users.into_iter().enumerate() {
            if user.id.is_empty() {
                return Err(DirectoryError::UserWithoutId(index + 1));
            }
            if user.id.chars().count() > LONGEST_ID {
                return Err(DirectoryError::LongUserId(index + 1));
            }
            if user.email.chars().count() > LONGEST_EMAIL {
                return Err(DirectoryError::LongEmail(index + 1));
            }
            let email = user.email.to_ascii_lowercase();
            if let Some(_other) = directory.ids.insert(user.id.clone(), email.clone()) {
                return Err(DirectoryError::SameId(user.id));
            }
            for id in &user.group_ids {
                if !directory.memberships.contains(id) {
                    directory.memberships.insert(id.clone());
                }
            }
            if user.email.is_empty() {
                continue;
            }
            if let Some(other) = directory.users.insert(email, user) {
                return Err(DirectoryError::SameEmail(other.email));
            }
        }
        for (index, group) in groups.into_iter().enumerate() {
            if group.id.is_empty() {
                return Err(DirectoryError::GroupWithoutId(index + 1));
            }
            directory.group_names.insert(group.id, group.name);
        }
        Ok(directory)
    }

    /// The person with this e-mail address, whatever its case.
    pub fn by_email(&self, email: &str) -> Option<&User> {
        self.users.get(&email.to_ascii_lowercase())
    }

    /// The person with this id.
    pub fn by_id(&self, id: &str) -> Option<&User> {
        self.users.get(self.ids.get(id)?)
    }

    /// Whether somebody has this id, with an e-mail address or without.
    pub fn has_id(&self, id: &str) -> bool {
        self.ids.contains_key(id)
    }

    /// Everybody, each with their folded e-mail address, in its order.
    pub fn users(&self) -> Vec<(&str, &User)> {
        let mut users: Vec<_> = self.users.iter().map(|(email, user)| (&**email, user)).collect();
        users.sort_unstable_by_key(|(email, _)| *email);
        users
    }

    /// Id → name of these groups, as far as names are known.
    pub fn names_of<'i>(
        &self,
        ids: impl IntoIterator<Item = &'i String>,
    ) -> BTreeMap<String, String> {
        let named = ids.into_iter().filter_map(|id| self.group_names.get_key_value(id));
        named
            .filter(|(_, name)| !name.is_empty())
            .map(|(id, name)| (id.clone(), name.clone()))
            .collect()
    }

    /// The ids of groups: those that are listed, and those that somebody is a member of.
    pub fn group_ids(&self) -> BTreeSet<&str> {
        self.group_names.keys().chain(&self.memberships).map(String::as_str).collect()
    }

    /// Name → ids of the groups called so.
    pub fn groups_by_name(&self) -> BTreeMap<&str, Vec<&str>> {
        let mut named = BTreeMap::<_, Vec<_>>::new();
        for (id, name) in self.group_names.iter().filter(|(_, name)| !name.is_empty()) {
            named.entry(name.as_str()).or_default().push(id.as_str());
        }
        named
    }

    /// The ids of people that can be looked up.
    pub fn user_ids(&self) -> BTreeSet<&str> {
        self.users.values().map(|user| user.id.as_str()).collect()
    }

    pub fn len(&self) -> usize {
        self.users.len()
    }

    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Directory, DirectoryError, User};

    fn directory(id: &str, email: &str) -> Result<Directory, DirectoryError> {
        let user = User { id: id.to_owned(), email: email.to_owned(), ..User::default() };
        Directory::new(vec![user], Vec::new())
    }

    #[test]
    fn names_are_no_longer_than_providers_give_them() {
        let letters = |count: usize| "\u{e4}".repeat(count);
        assert!(directory(&letters(255), &letters(254)).is_ok());
        let error = directory(&letters(256), "").expect_err("too long");
        assert_eq!(error.to_string(), "user 1 has an id of more than 255 characters");
        let error = directory("u", &letters(255)).expect_err("too long");
        assert_eq!(error.to_string(), "user 1 has an e-mail of more than 254 characters");
    }
}
