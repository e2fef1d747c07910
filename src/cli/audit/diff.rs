//! What an act changed: the members of the object before and after, and of long texts the lines.

use crate::activity::Deed;
use crate::cli::report;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// One member that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Changed {
    /// Such as `description`, or `person.email` for one further in.
    field: String,
    before: Option<Value>,
    after: Option<Value>,
}

/// Everything that a deed has changed, by name.
pub(super) fn changes(deed: &Deed) -> Vec<Changed> {
    let (before, after) = (members(&deed.before), members(&deed.after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = names.into_iter().map(|name| Changed {
        field: name.clone(),
        before: before.get(name).cloned(),
        after: after.get(name).cloned(),
    });
    changed.filter(|changed| changed.before != changed.after).collect()
}

/// The members of an object, those further in by the way to them.
fn members(text: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    if text.is_empty() {
        return found;
    }
    match serde_json::from_str(text) {
        Ok(value) => collect("", value, &mut found),
        Err(_) => drop(found.insert("(unreadable)".to_owned(), json!(text))),
    }
    found
}

fn collect(way: &str, value: Value, found: &mut BTreeMap<String, Value>) {
    if let Value::Object(members) = value {
        for (name, value) in members {
            let way = if way.is_empty() { name } else { format!("{way}.{name}") };
            collect(&way, value, found);
        }
    } else {
        found.insert(way.to_owned(), value);
    }
}

impl Changed {
    pub(super) fn json(&self) -> Value {
        json!({ "field": self.field, "before": self.before, "after": self.after })
    }

    /// Lines for people: what is gone, what is new.
    pub(super) fn text(&self) -> String {
        let (before, after) = (self.before.as_ref(), self.after.as_ref());
        if let (Some(Value::String(before)), Some(Value::String(after))) = (before, after)
            && (before.contains('\n') || after.contains('\n'))
        {
            let lines = lines(before, after).into_iter();
            let told = lines.map(|(sign, line)| match sign {
                ' ' => format!("    {}\n", report::printable(line)),
                sign => report::changed(sign, &format!("  {line}")),
            });
            return format!("  {}:\n{}", self.field, told.collect::<String>());
        }
        let line = |sign: char, value: &Value| {
            report::changed(sign, &format!("{}: {}", self.field, shown(value)))
        };
        let gone = before.map(|value| line('-', value)).unwrap_or_default();
        gone + &after.map(|value| line('+', value)).unwrap_or_default()
    }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Longer texts are shown as gone and new.
const LONGEST: usize = 2000;

/// The lines of both texts in order, each with whether it is gone (`-`), new (`+`) or in both.
fn lines<'t>(before: &'t str, after: &'t str) -> Vec<(char, &'t str)> {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    if old.len() > LONGEST || new.len() > LONGEST {
        let gone = old.into_iter().map(|line| ('-', line));
        return gone.chain(new.into_iter().map(|line| ('+', line))).collect();
    }
    let common = common(&old, &new);
    let width = new.len() + 1;
    let (mut told, mut i, mut j) = (Vec::new(), 0, 0);
    let at = |i: usize, j: usize| common.get(i * width + j).copied().unwrap_or_default();
    loop {
        match (old.get(i), new.get(j)) {
            (Some(old), Some(new)) if old == new => {
                told.push((' ', *new));
                (i, j) = (i + 1, j + 1);
            }
            (Some(old), new) if new.is_none() || at(i + 1, j) >= at(i, j + 1) => {
                told.push(('-', *old));
                i += 1;
            }
            (_, Some(new)) => {
                told.push(('+', *new));
                j += 1;
            }
            (_, None) => return told,
        }
    }
}

/// How many lines two texts have in common from each line of either on: row by row.
fn common(old: &[&str], new: &[&str]) -> Vec<u16> {
    let width = new.len() + 1;
    let mut table = vec![0_u16; (old.len() + 1) * width];
    for (i, before) in old.iter().enumerate().rev() {
        for (j, after) in new.iter().enumerate().rev() {
            let at = |i: usize, j: usize| table.get(i * width + j).copied().unwrap_or_default();
            let longest = if before == after {
                at(i + 1, j + 1).saturating_add(1)
            } else {
                at(i + 1, j).max(at(i, j + 1))
            };
            if let Some(cell) = table.get_mut(i * width + j) {
                *cell = longest;
            }
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{changes, lines};
    use crate::activity::{ActorKind, Deed, EntityKind, Outcome};
    use serde_json::json;

    fn deed(before: &str, after: &str) -> Deed {
        Deed {
            by: ActorKind::Terminal,
            credential: None,
            entity: EntityKind::Policy,
            id: String::new(),
            name: String::new(),
            namespace: None,
            outcome: Outcome::Done,
            before: before.to_owned(),
            after: after.to_owned(),
        }
    }

    #[test]
    fn members_that_changed() {
        let changed = changes(&deed(
            r#"{"same": 1, "gone": [1], "person": {"email": "a"}}"#,
            r#"{"same": 1, "new": "x", "person": {"email": "b"}}"#,
        ));
        let told: Vec<_> = changed.iter().map(super::Changed::json).collect();
        assert_eq!(
            json!(told),
            json!([
                { "field": "gone", "before": [1], "after": null },
                { "field": "new", "before": null, "after": "x" },
                { "field": "person.email", "before": "a", "after": "b" },
            ])
        );
        assert_eq!(changed[2].text(), "- person.email: a\n+ person.email: b\n");
        assert!(changes(&deed("", "")).is_empty());
        assert_eq!(changes(&deed("{", "")).len(), 1);
    }

    #[test]
    fn lines_that_changed() {
        let told = lines("a\nb\nc\nd", "a\nc\nx\nd\ne");
        assert_eq!(told, [(' ', "a"), ('-', "b"), (' ', "c"), ('+', "x"), (' ', "d"), ('+', "e")]);
        assert_eq!(lines("", "a"), [('+', "a")]);
        assert_eq!(lines("a", ""), [('-', "a")]);
        let long = "x\n".repeat(3000);
        assert_eq!(lines(&long, "y").len(), 3001);
    }
}
