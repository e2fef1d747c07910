//! The tree, as it is asked: what is above, what is below, and who may do what where.

use super::{
    LifetimeRules, MAX_DEPTH, Made, NamespaceName, NamespaceRecord, Permission, Role, Subject,
};
use crate::id::NamespaceId;
use crate::time::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// All namespaces that hang together with Global, and the roles given in them.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: BTreeMap<NamespaceId, Node>,
    permissions: Vec<Permission>,
}

#[derive(Clone, Debug)]
struct Node {
    record: NamespaceRecord,
    /// From itself up to Global.
    line: Vec<NamespaceId>,
}

/// Whom roles are looked up for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    pub user: String,
    pub groups: Vec<String>,
    /// An administrator everywhere, by the configuration.
    pub everywhere: bool,
}

/// What somebody may do in each namespace.
#[derive(Clone, Debug)]
pub struct Roles<'t> {
    tree: &'t Tree,
    /// The highest role given right there.
    given: BTreeMap<&'t NamespaceId, Role>,
    everywhere: bool,
}

impl Roles<'_> {
    /// The highest role there, given there or further up.
    pub fn role(&self, id: &NamespaceId) -> Option<Role> {
        let line = self.tree.line(id);
        if self.everywhere && !line.is_empty() {
            return Some(Role::Admin);
        }
        line.iter().filter_map(|id| self.given.get(id).copied()).max()
    }

    /// Where that role was given, nearest; `None` if by the configuration.
    pub fn given_in(&self, id: &NamespaceId) -> Option<&NamespaceId> {
        let role = self.role(id);
        self.tree.line(id).iter().find(|id| self.given.get(id).copied() == role && role.is_some())
    }

    /// The highest role anywhere.
    pub fn highest(&self) -> Option<Role> {
        let given = self.given.iter().filter(|(id, _)| self.tree.get(id).is_some());
        let highest = given.map(|(_, role)| *role).max();
        if self.everywhere { Some(Role::Admin) } else { highest }
    }

    /// Whether there is a role anywhere.
    pub fn is_any(&self) -> bool {
        self.highest().is_some()
    }
}

impl Default for Tree {
    fn default() -> Self {
        Self::new(Vec::new(), Vec::new())
    }
}

impl Tree {
    /// Hangs up whatever leads to Global within [`MAX_DEPTH`] steps. SECURITY: what does not, because a
    /// parent is missing or the line is a ring, is in no namespace at all: nothing reaches into it.
    pub fn new(records: Vec<NamespaceRecord>, permissions: Vec<Permission>) -> Self {
        let mut all: BTreeMap<NamespaceId, NamespaceRecord> =
            records.into_iter().map(|record| (record.id.clone(), record)).collect();
        let root = all.remove(&NamespaceId::global()).unwrap_or_else(global);
        all.insert(NamespaceId::global(), NamespaceRecord { parent: None, ..root });
        let line_of = |id: &NamespaceId| {
            let mut line = vec![id.clone()];
            let mut here = all.get(id)?;
            while let Some(parent) = &here.parent {
                if line.len() == MAX_DEPTH {
                    return None;
                }
                line.push(parent.clone());
                here = all.get(parent)?;
            }
            here.id.is_global().then_some(line)
        };
        let lines: Vec<(NamespaceId, Vec<NamespaceId>)> =
            all.keys().filter_map(|id| Some((id.clone(), line_of(id)?))).collect();
        let nodes = lines.into_iter().filter_map(|(id, line)| {
            let record = all.get(&id)?.clone();
            Some((id, Node { record, line }))
        });
        Self { nodes: nodes.collect(), permissions }
    }

    pub fn get(&self, id: &NamespaceId) -> Option<&NamespaceRecord> {
        self.nodes.get(id).map(|node| &node.record)
    }

    /// Every namespace, in the order of ids.
    pub fn all(&self) -> impl Iterator<Item = &NamespaceRecord> {
        self.nodes.values().map(|node| &node.record)
    }

    /// `id` and everything above it, up to Global. Nothing for what is not in the tree.
    pub fn line(&self, id: &NamespaceId) -> &[NamespaceId] {
        self.nodes.get(id).map(|node| node.line.as_slice()).unwrap_or_default()
    }

    /// Whether `inner` is `outer` or below it. Nothing contains what is not in the tree.
    pub fn contains(&self, outer: &NamespaceId, inner: &NamespaceId) -> bool {
        self.line(inner).contains(outer)
    }

