//! Policies as rows, each a rule of one criterion: from text to rows, where they can show it, and from
//! rows to text, which says the same.

use crate::document::{Entry, Node, Value, load_yaml, quoted};
use crate::pages::console::{CRITERIA, Criterion, ON_LIST, ON_TEXT, RuleRow, Takes};

/// The rows that say what a policy says.
///
/// # Errors
/// Why rows cannot show it, as a sentence of a page without its beginning.
pub(super) fn rows(text: &str) -> Result<Vec<RuleRow>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let root = load_yaml(text, "policy");
    let root = root.map_err(|_| "it is no document that can be read.".to_owned())?;
    let mut rows = Vec::new();
    match &root.value {
        Value::List(items) => {
            for item in items {
                rules(item, &mut rows)?;
            }
        }
        Value::Map(_) => rules(&root, &mut rows)?,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => return Err(strange()),
    }
    Ok(rows)
}

fn strange() -> String {
    "it is written in a way that rows cannot show.".to_owned()
}

fn rules(node: &Node, rows: &mut Vec<RuleRow>) -> Result<(), String> {
    for entry in node.entries().ok_or_else(strange)? {
        let deny = match entry.key.as_str() {
            "allow" => false,
            "deny" => true,
            other => return Err(format!("it has `{other}`, which rows cannot show.")),
        };
        for group in entry.node.entries().ok_or_else(strange)? {
            if group.key != "or" {
                return Err(format!(
                    "it joins criteria by `{}`, which rows cannot show.",
                    group.key
                ));
            }
            let Value::List(items) = &group.node.value else { return Err(strange()) };
            for item in items {
                rows.push(row(item, deny)?);
            }
        }
    }
    Ok(())
}

fn row(node: &Node, deny: bool) -> Result<RuleRow, String> {
    let Some([entry]) = node.entries() else { return Err(strange()) };
    let (name, of) = entry.key.split_once('/').unwrap_or((&entry.key, ""));
    let known = CRITERIA.iter().find(|criterion| criterion.name == name);
    let Some(criterion) = known.filter(|criterion| is_named(criterion) != of.is_empty()) else {
        return Err(format!("it has the criterion `{}`, which rows cannot show.", entry.key));
    };
    let (operator, value) = match criterion.takes {
        Takes::Nothing => nothing(&entry.node)?,
        Takes::Plain => (String::new(), several(&entry.node)?),
        Takes::Text | Takes::NamedText => operation(&entry.node, "is", &ON_TEXT)?,
        Takes::List | Takes::NamedList => operation(&entry.node, "has", &ON_LIST)?,
    };
    let (criterion, of) = (name.to_owned(), of.to_owned());
    Ok(RuleRow { deny, criterion, of, operator, value, wrong: String::new() })
}

fn is_named(criterion: &Criterion) -> bool {
    matches!(criterion.takes, Takes::NamedText | Takes::NamedList)
}

/// What stands behind such a criterion means nothing, unless it looks as if it did.
fn nothing(node: &Node) -> Result<(String, String), String> {
    match node.value {
        Value::Bool(true) | Value::Null => Ok((String::new(), String::new())),
        Value::Bool(false) | Value::Number(_) | Value::Text(_) | Value::List(_) | Value::Map(_) => {
            Err(strange())
        }
    }
}

fn operation(node: &Node, usual: &str, known: &[(&str, &str)]) -> Result<(String, String), String> {
    if let Value::Text(text) = &node.value {
        return Ok((usual.to_owned(), single(text)?));
    }
    let Some([Entry { key, node, .. }]) = node.entries() else { return Err(strange()) };
    if !known.iter().any(|(name, _)| name == key) {
        return Err(format!("it has the operator `{key}`, which rows cannot show."));
    }
    let value = if takes_several(key) {
        let Value::List(_) = &node.value else { return Err(strange()) };
        several(node)?
    } else {
        let Value::Text(text) = &node.value else { return Err(strange()) };
        single(text)?
    };
    Ok((key.clone(), value))
}

