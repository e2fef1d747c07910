//! `namespaces`: those that the file makes, and which one a route or a policy is in.

use crate::document::{Place, Problem, Problems, Section, Value, nearest};
use crate::id::NamespaceId;
use crate::namespace::{LifetimeRules, Made, NamespaceName, NamespaceRecord, Tree};
use crate::time::Timestamp;
use std::collections::BTreeSet;

/// What is said of one namespace.
const KEYS: [&str; 6] = ["id", "name", "parent", "description", "max_lifetime", "require_expiry"];
/// How Global may be called, besides its id.
const GLOBAL: &str = "global";

/// The namespaces of the file, with where each is written.
#[derive(Debug, Default)]
pub(super) struct ReadNamespaces {
    records: Vec<(NamespaceRecord, Place)>,
}

impl ReadNamespaces {
    pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> Self {
        let mut read = Self::default();
        let Some(node) = section.node("namespaces") else {
            return read;
        };
        let Value::List(items) = &node.value else {
            let message = format!("`namespaces` must be a list, not {}", node.value.kind());
            let problem = Problem::new("wrong_type", &node.place, message);
            problems.push(problem.help("begin each with `- id: …`"));
            return read;
        };
        for (index, item) in items.iter().enumerate() {
            let name = format!("namespaces[{index}]");
            let record = Section::open(item, &name, problems).and_then(|section| {
                section.refuse_unknown(&KEYS, problems);
                record(&section, problems).map(|record| (record, section.place().clone()))
            });
            read.records.extend(record);
        }
        read.judge(problems);
        read
    }

    /// What can only be said of all together.
    fn judge(&self, problems: &mut Problems) {
        let mut ids = BTreeSet::new();
        let mut names = BTreeSet::new();
        let tree = Tree::new(self.records(), Vec::new());
        for (record, place) in &self.records {
            let id = record.id.as_str();
            if !ids.insert(id) {
                let message = format!("two namespaces have the id `{id}`");
                let problem = Problem::new("duplicate_id", place, message);
                problems.push(problem.help("give each namespace its own `id`"));
            } else if !names.insert((&record.parent, record.name.folded())) {
                let message =
                    format!("two namespaces beside one another are called `{}`", record.name);
                let problem = Problem::new("duplicate_name", place, message);
                problems.push(problem.help("give each its own `name`; case does not count"));
            } else if tree.get(&record.id).is_none() {
                let message = format!("`{id}` does not lead up to Global");
                let help = "let `parent` name a namespace that is listed here, in no ring and at most 16 deep; without it the parent is Global";
                problems.push(Problem::new("bad_parent", place, message).help(help));
            }
        }
    }

    pub(super) fn records(&self) -> Vec<NamespaceRecord> {
        self.records.iter().map(|(record, _)| record.clone()).collect()
    }

    /// The namespace that `section` says it is in; Global unless it says.
    pub(super) fn of(&self, section: &Section<'_>, problems: &mut Problems) -> NamespaceId {
        let global = NamespaceId::global();
        let Some(text) = section.text("namespace", problems) else {
            return global;
        };
        if text == GLOBAL {
            return global;
        }
        let listed = |id: &NamespaceId| self.records.iter().any(|(record, _)| record.id == *id);
        // Those that are made in the console have UUIDs, which nobody knows here.
        let made_elsewhere = uuid::Uuid::parse_str(text).is_ok();
        if let Some(id) = NamespaceId::parse(text).filter(|id| listed(id) || made_elsewhere) {
            return id;
        }
        let known: Vec<&str> = self.records.iter().map(|(record, _)| record.id.as_str()).collect();
        let help = match nearest(text, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "list it under `namespaces:` at the top of the file, or write the id of one that was made in the console".to_owned(),
        };
        let message = format!("there is no namespace `{text}`");
        let place = section.place_of("namespace");
        problems.push(Problem::new("unknown_namespace", place, message).help(help));
        global
    }
}

fn record(section: &Section<'_>, problems: &mut Problems) -> Option<NamespaceRecord> {
    let text = section.text("id", problems);
    let id =
        text.and_then(NamespaceId::parse).filter(|id| !id.is_global() && id.as_str() != GLOBAL);
    if id.is_none() {
        let (message, place) = match text {
            Some(text) => {
                (format!("`{text}` cannot be the id of a namespace"), section.place_of("id"))
            }
            None => ("the namespace has no `id`".to_owned(), section.place()),
        };
        let help = "write 1 to 63 lower-case letters, digits and hyphens, such as `design`; `global` is always there";
        problems.push(Problem::new("bad_namespace_id", place, message).help(help));
    }
    let written = section.text("name", problems);
    let shown = written.or(text).unwrap_or_default();
    let name = NamespaceName::parse(shown).map_err(|error| {
        let place = section.place_of("name");
        let message = format!("`{shown}` cannot be the name of a namespace");
        problems.push(Problem::new("bad_value", place, message).help(error.to_string()));
    });
    let parent = match section.text("parent", problems) {
        None | Some(GLOBAL) => Some(NamespaceId::global()),
        // One that is no id leads nowhere, which is told with all others.
        Some(text) => {
            Some(NamespaceId::parse(text).unwrap_or_else(|| unknown(section, text, problems)))
        }
    };
    let lifetime = LifetimeRules {
        longest: section.duration("max_lifetime", problems),
        required: section
            .node("require_expiry")
            .and_then(|_| section.bool("require_expiry", problems)),
    };
    Some(NamespaceRecord {
        id: id?,
        parent,
        name: name.ok()?,
        description: section.text("description", problems).unwrap_or_default().to_owned(),
        lifetime,
        made: Made::InFile,
        created: Timestamp::default(),
        modified: Timestamp::default(),
        version: 0,
    })
}

fn unknown(section: &Section<'_>, text: &str, problems: &mut Problems) -> NamespaceId {
    let message = format!("`{text}` is not the id of a namespace");
    let place = section.place_of("parent");
    problems.push(Problem::new("bad_parent", place, message).help("write the `id` of another one"));
    NamespaceId::global()
}
