//! Values that are probably not what somebody meant: groups by their name, domains with `@`, methods
//! in lower case. Each is told with what it does match.

use super::atoms::Atom;
use super::groups::Stands;
use super::texts;
use crate::advice::Advice;
use crate::document::Notice;
use crate::identity::Directory;
use crate::policy::Effect;
use crate::policy::criterion::{
    PeerQuestion, PersonQuestion, Question, RecordTest, RequestQuestion, SshQuestion,
};
use crate::policy::matcher::{ListMatch, ListTest, StringMatch, StringTest};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// Methods that are known, which all are in upper case.
const METHODS: [&str; 9] =
    ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"];

/// Whom a directory knows, for looking up.
#[derive(Debug, Default)]
pub struct KnownNames<'d> {
    groups: BTreeSet<&'d str>,
    by_name: BTreeMap<&'d str, Vec<&'d str>>,
    users: BTreeSet<&'d str>,
}

impl<'d> KnownNames<'d> {
    pub fn of(directory: &'d Directory) -> Self {
        Self {
            groups: directory.group_ids(),
            by_name: directory.groups_by_name(),
            users: directory.user_ids(),
        }
    }
}

/// How a text is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// `is`, `in`, `not`, `not_in`, `has`, `exclude`.
    Whole,
    Contains,
    Starts,
    Ends,
}

pub(super) fn of_group(stands: Stands<'_>, known: &KnownNames<'_>) -> Vec<Notice> {
    let twins = Twins::of(stands);
    let atoms = stands.group.atoms();
    let mut notices = Vec::new();
    for atom in atoms {
        let words = Words { atom, twins: &twins, known };
        notices.extend(compared(atom).into_iter().filter_map(|(sign, text)| words.of(sign, &text)));
        if let Some(text) = text_match(atom.question).filter(|_| atom.operand.is_none()) {
            notices.extend(everything(&atom, text));
        }
        if stands.effect == Effect::Deny && !stands.group.operator.inverts() {
            notices.extend(skips_absent(&atom));
        }
    }
    notices
}

/// What a group compares with user ids and with e-mail addresses. Who writes the same for both means
/// either, as `allowed_users` does.
struct Twins<'p> {
    users: BTreeSet<Cow<'p, str>>,
    emails: BTreeSet<Cow<'p, str>>,
}

impl<'p> Twins<'p> {
    fn of(stands: Stands<'p>) -> Self {
        let mut twins = Self { users: BTreeSet::new(), emails: BTreeSet::new() };
        for atom in stands.group.atoms() {
            let texts = || compared(atom).into_iter().map(|(_, text)| text);
            match atom.question {
                Question::Person(PersonQuestion::User(_)) => twins.users.extend(texts()),
                Question::Person(PersonQuestion::Email(_)) => twins.emails.extend(texts()),
                Question::Always(_)
                | Question::Person(_)
                | Question::Session(_)
                | Question::Request(_)
                | Question::Peer(_)
                | Question::Time(_)
                | Question::Certificate(_)
                | Question::Record(_)
                | Question::Ssh(_) => {}
            }
        }
        twins
    }
}

/// The texts a criterion compares with, and how.
fn compared(atom: Atom<'_>) -> Vec<(Sign, Cow<'_, str>)> {
    if let Some(operand) = atom.operand {
        return vec![(Sign::Whole, operand.into())];
    }
    if let Question::Person(
        PersonQuestion::Groups(list) | PersonQuestion::Claim { values: list, .. },
    ) = atom.question
    {
        return list.0.iter().filter_map(listed).collect();
    }
    text_match(atom.question).into_iter().flat_map(|text| &text.tests).flat_map(signs).collect()
}

fn listed(test: &ListTest) -> Option<(Sign, Cow<'_, str>)> {
    match test {
        ListTest::Has(value) | ListTest::Is(value) | ListTest::Exclude(value) => {
            value.as_text().map(|text| (Sign::Whole, text.into()))
        }
        // Its members come one by one.
        ListTest::HasOneOf(_) => None,
    }
}

fn signs(test: &StringTest) -> Vec<(Sign, Cow<'_, str>)> {
    match test {
        StringTest::Is(value) | StringTest::Not(value) => {
            value.as_text().map(|text| (Sign::Whole, text.into())).into_iter().collect()
        }
        StringTest::In(set) | StringTest::NotIn(set) => {
            set.members().into_iter().map(|text| (Sign::Whole, text.into())).collect()
        }
        StringTest::Contains(part) => vec![(Sign::Contains, part.into())],
        StringTest::StartsWith(part) => vec![(Sign::Starts, part.into())],
        StringTest::EndsWith(part) => vec![(Sign::Ends, part.into())],
        StringTest::Matches(_) => Vec::new(),
    }
}