fn takes_several(operator: &str) -> bool {
    matches!(operator, "in" | "not_in")
}

/// A text that a field gives back as it was.
fn single(text: &str) -> Result<String, String> {
    let plain = !text.trim().is_empty() && text.trim() == text && !text.contains(['\n', '\r']);
    if plain { Ok(text.to_owned()) } else { Err(strange()) }
}

/// Texts that a field gives back as they were, with commas between.
fn several(node: &Node) -> Result<String, String> {
    let texts: Vec<&Value> = match &node.value {
        Value::List(items) => items.iter().map(|item| &item.value).collect(),
        one
        @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_)) => {
            vec![one]
        }
    };
    let mut all = Vec::new();
    for value in texts {
        match value {
            Value::Text(text) if !text.contains(',') => all.push(single(text)?),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Text(_)
            | Value::List(_)
            | Value::Map(_) => return Err(strange()),
        }
    }
    if all.is_empty() { Err(strange()) } else { Ok(all.join(", ")) }
}

/// The text that says what the rows say.
pub(super) fn text(rows: &[RuleRow]) -> String {
    let block = |effect: &str, deny: bool| {
        let mut lines: Vec<String> = rows.iter().filter(|row| row.deny == deny).map(line).collect();
        if !lines.is_empty() {
            lines.insert(0, format!("{effect}:\n  or:\n"));
        }
        lines.concat()
    };
    block("allow", false) + &block("deny", true)
}

fn line(row: &RuleRow) -> String {
    let takes = takes(row);
    let value = match takes {
        Takes::Nothing => "true".to_owned(),
        Takes::Plain => listed(&row.value),
        Takes::Text | Takes::NamedText if takes_several(&row.operator) => {
            format!("{{{}: {}}}", row.operator, listed(&row.value))
        }
        Takes::Text | Takes::NamedText | Takes::List | Takes::NamedList => {
            let operator = fitting(&row.operator, takes);
            format!("{{{operator}: {}}}", quoted(row.value.trim()))
        }
    };
    let named = matches!(takes, Takes::NamedText | Takes::NamedList);
    let key = if named {
        quoted(&format!("{}/{}", row.criterion, row.of.trim()))
    } else {
        row.criterion.clone()
    };
    format!("  - {key}: {value}\n")
}

/// What a row's criterion takes. One that is not known is refused when it is compiled.
fn takes(row: &RuleRow) -> Takes {
    let found = CRITERIA.iter().find(|criterion| criterion.name == row.criterion);
    found.map_or(Takes::Text, |criterion| criterion.takes)
}

/// The operator of a row. SECURITY: one that does not fit the criterion is written as it is, and refused
/// when it is compiled; it never becomes another one.
fn fitting(operator: &str, takes: Takes) -> &str {
    let usual = match takes {
        Takes::List | Takes::NamedList => "has",
        Takes::Nothing | Takes::Plain | Takes::Text | Takes::NamedText => "is",
    };
    if operator.is_empty() { usual } else { operator }
}

fn listed(value: &str) -> String {
    let items = value.split(',').map(str::trim).filter(|item| !item.is_empty());
    format!("[{}]", items.map(quoted).collect::<Vec<_>>().join(", "))
}

/// Says of each row what is wrong with it.
///
/// Returns whether nothing is.
pub(super) fn judge(rows: &mut [RuleRow]) -> bool {
    for row in rows.iter_mut() {
        row.wrong = wrong(row).to_owned();
    }
    rows.iter().all(|row| row.wrong.is_empty())
}

