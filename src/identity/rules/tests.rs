//! Who may act as whom.

use super::{AllowRule, ImpersonationRules, ServiceImpersonation, Target, Targets};
use crate::identity::{Directory, Person, User};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::collections::BTreeSet;

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn targets(users: &[&str], domains: &[&str], groups: &[&str]) -> Targets {
    Targets { users: set(users), domains: set(domains), groups: set(groups) }
}

fn directory() -> Directory {
    let user = |id: &str, email: &str, groups: &[&str]| User {
        id: id.to_owned(),
        email: email.to_owned(),
        display_name: String::new(),
        group_ids: texts(groups),
    };
    let users = vec![
        user("u-ceo", "Ceo@Corp.Test", &["g-board", "g-all"]),
        user("u-bob", "bob@corp.test", &["g-fin", "g-all"]),
    ];
    Directory::new(users, Vec::new()).expect("a directory")
}

fn actor() -> Person {
    let (user, email) = ("u-root".to_owned(), "Root@Corp.Test".to_owned());
    Person { user, email, ..Person::default() }
}

fn denying(deny: Targets) -> ImpersonationRules {
    ImpersonationRules { deny, ..ImpersonationRules::default() }
}

fn allowing(allow: Vec<AllowRule>) -> ImpersonationRules {
    ImpersonationRules { allow: Some(allow), ..ImpersonationRules::default() }
}

/// Whether these rules permit a person with groups that were asked for; an empty name is nobody.
fn permits(rules: &ImpersonationRules, email: &str, groups: &[&str]) -> bool {
    let groups = texts(groups);
    let target = Target {
        email: (!email.is_empty()).then_some(email),
        groups: (!groups.is_empty()).then_some(&groups),
        known: None,
    };
    rules.permits_target(&actor(), &target, &directory())
}

#[test]
fn without_rules_anybody() {
    for (email, groups) in [("ceo@corp.test", &[][..]), ("ghost@x.test", &["g-1"]), ("", &["g-1"])]
    {
        assert!(permits(&ImpersonationRules::default(), email, groups), "{email} {groups:?}");
    }
}

#[test]
fn denied_by_every_name() {
    let names = [
        targets(&["ceo@corp.test"], &[], &[]),
        targets(&["u-ceo"], &[], &[]),
        targets(&[], &["corp.test"], &[]),
        targets(&[], &[], &["g-board"]),
    ];
    for deny in names {
        let rules = denying(deny);
        for spelling in ["ceo@corp.test", "CEO@CORP.TEST", "Ceo@corp.Test"] {
            assert!(!permits(&rules, spelling, &[]), "{spelling} {:?}", rules.deny);
            // Other groups make nobody else of them.
            assert!(!permits(&rules, spelling, &["g-other"]), "{spelling} {:?}", rules.deny);
        }
        assert!(permits(&rules, "eve@evil.test", &[]), "{:?}", rules.deny);
    }
}

#[test]
fn a_denied_group_is_denied_however_it_is_asked_for() {
    let rules = denying(targets(&[], &[], &["g-board"]));
    assert!(!permits(&rules, "", &["g-board"]));
    assert!(!permits(&rules, "", &["g-x", "g-board"]));
    assert!(!permits(&rules, "bob@corp.test", &["g-board"]));
    assert!(!permits(&rules, "ghost@x.test", &["g-board"]));
    assert!(permits(&rules, "", &["g-x"]));
    assert!(permits(&rules, "bob@corp.test", &[]));
    // Group ids are compared as they are; another spelling is another group, with other rights.
    assert!(permits(&rules, "", &["G-Board"]));
}

#[test]
fn a_domain_is_what_stands_after_the_last_at() {
    let rules = denying(targets(&[], &["corp.test"], &[]));
    assert!(!permits(&rules, "x@corp.test", &[]));
    assert!(!permits(&rules, "x@evil.test@corp.test", &[]));
    for other in ["x@sub.corp.test", "x@corp.test.evil.test", "x@notcorp.test", "corp.test", "@"] {
        assert!(permits(&rules, other, &[]), "{other}");
    }
}

#[test]
fn what_only_sign_ins_know_counts_too() {
    let (email, groups) = ("cfo@corp.test", texts(&["g-board"]));
    for deny in [targets(&["u-cfo"], &[], &[]), targets(&[], &[], &["g-board"])] {
        let rules = denying(deny);
        let target = |known| Target { email: Some(email), groups: None, known };
        let known = Some(("u-cfo", groups.as_slice()));
        assert!(!rules.permits_target(&actor(), &target(known), &directory()));
        assert!(rules.permits_target(&actor(), &target(None), &directory()));
        // The directory does not outweigh it, nor it the directory.
        let other = [texts(&["g-board"]), Vec::new()];
        for (email, known) in [("bob@corp.test", &other[0]), ("ceo@corp.test", &other[1])] {
            let target = Target { email: Some(email), groups: None, known: Some(("u-cfo", known)) };
            assert!(!rules.permits_target(&actor(), &target, &directory()), "{email}");
        }
    }
}

