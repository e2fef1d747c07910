use super::hash::Cost;
use super::{LocalUsers, LoginRefusal, PasswordError, hash_password};
use crate::document::Problems;
use crate::identity::ClaimValue;

/// Of `correct horse`, by the reference implementation.
const HORSE: &str =
    "$argon2id$v=19$m=7168,t=5,p=1$c2FsdHNhbHQ$7/gOt2qjOzdInUxhCbho0fyO8MYQ93bujZ066MBUYEM";
/// Of `grüße 🐎`, likewise, with four lanes.
const GREETING: &str = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0c2FsdA$xRT8+Tj8jbIkLeB9QGQL3db/9yqEXqlwRJeySYCgB9U";

fn read(text: &str) -> Result<LocalUsers, Vec<String>> {
    let mut problems = Problems::default();
    let users = LocalUsers::read(text, "users.yaml", &mut problems);
    let (problems, _) = problems.into_parts();
    assert_eq!(users.is_some(), problems.is_empty());
    users.ok_or_else(|| problems.iter().map(ToString::to_string).collect())
}

fn people() -> LocalUsers {
    read(&format!(
        "users:
- {{id: ann, email: Ann@Example.com, name: Ann A., groups: [eng, '7'], password: '{HORSE}'}}
- {{id: b@corp.test, email: b@corp.test, groups: [], password: '{GREETING}'}}
- {{id: Carl, password: '{HORSE}'}}
"
    ))
    .expect("users")
}

#[test]
fn by_id_or_address_and_password() {
    let people = people();
    for login in ["ann", "ANN", "ann@example.com", " Ann@Example.COM\n"] {
        let profile = people.authenticate(login, "correct horse").expect(login);
        assert_eq!((profile.subject.as_str(), profile.provider.as_str()), ("ann", "local"));
        assert_eq!((profile.email.as_str(), profile.name.as_str()), ("Ann@Example.com", "Ann A."));
        assert_eq!(profile.groups, Some(vec!["eng".to_owned(), "7".to_owned()]));
        let said: Vec<String> =
            profile.claims.values("groups").filter_map(ClaimValue::scalar_text).collect();
        assert_eq!(said, ["eng", "7"]);
        assert!(profile.tokens.is_none());
    }
    let guest = people.authenticate("b@corp.test", "grüße 🐎").expect("let in");
    assert_eq!((guest.subject.as_str(), guest.groups), ("b@corp.test", Some(Vec::new())));
    let carl = people.authenticate("carl", "correct horse").expect("let in");
    assert_eq!((carl.subject.as_str(), carl.email.as_str(), carl.groups), ("Carl", "", None));
}

#[test]
fn nobody_else() {
    let people = people();
    let refusal = |login: &str, password: &str| people.authenticate(login, password).err();
    for password in ["", "correct horse ", "Correct horse", "correct hors", HORSE] {
        assert_eq!(refusal("ann", password), Some(LoginRefusal::WrongPassword), "{password}");
    }
    for login in ["", "eve", "ann@example.com.", "Ann A.", "eng"] {
        assert_eq!(refusal(login, "correct horse"), Some(LoginRefusal::UnknownUser), "{login}");
    }
    // The password of whoever's hash stands in for an unknown person's.
    assert_eq!(refusal("eve", "grüße 🐎"), Some(LoginRefusal::UnknownUser));
    assert_eq!(refusal("ann", &"x".repeat(1025)), Some(LoginRefusal::TooLong));
    assert_eq!(refusal("eve", &"x".repeat(1025)), Some(LoginRefusal::TooLong));
}

#[test]
fn what_the_file_says_later() {
    let people = people();
    assert_eq!(people.profile("ann").map(|profile| profile.name), Some("Ann A.".to_owned()));
    assert!(people.profile("eve").is_none());
    assert_eq!((people.len(), people.is_empty()), (3, false));
}

#[test]
fn hashes_are_not_shown() {
    assert!(!format!("{:?}", people()).contains("$argon2"));
}

#[test]
fn a_fresh_hash_is_good() {
    let hash = hash_password("eight ch").expect("a hash");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_ne!(hash, hash_password("eight ch").expect("a hash"), "the salt is random");
    let people = read(&format!("users: [{{id: ann, password: '{hash}'}}]")).expect("users");
    assert!(people.authenticate("ann", "eight ch").is_ok());
    let cost = people.strongest.cost();
    assert_eq!(cost, Cost { memory: 19_456, passes: 2, lanes: 1 });
    assert_eq!(hash_password("seven c"), Err(PasswordError::Short));
    assert_eq!(hash_password(&"x".repeat(1025)), Err(PasswordError::Long));
}

/// What is wrong with one user's password.
fn wrong_password(hash: &str) -> String {
    let problems = read(&format!("users: [{{id: ann, password: '{hash}'}}]")).expect_err(hash);
    let [problem] = &problems[..] else { panic!("{problems:?}") };
    assert!(hash.is_empty() || !problem.contains(hash), "{problem}");
    let told = problem.strip_prefix("users.yaml:1:29: `users[0].password` ").expect("a place");
    told.strip_suffix(" (make one with `lictor key password`)").expect("help").to_owned()
}

