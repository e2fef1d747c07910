//! Differences for programs: everything, in a fixed order, each difference on a line of its own.

use super::Told;
use crate::cli::report;
use crate::comparison::{
    Both, Change, Circumstances, Cited, Comparison, Count, Crowd, Difference, Method, Ruling,
    Scope, Spot, Standing, Turn,
};
use crate::document::Place;
use crate::route::Route;
use serde_json::{Value, json};
use std::path::Path;

/// Writes difference by difference: all of them at once can be more than there is memory for.
pub(super) fn write(told: Told<'_>, circumstances: Circumstances, files: Both<&Path>) {
    let files = files.map(|file| file.display().to_string());
    let (old, new) = (json!(files.old), json!(files.new));
    report::data(&format!("{{\"old\":{old},\"new\":{new},\"differences\":["));
    let mut comma = "\n";
    for one in &told.comparison.differences {
        report::data(&format!("{comma}{}", difference(one, told.crowd)));
        comma = ",\n";
    }
    let Comparison { unprobed, held_still, totals, .. } = told.comparison;
    let left_out = unprobed
        .iter()
        .map(|route| json!({ "id": route.id, "places": route.places, "why": route.why }));
    let held_still = held_still.iter().map(|(aspect, routes)| {
        json!({
            "asks_about": aspect.name(),
            "judged": circumstances.assumption(*aspect),
            "routes": routes,
        })
    });
    let totals = json!({
        "gains": count(totals.gains),
        "losses": count(totals.losses),
        "anonymous_asked_to_sign_in": totals.asked_to_sign_in,
        "anonymous_no_longer_asked": totals.no_longer_asked,
        "people": totals.people,
        "service_accounts": totals.service_accounts,
        "requests": totals.probes,
    });
    let (held_still, left_out): (Value, Value) = (held_still.collect(), left_out.collect());
    let tail = format!("\"held_still\":{held_still},\"left_out\":{left_out},\"totals\":{totals}");
    report::data(&format!("\n],{tail}}}\n"));
}

fn difference(difference: &Difference<'_>, crowd: &Crowd) -> Value {
    let of = |turn: Turn| {
        let changes = difference.judged.changes.iter().filter(|change| change.turn == turn);
        changes.map(|change| one_change(change, crowd)).collect::<Value>()
    };
    json!({
        "old_route": spot(&difference.spots.old),
        "new_route": spot(&difference.spots.new),
        "same_rules": difference.same_policies,
        "scope": scope(&difference.scope),
        "gains": of(Turn::Gain),
        "losses": of(Turn::Lose),
    })
}

fn one_change(change: &Change, crowd: &Crowd) -> Value {
    let members = change.members.iter().filter_map(|index| usize::try_from(*index).ok());
    let members: Vec<_> = members.filter_map(|index| crowd.members().get(index)).collect();
    let names = |standing: Standing| -> Vec<&str> {
        let of_kind = members.iter().filter(|member| member.standing == standing);
        of_kind.map(|member| member.name.as_str()).collect()
    };
    json!({
        "anonymous": !names(Standing::Anonymous).is_empty(),
        "people": names(Standing::Person),
        "service_accounts": names(Standing::ServiceAccount),
        "old": ruling(&change.rulings.old),
        "new": ruling(&change.rulings.new),
    })
}

fn spot(spot: &Spot<'_>) -> Value {
    match spot {
        Spot::Route(route) => route_json(route),
        Spot::Nowhere | Spot::Malformed(_) => Value::Null,
    }
}

fn route_json(route: &Route) -> Value {
    json!({
        "id": route.id.as_str(),
        "from": route.from.to_string(),
        "path": route.path.to_string(),
        "source": route.place.source(),
        "line": route.place.line(),
        "column": route.place.column(),
    })
}

/// What is `null` makes no difference.
fn scope(scope: &Scope) -> Value {
    let method = |method: &Method| json!({ "name": method.name, "others": method.others });
    match scope {
        Scope::All => json!({ "methods": null, "paths": null, "requests": null }),
        Scope::Methods(methods) => {
            let methods: Vec<Value> = methods.iter().map(method).collect();
            json!({ "methods": methods, "paths": null, "requests": null })
        }
        Scope::Paths(paths) => json!({ "methods": null, "paths": paths, "requests": null }),
        Scope::Requests(requests) => {
            let request =
                |(asked, path): &(Method, String)| json!({ "method": method(asked), "path": path });
            let requests: Vec<Value> = requests.iter().map(request).collect();
            json!({ "methods": null, "paths": null, "requests": requests })
        }
    }
}

fn ruling(ruling: &Ruling) -> Value {
    let told = |reason: Option<&str>, rules: &[Cited]| {
        let rules: Vec<Value> = rules.iter().map(cited).collect();
        json!({ "allowed": reason.is_none(), "reason": reason, "rules": rules })
    };
    match ruling {
        Ruling::Allowed(by) => told(None, std::slice::from_ref(by)),
        Ruling::Refused { code, by } => told(Some(code), std::slice::from_ref(by)),
        Ruling::NotAllowed { code, rules } => told(Some(code), rules),
        Ruling::NoRoute => told(Some("route-not-found"), &[]),
        Ruling::Malformed(_) => told(Some("malformed-request"), &[]),
    }
}

fn cited(cited: &Cited) -> Value {
    let place = |place: &Place| json!({ "source": place.source(), "line": place.line(), "column": place.column() });
    let criteria = cited.criteria.iter();
    let criteria: Vec<Value> =
        criteria.map(|(text, at)| json!({ "text": text, "place": place(at) })).collect();
    json!({
        "policy": cited.policy,
        "effect": cited.effect.name(),
        "operator": cited.operator.name(),
        "place": place(&cited.place),
        "criteria": criteria,
    })
}

fn count(count: Count) -> Value {
    json!({
        "anonymous": count.anonymous,
        "people": count.people,
        "service_accounts": count.service_accounts,
        "routes": count.routes,
    })
}
