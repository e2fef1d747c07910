//! What a policy asks about, told without asking it: for those who want to put every question to it
//! that can make a difference.

use super::Policy;
use super::criterion::{
    PeerQuestion, PersonQuestion, Question, RequestQuestion, SessionQuestion, SshQuestion,
};
use super::matcher::{StringMatch, StringTest, TextSet};
use crate::pattern::Pattern;
use std::collections::BTreeSet;

/// Something a policy can depend on besides the method, the path, and who is asking as far as a
/// directory knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Aspect {
    Certificate,
    /// One that no directory knows.
    Claim,
    CorsPreflight,
    Device,
    Header,
    Impersonation,
    McpTool,
    Principal,
    Query,
    Record,
    Sni,
    SourceIp,
    Ssh,
    Time,
}

impl Aspect {
    /// A stable name for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Claim => "claim",
            Self::CorsPreflight => "cors_preflight",
            Self::Device => "device",
            Self::Header => "http_header",
            Self::Impersonation => "impersonated",
            Self::McpTool => "mcp_tool",
            Self::Principal => "source_principal",
            Self::Query => "http_query",
            Self::Record => "record",
            Self::Sni => "sni",
            Self::SourceIp => "source_ip",
            Self::Ssh => "ssh",
            Self::Time => "time",
        }
    }
}

/// The claims that follow from a directory.
const KNOWN_CLAIMS: [&str; 5] = ["email", "groups", "name", "sub", "user"];

/// One test on a text, for somebody who wants to make texts that pass it and texts that do not.
#[derive(Clone, Copy, Debug)]
pub enum Hint<'p> {
    /// The whole text is, or is not, this.
    Whole(&'p str),
    Start(&'p str),
    Part(&'p str),
    End(&'p str),
    Pattern(&'p Pattern),
}

impl Policy {
    /// Everything of that kind it asks about.
    pub fn aspects(&self) -> BTreeSet<Aspect> {
        self.criteria().filter_map(|criterion| aspect(&criterion.question)).collect()
    }

    /// Whether a criterion asks for this very user id.
    pub fn names_user(&self, id: &str) -> bool {
        let named = |test: &StringTest| match test {
            StringTest::Is(value) | StringTest::Not(value) => value.as_text() == Some(id),
            StringTest::In(set) | StringTest::NotIn(set) => set.contains(id),
            StringTest::Contains(_)
            | StringTest::StartsWith(_)
            | StringTest::EndsWith(_)
            | StringTest::Matches(_) => false,
        };
        self.criteria().any(|criterion| match &criterion.question {
            Question::Person(PersonQuestion::User(text)) => text.tests.iter().any(named),
            Question::Person(
                PersonQuestion::Somebody
                | PersonQuestion::Email(_)
                | PersonQuestion::Domain(_)
                | PersonQuestion::Groups(_)
                | PersonQuestion::Claim { .. },
            )
            | Question::Always(_)
            | Question::Session(_)
            | Question::Request(_)
            | Question::Peer(_)
            | Question::Time(_)
            | Question::Certificate(_)
            | Question::Record(_)
            | Question::Ssh(_) => false,
        })
    }

    /// The tests on methods.
    pub fn method_hints(&self) -> Vec<Hint<'_>> {
        let tested = self.criteria().filter_map(|criterion| {
            let Question::Request(RequestQuestion::Method(text)) = &criterion.question else {
                return None;
            };
            Some(text)
        });
        tested.flat_map(hints).collect()
    }

    /// The tests on paths, which are decoded there.
    pub fn path_hints(&self) -> Vec<Hint<'_>> {
        let tested = self.criteria().filter_map(|criterion| {
            let Question::Request(RequestQuestion::Path(text)) = &criterion.question else {
                return None;
            };
            Some(text)
        });
        tested.flat_map(hints).collect()
    }
}

fn aspect(question: &Question) -> Option<Aspect> {
    Some(match question {
        Question::Person(question) => return unknown_claim(question),
        Question::Session(SessionQuestion::Impersonated(_)) => Aspect::Impersonation,
        Question::Always(_) | Question::Session(SessionQuestion::ServiceAccount(_)) => return None,
        Question::Session(SessionQuestion::Device(_)) => Aspect::Device,
        Question::Request(question) => return of_request(question),
        Question::Peer(PeerQuestion::SourceIp(_)) => Aspect::SourceIp,
        Question::Peer(PeerQuestion::SourcePrincipal(_) | PeerQuestion::SpiffeId(_)) => {
            Aspect::Principal
        }
        Question::Peer(PeerQuestion::Sni(_)) => Aspect::Sni,
        Question::Time(_) => Aspect::Time,
        Question::Certificate(_) => Aspect::Certificate,
        Question::Record(_) => Aspect::Record,
        Question::Ssh(
            SshQuestion::Username(_)
            | SshQuestion::UsernameMatchesEmail
            | SshQuestion::UsernameMatchesClaim(_)
            | SshQuestion::Key(_)
            | SshQuestion::Authority(_),
        ) => Aspect::Ssh,
    })
}

fn unknown_claim(question: &PersonQuestion) -> Option<Aspect> {
    match question {
        PersonQuestion::Claim { path, .. } => {
            (!KNOWN_CLAIMS.contains(&path.as_str())).then_some(Aspect::Claim)
        }
        PersonQuestion::Somebody
        | PersonQuestion::User(_)
        | PersonQuestion::Email(_)
        | PersonQuestion::Domain(_)
        | PersonQuestion::Groups(_) => None,
    }
}

fn of_request(question: &RequestQuestion) -> Option<Aspect> {
    match question {
        RequestQuestion::Method(_) | RequestQuestion::Path(_) => None,
        RequestQuestion::Header { .. } => Some(Aspect::Header),
        RequestQuestion::Query { .. } => Some(Aspect::Query),
        RequestQuestion::McpTool(_) => Some(Aspect::McpTool),
        RequestQuestion::CorsPreflight => Some(Aspect::CorsPreflight),
    }
}

fn hints(text: &StringMatch) -> impl Iterator<Item = Hint<'_>> {
    text.tests.iter().flat_map(|test| match test {
        StringTest::Is(value) | StringTest::Not(value) => {
            value.as_text().map(Hint::Whole).into_iter().collect()
        }
        StringTest::Contains(part) => vec![Hint::Part(part)],
        StringTest::StartsWith(start) => vec![Hint::Start(start)],
        StringTest::EndsWith(end) => vec![Hint::End(end)],
        StringTest::In(set) | StringTest::NotIn(set) => members(set),
        StringTest::Matches(pattern) => vec![Hint::Pattern(pattern)],
    })
}

/// In the order of their bytes.
fn members(set: &TextSet) -> Vec<Hint<'_>> {
    let mut texts: Vec<&str> = match set {
        TextSet::Exact(texts) => texts.iter().map(AsRef::as_ref).collect(),
        TextSet::Folded(texts) => texts.iter().map(AsRef::as_ref).collect(),
    };
    texts.sort_unstable();
    texts.into_iter().map(Hint::Whole).collect()
}

