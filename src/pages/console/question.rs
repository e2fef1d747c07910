//! A question before something that cannot be taken back; what went wrong; and who may not look.

use super::parts::Mistakes;
use crate::pages::frame::{Frame, Place, followed};
use crate::pages::rendered;
use askama::Template;

/// Asks once more.
#[derive(Clone, Debug, Template)]
#[template(path = "console/question.html", config = ".askama.toml")]
pub struct QuestionPage {
    pub frame: Frame,
    /// Such as `Delete build-bot?`
    pub title: String,
    /// What will happen, in sentences.
    pub consequences: Vec<String>,
    /// What stands in the way, or goes with it.
    pub things: Vec<Thing>,
    /// What those are.
    pub heading: String,
    /// A box to tick, by name and label; what is asked happens to the things, too.
    pub along: Option<(String, String)>,
    /// What has to be typed into the field `typed`; empty for nothing.
    pub typed: String,
    /// Whether a reason may be given, in the field `reason`.
    pub asks_reason: bool,
    /// Sent along.
    pub hidden: Vec<(String, String)>,
    pub action: String,
    /// The verb, such as `Delete build-bot`. Empty if it cannot be done now.
    pub button: String,
    /// Where the way back leads.
    pub back: String,
    pub mistakes: Mistakes,
}

/// Something that hangs on what is asked about.
#[derive(Clone, Debug)]
pub struct Thing {
    /// Such as `route`.
    pub kind: String,
    pub name: String,
    /// Empty for nowhere.
    pub href: String,
}

/// Something did not work.
#[derive(Clone, Debug, Template)]
#[template(path = "console/trouble.html", config = ".askama.toml")]
pub struct TroublePage {
    pub frame: Frame,
    /// The HTTP status.
    pub status: u16,
    pub title: String,
    pub sentence: String,
    /// Where to go: label and address, the most likely first.
    pub ways: Vec<(String, String)>,
    /// What to quote; empty for nothing.
    pub request_id: String,
}

/// For somebody who has no role anywhere.
#[derive(Clone, Debug, Template)]
#[template(path = "console/no_role.html", config = ".askama.toml")]
pub struct NoRolePage {
    pub frame: Frame,
    pub user_id: String,
}

impl QuestionPage {
    const PLACE: Place = Place::Elsewhere;

    /// A question with nothing in it yet.
    pub fn about(frame: Frame) -> Self {
        Self {
            frame,
            title: String::new(),
            consequences: Vec::new(),
            things: Vec::new(),
            heading: String::new(),
            along: None,
            typed: String::new(),
            asks_reason: false,
            hidden: Vec::new(),
            action: String::new(),
            button: String::new(),
            back: String::new(),
            mistakes: Mistakes::default(),
        }
    }

    pub fn render(&self) -> String {
        rendered(self)
    }
}

impl TroublePage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn first(&self) -> Option<(&str, &str)> {
        self.ways.first().map(|(label, address)| (label.as_str(), followed(address)))
    }

    fn others(&self) -> Vec<(&str, &str)> {
        let others = self.ways.iter().skip(1);
        others.map(|(label, address)| (label.as_str(), followed(address))).collect()
    }
}

impl NoRolePage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }
}
