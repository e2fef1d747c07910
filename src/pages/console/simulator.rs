//! What would be answered, and why.

use super::parts::Mistakes;
use super::path;
use crate::admin::StepOutcome;
use crate::pages::frame::{Frame, Place};
use crate::pages::rendered;
use askama::Template;

/// Asks by hand. Parameters, and fields: `who` (`account`, `user`, `anonymous`; by `POST` alone
/// `token`), `account`, `user`, `token`, `method`, `url`, `ip`, `time`, `groups`.
#[derive(Clone, Debug, Template)]
#[template(path = "console/simulator.html", config = ".askama.toml")]
pub struct SimulatorPage {
    pub frame: Frame,
    pub form: SimulatorForm,
    pub answer: Option<SimulationShown>,
    pub mistakes: Mistakes,
}

/// What was typed; a token is never shown again.
#[derive(Clone, Debug, Default)]
pub struct SimulatorForm {
    pub who: String,
    pub account: String,
    pub user: String,
    pub method: String,
    pub url: String,
    pub ip: String,
    pub time: String,
    pub groups: String,
}

/// The answer and the way to it.
#[derive(Clone, Debug, Default)]
pub struct SimulationShown {
    pub allowed: bool,
    /// The code of the refusal.
    pub reason: String,
    pub status: u16,
    /// Empty for none.
    pub route: String,
    /// Path.
    pub namespace: String,
    pub steps: Vec<StepShown>,
    pub set_headers: Vec<(String, String)>,
    pub removed_headers: Vec<String>,
    /// The same request, to be sent.
    pub curl: String,
    /// The address of this page; empty for a token, which stands in no address.
    pub link: String,
}

/// A step of the way.
#[derive(Clone, Debug)]
pub struct StepShown {
    pub depth: u8,
    pub what: String,
    pub outcome: StepOutcome,
    pub detail: String,
    /// It decided.
    pub decisive: bool,
}

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl SimulatorPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }
}

impl SimulatorForm {
    fn is_by(&self, who: &str) -> bool {
        self.who == who || (self.who.is_empty() && who == "account")
    }

    fn has_method(&self, method: &&str) -> bool {
        self.method == **method
    }

    fn has_more(&self) -> bool {
        !self.ip.is_empty() || !self.time.is_empty() || !self.groups.is_empty()
    }
}

impl SimulationShown {
    pub(in crate::pages) fn route_href(&self) -> String {
        path::route(&self.route, "")
    }
}

impl StepShown {
    pub(in crate::pages) fn mark(&self) -> &'static str {
        match self.outcome {
            StepOutcome::Pass => "yes",
            StepOutcome::Fail => "no",
            StepOutcome::Neutral => "open",
        }
    }

    pub(in crate::pages) fn word(&self) -> &'static str {
        match self.outcome {
            StepOutcome::Pass => "holds",
            StepOutcome::Fail => "does not hold",
            StepOutcome::Neutral => "without weight",
        }
    }

    pub(in crate::pages) fn indent(&self) -> String {
        format!("in-{}", self.depth.min(15))
    }
}
