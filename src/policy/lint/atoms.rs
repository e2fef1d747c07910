//! A policy as advice looks at it: single criteria, joined ones taken apart again, and the sides of a
//! policy as a disjunction of conjunctions.

use super::truth::{Never, Truth, truth};
use crate::document::Place;
use crate::policy::compile::{Kind, asked, kind};
use crate::policy::criterion::{
    CertificateQuestion, Criterion, PeerQuestion, PersonQuestion, Question, RequestQuestion,
    SessionQuestion, SshQuestion, TimeQuestion, Written,
};
use crate::policy::{CriteriaGroup, Effect, Operator, Policy};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// One criterion as it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom<'p> {
    pub(super) question: &'p Question,
    /// The one value it asks for, where `question` asks for the values of many.
    pub(super) operand: Option<&'p str>,
    pub(super) written: &'p Written,
}

/// What makes two criteria the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key<'p> {
    Asked(Kind, &'p str),
    Text(&'p str),
}

/// How a criterion counts in its group, whatever the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    Always(Cause),
    Never(Cause),
    Open,
}

/// What a criterion does whatever the facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    Holds,
    Fails(Never),
}

impl Cause {
    pub(super) fn is_told(self) -> bool {
        self == Self::Fails(Never::Told)
    }

    /// What the criterion called `name` does, as a clause.
    pub(super) fn clause(self, name: &str) -> String {
        match self {
            Self::Holds => format!("`{name}` always holds here"),
            Self::Fails(why) => why.clause(name),
        }
    }
}

impl<'p> Atom<'p> {
    pub(super) fn place(&self) -> &'p Place {
        &self.written.place
    }

    pub(super) fn name(&self) -> Cow<'p, str> {
        name(self.question)
    }

    /// What it asks, in short. What could be a secret, such as the value of a header, is left out.
    pub(super) fn label(&self) -> String {
        match self.key() {
            Key::Asked(_, value) => format!("`{}: {value}`", self.name()),
            Key::Text(_) => format!("this `{}`", self.name()),
        }
    }

    /// Equal keys: the same criterion, however it is written. SECURITY: and never for two that differ,
    /// or advice to remove one would change what a policy says.
    pub(super) fn key(&self) -> Key<'p> {
        let joined = self.operand.and_then(|operand| Some((kind(self.question)?, operand)));
        match joined.or_else(|| asked(self.question)) {
            Some((kind, operand)) => Key::Asked(kind, operand),
            None => Key::Text(&self.written.text),
        }
    }
}

impl Criterion {
    pub(super) fn atoms(&self) -> impl Iterator<Item = Atom<'_>> {
        let question = &self.question;
        let own = Atom { question, operand: None, written: &self.written };
        let own = self.members.is_empty().then_some(own);
        let members = self.members.iter().map(move |member| Atom {
            question,
            operand: Some(&member.operand),
            written: &member.written,
        });
        own.into_iter().chain(members)
    }
}

impl CriteriaGroup {
    pub(super) fn atoms(&self) -> impl Iterator<Item = Atom<'_>> {
        self.criteria.iter().flat_map(Criterion::atoms)
    }

    /// What is certain of a criterion as it counts in this group.
    pub(super) fn counts(&self, criterion: &Criterion) -> Counts {
        match (self.operator.inverts(), truth(&criterion.question)) {
            (false, Truth::Always) => Counts::Always(Cause::Holds),
            (true, Truth::Always) => Counts::Never(Cause::Holds),
            (false, Truth::Never(why)) => Counts::Never(Cause::Fails(why)),
            (true, Truth::Never(why)) => Counts::Always(Cause::Fails(why)),
            (_, Truth::Open) => Counts::Open,
        }
    }

    /// Whether all of its criteria have to count, rather than one.
    pub(super) fn wants_all(&self) -> bool {
        matches!(self.operator, Operator::And | Operator::Not)
    }

    pub(super) fn asks_who(&self) -> bool {
        self.criteria.iter().any(|criterion| asks_who(&criterion.question))
    }
}

impl Policy {
    /// Its groups with their effects.
    pub(super) fn groups(&self) -> impl Iterator<Item = (Effect, &CriteriaGroup)> {
        self.rules.iter().flat_map(|rule| rule.groups.iter().map(|group| (rule.effect, group)))
    }
}

/// Whether somebody must be signed in for it to hold.
pub(super) fn asks_who(question: &Question) -> bool {
    match question {
        Question::Person(_) | Question::Session(_) => true,
        Question::Ssh(question) => match question {
            SshQuestion::UsernameMatchesEmail | SshQuestion::UsernameMatchesClaim(_) => true,
            SshQuestion::Username(_) | SshQuestion::Key(_) | SshQuestion::Authority(_) => false,
        },
        Question::Always(_)
        | Question::Request(_)
        | Question::Peer(_)
        | Question::Time(_)
        | Question::Certificate(_)
        | Question::Record(_) => false,
    }
}

