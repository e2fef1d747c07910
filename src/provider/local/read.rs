//! Reading the users file, with a place for everything that is wrong.

use super::hash::{HashError, PasswordHash};
use super::{LocalUser, LocalUsers, folded};
use crate::advice::Advice;
use crate::document::{
    Entry, LoadError, Node, Notice, Problem, Problems, Section, Value, load_yaml,
};
use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;

const EXAMPLE: &str = "write `users: [{id: ann, email: ann@example.com, password: '$argon2id$…'}]`";
const MAX_ID_CHARS: usize = 255;
const MAX_EMAIL_CHARS: usize = 254;

impl LocalUsers {
    /// Reads a users file: YAML or JSON with `users`. `source` is what places call it. `None` if there
    /// is any problem; all are told.
    pub fn read(text: &str, source: &str, problems: &mut Problems) -> Option<Self> {
        let document = match load_yaml(text, source).map_err(LoadError::into_problem) {
            Ok(document) => document,
            Err(problem) => {
                problems.push(problem);
                return None;
            }
        };
        let section = Section::open(&document, "", problems)?;
        section.refuse_unknown(&["users"], problems);
        let items = match section.node("users").map(|node| &node.value) {
            Some(Value::List(items)) if !items.is_empty() => items,
            Some(
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::Text(_)
                | Value::List(_)
                | Value::Map(_),
            )
            | None => {
                let place = section.place_of("users");
                problems.push(
                    Problem::new("no_users", place, "there are no users, so nobody can sign in")
                        .help(EXAMPLE),
                );
                return None;
            }
        };
        let mut reading = Reading { problems, users: Vec::new(), logins: HashMap::new() };
        items.iter().enumerate().for_each(|(index, item)| reading.take(index, item));
        let complete = reading.users.len() == items.len();
        let Reading { users, logins, .. } = reading;
        tell_mixed(&users, &document, problems);
        let strongest = users.iter().max_by_key(|user| user.password.cost().work())?;
        let strongest = strongest.password.copy();
        complete.then_some(Self { users, logins, strongest })
    }
}

/// How long a refusal takes gives away whose hash is cheaper than that of nobody.
fn tell_mixed(users: &[LocalUser], document: &Node, problems: &mut Problems) {
    let mut costs = users.iter().map(|user| user.password.cost());
    let first = costs.next();
    if costs.any(|cost| Some(cost) != first) {
        let message =
            "hashes of different cost: how long a refusal takes tells who is in this file";
        let notice = Notice::new(Advice::MixedPasswordCost, &document.place, message);
        problems.tell(notice.help("make all of them with `lictor key password`"));
    }
}

struct Reading<'p> {
    problems: &'p mut Problems,
    users: Vec<LocalUser>,
    logins: HashMap<String, usize>,
}

