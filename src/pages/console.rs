//! The console: what administrators see of machines, namespaces, policies, routes and people, and what
//! they do with them. Each page is a plain struct; every link and form leads to a path below
//! [`path::CONSOLE`].

mod account;
mod account_form;
mod accounts;
mod log;
mod namespaces;
mod overview;
pub(in crate::pages) mod parts;
pub mod path;
mod policies;
mod policy_editor;
mod question;
mod routes;
mod shell;
mod simulator;
mod token;
mod users;

pub use account::{
    AccountPage, Bar, CredentialRow, DenialRow, DestinationRow, PolicyMentioned, RouteUse, Usage,
    UsageDay,
};
pub use account_form::{AccountEditPage, AccountForm, Expiries, NewAccountPage, PersonShown};
pub use accounts::{AccountRow, AccountsPage};
pub use log::{Change, DiffLine, EntryPage, LogFilter, LogPage};
pub use namespaces::{
    MoveNamespacePage, MoveShown, NamespaceForm, NamespaceFormPage, NamespacePage, NamespaceRow,
    NamespacesPage, RoleForm, RoleRow,
};
pub use overview::{Entry, OverviewPage};
pub use parts::{Choice, Mistake, Mistakes, Notice, Pager, Undo};
pub use policies::{PoliciesPage, PolicyPage, PolicyRow};
pub use policy_editor::{
    CRITERIA, Criterion, ON_LIST, ON_TEXT, PolicyBody, PolicyEditorPage, PolicyForm, ProblemShown,
    RouteChoice, RuleRow, Takes,
};
pub use question::{NoRolePage, QuestionPage, Thing, TroublePage};
pub use routes::{
    PolicyChoice, RouteForm, RouteFormPage, RoutePage, RouteRow, RouteSettings, RoutesPage,
};
pub use shell::{Branch, Section, Shell};
pub use simulator::{SimulationShown, SimulatorForm, SimulatorPage, StepShown};
pub use token::{AlreadyShownPage, TokenClaim, TokenPage};
pub use users::{FoundPage, UserPage, UserRow, UsersPage};
