//! What stands around every page: the word mark, who is signed in, the way to the other pages, and
//! the band that says as whom one acts.

use super::console::Shell;
use super::console::path::CONSOLE;
use super::moment::Moment;
use super::path;
use crate::time::Timestamp;
use std::time::Duration;

/// What every page needs besides its own content.
#[derive(Clone, Debug)]
pub struct Frame {
    pub now: Timestamp,
    /// How the one who is signed in is called: e-mail address, else user id. Empty for nobody.
    pub signed_in_as: String,
    /// As whom they act, or why not.
    pub band: Option<Band>,
    pub navigation: Navigation,
    /// Whether there is a way to the console from here.
    pub console: bool,
    /// What forms of this session send along. Never put into an address.
    pub csrf: String,
    /// What stands around pages of the console, instead of the navigation.
    pub shell: Option<Box<Shell>>,
}

/// To which pages there is a way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Navigation {
    Nobody,
    Person,
    Administrator,
}

/// What the band over the page says. There is a way to stop in either case.
#[derive(Clone, Debug)]
pub enum Band {
    /// Somebody else is acted as.
    Acting(Acting),
    /// It would be, but the right to it is lost. The sentence says why.
    Refused { target: Target, why: String },
}

/// Acting as somebody else.
#[derive(Clone, Debug)]
pub struct Acting {
    pub target: Target,
    /// Empty if none was given.
    pub reason: String,
    pub until: Timestamp,
}

/// As whom somebody acts: a person, groups, or a person with other groups.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// Empty for nobody in particular.
    pub email: String,
    /// What was asked for; empty for the person's own.
    pub groups: Vec<Group>,
}

/// A group, as people know it and as policies do.
#[derive(Clone, Debug, Default)]
pub struct Group {
    pub id: String,
    /// Empty if nobody says.
    pub name: String,
}

/// An end that is closer than this is near.
const NEAR: Duration = Duration::from_hours(14 * 24);

/// Where in the navigation a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Elsewhere,
    Person,
    Sessions,
    Activity,
}

pub(super) struct Entry {
    pub(super) label: &'static str,
    pub(super) href: &'static str,
    pub(super) current: bool,
}

impl Frame {
    /// Nothing if there is only one page to go to.
    pub(super) fn entries(&self, place: Place) -> Vec<Entry> {
        let entry = |label, href, there| Entry { label, href, current: place == there };
        let own = entry("My page", path::PERSON, Place::Person);
        let mut entries = match self.navigation {
            Navigation::Nobody => return Vec::new(),
            Navigation::Person => vec![own],
            Navigation::Administrator => vec![
                own,
                entry("Sessions", path::SESSIONS, Place::Sessions),
                entry("Activity", path::ACTIVITY, Place::Activity),
            ],
        };
        if self.console {
            entries.push(Entry { label: "Console", href: CONSOLE, current: false });
        }
        if entries.len() > 1 { entries } else { Vec::new() }
    }

    /// The namespace that is looked at in the console.
    pub(super) fn namespace_id(&self) -> &str {
        self.shell.as_ref().map(|shell| shell.namespace.id.as_str()).unwrap_or_default()
    }

    pub(super) fn is_somebody(&self) -> bool {
        self.navigation != Navigation::Nobody
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
impl Frame {
    pub(super) fn moment(&self, at: &Timestamp) -> Moment {
        Moment::new(*at, self.now)
    }

    pub(super) fn left(&self, until: &Timestamp) -> Moment {
        Moment::left(*until, self.now)
    }

    pub(super) fn wait(&self, until: &Timestamp) -> Moment {
        Moment::wait(*until, self.now)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
impl Frame {
    /// How near an end is: `over`, `near` or nothing.
    pub(super) fn nearness(&self, end: &Timestamp) -> &'static str {
        if *end <= self.now {
            "over"
        } else if *end <= self.now.plus(NEAR) {
            "near"
        } else {
            ""
        }
    }

    /// Date and time as forms take it, UTC.
    pub(super) fn clock(&self) -> String {
        super::moment::minute(self.now)
    }
}

impl Target {
    /// Names of the groups, or their ids.
    pub(super) fn group_names(&self) -> String {
        self.groups.iter().map(Group::called).collect::<Vec<_>>().join(", ")
    }
}

impl Group {
    pub(super) fn called(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// An address to go to: a path of this host, or a full `http` or `https` address. Anything else, such
/// as a script, becomes the way to the own page.
pub(super) fn followed(address: &str) -> &str {
    let here = address.starts_with('/') && !address.starts_with("//") && !address.contains('\\');
    let web = ["https://", "http://"].iter().any(|scheme| address.starts_with(scheme));
    if here || web { address } else { path::PERSON }
}

/// The beginning of a long name, enough to tell it from others.
pub(super) fn shortened(id: &str) -> String {
    const KEPT: usize = 12;
    match id.char_indices().nth(KEPT + 1) {
        None => id.to_owned(),
        Some(_) => id.chars().take(KEPT).chain(['…']).collect(),
    }
}

/// The beginning and the end of a long name: such as `build-bot@21c19…ab.pomerium`.
pub(super) fn middle(id: &str) -> String {
    const BEFORE: usize = 20;
    const AFTER: usize = 9;
    let length = id.chars().count();
    if length <= BEFORE + AFTER + 1 {
        return id.to_owned();
    }
    let before = id.chars().take(BEFORE);
    before.chain(['…']).chain(id.chars().skip(length - AFTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::{followed, shortened};

    #[test]
    fn long_names_are_shortened() {
        assert_eq!(shortened("ses_0f1e2d3c4b5a69788796a5b4c3d2e1f0"), "ses_0f1e2d3c…");
        assert_eq!(shortened("123456789012"), "123456789012");
        assert_eq!(shortened("1234567890123"), "1234567890123");
        assert_eq!(shortened(""), "");
    }

    #[test]
    fn only_addresses_of_the_web_are_followed() {
        for good in ["/a?b=c", "https://app.example.com/", "http://app.localhost:8080/x"] {
            assert_eq!(followed(good), good);
        }
        let bad =
            ["javascript:alert(1)", "//evil.test", "/\\evil.test", "data:text/html,x", "", "a"];
        for bad in bad {
            assert_eq!(followed(bad), "/.pomerium/", "{bad}");
        }
    }
}