#[cfg(test)]
mod tests {
    use super::{Aspect, Hint};
    use crate::document::{Problems, load_yaml};
    use crate::policy::{Language, Policy, compile, criterion_names};

    fn policy(criteria: &str) -> Policy {
        let text = format!("allow: {{or: [{criteria}]}}");
        let mut problems = Problems::default();
        let node = load_yaml(&text, "test").expect(&text);
        let policy = compile(&node, Language::TEXT, &mut problems);
        assert!(problems.is_empty(), "{text}: {problems:?}");
        policy
    }

    /// Every criterion there is, with data it takes.
    const ALL: [(&str, &str, Option<Aspect>); 32] = [
        ("accept", "true", None),
        ("authenticated_user", "true", None),
        ("claim", "x", Some(Aspect::Claim)),
        ("client_certificate", "{san_dns: a}", Some(Aspect::Certificate)),
        ("cors_preflight", "true", Some(Aspect::CorsPreflight)),
        ("date", "{after: 2026-01-01}", Some(Aspect::Time)),
        ("day_of_week", "mon", Some(Aspect::Time)),
        ("device", "{is: x}", Some(Aspect::Device)),
        ("domain", "a.test", None),
        ("email", "a@a.test", None),
        ("groups", "g", None),
        ("http_header/x-a", "b", Some(Aspect::Header)),
        ("http_method", "GET", None),
        ("http_path", "/", None),
        ("http_query/q", "b", Some(Aspect::Query)),
        ("impersonated", "true", Some(Aspect::Impersonation)),
        ("invalid_client_certificate", "true", Some(Aspect::Certificate)),
        ("mcp_tool", "t", Some(Aspect::McpTool)),
        ("record", "{type: t, exists: true}", Some(Aspect::Record)),
        ("reject", "true", None),
        ("service_account", "true", None),
        ("sni", "a.test", Some(Aspect::Sni)),
        ("source_ip", "10.0.0.0/8", Some(Aspect::SourceIp)),
        ("source_principal", "p", Some(Aspect::Principal)),
        ("spiffe_id", "spiffe://a/b", Some(Aspect::Principal)),
        ("ssh_ca", "[]", Some(Aspect::Ssh)),
        ("ssh_publickey", "[]", Some(Aspect::Ssh)),
        ("ssh_username", "root", Some(Aspect::Ssh)),
        ("ssh_username_matches_claim", "c", Some(Aspect::Ssh)),
        ("ssh_username_matches_email", "true", Some(Aspect::Ssh)),
        ("time_of_day", "{timezone: UTC, after: '8:00'}", Some(Aspect::Time)),
        ("user", "u", None),
    ];

    #[test]
    fn every_criterion() {
        let names: Vec<&str> =
            ALL.iter().map(|(name, ..)| name.split('/').next().unwrap_or(name)).collect();
        assert_eq!(names, criterion_names());
        for (name, data, expected) in ALL {
            let found = policy(&format!("{{{name}: {data}}}")).aspects();
            assert_eq!(found.into_iter().collect::<Vec<_>>(), Vec::from_iter(expected), "{name}");
        }
        assert!(policy("{claim/groups: g}").aspects().is_empty());
    }

    #[test]
    fn user_ids_that_are_named() {
        let criteria = "{user: ci@a.pomerium}, {user: {in: [x, y]}}, {user: {not: z}}, \
            {user: {ends_with: '@b.pomerium'}}, {email: e@a.test}";
        let policy = policy(criteria);
        for id in ["ci@a.pomerium", "x", "y", "z"] {
            assert!(policy.names_user(id), "{id}");
        }
        for id in ["", "ci", "q@b.pomerium", "e@a.test", "X"] {
            assert!(!policy.names_user(id), "{id}");
        }
    }

    #[test]
    fn hints_of_methods_and_paths() {
        let policy = policy(
            "{http_method: {in: [PUT, GET]}}, {http_method: {not: POST}},
             {http_path: {starts_with: /a, contains: b, ends_with: .c}}, {http_path: {matches: '/x+'}}",
        );
        let shown = |hints: Vec<Hint<'_>>| {
            hints.into_iter().map(|hint| format!("{hint:?}")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(policy.method_hints()), "Whole(\"GET\") Whole(\"PUT\") Whole(\"POST\")");
        let paths = shown(policy.path_hints());
        assert!(paths.starts_with("Start(\"/a\") Part(\"b\") End(\".c\") Pattern("), "{paths}");
    }
}