/// What a criterion of this question is called.
pub(super) fn name(question: &Question) -> Cow<'_, str> {
    match question {
        Question::Always(true) => "accept".into(),
        Question::Always(false) => "reject".into(),
        Question::Person(question) => match question {
            PersonQuestion::Somebody => "authenticated_user".into(),
            PersonQuestion::User(_) => "user".into(),
            PersonQuestion::Email(_) => "email".into(),
            PersonQuestion::Domain(_) => "domain".into(),
            PersonQuestion::Groups(_) => "groups".into(),
            PersonQuestion::Claim { path, .. } => format!("claim/{path}").into(),
        },
        Question::Session(question) => match question {
            SessionQuestion::Impersonated(_) => "impersonated".into(),
            SessionQuestion::ServiceAccount(_) => "service_account".into(),
            SessionQuestion::Device(_) => "device".into(),
        },
        Question::Request(question) => request_name(question),
        Question::Peer(question) => match question {
            PeerQuestion::SourceIp(_) => "source_ip".into(),
            PeerQuestion::SourcePrincipal(_) => "source_principal".into(),
            PeerQuestion::SpiffeId(_) => "spiffe_id".into(),
            PeerQuestion::Sni(_) => "sni".into(),
        },
        Question::Time(question) => match question {
            TimeQuestion::Date(_) => "date".into(),
            TimeQuestion::DayOfWeek(_) => "day_of_week".into(),
            TimeQuestion::TimeOfDay(_) => "time_of_day".into(),
        },
        Question::Certificate(CertificateQuestion::Is(_)) => "client_certificate".into(),
        Question::Certificate(CertificateQuestion::Invalid) => "invalid_client_certificate".into(),
        Question::Record(_) => "record".into(),
        Question::Ssh(question) => ssh_name(question).into(),
    }
}

fn ssh_name(question: &SshQuestion) -> &'static str {
    match question {
        SshQuestion::Username(_) => "ssh_username",
        SshQuestion::UsernameMatchesEmail => "ssh_username_matches_email",
        SshQuestion::UsernameMatchesClaim(_) => "ssh_username_matches_claim",
        SshQuestion::Key(_) => "ssh_publickey",
        SshQuestion::Authority(_) => "ssh_ca",
    }
}

fn request_name(question: &RequestQuestion) -> Cow<'_, str> {
    match question {
        RequestQuestion::Method(_) => "http_method".into(),
        RequestQuestion::Path(_) => "http_path".into(),
        RequestQuestion::Header { name, .. } => format!("http_header/{name}").into(),
        RequestQuestion::Query { name, .. } => format!("http_query/{name}").into(),
        RequestQuestion::McpTool(_) => "mcp_tool".into(),
        RequestQuestion::CorsPreflight => "cors_preflight".into(),
    }
}

/// A criterion as it counts: whether it has to hold, and which it is.
pub(super) type Literal<'p> = (bool, Key<'p>);

/// One of the ways in which a side of a policy can hold: all of `literals`.
#[derive(Debug)]
pub(super) struct Way<'p> {
    pub(super) literals: BTreeSet<Literal<'p>>,
    pub(super) group: &'p CriteriaGroup,
    /// The one criterion that is all it asks, where the group is open to each of its criteria.
    atom: Option<Atom<'p>>,
}

impl<'p> Way<'p> {
    pub(super) fn place(&self) -> &'p Place {
        self.atom.map_or(&self.group.place, |atom| atom.place())
    }

    /// What it is called in a message.
    pub(super) fn label(&self) -> String {
        let operator = self.group.operator;
        match self.atom {
            None => format!("this `{}`", operator.name()),
            Some(atom) if operator.inverts() => {
                format!("{} under `{}`", atom.label(), operator.name())
            }
            Some(atom) => atom.label(),
        }
    }
}

/// The ways in which a group can hold, apart from those that are always open or never. Criteria that
/// are certain are left out of them.
pub(super) fn ways(group: &CriteriaGroup) -> Vec<Way<'_>> {
    let holds = !group.operator.inverts();
    let open = |criterion: &&Criterion| group.counts(criterion) == Counts::Open;
    let atoms = group.criteria.iter().filter(open).flat_map(Criterion::atoms);
    if !group.wants_all() {
        let way =
            |atom| Way { literals: [(holds, Atom::key(&atom))].into(), group, atom: Some(atom) };
        return atoms.map(way).collect();
    }
    let never = |criterion: &Criterion| matches!(group.counts(criterion), Counts::Never(_));
    let literals: BTreeSet<Literal<'_>> = atoms.map(|atom| (holds, atom.key())).collect();
    if literals.is_empty() || group.criteria.iter().any(never) {
        return Vec::new();
    }
    vec![Way { literals, group, atom: None }]
}
