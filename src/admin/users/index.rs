//! An index of the directory, made once for each: everybody in one text, with letters folded, so that one
//! pass over it finds whoever holds what is looked for.

use crate::identity::Directory;
use memchr::memmem;
use std::sync::Arc;
use tokio::sync::Mutex;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// What is known of the directory that was asked last.
#[derive(Debug, Default)]
pub(in crate::admin) struct Known(Mutex<Option<Arc<Index>>>);

/// Everybody in a directory.
#[derive(Debug)]
pub(super) struct Index {
    /// Kept, so that no other one has its address.
    directory: Arc<Directory>,
    /// By e-mail address.
    ids: Vec<String>,
    people: Text,
    /// By id.
    groups: Vec<(String, String)>,
    group_text: Text,
}

/// Entries one after the other, each with its parts.
#[derive(Debug, Default)]
struct Text {
    all: String,
    entries: Vec<Parts>,
}

/// Where the parts of an entry begin, and where it ends.
#[derive(Clone, Copy, Debug)]
struct Parts {
    id: usize,
    email: usize,
    name: usize,
    end: usize,
}

/// How well an entry fits: the smaller the better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    ExactId,
    ExactEmail,
    /// The beginning of the e-mail address, or of a word of the name.
    Beginning,
    Inside,
}

/// Stands between the parts of an entry, and after it. Folding leaves neither in a text.
const PART: char = '\u{1f}';
const END: char = '\n';
/// How many are indexed before others get their turn.
const TURN: usize = 500;

impl Known {
    /// The index of this directory; made now if it is another than before.
    pub(super) async fn of(&self, directory: &Arc<Directory>) -> Arc<Index> {
        let mut known = self.0.lock().await;
        if let Some(index) = known.as_ref().filter(|it| Arc::ptr_eq(&it.directory, directory)) {
            return Arc::clone(index);
        }
        let index = Arc::new(Index::new(Arc::clone(directory)).await);
        *known = Some(Arc::clone(&index));
        index
    }
}

impl Index {
    async fn new(directory: Arc<Directory>) -> Self {
        let mut people = Text::default();
        let mut ids = Vec::with_capacity(directory.len());
        for (index, (_, user)) in directory.users().into_iter().enumerate() {
            people.add([&user.id, &user.email, &user.display_name]);
            ids.push(user.id.clone());
            if index % TURN == TURN - 1 {
                tokio::task::yield_now().await;
            }
        }
        let known: Vec<String> = directory.group_ids().into_iter().map(str::to_owned).collect();
        let mut called = directory.names_of(&known);
        let groups: Vec<(String, String)> = known
            .into_iter()
            .map(|id| {
                let name = called.remove(&id).unwrap_or_default();
                (id, name)
            })
            .collect();
        let mut group_text = Text::default();
        for (id, name) in &groups {
            group_text.add([id, "", name]);
        }
        Self { directory, ids, people, groups, group_text }
    }

    /// The ids of the `most` that fit best, and how many fit.
    pub(super) fn people(&self, folded: &str, most: usize) -> (Vec<(Fit, &str)>, usize) {
        let (best, total) = self.people.best(folded, most);
        let ids = best.into_iter().filter_map(|(fit, at)| Some((fit, self.ids.get(at)?.as_str())));
        (ids.collect(), total)
    }

    /// Id and name of the `most` groups that fit best, and how many fit.
    pub(super) fn groups(&self, folded: &str, most: usize) -> (Vec<&(String, String)>, usize) {
        let (best, total) = self.group_text.best(folded, most);
        (best.into_iter().filter_map(|(_, at)| self.groups.get(at)).collect(), total)
    }
}

impl Text {
    /// `parts` are id, e-mail address and name.
    fn add(&mut self, [id, email, name]: [&str; 3]) {
        let mut add = |part: &str, end: char| {
            let start = self.all.len();
            self.all.push_str(&folded(part));
            self.all.push(end);
            start
        };
        let (id, email, name) = (add(id, PART), add(email, PART), add(name, END));
        self.entries.push(Parts { id, email, name, end: self.all.len() });
    }

    /// The first `most` of those that fit, the best first and then in order; and how many fit.
    fn best(&self, folded: &str, most: usize) -> (Vec<(Fit, usize)>, usize) {
        let mut found: Vec<(Fit, usize)> = Vec::new();
        let mut entries = self.entries.iter().enumerate().peekable();
        for at in memmem::find_iter(self.all.as_bytes(), folded) {
            while entries.next_if(|(_, parts)| parts.end <= at).is_some() {}
            let Some((index, parts)) = entries.peek() else { break };
            let fit = self.fit(parts, at, at + folded.len());
            match found.last_mut() {
                Some((best, last)) if last == index => *best = fit.min(*best),
                Some(_) | None => found.push((fit, *index)),
            }
        }
        let total = found.len();
        if most < total {
            found.select_nth_unstable(most);
            found.truncate(most);
        }
        found.sort_unstable();
        (found, total)
    }