#[test]
fn allowed_only_what_a_rule_names() {
    let of_bob = AllowRule { by: None, of: targets(&["bob@corp.test"], &[], &[]) };
    let rules = allowing(vec![of_bob.clone()]);
    assert!(permits(&rules, "bob@corp.test", &[]));
    assert!(permits(&rules, "BOB@corp.test", &[]));
    assert!(!permits(&rules, "ceo@corp.test", &[]));
    // Groups that were asked for have to be named too.
    assert!(!permits(&rules, "bob@corp.test", &["g-board"]));
    assert!(!permits(&rules, "bob@corp.test", &["g-fin"]));
    assert!(!permits(&rules, "", &["g-fin"]));
    let of_group = AllowRule { by: None, of: targets(&[], &[], &["g-fin"]) };
    let rules = allowing(vec![of_group.clone()]);
    assert!(permits(&rules, "", &["g-fin"]));
    assert!(permits(&rules, "bob@corp.test", &[]), "a member");
    assert!(permits(&rules, "bob@corp.test", &["g-fin"]));
    assert!(!permits(&rules, "", &["g-fin", "g-board"]));
    assert!(!permits(&rules, "ghost@x.test", &["g-fin"]), "asking for a group makes no member");
    assert!(!permits(&rules, "ceo@corp.test", &["g-fin"]));
    // Two rules do not add up to one.
    let rules = allowing(vec![of_bob, AllowRule { by: None, of: targets(&[], &[], &["g-board"]) }]);
    assert!(!permits(&rules, "bob@corp.test", &["g-board"]));
    for nothing in [allowing(Vec::new()), allowing(vec![AllowRule::default()])] {
        assert!(!permits(&nothing, "bob@corp.test", &[]) && !permits(&nothing, "", &["g-fin"]));
    }
}

#[test]
fn rules_are_for_whom_they_name() {
    let rule = |by: &[&str]| {
        allowing(vec![AllowRule { by: Some(set(by)), of: targets(&["bob@corp.test"], &[], &[]) }])
    };
    for by in ["root@corp.test", "u-root"] {
        assert!(permits(&rule(&[by]), "bob@corp.test", &[]), "{by}");
    }
    for by in [&[][..], &["other@corp.test"], &["u-bob"], &[""], &["bob@corp.test"]] {
        assert!(!permits(&rule(by), "bob@corp.test", &[]), "{by:?}");
    }
    // Nobody without a name is meant by an empty one.
    let nobody = Person::default();
    let target = Target { email: Some("bob@corp.test"), groups: None, known: None };
    assert!(!rule(&["root@corp.test"]).permits_target(&nobody, &target, &directory()));
}

#[test]
fn denied_outweighs_allowed() {
    let everything =
        AllowRule { by: None, of: targets(&[], &["corp.test"], &["g-fin", "g-board"]) };
    let rules = ImpersonationRules {
        deny: targets(&["u-ceo"], &[], &["g-board"]),
        ..allowing(vec![everything])
    };
    assert!(permits(&rules, "bob@corp.test", &["g-fin"]));
    assert!(!permits(&rules, "ceo@corp.test", &[]));
    assert!(!permits(&rules, "bob@corp.test", &["g-board"]));
}

#[test]
fn administrators_and_services() {
    use ServiceImpersonation::{Administrators, Allow, None};

    let rules = |service| ImpersonationRules {
        enabled: true,
        administrators: set(&["root@corp.test"]),
        service,
        ..ImpersonationRules::default()
    };
    let other = Person { email: "bob@corp.test".to_owned(), ..Person::default() };
    let nobody = Person::default();
    for (service, of_root, of_other) in
        [(Allow, true, true), (Administrators, true, false), (None, false, false)]
    {
        let rules = rules(service);
        assert_eq!(
            (rules.permits(&actor(), true), rules.permits(&other, true)),
            (of_root, of_other)
        );
        assert!(rules.permits(&actor(), false) && !rules.permits(&other, false));
        assert!(!rules.permits(&nobody, false));
        let off = ImpersonationRules { enabled: false, ..rules };
        assert!(![true, false].into_iter().any(|service| off.permits(&actor(), service)));
    }
    let empty = ImpersonationRules { administrators: set(&[""]), enabled: true, ..rules(None) };
    assert!(!empty.permits(&nobody, false), "no address is no administrator's");
}

proptest! {
    /// A longer deny list never permits more, a longer allow list never less, and being asked for
    /// another group never permits what was refused without it.
    #[test]
    fn rules_only_go_one_way(
        email in select(&["", "bob@corp.test", "CEO@corp.test", "ghost@x.test"][..]),
        asked in subsequence(&["g-fin", "g-board", "g-x"][..], 0..=3),
        deny in subsequence(&["u-ceo", "bob@corp.test", "u-bob"][..], 0..=3),
        denied_groups in subsequence(&["g-fin", "g-board", "g-all"][..], 0..=3),
        allowed in subsequence(&["bob@corp.test", "u-ceo", "ghost@x.test"][..], 0..=3),
        allowed_groups in subsequence(&["g-fin", "g-board", "g-x"][..], 0..=3),
        more in select(&["g-fin", "g-board", "g-x", "g-all"][..]),
    ) {
        prop_assume!(!email.is_empty() || !asked.is_empty());
        let rule = AllowRule { by: None, of: targets(&allowed, &[], &allowed_groups) };
        let rules = ImpersonationRules {
            deny: targets(&deny, &[], &denied_groups),
            ..allowing(vec![rule.clone()])
        };
        let permitted = permits(&rules, email, &asked);
        let stricter = ImpersonationRules {
            deny: targets(&deny, &["corp.test"], &[&denied_groups[..], &[more]].concat()),
            ..rules.clone()
        };
        prop_assert!(permitted || !permits(&stricter, email, &asked));
        let wider = AllowRule { by: None, of: targets(&allowed, &["x.test"], &[&allowed_groups[..], &[more]].concat()) };
        let looser = ImpersonationRules { allow: Some(vec![rule, wider]), ..rules.clone() };
        prop_assert!(!permitted || permits(&looser, email, &asked));
        prop_assert!(permitted || !permits(&rules, email, &[&asked[..], &[more]].concat()) || asked.is_empty() && email.is_empty());
    }
}
