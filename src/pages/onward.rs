//! A page that leads on by itself.

use super::frame::{Frame, Place, followed};
use super::rendered;
use askama::Template;

/// Leads on to another host after a form was sent.
///
/// Browsers hold every redirect that follows a form against `form-action`, also those of the
/// application one lands on, whose hosts nobody here knows. A page that leads on begins anew.
#[derive(Clone, Debug, Template)]
#[template(path = "onward.html", config = ".askama.toml")]
pub struct OnwardPage {
    pub frame: Frame,
    /// The address to go to. Must be `http` or `https`; whoever fills it in has judged it.
    pub target: String,
    /// How the place is called: its host.
    pub host: String,
}

impl OnwardPage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn href(&self) -> &str {
        followed(&self.target)
    }
}
