//! Differences for people to read.

use super::Told;
use crate::cli::report;
use crate::comparison::{
    Change, Cited, Count, Crowd, Difference, Method, Ruling, Scope, Spot, Standing, Totals, Turn,
};
use crate::policy::{Effect, Operator};

/// So many names, criteria and paths are shown in one line.
const NAMES: usize = 3;
/// So many changes are shown of one difference.
const CHANGES: usize = 20;

/// Writes everything; with `all`, every name.
pub(super) fn write(told: Told<'_>, all: bool) {
    let shown = if all { Shown { names: usize::MAX, changes: usize::MAX } } else { Shown::FEW };
    for difference in &told.comparison.differences {
        report::data(&block(difference, told.crowd, shown));
    }
    report::data(&totals(&told.comparison.totals));
}

#[derive(Clone, Copy)]
struct Shown {
    names: usize,
    changes: usize,
}

impl Shown {
    const FEW: Self = Self { names: NAMES, changes: CHANGES };
}

/// The first of `items`, and how many more there are.
pub(super) fn listed(items: &[String], most: usize) -> String {
    let shown: Vec<&str> = items.iter().take(most).map(String::as_str).collect();
    match items.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn block(difference: &Difference<'_>, crowd: &Crowd, shown: Shown) -> String {
    let mut lines = vec![heading(difference)];
    let changes = &difference.judged.changes;
    for change in changes.iter().take(shown.changes) {
        let sign = if change.turn == Turn::Gain { '+' } else { '-' };
        let (who, many) = who(change, crowd, shown);
        let verb = match (change.turn, many) {
            (Turn::Gain, false) => "gains",
            (Turn::Gain, true) => "gain",
            (Turn::Lose, false) => "loses",
            (Turn::Lose, true) => "lose",
        };
        lines.push(format!("  {sign} {who}  {verb}  {}", brief(change.decisive())));
        lines.push(format!("      {}", aside(change)));
    }
    let more = changes.len().saturating_sub(shown.changes);
    if more > 0 {
        lines.push(format!("  … and {more} more; `--all` shows them"));
    }
    let lines: Vec<String> = lines.iter().map(|line| report::printable(line)).collect();
    lines.join("\n") + "\n\n"
}

/// The route, what of it, and what happened to it.
fn heading(difference: &Difference<'_>) -> String {
    let named = |spot: &Spot<'_>| {
        spot.route().map(|route| format!("`{}`  {}, {}", route.id, route.from, route.path))
    };
    let (old, new) = (named(&difference.spots.old), named(&difference.spots.new));
    let route = match (old, new) {
        (Some(old), Some(new)) if old == new => new,
        (Some(old), Some(new)) => format!("{new}  (before: {old})"),
        (None, Some(new)) => format!("{new}  (not served before)"),
        (Some(old), None) => format!("{old}  (no longer served)"),
        (None, None) => String::new(),
    };
    let people = if difference.same_policies { "  (same rules, other people)" } else { "" };
    route + &scope(&difference.scope) + people
}

fn scope(scope: &Scope) -> String {
    match scope {
        Scope::All => String::new(),
        Scope::Methods(methods) => {
            let listed = methods.iter().filter(|method| !method.others);
            let mut names: Vec<String> = listed.map(|method| method.name.clone()).collect();
            if methods.iter().any(|method| method.others) {
                names.push("methods that no rule names".to_owned());
            }
            format!("  {}", names.join(", "))
        }
        Scope::Paths(paths) => format!("  at {}", listed(paths, NAMES)),
        Scope::Requests(requests) => {
            let request = |(method, path): &(Method, String)| format!("{} {path}", method.name);
            let requests: Vec<String> = requests.iter().map(request).collect();
            format!("  {}", listed(&requests, NAMES))
        }
    }
}

/// Names, and whether they are several.
fn who(change: &Change, crowd: &Crowd, shown: Shown) -> (String, bool) {
    let members = change.members.iter();
    let told = members.take(shown.names).filter_map(|index| {
        let member = crowd.members().get(usize::try_from(*index).ok()?)?;
        let kind = match member.standing {
            Standing::Anonymous | Standing::Person => "",
            Standing::ServiceAccount => " (service account)",
        };
        Some(format!("{}{kind}", member.name))
    });
    let names: Vec<String> = told.collect();
    let all = change.members.len();
    let text = match all - names.len() {
        0 => names.join(", "),
        more => format!("{} and {more} more ({all})", names.join(", ")),
    };
    (text, all > 1)
}

