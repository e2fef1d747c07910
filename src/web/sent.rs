//! The body of a form, no longer than forms are.

use super::answer::Trouble;
use super::site::Site;
use super::visit::Visit;
use crate::pages::Message;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use std::fmt;
use std::sync::Arc;

/// What was sent along; a password may stand in it.
pub(crate) struct Sent(pub(crate) Bytes);

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sent({} bytes)", self.0.len())
    }
}

impl FromRequest<Arc<Site>> for Sent {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Self::Rejection> {
        let (mut parts, body) = request.into_parts();
        let visit = Visit::from_request_parts(&mut parts, site).await?;
        let body = Bytes::from_request(Request::from_parts(parts, body), site).await;
        body.map(Self).map_err(|_| visit.trouble(Trouble::of(Message::TooLarge)))
    }
}
