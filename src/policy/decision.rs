//! The answer to a request: allow with its proof, or deny with its reason.

use super::evaluate::Grant;
use super::reason::Reason;
use crate::identity::TokenError;

/// What was decided.
#[derive(Debug)]
pub enum Decision {
    Allow(Grant),
    Deny(Denial),
}

/// A refusal. Anyone may make one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub reason: DenyReason,
}

impl Denial {
    pub fn new(reason: DenyReason) -> Self {
        Self { reason }
    }
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// It cannot be read in one way only.
    Malformed(String),
    /// No route serves this host and path.
    NoRoute,
    /// Envoy named a route that does not serve this host and path.
    RouteMismatch,
    /// A valid client certificate is needed.
    ClientCertificate,
    /// Somebody must be signed in, and nobody is; with what was wrong with the credential, if one
    /// was presented.
    Unauthenticated(Option<TokenError>),
    /// The caller asks to act as somebody else and may not.
    ImpersonationNotPermitted,
    /// A device of this kind must be registered, and none is.
    DeviceUnauthenticated(String),
    /// The registered device will not do.
    DeviceUnauthorized,
    /// Policy says no.
    Forbidden,
    /// A service account asks for a route that is not in its namespace.
    OutOfNamespace,
    /// A fault of ours. Refused, because nothing was decided.
    Fault,
}

impl DenyReason {
    /// Every code, sorted.
    pub const CODES: [&str; 11] = [
        "client-certificate",
        "device-unauthenticated",
        "device-unauthorized",
        "fault",
        "forbidden",
        "impersonation-not-permitted",
        "malformed-request",
        "route-mismatch",
        "route-not-found",
        "service-account-out-of-namespace",
        "unauthenticated",
    ];

    /// The reason that alone brings this about, whatever rules hold; `None` if rules decide.
    pub fn asked_by(&self) -> Option<Reason> {
        match self {
            Self::Unauthenticated(_) | Self::ImpersonationNotPermitted => {
                Some(Reason::UserUnauthenticated)
            }
            Self::DeviceUnauthenticated(_) => Some(Reason::DeviceUnauthenticated),
            Self::Malformed(_)
            | Self::NoRoute
            | Self::RouteMismatch
            | Self::ClientCertificate
            | Self::DeviceUnauthorized
            | Self::Forbidden
            | Self::OutOfNamespace
            | Self::Fault => None,
        }
    }

    /// The HTTP status of the answer; a browser that is not signed in is sent to sign in instead.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) => 400,
            Self::Unauthenticated(_) | Self::DeviceUnauthenticated(_) => 401,
            Self::RouteMismatch
            | Self::ImpersonationNotPermitted
            | Self::Forbidden
            | Self::OutOfNamespace => 403,
            Self::NoRoute => 404,
            Self::DeviceUnauthorized => 450,
            Self::ClientCertificate => 495,
            Self::Fault => 500,
        }
    }

    /// The stable code in logs, metrics and dynamic metadata.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed-request",
            Self::NoRoute => "route-not-found",
            Self::RouteMismatch => "route-mismatch",
            Self::ClientCertificate => "client-certificate",
            Self::Unauthenticated(_) => "unauthenticated",
            Self::ImpersonationNotPermitted => "impersonation-not-permitted",
            Self::DeviceUnauthenticated(_) => "device-unauthenticated",
            Self::DeviceUnauthorized => "device-unauthorized",
            Self::Forbidden => "forbidden",
            Self::OutOfNamespace => "service-account-out-of-namespace",
            Self::Fault => "fault",
        }
    }
}