    /// How well a finding fits that stands there.
    fn fit(&self, parts: &Parts, start: usize, end: usize) -> Fit {
        let before = start.checked_sub(1).and_then(|before| self.all.as_bytes().get(before));
        let in_word = before.is_some_and(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii());
        if start == parts.id && end + 1 == parts.email {
            Fit::ExactId
        } else if start == parts.email && end + 1 == parts.name {
            Fit::ExactEmail
        } else if start == parts.email || (start >= parts.name && !in_word) {
            Fit::Beginning
        } else {
            Fit::Inside
        }
    }
}

/// How somebody fits; `None` if they do not. `parts` are id, e-mail address and name, folded.
pub(super) fn fit_of<'p>(folded: &str, mut parts: impl Iterator<Item = &'p str>) -> Option<Fit> {
    let mut part = || parts.next().unwrap_or_default();
    let (id, email, name) = (part(), part(), part());
    let words = |name: &str| {
        name.split(|c: char| !c.is_alphanumeric()).any(|word| word.starts_with(folded))
    };
    let ranks = [
        (id == folded, Fit::ExactId),
        (email == folded, Fit::ExactEmail),
        (email.starts_with(folded) || name.starts_with(folded) || words(name), Fit::Beginning),
        ([id, email, name].into_iter().any(|part| part.contains(folded)), Fit::Inside),
    ];
    ranks.into_iter().find(|(fits, _)| *fits).map(|(_, fit)| fit)
}

/// In lower case and without diacritics: how texts are compared here.
pub(super) fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.chars().filter(|c| !c.is_control()).map(|c| c.to_ascii_lowercase()).collect();
    }
    let plain = text.nfd().filter(|c| !is_combining_mark(*c) && !c.is_control());
    plain.flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::{Fit, Known, folded};
    use crate::identity::{Directory, Group, User};
    use std::sync::Arc;

    fn directory(people: &[(&str, &str, &str)]) -> Arc<Directory> {
        let user = |(id, email, name): &(&str, &str, &str)| User {
            id: (*id).to_owned(),
            email: (*email).to_owned(),
            display_name: (*name).to_owned(),
            group_ids: vec!["g-all".to_owned()],
        };
        let group =
            Group { id: "g-eng".into(), name: "Größte Ingenieure".into(), ..Group::default() };
        let people = people.iter().map(user).collect();
        Arc::new(Directory::new(people, vec![group]).expect("a directory"))
    }

    #[test]
    fn folding() {
        assert_eq!(folded("JOSÉ Ångström"), "jose angstrom");
        assert_eq!(folded("Su\u{308}d"), folded("SÜD"));
        assert_eq!(folded("Zoë\u{1f}\nX"), "zoex");
        assert_eq!(folded("ΣΊΣΥΦΟΣ").chars().count(), 7);
    }

    #[tokio::test]
    async fn the_best_come_first() {
        let directory = directory(&[
            ("ann", "x1@corp.test", "Somebody Else"),
            ("u2", "ann", "No Address"),
            ("u3", "annette@corp.test", "Zed"),
            ("u4", "b@corp.test", "Mary Ann Lee"),
            ("u5", "c@corp.test", "Joanna Banann"),
            ("u6", "d@corp.test", "Nobody"),
        ]);
        let index = Known::default().of(&directory).await;
        let (found, total) = index.people("ann", 20);
        let expected = [
            (Fit::ExactId, "ann"),
            (Fit::ExactEmail, "u2"),
            (Fit::Beginning, "u3"),
            (Fit::Beginning, "u4"),
            (Fit::Inside, "u5"),
        ];
        assert_eq!((found, total), (expected.to_vec(), 5));
        let (found, total) = index.people("ann", 2);
        assert_eq!((found.len(), found[0].1, total), (2, "ann", 5));
        assert_eq!(index.people("corp.test", 20).1, 5);
        assert_eq!(index.people("nobody at all", 20).1, 0);
        // Nothing is found across the border of two entries or parts.
        assert_eq!(index.people("somebody elseu2", 20).1, 0);
        assert_eq!(index.people("u3annette", 20).1, 0);
    }

    #[tokio::test]
    async fn groups_by_id_and_name() {
        let index = Known::default().of(&directory(&[("u", "u@corp.test", "U")])).await;
        assert_eq!(index.groups("grosste", 20).1, 0, "ß is no s with a mark");
        assert_eq!(index.groups("größte", 20).1, 0, "the text is folded before");
        let (found, total) = index.groups(&folded("INGENIEURE"), 20);
        assert_eq!((found[0].0.as_str(), total), ("g-eng", 1));
        assert_eq!(index.groups("g-", 20).1, 2);
    }

    #[tokio::test]
    async fn another_directory_has_another_index() {
        let known = Known::default();
        let one = directory(&[("a", "a@corp.test", "A")]);
        let first = known.of(&one).await;
        assert!(Arc::ptr_eq(&first, &known.of(&one).await));
        let other = known.of(&directory(&[("b", "b@corp.test", "B")])).await;
        assert_eq!((other.people("a@", 9).1, other.people("b@", 9).1), (0, 1));
    }
}
