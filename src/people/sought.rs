//! Finding people by what somebody begins to type: those of the directory, and those who signed in.

use super::People;
use super::permit::Administrator;
use crate::identity::Directory;
use crate::store::StoreError;
use std::collections::BTreeSet;

/// Somebody who was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundPerson {
    pub user: String,
    pub email: String,
    pub name: String,
    pub source: Source,
}

/// Who knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Directory,
    SignIn,
}

/// People and groups that were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundPeople {
    pub people: Vec<FoundPerson>,
    /// Id and name.
    pub groups: Vec<(String, String)>,
}

/// How many are shown of each kind.
const SHOWN: usize = 20;

/// How well somebody fits: the smaller the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    ExactId,
    ExactEmail,
    Beginning,
    Inside,
}

/// The people and groups that fit `text` best. Only administrators may ask who there is.
///
/// # Errors
/// The store does not answer.
pub async fn search(
    people: &People,
    _by: &Administrator,
    directory: &Directory,
    text: &str,
) -> Result<FoundPeople, StoreError> {
    let text = text.trim().to_lowercase();
    if text.is_empty() || text.len() > 254 {
        return Ok(FoundPeople::default());
    }
    let mut found: Vec<(Fit, FoundPerson)> = Vec::new();
    for (_, user) in directory.users() {
        if let Some(fit) = fit(&text, &user.id, &user.email, &user.display_name) {
            let (user, email, name) =
                (user.id.clone(), user.email.clone(), user.display_name.clone());
            found.push((fit, FoundPerson { user, email, name, source: Source::Directory }));
        }
    }
    let listed: BTreeSet<String> =
        found.iter().map(|(_, person)| person.email.to_ascii_lowercase()).collect();
    for known in people.store().search_people(&text, SHOWN).await? {
        let account = known.account;
        let fit = fit(&text, &account.user, &account.email, &account.name);
        let new =
            !account.email.is_empty() && !listed.contains(&account.email.to_ascii_lowercase());
        if let Some(fit) = fit.filter(|_| new) {
            let (user, email, name) = (account.user, account.email, account.name);
            found.push((fit, FoundPerson { user, email, name, source: Source::SignIn }));
        }
    }
    found.sort_by(|(a, one), (b, other)| (a, &one.email).cmp(&(b, &other.email)));
    let people = found.into_iter().map(|(_, person)| person).take(SHOWN).collect();
    Ok(FoundPeople { people, groups: groups(directory, &text) })
}

fn fit(text: &str, id: &str, email: &str, name: &str) -> Option<Fit> {
    let (email, name, folded) = (email.to_lowercase(), name.to_lowercase(), id.to_lowercase());
    let begins = |of: &str| of.split([' ', '.', '-', '_', '@']).any(|part| part.starts_with(text));
    let rank = [
        (folded == text, Fit::ExactId),
        (email == text, Fit::ExactEmail),
        (email.starts_with(text) || begins(&email) || begins(&name), Fit::Beginning),
        (email.contains(text) || name.contains(text) || folded.contains(text), Fit::Inside),
    ];
    rank.into_iter().find(|(fits, _)| *fits).map(|(_, fit)| fit)
}

fn groups(directory: &Directory, text: &str) -> Vec<(String, String)> {
    let ids: Vec<String> = directory.group_ids().into_iter().map(str::to_owned).collect();
    let names = directory.names_of(&ids);
    let name = |id: &String| names.get(id).cloned().unwrap_or_default();
    let all = ids.iter().map(|id| (id.clone(), name(id)));
    let fits = |(id, name): &(String, String)| {
        id.to_lowercase().contains(text) || name.to_lowercase().contains(text)
    };
    all.filter(fits).take(SHOWN).collect()
}
