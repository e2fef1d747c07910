//! One thing to say, and where to go from here: errors of our own pages, and the end of a session.

use super::frame::{Frame, Place, followed};
use super::rendered;
use askama::Template;

/// Something did not work.
#[derive(Clone, Debug, Template)]
#[template(path = "message.html", config = ".askama.toml")]
pub struct MessagePage {
    pub frame: Frame,
    pub message: Message,
    /// What to quote to an administrator; empty for nothing.
    pub request_id: String,
    /// What somebody who looks into it wants to know, such as the error code of the provider. Nothing
    /// secret; empty for nothing.
    pub detail: String,
    /// Where to begin again: an address of ours. Empty for the own page.
    pub again: String,
}

/// What is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Message {
    /// A signed address is too old.
    LinkExpired,
    /// A one-time address was used before.
    LinkUsed,
    /// A signed address was changed, or belongs to another browser.
    LinkInvalid,
    /// The form does not come from a page of ours, or its token is old.
    FormRefused,
    /// One must be signed in, and is not.
    SignInNeeded,
    /// Only administrators may.
    NotPermitted,
    /// The provider did not let the person in.
    ProviderRefused,
    /// What the provider sent cannot be trusted.
    ProviderWrong,
    /// The provider does not answer.
    ProviderAway,
    /// The store does not answer.
    StoreAway,
    TooLarge,
    /// Of a request by this method.
    MethodRefused,
    NotFound,
    Fault,
}

/// What is said about a message.
struct Words {
    status: u16,
    title: &'static str,
    sentence: &'static str,
    next: &'static str,
    button: &'static str,
}

impl Message {
    pub const ALL: [Self; 14] = [
        Self::LinkExpired,
        Self::LinkUsed,
        Self::LinkInvalid,
        Self::FormRefused,
        Self::SignInNeeded,
        Self::NotPermitted,
        Self::ProviderRefused,
        Self::ProviderWrong,
        Self::ProviderAway,
        Self::StoreAway,
        Self::TooLarge,
        Self::MethodRefused,
        Self::NotFound,
        Self::Fault,
    ];

    /// The HTTP status it goes with.
    pub fn status(self) -> u16 {
        self.words().status
    }

    fn words(self) -> Words {
        let (status, title, sentence, next, button) = match self {
            Self::LinkExpired => (
                400,
                "This link has expired",
                "It was good for a few minutes only.",
                "Go back to the page you wanted and start again.",
                "Start again",
            ),
            Self::LinkUsed => (
                400,
                "This link has been used",
                "It works once, and somebody or something has opened it already.",
                "Go back to the page you wanted and start again.",
                "Start again",
            ),
            Self::LinkInvalid => (
                400,
                "This link cannot be used",
                "It is not as we wrote it, or it began in another browser.",
                "Go back to the page you wanted and start again.",
                "Start again",
            ),
            Self::FormRefused => (
                403,
                "Nothing was changed",
                "The form was open for too long, or it did not come from this site.",
                "Load the page again and repeat what you did.",
                "Load again",
            ),
            Self::SignInNeeded => (
                401,
                "You are not signed in",
                "This page is only for people who are signed in.",
                "Sign in, and you will come back here.",
                "Sign in",
            ),
            Self::NotPermitted => (
                403,
                "You may not do this",
                "This is for administrators.",
                "If you should be one, ask an administrator.",
                "Go to your page",
            ),
            Self::ProviderRefused => (
                403,
                "You were not signed in",
                "The identity provider did not let you in.",
                "Try again, perhaps with another account. If it stays so, ask an administrator.",
                "Try again",
            ),
            Self::ProviderWrong => (
                502,
                "You were not signed in",
                "The identity provider sent an answer that cannot be trusted.",
                "Try again. If it stays so, tell an administrator and quote the request.",
                "Try again",
            ),
            Self::ProviderAway => (
                503,
                "Sign-in does not work right now",
                "The identity provider does not answer.",
                "Try again in a minute.",
                "Try again",
            ),
            Self::StoreAway => (
                503,
                "This does not work right now",
                "The place where sessions are kept does not answer. Nothing was changed.",
                "Try again in a minute.",
                "Try again",
            ),
            Self::TooLarge => (
                413,
                "That was too much",
                "What was sent is larger than anything expected here. Nothing was changed.",
                "Go back and shorten it.",
                "Go back",
            ),
            Self::MethodRefused => (
                405,
                "That is not how this page works",
                "It cannot be asked in this way. Nothing was changed.",
                "Open the page and use what is on it.",
                "Go to your page",
            ),
            Self::NotFound => (
                404,
                "There is no such page",
                "Nothing is at this address.",
                "Check the address, or go to your page.",
                "Go to your page",
            ),
            Self::Fault => (
                500,
                "Something went wrong",
                "It is a fault on our side. Nothing was let through.",
                "Try again. If it stays so, tell an administrator and quote the request.",
                "Try again",
            ),
        };
        Words { status, title, sentence, next, button }
    }
}

impl MessagePage {
    pub fn render(&self) -> String {
        rendered(self)
    }

    fn place(&self) -> Place {
        Place::Elsewhere
    }

    fn words(&self) -> Words {
        self.message.words()
    }

    fn href(&self) -> &str {
        followed(&self.again)
    }
}

/// The session is over.
#[derive(Clone, Debug, Template)]
#[template(path = "signed_out.html", config = ".askama.toml")]
pub struct SignedOutPage {
    pub frame: Frame,
    /// Where to sign in again; empty for nowhere.
    pub sign_in: String,
    /// Where one may still be signed in: the provider's host. Empty if it was told, or is ours.
    pub provider: String,
}

impl SignedOutPage {
    pub fn render(&self) -> String {
        rendered(self)
    }

    fn href(&self) -> &str {
        followed(&self.sign_in)
    }

    fn place(&self) -> Place {
        Place::Elsewhere
    }
}
