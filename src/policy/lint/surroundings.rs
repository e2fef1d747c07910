//! Criteria that ask for what the route they stand before does not give.

use super::atoms::name;
use crate::advice::Advice;
use crate::document::Notice;
use crate::policy::criterion::{
    CertificateMatch, CertificateQuestion, Criterion, Question, RecordQuestion, RequestQuestion,
    SshQuestion,
};
use crate::policy::{CriteriaGroup, Effect, Mode, Policy};
use crate::record::DataSources;

/// What a route gives its policies to ask about.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'c> {
    pub protocol: Protocol,
    pub certificates: Certificates,
    pub data_sources: &'c DataSources,
}

/// What goes over a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Requests whose bodies are not looked at.
    Http,
    /// Requests to a Model Context Protocol server: bodies are read.
    Mcp,
    Ssh,
}

/// What is made of client certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certificates {
    /// No CA: nobody vouches for any.
    NotJudged,
    /// A CA vouches, and nothing follows if it does not.
    Ignored,
    /// One that is missing or not valid is refused, or a policy asks about it.
    Judged,
}

/// Advice about a policy on a route with these surroundings.
pub fn advise_on_route(policy: &Policy, around: &Surroundings<'_>) -> Vec<Notice> {
    let mut notices = Vec::new();
    for (effect, group) in policy.groups() {
        for criterion in &group.criteria {
            notices.extend(Placed { around, effect, group, criterion }.advice());
        }
    }
    notices
}

impl Policy {
    /// Whether it asks, anywhere, if a client certificate is good.
    pub fn judges_certificates(&self) -> bool {
        let asks = |it: &Criterion| {
            matches!(it.question, Question::Certificate(CertificateQuestion::Invalid))
        };
        self.mode == Mode::Enforce && self.criteria().any(asks)
    }
}

/// A criterion where it stands.
struct Placed<'p> {
    around: &'p Surroundings<'p>,
    effect: Effect,
    group: &'p CriteriaGroup,
    criterion: &'p Criterion,
}

impl Placed<'_> {
    fn advice(&self) -> Option<Notice> {
        match &self.criterion.question {
            Question::Request(RequestQuestion::McpTool(_)) => self.tool(),
            Question::Ssh(question) => self.ssh(question),
            Question::Record(question) => self.record(question),
            Question::Certificate(CertificateQuestion::Is(wanted)) => self.certificate(wanted),
            Question::Certificate(CertificateQuestion::Invalid) => self.invalid(),
            Question::Always(_)
            | Question::Person(_)
            | Question::Session(_)
            | Question::Request(_)
            | Question::Peer(_)
            | Question::Time(_) => None,
        }
    }

    fn advise(&self, advice: Advice, message: String, help: &str) -> Notice {
        Notice::lint(advice, &self.criterion.written.place, message).help(help)
    }

    fn tool(&self) -> Option<Notice> {
        let message = "this `mcp_tool` never holds: bodies are not read here".to_owned();
        let help = "write `mcp: {server: {}}` in the route, if such a server stands behind it";
        let idle = self.around.protocol != Protocol::Mcp;
        idle.then(|| self.advise(Advice::McpWithoutServer, message, help))
    }

    /// Over HTTP there is no key, and the user name is empty.
    fn ssh(&self, question: &SshQuestion) -> Option<Notice> {
        if self.around.protocol == Protocol::Ssh {
            return None;
        }
        let holds = match question {
            SshQuestion::Username(text) => text.matches(""),
            SshQuestion::UsernameMatchesEmail
            | SshQuestion::UsernameMatchesClaim(_)
            | SshQuestion::Key(_)
            | SshQuestion::Authority(_) => false,
        };
        let how = if holds { "always" } else { "never" };
        let name = name(&self.criterion.question);
        let message = format!("this `{name}` {how} holds: nothing comes over SSH here");
        let help = "write it in the policy of a route that is `from: ssh://…`";
        Some(self.advise(Advice::SshOnHttp, message, help))
    }

    fn record(&self, question: &RecordQuestion) -> Option<Notice> {
        let record_type = &question.record_type;
        if self.around.data_sources.types().any(|known| known == record_type) {
            return None;
        }
        let holds = question.exists == Some(false) && question.tests.is_empty();
        let how = if holds { "always" } else { "never" };
        let denies_nothing =
            self.effect == Effect::Deny && !holds && !self.group.operator.inverts();
        let so = if denies_nothing { ", so it denies nothing" } else { "" };
        let message = format!(
            "this `record` {how} holds{so}: no data source has records of the type `{record_type}`"
        );
        let help = "add the source to `data_sources`, or write the type as it stands there";
        Some(self.advise(Advice::RecordWithoutSource, message, help))
    }

    /// A name in a certificate is anybody's to write; a hash of it, or of its key, is not.
    fn certificate(&self, wanted: &CertificateMatch) -> Option<Notice> {
        let pinned = wanted.fingerprints.is_some() || wanted.spki_hashes.is_some();
        if pinned || self.effect == Effect::Deny || self.group.operator.inverts() {
            return None;
        }
        match self.around.certificates {
            Certificates::NotJudged => {
                let message = "no CA vouches for client certificates here, and this `client_certificate` holds for one that somebody made for themselves".to_owned();
                let help = "name a CA in `downstream_mtls`, or ask for a `fingerprint`";
                Some(self.advise(Advice::CertificateWithoutCa, message, help))
            }
            Certificates::Ignored => {
                let message = "this `client_certificate` also holds for a certificate that no CA vouches for, and no policy here asks for `invalid_client_certificate`".to_owned();
                let help = "write `deny: {or: [{invalid_client_certificate: true}]}` beside it";
                Some(self.advise(Advice::CertificateNotJudged, message, help))
            }
            Certificates::Judged => None,
        }
    }

    fn invalid(&self) -> Option<Notice> {
        let message =
            "this `invalid_client_certificate` never holds: no CA is named to judge by".to_owned();
        let help = "name a CA in `downstream_mtls`, or in the route";
        let idle = self.around.certificates == Certificates::NotJudged;
        idle.then(|| self.advise(Advice::CertificateWithoutCa, message, help))
    }
}