/// What is asked of one text, if that is what is asked.
fn text_match(question: &Question) -> Option<&StringMatch> {
    match question {
        Question::Person(
            PersonQuestion::User(text) | PersonQuestion::Email(text) | PersonQuestion::Domain(text),
        )
        | Question::Request(
            RequestQuestion::Method(text)
            | RequestQuestion::Path(text)
            | RequestQuestion::Header { value: text, .. }
            | RequestQuestion::Query { value: text, .. }
            | RequestQuestion::McpTool(text),
        )
        | Question::Peer(
            PeerQuestion::SourcePrincipal(text)
            | PeerQuestion::SpiffeId(text)
            | PeerQuestion::Sni(text),
        )
        | Question::Ssh(SshQuestion::Username(text)) => Some(text),
        Question::Always(_)
        | Question::Person(_)
        | Question::Session(_)
        | Question::Request(_)
        | Question::Peer(_)
        | Question::Time(_)
        | Question::Certificate(_)
        | Question::Record(_)
        | Question::Ssh(_) => None,
    }
}

/// One criterion with what its words are held against.
struct Words<'w, 'p> {
    atom: Atom<'p>,
    twins: &'w Twins<'p>,
    known: &'w KnownNames<'w>,
}

impl Words<'_, '_> {
    fn of(&self, sign: Sign, text: &str) -> Option<Notice> {
        match self.atom.question {
            Question::Person(PersonQuestion::User(_)) => self.user(sign, text),
            Question::Person(PersonQuestion::Email(_)) => self.email(sign, text),
            Question::Person(PersonQuestion::Domain(_)) => self.domain(sign, text),
            Question::Person(PersonQuestion::Groups(_)) => self.group(text),
            Question::Request(RequestQuestion::Method(_)) => self.method(sign, text),
            Question::Request(RequestQuestion::Path(_)) => self.path(sign, text),
            Question::Always(_)
            | Question::Person(_)
            | Question::Session(_)
            | Question::Request(_)
            | Question::Peer(_)
            | Question::Time(_)
            | Question::Certificate(_)
            | Question::Record(_)
            | Question::Ssh(_) => None,
        }
    }

    fn advise(&self, advice: Advice, message: String, help: String) -> Notice {
        Notice::lint(advice, self.atom.place(), message).help(help)
    }

    fn user(&self, sign: Sign, text: &str) -> Option<Notice> {
        let meant = self.twins.emails.contains(text) || self.known.users.contains(text);
        if sign != Sign::Whole || !text.contains('@') || meant {
            return None;
        }
        let message = format!(
            "`user` is compared with the user id, and `{text}` looks like an e-mail address"
        );
        Some(self.advise(Advice::UserLikeEmail, message, format!("write `email: {text}`")))
    }

    fn email(&self, sign: Sign, text: &str) -> Option<Notice> {
        let meant = text.is_empty() || self.twins.users.contains(text);
        if sign != Sign::Whole || text.contains('@') || meant {
            return None;
        }
        let message = format!("`{text}` has no `@`, so it is no e-mail address");
        let help =
            format!("for everybody of a domain write `domain: {text}`, for an id `user: {text}`");
        Some(self.advise(Advice::EmailWithoutAt, message, help))
    }

    fn domain(&self, sign: Sign, text: &str) -> Option<Notice> {
        if text.contains('@') {
            let after = text.rsplit('@').next().unwrap_or_default();
            let message =
                format!("a domain is what stands behind the `@`, so none is like `{text}`");
            return Some(self.advise(Advice::DomainForm, message, format!("write `{after}`")));
        }
        if sign != Sign::Whole || !text.starts_with('.') {
            return None;
        }
        let message = format!("`{text}` is compared with the whole domain, dot included");
        let help = format!("for its subdomains write `domain: {{ends_with: {text}}}`");
        Some(self.advise(Advice::DomainForm, message, help))
    }

    fn group(&self, text: &str) -> Option<Notice> {
        let known = self.known;
        if known.groups.is_empty() || known.groups.contains(text) {
            return None;
        }
        let Some(ids) = known.by_name.get(text) else {
            let message = format!("no group of the directory has the id `{text}`");
            let help = "write the id of a group that is listed in the directory".to_owned();
            return Some(self.advise(Advice::UnknownGroup, message, help));
        };
        let message = format!("`groups` compares ids, and `{text}` is the name of a group");
        let help = format!("write its id, `{}`", ids.join("` or `"));
        Some(self.advise(Advice::GroupByName, message, help))
    }

