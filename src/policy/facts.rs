//! Everything a criterion may look at, and nothing else.

use crate::identity::Person;
use crate::request::Request;
use crate::time::Timestamp;
use std::net::IpAddr;

/// One question: a request, and the person asking, if somebody is.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// Request method as sent; empty for a TCP connection.
    pub method: &'a str,
    /// Path without query, percent-decoded once; empty if there is none.
    pub path: &'a str,
    pub source_ip: Option<IpAddr>,
    pub cors_preflight: bool,
    pub person: Option<&'a Person>,
    /// Compare e-mail and domain with ASCII case folded (`case_insensitive_email`).
    pub fold_email: bool,
    pub now: Timestamp,
}

impl<'a> Facts<'a> {
    pub fn new(
        request: &'a Request,
        person: Option<&'a Person>,
        fold_email: bool,
        now: Timestamp,
    ) -> Self {
        Self {
            method: &request.method,
            path: request.target.as_ref().map_or("", |target| target.path.decoded()),
            source_ip: request.source_ip,
            cors_preflight: request.is_cors_preflight(),
            person,
            fold_email,
            now,
        }
    }
}
