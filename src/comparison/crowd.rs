//! Everybody who is asked about: whom the directories know, whom somebody names besides, and nobody.

use super::Both;
use crate::identity::{Caller, ClaimValue, Claims, Directory, User};
use crate::supposition::Somebody;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Everybody, in a fixed order: nobody in particular, people by e-mail address, service accounts by name.
#[derive(Debug)]
pub struct Crowd {
    members: Vec<Member>,
}

/// One of them, as each side sees them.
#[derive(Debug)]
pub struct Member {
    /// The e-mail address; of a service account without one, its id.
    pub name: String,
    pub standing: Standing,
    pub(super) callers: Both<Caller>,
    /// Whether both sides see the same.
    pub(super) same: bool,
}

/// What somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    Anonymous,
    Person,
    ServiceAccount,
}

impl Crowd {
    /// People are whom either directory knows, and those of `people`, who count where the directory of
    /// a side does not know them. The `accounts` bring what is known of them along.
    pub fn gather(directories: Both<&Directory>, people: &Directory, accounts: &[User]) -> Self {
        let anonymous = Caller::Anonymous(None);
        let callers = Both { old: anonymous.clone(), new: anonymous };
        let mut members = vec![Member::new("anonymous", Standing::Anonymous, callers)];
        let mut everybody = BTreeMap::new();
        for directory in [people, directories.old, directories.new] {
            everybody.extend(directory.users());
        }
        for user in everybody.into_values() {
            let callers = directories.map(|directory| {
                let known = directory.by_email(&user.email).is_some();
                let known = known || people.by_email(&user.email).is_none();
                let directory = if known { directory } else { people };
                caller(&Somebody::called(&user.email), directory)
            });
            members.push(Member::new(&user.email, Standing::Person, callers));
        }
        let mut accounts: Vec<&User> = accounts.iter().collect();
        accounts.sort_by_key(|account| (name(account).to_ascii_lowercase(), &account.id));
        for account in accounts {
            let callers = directories.map(|_| caller(&service(account), &Directory::default()));
            members.push(Member::new(name(account), Standing::ServiceAccount, callers));
        }
        Self { members }
    }

    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// Those whom the sides see differently, or else everybody, and where each stands.
    pub(super) fn of(&self, differing: bool) -> (Vec<&Member>, Vec<u32>) {
        let counted = self.members.iter().zip(0..);
        counted.filter(|(member, _)| !(differing && member.same)).unzip()
    }

    /// How many have this standing.
    pub fn count(&self, standing: Standing) -> usize {
        self.members.iter().filter(|member| member.standing == standing).count()
    }
}

impl Member {
    fn new(name: &str, standing: Standing, callers: Both<Caller>) -> Self {
        let same = callers.old == callers.new;
        // Two of a kind need the room of one.
        let callers = if same { Both { new: callers.old.clone(), ..callers } } else { callers };
        Self { name: name.to_owned(), standing, callers, same }
    }
}

fn caller(somebody: &Somebody, directory: &Directory) -> Caller {
    Caller::Identified(Arc::new(somebody.identity(directory)))
}

fn name(account: &User) -> &str {
    if account.email.is_empty() { &account.id } else { &account.email }
}

/// A service account says itself what it is: no directory does.
fn service(account: &User) -> Somebody {
    let said = [("sub", &account.id), ("user", &account.id), ("name", &account.display_name)];
    let said = said.into_iter().filter(|(_, text)| !text.is_empty());
    let claims = said.map(|(name, text)| (name.to_owned(), ClaimValue::Text(text.clone())));
    Somebody {
        email: account.email.clone(),
        user: Some(account.id.clone()),
        groups: Some(account.group_ids.clone()),
        claims: Claims::flatten(claims.collect()),
        service_account: true,
        ..Somebody::default()
    }
}
