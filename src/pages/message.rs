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
        match self {
            Self::LinkExpired | Self::LinkUsed | Self::LinkInvalid => 400,
            Self::FormRefused | Self::NotPermitted | Self::ProviderRefused => 403,
            Self::SignInNeeded => 401,
            Self::ProviderWrong => 502,
            Self::ProviderAway | Self::StoreAway => 503,
            Self::TooLarge => 413,
            Self::MethodRefused => 405,
            Self::NotFound => 404,
            Self::Fault => 500,
        }
    }

    /// What has happened.
    fn title(self) -> &'static str {
        match self {
            Self::LinkExpired => "This link has expired",
            Self::LinkUsed => "This link has been used",
            Self::LinkInvalid => "This link cannot be used",
            Self::FormRefused => "Nothing was changed",
            Self::SignInNeeded => "You are not signed in",
            Self::NotPermitted => "You may not do this",
            Self::ProviderRefused | Self::ProviderWrong => "You were not signed in",
            Self::ProviderAway => "Sign-in does not work right now",
            Self::StoreAway => "This does not work right now",
            Self::TooLarge => "That was too much",
            Self::MethodRefused => "That is not how this page works",
            Self::NotFound => "There is no such page",
            Self::Fault => "Something went wrong",
        }
    }

    /// Why, as far as it can be said.
    fn sentence(self) -> &'static str {
        match self {
            Self::LinkExpired => "It was good for a few minutes only.",
            Self::LinkUsed => "It works once, and somebody or something has opened it already.",
            Self::LinkInvalid => "It is not as we wrote it, or it began in another browser.",
            Self::FormRefused => {
                "The form was open for too long, or it did not come from this site."
            }
            Self::SignInNeeded => "This page is only for people who are signed in.",
            Self::NotPermitted => "This is for administrators.",
            Self::ProviderRefused => "The identity provider did not let you in.",
            Self::ProviderWrong => "The identity provider sent an answer that cannot be trusted.",
            Self::ProviderAway => "The identity provider does not answer.",
            Self::StoreAway => {
                "The place where sessions are kept does not answer. Nothing was changed."
            }
            Self::TooLarge => {
                "What was sent is larger than anything expected here. Nothing was changed."
            }
            Self::MethodRefused => "It cannot be asked in this way. Nothing was changed.",
            Self::NotFound => "Nothing is at this address.",
            Self::Fault => "It is a fault on our side. Nothing was let through.",
        }
    }

    /// What to do now.
    fn next(self) -> &'static str {
        match self {
            Self::LinkExpired | Self::LinkUsed | Self::LinkInvalid => {
                "Go back to the page you wanted and start again."
            }
            Self::FormRefused => "Load the page again and repeat what you did.",
            Self::SignInNeeded => "Sign in, and you will come back here.",
            Self::NotPermitted => "If you should be one, ask an administrator.",
            Self::ProviderRefused => {
                "Try again, perhaps with another account. If it stays so, ask an administrator."
            }
            Self::ProviderWrong | Self::Fault => {
                "Try again. If it stays so, tell an administrator and quote the request."
            }
            Self::ProviderAway | Self::StoreAway => "Try again in a minute.",
            Self::TooLarge => "Go back and shorten it.",
            Self::MethodRefused => "Open the page and use what is on it.",
            Self::NotFound => "Check the address, or go to your page.",
        }
    }

    /// Where the way leads.
    fn button(self) -> &'static str {
        match self {
            Self::LinkExpired | Self::LinkUsed | Self::LinkInvalid => "Start again",
            Self::FormRefused => "Load again",
            Self::SignInNeeded => "Sign in",
            Self::NotPermitted | Self::MethodRefused | Self::NotFound => "Go to your page",
            Self::ProviderRefused
            | Self::ProviderWrong
            | Self::ProviderAway
            | Self::StoreAway
            | Self::Fault => "Try again",
            Self::TooLarge => "Go back",
        }
    }
}

impl MessagePage {
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
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
    const PLACE: Place = Place::Elsewhere;

    pub fn render(&self) -> String {
        rendered(self)
    }

    fn href(&self) -> &str {
        followed(&self.sign_in)
    }
}