    /// Those right below, by name.
    pub fn children(&self, id: &NamespaceId) -> Vec<&NamespaceRecord> {
        let below = self.all().filter(|record| record.parent.as_ref() == Some(id));
        let mut below: Vec<_> = below.collect();
        below.sort_by_key(|record| record.name.folded());
        below
    }

    /// `id` and everything below it, in the order of ids.
    pub fn within(&self, id: &NamespaceId) -> BTreeSet<NamespaceId> {
        let inside = self.nodes.iter().filter(|(_, node)| node.line.contains(id));
        inside.map(|(id, _)| id.clone()).collect()
    }

    /// The way from Global, such as `Global / Design / Web`; the id of what is not in the tree.
    pub fn path(&self, id: &NamespaceId) -> String {
        let names = self.line(id).iter().rev().filter_map(|id| self.get(id));
        let names: Vec<&str> = names.map(|record| record.name.as_str()).collect();
        if names.is_empty() { id.to_string() } else { names.join(" / ") }
    }

    pub fn permissions(&self) -> &[Permission] {
        &self.permissions
    }

    /// The highest role of somebody there, given there or further up.
    pub fn role(&self, who: &Reach, id: &NamespaceId) -> Option<Role> {
        self.roles(who).role(id)
    }

    /// What somebody may do, for those who ask about many namespaces.
    pub fn roles(&self, who: &Reach) -> Roles<'_> {
        let mut given = BTreeMap::new();
        for permission in self.permissions.iter().filter(|permission| who.is(&permission.subject)) {
            let highest = given.entry(&permission.namespace).or_insert(permission.role);
            *highest = permission.role.max(*highest);
        }
        Roles { tree: self, given, everywhere: who.everywhere }
    }

    /// The namespaces where somebody has a role at all.
    pub fn seen_by(&self, who: &Reach) -> BTreeSet<NamespaceId> {
        let roles = self.roles(who);
        self.nodes.keys().filter(|id| roles.role(id).is_some()).cloned().collect()
    }

    /// Every namespace, parents before children and siblings by name.
    pub fn in_order(&self) -> Vec<&NamespaceRecord> {
        let mut below = BTreeMap::<_, Vec<_>>::new();
        for record in self.all() {
            below.entry(record.parent.as_ref()).or_default().push((record.name.folded(), record));
        }
        for siblings in below.values_mut() {
            siblings.sort_by(|(a, _), (b, _)| b.cmp(a));
        }
        let mut ordered = Vec::with_capacity(self.nodes.len());
        let mut next = below.remove(&None).unwrap_or_default();
        while let Some((_, record)) = next.pop() {
            ordered.push(record);
            next.extend(below.remove(&Some(&record.id)).unwrap_or_default());
        }
        ordered
    }

    /// How long accounts may live there: the shortest of all for `longest`; for `required` that they must
    /// end, if that is said anywhere above, else whatever is said.
    pub fn lifetime(&self, id: &NamespaceId) -> LifetimeRules {
        let rules =
            || self.line(id).iter().filter_map(|id| self.get(id)).map(|record| record.lifetime);
        LifetimeRules {
            longest: rules().filter_map(|rules| rules.longest).min(),
            required: rules().filter_map(|rules| rules.required).max(),
        }
    }
}

impl LifetimeRules {
    /// Whether an account that begins now must end.
    pub fn wants_expiry(&self) -> bool {
        self.longest.is_some() || self.required == Some(true)
    }

    /// The latest instant at which it may end.
    pub fn latest(&self, created: Timestamp) -> Option<Timestamp> {
        self.longest.map(|longest: Duration| created.plus(longest))
    }
}

impl Reach {
    /// Whether something given to `subject` is given to them.
    pub fn is(&self, subject: &Subject) -> bool {
        match subject {
            Subject::User(id) => !id.is_empty() && *id == self.user,
            Subject::Group(id) => self.groups.contains(id),
        }
    }
}

fn global() -> NamespaceRecord {
    NamespaceRecord {
        id: NamespaceId::global(),
        parent: None,
        name: NamespaceName::global(),
        description: String::new(),
        lifetime: LifetimeRules::default(),
        made: Made::BuiltIn,
        created: Timestamp::default(),
        modified: Timestamp::default(),
        version: 0,
    }
}
