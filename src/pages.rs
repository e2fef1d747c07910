//! What people see: each page is a plain struct of what there is to say, and a template that says it.
//! Pages decide nothing and ask nobody; whoever serves them fills them in. All text is escaped by the
//! templates. Times are told from the `now` of the frame.

mod activity;
mod asset;
mod confirm;
pub mod console;
mod frame;
mod impersonation;
mod message;
mod moment;
mod onward;
mod person;
mod preview;
mod refusal;
mod security;
mod sessions;
mod sign_in;

pub use activity::{ActivityPage, ActivityRow, Integrity};
pub use asset::{ASSET_HEADERS, Asset, asset};
pub use confirm::{ConfirmPage, Confirmation};
pub use frame::{Acting, Band, Frame, Group, Navigation, Target};
pub use impersonation::{ImpersonationErrors, ImpersonationForm};
pub use message::{Message, MessagePage, SignedOutPage};
pub use onward::OnwardPage;
pub use person::{Claim, Person, PersonPage, Session};
pub use preview::{DecidingRule, PreviewPage, PreviewRow, Verdict};
pub use refusal::RefusalPage;
pub use security::security_headers;
pub use sessions::{Paging, SessionRow, SessionsPage};
pub use sign_in::{SignInPage, SignInTrouble};

/// The field of every form that holds the token against forged requests.
pub const CSRF_FIELD: &str = "csrf";

/// Where the pages are, and where their forms are sent to.
pub mod path {
    /// Who I am.
    pub const PERSON: &str = "/.pomerium/";
    /// The same as JSON.
    pub const USER: &str = "/.pomerium/user";
    /// `GET` asks, `POST` does. Field: `pomerium_redirect_uri`, if there is one.
    pub const SIGN_OUT: &str = "/.pomerium/sign_out";
    /// `POST`: ends the own impersonation; also for those who may not impersonate any more.
    pub const STOP: &str = "/.pomerium/impersonation/stop";
    /// `POST`. Fields: `email`, `groups`, `reason`, `duration`.
    pub const IMPERSONATE: &str = "/.pomerium/admin/impersonate";
    /// `POST`, with the same fields.
    pub const PREVIEW: &str = "/.pomerium/admin/preview";
    /// `GET`: the look-ahead. Parameter: `q`. Answers `{people:[{id,email,name,source}],
    /// groups:[{id,name}], total}`.
    pub const PEOPLE: &str = "/.pomerium/admin/people";
    /// `GET`. Parameters: `person`, `impersonating` (`on`), `offset`.
    pub const SESSIONS: &str = "/.pomerium/admin/sessions";
    /// `GET` asks (parameter `session`), `POST` does (field `session`).
    pub const END_SESSION: &str = "/.pomerium/admin/sessions/end";
    /// `GET` asks (parameter `session`), `POST` does (field `session`).
    pub const STOP_SESSION: &str = "/.pomerium/admin/sessions/stop";
    /// `GET`. Parameters: `who`, `before` (a number).
    pub const ACTIVITY: &str = "/.pomerium/admin/activity";
    /// What `asset` serves stands below this.
    pub const ASSETS: &str = "/.pomerium/assets/";
}

/// What is shown if a template cannot be filled, which only running out of memory can bring about.
fn rendered<T: askama::Template>(page: &T) -> String {
    page.render().unwrap_or_else(|_| "<!doctype html><title>Lictor</title>".to_owned())
}
