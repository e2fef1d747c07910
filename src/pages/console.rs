//! The console: what administrators see of machines, namespaces, policies, routes and people, and what
//! they do with them. Each page is a plain struct; every link and form leads to a path below
//! [`path::CONSOLE`].

mod account;
mod account_form;
mod accounts;
mod overview;
mod parts;
pub mod path;
mod shell;
mod token;

pub use account::{
    AccountPage, CredentialRow, DenialRow, DestinationRow, PolicyMentioned, RouteUse, Usage,
    UsageDay,
};
pub use account_form::{AccountEditPage, AccountForm, Expiries, NewAccountPage, PersonShown};
pub use accounts::{AccountRow, AccountsPage};
pub use overview::{Entry, OverviewPage};
pub use parts::{Choice, Mistake, Mistakes, Notice, Pager, Undo};
pub use shell::{Branch, Section, Shell};
pub use token::{AlreadyShownPage, TokenClaim, TokenPage};