/// The rule and where it stands.
fn brief(ruling: &Ruling) -> String {
    match ruling {
        Ruling::Allowed(by) | Ruling::Refused { by, .. } => cite(by),
        Ruling::NotAllowed { rules, .. } => rules.first().map(cite).unwrap_or_default(),
        Ruling::NoRoute => "no route serves it".to_owned(),
        Ruling::Malformed(why) => format!("the request is refused: {why}"),
    }
}

/// The other side of the change.
fn aside(change: &Change) -> String {
    let (when, ruling) = if change.is_by_new() {
        ("before", &change.rulings.old)
    } else {
        ("now", &change.rulings.new)
    };
    let told = match &**ruling {
        Ruling::Allowed(cited) => format!("allowed by {}", cite(cited)),
        Ruling::Refused { code: "unauthenticated", by } => {
            format!("asked to sign in by {}", cite(by))
        }
        Ruling::Refused { by, .. } => format!("refused by {}", cite(by)),
        Ruling::NotAllowed { rules, .. } => match rules.split_first() {
            None => "no rule allows anybody".to_owned(),
            Some((first, [])) => format!("not allowed by {}", cite(first)),
            Some((first, [_])) => format!("not allowed by {}, nor by another rule", cite(first)),
            Some((first, more)) => {
                format!("not allowed by {}, nor by {} other rules", cite(first), more.len())
            }
        },
        Ruling::NoRoute => "no route serves it".to_owned(),
        Ruling::Malformed(why) => format!("the request is refused: {why}"),
    };
    format!("{when}: {told}")
}

/// `FILE:LINE:COLUMN` of the first criterion, and what the criteria say together; a rule allows unless
/// it is said to deny.
fn cite(cited: &Cited) -> String {
    let place = cited.criteria.first().map_or(&cited.place, |(_, place)| place);
    let between = match cited.operator {
        Operator::And | Operator::Not => " and ",
        Operator::Or | Operator::Nor => " or ",
    };
    let deny = if cited.effect == Effect::Deny { "deny " } else { "" };
    let not = if cited.operator.inverts() { "not " } else { "" };
    let texts: Vec<String> =
        cited.criteria.iter().take(NAMES).map(|(text, _)| format!("{not}{text}")).collect();
    let more = cited.criteria.len() - texts.len();
    let more = if more > 0 { format!("{between}{more} more") } else { String::new() };
    format!("{place} {deny}{}{more}", texts.join(between))
}

fn totals(totals: &Totals) -> String {
    let mut lines = Vec::new();
    if totals.gains.routes + totals.losses.routes == 0 {
        lines.push("nobody gains or loses access".to_owned());
    } else {
        lines.push(format!("gain: {}", count(&totals.gains)));
        lines.push(format!("lose: {}", count(&totals.losses)));
    }
    let sign_in = [
        (totals.asked_to_sign_in, "is asked to sign in, and was refused before"),
        (totals.no_longer_asked, "is refused, and was asked to sign in before"),
    ];
    for (routes, what) in sign_in.iter().filter(|(routes, _)| *routes > 0) {
        lines.push(format!("anonymous {what}: {}", plural(*routes, "route", "routes")));
    }
    lines.push(format!(
        "compared: {}, {} and anonymous, by {}",
        plural(totals.people, "person", "people"),
        plural(totals.service_accounts, "service account", "service accounts"),
        plural(totals.probes, "request", "requests"),
    ));
    lines.join("\n") + "\n"
}

fn count(count: &Count) -> String {
    let mut who = Vec::new();
    if count.anonymous {
        who.push("anonymous".to_owned());
    }
    if count.people > 0 {
        who.push(plural(count.people, "person", "people"));
    }
    if count.service_accounts > 0 {
        who.push(plural(count.service_accounts, "service account", "service accounts"));
    }
    if who.is_empty() {
        return "nobody".to_owned();
    }
    format!("{}, on {}", who.join(", "), plural(count.routes, "route", "routes"))
}

fn plural(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
