//! What was done with an account, added up for people.

use crate::pages::console::{DenialRow, RouteUse, Usage, UsageDay};
use crate::store;
use crate::time::Timestamp;
use std::cmp::Reverse;
use std::collections::BTreeMap;

const DAY: i64 = 24 * 60 * 60;
const ALLOWED: &str = "allowed";
/// How many rows of each kind are shown.
const ROWS: usize = 8;

/// The last `days` days, by day, by route, and by reason of refusal.
pub(super) fn summed(used: &[store::Usage], days: u32, now: Timestamp) -> Usage {
    let today = now.unix().div_euclid(DAY);
    let first = today - i64::from(days) + 1;
    let of_day = |day: i64| {
        let mut sum = UsageDay { day: called(day), ..UsageDay::default() };
        for one in used.iter().filter(|one| one.day == day) {
            if one.outcome == ALLOWED {
                sum.allowed += one.count;
            } else {
                sum.denied += one.count;
            }
        }
        sum
    };
    Usage {
        days: (first..=today).map(of_day).collect(),
        routes: routes(used),
        denials: denials(used),
    }
}

/// Such as `22 Nov`.
fn called(day: i64) -> String {
    let at = jiff::Timestamp::from_second(day.saturating_mul(DAY)).unwrap_or_default();
    at.strftime("%-d %b").to_string()
}

fn routes(used: &[store::Usage]) -> Vec<RouteUse> {
    let mut sums: BTreeMap<&str, RouteUse> = BTreeMap::new();
    for one in used {
        let sum = sums.entry(&one.route).or_insert_with(|| RouteUse {
            route: one.route.clone(),
            allowed: 0,
            denied: 0,
            last: one.last,
        });
        if one.outcome == ALLOWED {
            sum.allowed += one.count;
        } else {
            sum.denied += one.count;
        }
        sum.last = sum.last.max(one.last);
    }
    let mut sums: Vec<RouteUse> = sums.into_values().collect();
    sums.sort_by_key(|sum| Reverse(sum.allowed + sum.denied));
    sums.truncate(ROWS);
    sums
}

fn denials(used: &[store::Usage]) -> Vec<DenialRow> {
    let mut sums: BTreeMap<(&str, &str), DenialRow> = BTreeMap::new();
    for one in used.iter().filter(|one| one.outcome != ALLOWED) {
        let sum = sums.entry((&one.outcome, &one.route)).or_insert_with(|| DenialRow {
            reason: one.outcome.clone(),
            route: one.route.clone(),
            count: 0,
            last: one.last,
        });
        sum.count += one.count;
        sum.last = sum.last.max(one.last);
    }
    let mut sums: Vec<DenialRow> = sums.into_values().collect();
    sums.sort_by_key(|sum| Reverse(sum.last));
    sums.truncate(ROWS);
    sums
}

#[cfg(test)]
mod tests {
    use super::summed;
    use crate::store::Usage;
    use crate::time::Timestamp;

    #[test]
    fn use_is_added_up() {
        let now = Timestamp::from_unix(1_763_807_642);
        let today = now.unix() / 86_400;
        let used = |day, route: &str, outcome: &str, count| Usage {
            day,
            route: route.to_owned(),
            outcome: outcome.to_owned(),
            count,
            last: Timestamp::from_unix(day * 86_400 + 60),
        };
        let all = [
            used(today, "web", "allowed", 5),
            used(today, "web", "policy-denied", 2),
            used(today - 1, "web", "policy-denied", 1),
            used(today - 2, "api", "allowed", 9),
            used(today - 40, "old", "allowed", 1),
        ];
        let sum = summed(&all, 30, now);
        assert_eq!(sum.days.len(), 30);
        let last = sum.days.last().expect("a day");
        assert_eq!((last.day.as_str(), last.allowed, last.denied), ("22 Nov", 5, 2));
        let routes: Vec<&str> = sum.routes.iter().map(|row| row.route.as_str()).collect();
        assert_eq!(routes, ["api", "web", "old"]);
        let denial = sum.denials.first().expect("a denial");
        assert_eq!((denial.reason.as_str(), denial.count), ("policy-denied", 3));
        assert_eq!(denial.last, Timestamp::from_unix(today * 86_400 + 60));
    }
}
