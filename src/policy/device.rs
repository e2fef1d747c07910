//! The question about the device somebody signed in with.

use super::Reason;
use crate::identity::{Device, Session};
use std::sync::Arc;

/// What is asked of a device. Conditions that are absent hold.
#[derive(Debug)]
pub(super) struct DeviceMatch {
    /// Which of the devices of a session is meant.
    pub(super) kind: Arc<str>,
    /// Whether one of this kind must be there.
    pub(super) present: bool,
    pub(super) id: Option<String>,
    pub(super) approved: Option<bool>,
}

impl DeviceMatch {
    /// Whether it holds, and the reason.
    pub(super) fn ask(&self, session: &Session) -> (bool, Reason) {
        let device = session.devices.iter().find(|device| device.kind == *self.kind);
        let approved = device.and_then(Device::approved).unwrap_or(false);
        let holds = (!self.present || device.is_some())
            && self.id.as_ref().is_none_or(|id| device.is_some_and(|device| device.id == *id))
            && self.approved.is_none_or(|wanted| wanted == approved);
        let enrolled = device.is_some_and(|device| device.approved().is_some());
        let reason = match (holds, enrolled) {
            (true, _) => Reason::DeviceOk,
            (false, true) => Reason::DeviceUnauthorized,
            (false, false) => Reason::DeviceUnauthenticated,
        };
        (holds, reason)
    }
}