    fn method(&self, sign: Sign, text: &str) -> Option<Notice> {
        let upper = text.to_ascii_uppercase();
        if sign != Sign::Whole || text == upper || !METHODS.contains(&upper.as_str()) {
            return None;
        }
        let message =
            format!("methods are compared as they are sent, and `{text}` is not `{upper}`");
        Some(self.advise(Advice::MethodCase, message, format!("write `{upper}`")))
    }

    fn path(&self, sign: Sign, text: &str) -> Option<Notice> {
        if text.contains('?') {
            let message = format!(
                "a path is compared without its query, so `{text}` fits only where the path itself holds an escaped `?`"
            );
            let help = "end it before the `?`, and ask about parameters with `http_query/NAME`";
            return Some(self.advise(Advice::PathForm, message, help.to_owned()));
        }
        if has_escape(text) {
            let message = format!(
                "a path is compared with its escapes decoded, and `{text}` still holds one"
            );
            return Some(self.advise(Advice::PathForm, message, "write it decoded".to_owned()));
        }
        let from_start = matches!(sign, Sign::Whole | Sign::Starts);
        if from_start && !text.is_empty() && !text.starts_with('/') {
            let message = format!("every path begins with `/`, so none begins with `{text}`");
            return Some(self.advise(Advice::PathForm, message, format!("write `/{text}`")));
        }
        let reaches_on = text.ends_with(|last: char| last.is_ascii_alphanumeric());
        if sign != Sign::Starts || !reaches_on {
            return None;
        }
        let message = format!("`starts_with: {text}` also fits `{text}-x` and `{text}x`");
        let help = format!("write `starts_with: {text}/`, with `is: {text}` beside it under `or`");
        Some(self.advise(Advice::PrefixWithoutSlash, message, help))
    }
}

/// Whether a `%` and two hexadecimal digits are in `text`.
fn has_escape(text: &str) -> bool {
    text.as_bytes().windows(3).any(|window| match window {
        [b'%', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        _ => false,
    })
}

/// Tests that leave nothing to compare.
fn everything(atom: &Atom<'_>, text: &StringMatch) -> Option<Notice> {
    let name = atom.name();
    let by_pattern = text.tests.iter().find_map(|test| match test {
        StringTest::Matches(pattern) if pattern.is_everything() => Some(pattern),
        StringTest::Is(_)
        | StringTest::Not(_)
        | StringTest::Contains(_)
        | StringTest::StartsWith(_)
        | StringTest::EndsWith(_)
        | StringTest::In(_)
        | StringTest::NotIn(_)
        | StringTest::Matches(_) => None,
    });
    let message = match by_pattern {
        Some(pattern) => format!(
            "`matches: {pattern}` fits every text without a line break, so it asks nothing of this `{name}`"
        ),
        None if texts::always(text) => {
            format!("every text passes this `{name}`")
        }
        None => return None,
    };
    let notice = Notice::lint(Advice::MatchesEverything, atom.place(), message);
    Some(notice.help("write what the text has to be like"))
}

/// A negated operator in a deny rule, asked of what not everybody has.
fn skips_absent(atom: &Atom<'_>) -> Option<Notice> {
    let text = |text: &StringMatch| {
        text.tests.iter().any(|test| matches!(test, StringTest::Not(_) | StringTest::NotIn(_)))
    };
    let list = |list: &ListMatch| list.0.iter().any(|test| matches!(test, ListTest::Exclude(_)));
    let (negated, absent) = match atom.question {
        Question::Person(PersonQuestion::User(it)) => (text(it), "no user id"),
        Question::Person(PersonQuestion::Domain(it)) => (text(it), "no domain"),
        Question::Person(PersonQuestion::Groups(it)) => (list(it), "no entry in the directory"),
        Question::Peer(PeerQuestion::SourcePrincipal(it)) => (text(it), "no principal"),
        Question::Peer(PeerQuestion::SpiffeId(it)) => (text(it), "no SPIFFE id"),
        Question::Record(record) => {
            let negated = |test: &RecordTest| {
                matches!(test, RecordTest::Text(StringTest::Not(_) | StringTest::NotIn(_)))
            };
            (record.tests.iter().any(negated), "no such record or field")
        }
        Question::Always(_)
        | Question::Person(_)
        | Question::Session(_)
        | Question::Request(_)
        | Question::Peer(_)
        | Question::Time(_)
        | Question::Certificate(_)
        | Question::Ssh(_) => return None,
    };
    let name = atom.name();
    let message =
        format!("this `{name}` holds for nobody who has {absent}, so it does not deny them");
    let notice = Notice::lint(Advice::DenySkipsAbsent, atom.place(), message);
    let help = format!("write `{name}` without the negation in a group of its own under `not`");
    negated.then(|| notice.help(help))
}