#[test]
fn hashes_that_are_refused() {
    let horse = |from: &str, to: &str| wrong_password(&HORSE.replace(from, to));
    for hash in [
        "",
        "correct horse",
        "$2b$12$abcdefghijklmnopqrstuuWv1T1Yq5yVqXg1nJ3Jc5Z5V5V5V5V5e",
        "$argon2i$v=19$m=7168,t=5,p=1$c2FsdHNhbHQ$ZjtPtkajnqf8h9twuPgmgQzStBckNx2bYZORHNEx0zc",
        "$argon2id$v=19$m=7168,t=5,p=0$c2FsdHNhbHQ$7/gOt2qjOzdInUxhCbho0fyO8MYQ93bujZ066MBUYEM",
        "$argon2id$v=19$m=7168,t=5,p=1,x=1$c2FsdHNhbHQ$7/gOt2qjOzdInUxhCbho0fyO8MYQ93bujZ066MBUYEM",
        "$argon2id$v=19$m=99999999999,t=5,p=1$c2FsdHNhbHQ$7/gOt2qjOzdInUxhCbho0fyO8MYQ93bujZ066MBUYEM",
    ] {
        assert_eq!(wrong_password(hash), "is not an argon2id hash", "{hash}");
    }
    let old = "is a hash of an old version of argon2, not 19";
    assert_eq!(horse("v=19$", "v=16$"), old);
    assert_eq!(horse("v=19$", ""), old);
    let incomplete = "lacks a salt of 8 bytes or a hash of 16";
    assert_eq!(horse("$7/gOt2qjOzdInUxhCbho0fyO8MYQ93bujZ066MBUYEM", ""), incomplete);
    assert_eq!(
        horse("7/gOt2qjOzdInUxhCbho0fyO8MYQ93bujZ066MBUYEM", "CRGVFTOm1ITrlNM/"),
        incomplete
    );
    assert_eq!(horse("$c2FsdHNhbHQ$", "$c2FsdHM$"), incomplete);
    let weak = |cost: &str| format!("is a hash that is too cheap to guess ({cost})");
    for cost in ["m=4096,t=3,p=1", "m=7168,t=4,p=1", "m=4096,t=32,p=1"] {
        assert_eq!(horse("m=7168,t=5,p=1", cost), weak(cost));
    }
    let costly = |cost: &str| format!("is a hash that costs too much ({cost})");
    for cost in [
        "m=2097152,t=1,p=4",
        "m=4294967295,t=1,p=1",
        "m=7168,t=4294967295,p=1",
        "m=262144,t=5,p=1",
        "m=65536,t=3,p=17",
    ] {
        assert_eq!(horse("m=7168,t=5,p=1", cost), costly(cost));
    }
}

#[test]
fn everything_wrong_with_a_file_is_told_at_once() {
    let text = format!(
        "people: []
users:
- {{id: ann, email: ann@example.com, password: '{HORSE}'}}
- {{id: Ann, password: '{HORSE}'}}
- {{id: bob, email: ANN@example.com, passwort: '{HORSE}'}}
- {{email: eve@example.com, password: hunter2}}
- {{id: ann@example.com, email: no address, groups: [1], password: '{HORSE}'}}
- {{id: ' x', name: \"a\\nb\", password: '{HORSE}'}}
- text
"
    );
    let problems = read(&text).expect_err("wrong");
    let own = "give every user an `id` and an `email` of their own; case does not count";
    let plain = "write up to 255 characters, without space around them";
    let expected = [
        "users.yaml:1:1: unknown key `people` (remove it, or run `lictor config schema` for the list of keys)",
        "users.yaml:4:8: two users answer to `Ann` (OWN)",
        "users.yaml:5:3: a user needs `password` (HASH)",
        "users.yaml:5:20: two users answer to `ANN@example.com` (OWN)",
        "users.yaml:5:37: unknown key `users[2].passwort` (did you mean `password`?)",
        "users.yaml:6:3: a user needs `id` (write `users: [{id: ann, email: ann@example.com, password: '$argon2id$…'}]`)",
        "users.yaml:6:38: `users[3].password` is not an argon2id hash (HASH)",
        "users.yaml:7:8: two users answer to `ann@example.com` (OWN)",
        "users.yaml:7:32: `users[4].email` is not an e-mail address (write it as `ann@example.com`, or leave it out)",
        "users.yaml:7:53: `users[4].groups[]` must be text, not a number (put it in quotes)",
        "users.yaml:8:8: `users[5].id` cannot be used (PLAIN)",
        "users.yaml:8:20: `users[5].name` cannot be used (PLAIN)",
        "users.yaml:9:3: `users[6]` must be a map, not text (write `key: value` below it, or `{key: value}`)",
    ];
    let expected = expected.map(|line| {
        let line = line.replace("(OWN)", &format!("({own})"));
        let line = line.replace("(HASH)", "(make one with `lictor key password`)");
        line.replace("(PLAIN)", &format!("({plain})"))
    });
    assert_eq!(problems, expected);
}

#[test]
fn files_without_anybody() {
    let none = "there are no users, so nobody can sign in (write `users: [{id: ann, email: ann@example.com, password: '$argon2id$…'}]`)";
    for text in ["users: []", "users: {}", "users:", "users: 1", "{}"] {
        let problems = read(text).expect_err(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].ends_with(none), "{problems:?}");
    }
    for text in ["", "[]", "users: [", "users: [{id: a}, {id: a"] {
        assert!(read(text).is_err(), "{text}");
    }
}

#[test]
fn a_hash_without_quotes() {
    let text = format!("users: [{{id: ann, password: {HORSE}}}]");
    assert_eq!(
        read(&text).expect_err("cut"),
        [
            "users.yaml:1:29: `users[0].password` ends at a comma (put the hash in quotes: within `{…}` a comma ends a value)"
        ]
    );
    assert!(read(&format!("users:\n- id: ann\n  password: {HORSE}\n")).is_ok());
}

#[test]
fn json_is_read_too() {
    let text = format!(r#"{{"users": [{{"id": "ann", "password": "{HORSE}"}}]}}"#);
    assert!(read(&text).expect("users").authenticate("ann", "correct horse").is_ok());
}