impl Reading<'_> {
    /// Takes one user; a wrong one is told of and left out.
    fn take(&mut self, index: usize, item: &Node) {
        let name = format!("users[{index}]");
        let Some(section) = Section::open(item, &name, self.problems) else {
            return;
        };
        if self.tells_of_commas(&section) {
            return;
        }
        section.refuse_unknown(&["email", "groups", "id", "name", "password"], self.problems);
        let id = self.required(&section, "id");
        let id = id.and_then(|id| self.plain(&section, "id", id, MAX_ID_CHARS));
        let email = self.email(&section);
        let name = section.text("name", self.problems).unwrap_or_default();
        let name = self.plain(&section, "name", name, MAX_ID_CHARS);
        let groups = section.texts("groups", self.problems);
        let password = self.password(&section);
        let unique = self.is_unique(&section, [id, email]);
        let (Some(id), Some(email), Some(name), Some(password), true) =
            (id, email, name, password, unique)
        else {
            return;
        };
        let [id, email, name] = [id, email, name].map(str::to_owned);
        self.users.push(LocalUser { id, email, name, groups, password });
    }

    /// A hash without quotes within `{…}` ends at its first comma, and its rest would be keys. That is
    /// told as what it is, and without showing the rest.
    fn tells_of_commas(&mut self, section: &Section<'_>) -> bool {
        let is_rest = |entry: &Entry| entry.key.starts_with("p=") && entry.key.contains('$');
        let cut = section.node("password").filter(|_| section.entries().iter().any(is_rest));
        let Some(node) = cut else { return false };
        let message = format!("`{}` ends at a comma", section.full_name("password"));
        let problem = Problem::new("bad_password_hash", &node.place, message);
        self.problems
            .push(problem.help("put the hash in quotes: within `{…}` a comma ends a value"));
        true
    }

    /// A text that has to be there and not be empty.
    fn required<'s>(&mut self, section: &Section<'s>, key: &str) -> Option<&'s str> {
        if section.node(key).is_none() {
            let message = format!("a user needs `{key}`");
            let help = if key == "password" { HashError::HELP } else { EXAMPLE };
            let problem = Problem::new("missing_field", section.place(), message);
            self.problems.push(problem.help(help));
            return None;
        }
        section.text(key, self.problems)
    }

    /// A text of a bounded length that can be shown anywhere.
    fn plain<'s>(
        &mut self,
        section: &Section<'_>,
        key: &str,
        text: &'s str,
        longest: usize,
    ) -> Option<&'s str> {
        let fits = text.chars().count() <= longest && !text.chars().any(char::is_control);
        let whole = text == text.trim() && (key != "id" || !text.is_empty());
        if fits && whole {
            return Some(text);
        }
        let message = format!("`{}` cannot be used", section.full_name(key));
        let help = format!("write up to {longest} characters, without space around them");
        self.problems.push(Problem::new("bad_value", section.place_of(key), message).help(help));
        None
    }

    /// The e-mail address; empty if there is none.
    fn email<'s>(&mut self, section: &Section<'s>) -> Option<&'s str> {
        if section.node("email").is_none() {
            return Some("");
        }
        let text = section.text("email", self.problems)?;
        let email = self.plain(section, "email", text, MAX_EMAIL_CHARS)?;
        let parts = email.split_once('@');
        if parts.is_some_and(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        }) {
            return Some(email);
        }
        let message = format!("`{}` is not an e-mail address", section.full_name("email"));
        self.problems.push(
            Problem::new("bad_value", section.place_of("email"), message)
                .help("write it as `ann@example.com`, or leave it out"),
        );
        None
    }

    fn password(&mut self, section: &Section<'_>) -> Option<PasswordHash> {
        let text = self.required(section, "password")?;
        match PasswordHash::parse(text) {
            Ok(hash) => Some(hash),
            Err(error) => {
                let message = format!("`{}` {error}", section.full_name("password"));
                let place = section.place_of("password");
                self.problems
                    .push(Problem::new("bad_password_hash", place, message).help(HashError::HELP));
                None
            }
        }
    }

    /// Whether nobody else answers to these names, whatever their case: id and e-mail address.
    fn is_unique(&mut self, section: &Section<'_>, [id, email]: [Option<&str>; 2]) -> bool {
        let own = self.users.len();
        let mut unique = true;
        for (key, name) in [("id", id), ("email", email)] {
            let Some(name) = name.filter(|name| !name.is_empty()) else { continue };
            let mine = key == "email" && id.is_some_and(|id| folded(id) == folded(name));
            match self.logins.entry(folded(name)) {
                Slot::Vacant(slot) => {
                    slot.insert(own);
                }
                Slot::Occupied(_) if mine => {}
                Slot::Occupied(_) => {
                    unique = false;
                    let message = format!("two users answer to `{name}`");
                    let place = section.place_of(key);
                    self.problems.push(Problem::new("duplicate_user", place, message).help(
                        "give every user an `id` and an `email` of their own; case does not count",
                    ));
                }
            }
        }
        unique
    }
}
