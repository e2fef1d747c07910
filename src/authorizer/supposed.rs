//! What somebody supposes of a request that nobody has sent.

use crate::identity::Caller;
use crate::policy::{Facts, SshFacts};
use crate::record::DataSources;
use crate::service_account::Machine;
use std::sync::Arc;

/// What is supposed instead of being read from a request.
#[derive(Debug, Default)]
pub struct Supposed {
    /// Who asks; `None` leaves it to the credential in the request.
    pub caller: Option<Caller>,
    /// The machine that `caller` is, if it is one.
    pub machine: Option<Arc<Machine>>,
    /// External records instead of the configured ones.
    pub records: Option<DataSources>,
    pub ssh: Option<SshFacts>,
}

impl Supposed {
    pub(super) fn facts<'a>(&'a self, facts: Facts<'a>) -> Facts<'a> {
        let records = self.records.as_ref().or(facts.records);
        Facts { records, ssh: self.ssh.as_ref(), ..facts }
    }
}
