//! Questions about how somebody is signed in.

use super::Finding;
use crate::identity::Identity;
use crate::policy::Reason;
use crate::policy::device::DeviceMatch;
use std::borrow::Cow;

#[derive(Debug)]
pub(crate) enum SessionQuestion {
    /// Whether somebody else acts for this identity.
    Impersonated(bool),
    /// Whether the credential was made for a machine.
    ServiceAccount(bool),
    Device(DeviceMatch),
}

impl SessionQuestion {
    pub(super) fn ask(&self, identity: &Identity) -> Finding<'_> {
        match self {
            Self::Impersonated(wanted) => {
                let acted = identity.actor.is_some();
                let reason = if acted { Reason::Impersonated } else { Reason::NotImpersonated };
                Finding::of(acted == *wanted, reason)
            }
            Self::ServiceAccount(wanted) => {
                let service = identity.session.is_service;
                let reason =
                    if service { Reason::ServiceAccount } else { Reason::NotServiceAccount };
                Finding::of(service == *wanted, reason)
            }
            Self::Device(wanted) => {
                let (holds, reason) = wanted.ask(&identity.session);
                Finding { holds, reason, device: Some(&wanted.kind) }
            }
        }
    }

    pub(super) fn saw(&self, identity: &Identity) -> Cow<'static, str> {
        let text = match self {
            Self::Impersonated(_) if identity.actor.is_some() => "somebody acts as this person",
            Self::Impersonated(_) => "nobody acts as this person",
            Self::ServiceAccount(_) if identity.session.is_service => "a service token",
            Self::ServiceAccount(_) => "a person's session",
            Self::Device(_) if identity.session.devices.is_empty() => "no device",
            Self::Device(_) => "a session with a device",
        };
        text.into()
    }
}