fn wrong(row: &RuleRow) -> &'static str {
    let Some(criterion) = CRITERIA.iter().find(|known| known.name == row.criterion) else {
        return "Choose a criterion.";
    };
    let fits = |known: &[(&str, &str)]| known.iter().any(|(name, _)| *name == row.operator);
    let operator = match criterion.takes {
        Takes::Nothing | Takes::Plain => true,
        Takes::Text | Takes::NamedText => fits(&ON_TEXT),
        Takes::List | Takes::NamedList => fits(&ON_LIST),
    };
    let valueless = criterion.takes != Takes::Nothing
        && row.value.split(',').all(|item| item.trim().is_empty());
    if !operator {
        "Choose an operator that goes with the criterion."
    } else if is_named(criterion) && row.of.trim().is_empty() {
        "Write of which name."
    } else if valueless {
        "Write a value."
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::{judge, rows, text};
    use crate::pages::console::RuleRow;

    fn row(deny: bool, criterion: &str, operator: &str, value: &str) -> RuleRow {
        let (name, of) = criterion.split_once('/').unwrap_or((criterion, ""));
        RuleRow {
            deny,
            criterion: name.to_owned(),
            of: of.to_owned(),
            operator: operator.to_owned(),
            value: value.to_owned(),
            wrong: String::new(),
        }
    }

    fn told(rows: &[RuleRow]) -> Vec<String> {
        let tell = |row: &RuleRow| {
            let RuleRow { deny, criterion, of, operator, value, .. } = row;
            format!("{deny} {criterion} {of} {operator} {value}")
        };
        rows.iter().map(tell).collect()
    }

    #[test]
    fn rows_are_written_and_read_back() {
        let all = [
            row(false, "user", "is", "build-bot@21c1.pomerium"),
            row(false, "email", "in", "a@b.c, d@e.f"),
            row(false, "groups", "has", "g: {x} # \"'"),
            row(false, "claim/https://x.test/a", "exclude", "ops"),
            row(false, "http_header/x-a", "starts_with", "- 'y"),
            row(false, "authenticated_user", "", ""),
            row(true, "source_ip", "", "10.0.0.0/8, 192.0.2.7"),
            row(true, "http_method", "not_in", "GET"),
        ];
        let written = text(&all);
        let read = rows(&written).unwrap_or_else(|why| panic!("{why}: {written}"));
        assert_eq!(told(&read), told(&all), "{written}");
        assert_eq!(text(&read), written);
    }

    #[test]
    fn what_rows_cannot_show_is_left_as_text() {
        for policy in [
            "allow: {and: [{user: a}, {http_path: /x}]}",
            "allow: {or: [{user: {is: a, not: b}}]}",
            "allow: {or: [{user: {matches: a.*}}]}",
            "allow: {or: [{user: 7}]}",
            "allow: {or: [{user: {in: ['a,b']}}]}",
            "allow: {or: [{user: {in: []}}]}",
            "allow: {or: [{user: ''}]}",
            "allow: {or: [{time_of_day: {after: 8am}}]}",
            "allow: {or: [{authenticated_user: false}]}",
            "allow: {or: [{claim: x}]}",
            "allow: {or: [{user/x: y}]}",
            "allow: {or: [{user: a, email: b}]}",
            "{mode: dry_run, allow: {or: [{user: a}]}}",
            "allow: [",
            "7",
        ] {
            assert!(rows(policy).is_err(), "{policy}");
        }
    }

    #[test]
    fn several_blocks_become_one() {
        let policy = "- allow: {or: [{user: a}]}\n- deny: {or: [{user: b}]}\n- allow: {or: [{user: {is: c}}]}\n";
        let read = rows(policy).expect("rows");
        assert_eq!(told(&read), ["false user  is a", "true user  is b", "false user  is c"]);
        assert!(rows(" \n").expect("no rows").is_empty());
    }

    #[test]
    fn rows_that_say_nothing_are_wrong() {
        let mut all = [
            row(false, "user", "is", " "),
            row(false, "user", "has", "a"),
            row(false, "claim/", "has", "a"),
            row(false, "usr", "is", "a"),
            row(false, "accept", "is", ""),
            row(false, "source_ip", "is", " , "),
        ];
        assert!(!judge(&mut all));
        let wrong: Vec<bool> = all.iter().map(|row| !row.wrong.is_empty()).collect();
        assert_eq!(wrong, [true, true, true, true, false, true]);
    }
}
