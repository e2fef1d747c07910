//! What stands around every page of the console: where one is, where one can go, who one is.

use super::path;
use crate::namespace::Role;

/// Around a page of the console.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    pub section: Section,
    /// To which there is a way, in their order.
    pub sections: Vec<Section>,
    /// The namespace that is looked at.
    pub namespace: Branch,
    /// All that may be seen, parents before children.
    pub tree: Vec<Branch>,
    pub user_id: String,
    /// What was searched for.
    pub sought: String,
}

/// A namespace in the picker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Branch {
    pub id: String,
    pub name: String,
    /// Such as `Global / Design`.
    pub path: String,
    /// 0 for Global.
    pub depth: usize,
    /// `None` for one that is only on the way to others.
    pub role: Option<Role>,
}

impl Branch {
    /// The path without its end, the name.
    pub(in crate::pages) fn over(&self) -> &str {
        self.path.strip_suffix(&self.name).unwrap_or_default()
    }
}

/// A part of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Section {
    #[default]
    Overview,
    Accounts,
    Namespaces,
    Policies,
    Routes,
    Simulator,
    Activity,
    Users,
    /// In no other one.
    Elsewhere,
}

impl Section {
    /// Those that there is a way to.
    pub const ALL: [Self; 8] = [
        Self::Overview,
        Self::Accounts,
        Self::Namespaces,
        Self::Policies,
        Self::Routes,
        Self::Simulator,
        Self::Activity,
        Self::Users,
    ];

    pub(in crate::pages) fn label(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Accounts => "Service accounts",
            Self::Namespaces => "Namespaces",
            Self::Policies => "Policies",
            Self::Routes => "Routes",
            Self::Simulator => "Simulator",
            Self::Activity => "Activity",
            Self::Users => "People",
            Self::Elsewhere => "",
        }
    }

    /// The way there.
    pub(in crate::pages) fn path(self) -> &'static str {
        match self {
            Self::Overview => path::CONSOLE,
            Self::Accounts => path::ACCOUNTS,
            Self::Namespaces => path::NAMESPACES,
            Self::Policies => path::POLICIES,
            Self::Routes => path::ROUTES,
            Self::Simulator => path::SIMULATOR,
            Self::Activity => path::ACTIVITY,
            Self::Users => path::USERS,
            Self::Elsewhere => path::SEARCH,
        }
    }

    /// What leads there after `g`.
    pub(in crate::pages) fn key(self) -> &'static str {
        match self {
            Self::Overview => "o",
            Self::Accounts => "s",
            Self::Namespaces => "n",
            Self::Policies => "p",
            Self::Routes => "r",
            Self::Simulator => "w",
            Self::Activity => "a",
            Self::Users => "u",
            Self::Elsewhere => "",
        }
    }

    /// Whether it shows one namespace at a time.
    fn is_by_namespace(self) -> bool {
        match self {
            Self::Overview | Self::Accounts | Self::Policies | Self::Routes | Self::Activity => {
                true
            }
            Self::Namespaces | Self::Simulator | Self::Users | Self::Elsewhere => false,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
impl Shell {
    pub(in crate::pages) fn is_here(&self, section: &Section) -> bool {
        self.section == *section
    }

    /// The list of the section one is in.
    pub fn list(&self) -> &'static str {
        self.section.path()
    }

    /// What is here, for another namespace: the list if there is one, else the overview.
    pub(in crate::pages) fn switch(&self, id: &str) -> String {
        let section = if self.section.is_by_namespace() { self.section } else { Section::Overview };
        path::with(section.path(), [("ns", id)])
    }
}

impl Branch {
    /// How far it stands to the right.
    pub(in crate::pages) fn indent(&self) -> String {
        format!("in-{}", self.depth.min(15))
    }
}
