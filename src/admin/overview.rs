//! How things stand, at a glance.

use super::world::Depth;
use super::{ActivityWanted, Actor, Admin, AdminError};
use crate::activity::Entry;
use crate::id::NamespaceId;
use crate::store::AccountTally;
use crate::time::Timestamp;

/// How things stand in a namespace and below.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    pub accounts: AccountTally,
    /// The last ten entries that `by` may see.
    pub entries: Vec<Entry>,
    /// People the directory knows.
    pub people: usize,
    /// Stored policies that do not compile, by name.
    pub broken_policies: Vec<String>,
}

/// So many entries are shown.
const ENTRIES: usize = 10;

impl Admin {
    /// # Errors
    /// It is not there, or not to be seen.
    pub async fn overview(
        &self,
        by: &Actor,
        namespace: &NamespaceId,
        now: Timestamp,
    ) -> Result<Overview, AdminError> {
        let world = self.world();
        let asked = world.asked(by, Some(namespace), Depth::WithBelow)?;
        let broken = world.stored().policies.iter().filter(|policy| {
            let place = asked.as_ref().is_none_or(|ids| ids.contains(&policy.namespace));
            place && world.catalog().broken.contains_key(policy.id.as_str())
        });
        let which = ActivityWanted {
            namespace: Some(namespace.clone()),
            recursive: true,
            limit: ENTRIES,
            ..ActivityWanted::default()
        };
        Ok(Overview {
            accounts: self.store().tally(asked.as_ref(), now).await?,
            entries: self.entries(by, &which).await?,
            people: world.directory().len(),
            broken_policies: broken.map(|policy| policy.name.clone()).collect(),
        })
    }
}
