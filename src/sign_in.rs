//! The steps of a sign-in between hosts, as values: what a signed link asks for, an attempt under way
//! at a provider, and the code that gives a route host its own cookie. Nothing is kept for visitors
//! who may never come back: what has to be remembered travels sealed, bound to their browser.

mod link;
mod sealed;

pub use link::{
    Callback, Goal, LinkError, SignInWish, callback_begin, callback_of, callback_with, page_of,
    page_of_expired, read_callback, read_goal, same_host, sign_in_link,
};
pub use sealed::{Attempt, BrowserKey, Code, Sealers};
