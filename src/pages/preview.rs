//! What somebody would get: a table of every route, before one acts as them.

use super::console::parts::counted;
use super::frame::{Frame, Place, Target};
use super::impersonation::ImpersonationForm;
use super::person::Person;
use super::rendered;
use askama::Template;

/// What a person, or a member of groups, would get.
#[derive(Clone, Debug, Template)]
#[template(path = "preview.html", config = ".askama.toml")]
pub struct PreviewPage {
    pub frame: Frame,
    /// As was asked for.
    pub target: Target,
    /// The identity that was judged.
    pub identity: Person,
    /// Something to know about it, such as that the directory does not know the address; empty for
    /// nothing.
    pub remark: String,
    pub rows: Vec<PreviewRow>,
    /// What was typed, to act now or to change it. Errors of `email` and `groups` are shown, too.
    pub form: ImpersonationForm,
}

/// One route.
#[derive(Clone, Debug)]
pub struct PreviewRow {
    pub route: String,
    /// Host and path.
    pub place: String,
    pub verdict: Verdict,
    /// Empty members are left out; if all are empty, `why` says it alone.
    pub rule: DecidingRule,
    /// In one sentence; empty if the rule says enough.
    pub why: String,
}

/// The rule that decided.
#[derive(Clone, Debug, Default)]
pub struct DecidingRule {
    pub policy: String,
    pub text: String,
    /// `FILE:LINE`
    pub place: String,
}

/// What a request would get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    Denied,
    SignIn,
}

impl Verdict {
    /// The word, and the name of its mark.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Allowed => ("allowed", "yes"),
            Self::Denied => ("denied", "no"),
            Self::SignIn => ("asks to sign in", "open"),
        }
    }

    fn word(self) -> &'static str {
        self.words().0
    }

    fn mark(self) -> &'static str {
        self.words().1
    }
}

impl PreviewPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict == verdict).count()
    }

    /// `3 of 12 routes allowed, 8 denied, 1 asks to sign in`
    fn summary(&self) -> String {
        let (all, allowed) = (self.rows.len(), self.count(Verdict::Allowed));
        let denied = self.count(Verdict::Denied);
        let asking = match self.count(Verdict::SignIn) {
            0 => String::new(),
            1 => ", 1 asks to sign in".to_owned(),
            several => format!(", {several} ask to sign in"),
        };
        let all = counted(all, "route", "routes");
        format!("{allowed} of {all} allowed, {denied} denied{asking}")
    }
}
