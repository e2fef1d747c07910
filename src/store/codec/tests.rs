//! Records go into rows and come back as they were; rows of any other kind come back as an error.

use super::{
    Stored, account_cells, catalog, credential, credential_cells, entry, entry_cells, machine,
    machines, person, person_cells, session, session_cells,
};
use crate::activity::{ChainKey, Entry, Event, Head, Verb, Who};
use crate::id::{CredentialId, NamespaceId, PermissionId, ServiceAccountId, SessionId};
use crate::identity::{ClaimValue, Claims};
use crate::namespace::{Permission, Role, Subject};
use crate::service_account::{
    AccountKind, AccountRecord, CredentialRecord, Impersonated, KnownBy, LastUse,
};
use crate::session::{Account, Impersonation, KnownPerson, Origin, SealedTokens, SessionRecord};
use crate::store::StoreErrorKind;
use crate::store::statement::{Cell, Row};
use crate::time::Timestamp;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn id() -> SessionId {
    SessionId::parse("ses_00112233445566778899aabbccddeeff").expect("an id")
}

fn account() -> Account {
    let claims = [
        ("sub", r#"["u-alice"]"#),
        ("amount", "[0.1, 1e300, -0.0, 9007199254740993, 18446744073709551615, 1.0]"),
        ("nested", r#"{"a": {"b": [null, true, "\u0000\uffff"]}}"#),
    ];
    let claims = claims.map(|(name, json)| {
        (name.to_owned(), ClaimValue::from_json(json.as_bytes()).expect("json"))
    });
    Account {
        user: "u-alice".to_owned(),
        email: "Alice@corp.test".to_owned(),
        name: "Ålice \0".to_owned(),
        groups: Some(vec!["g-eng".to_owned(), String::new()]),
        claims: Claims::new(claims.into_iter().collect()),
    }
}

fn record() -> SessionRecord {
    let at = Timestamp::from_unix;
    SessionRecord {
        id: id(),
        account: account(),
        provider: "https://idp.corp.test".to_owned(),
        provider_session: "sid-1".to_owned(),
        opened: at(1_700_000_000),
        refreshed: at(1_700_000_100),
        expires: at(1_700_050_000),
        impersonation: Some(Impersonation {
            email: Some("bob@corp.test".to_owned()),
            groups: None,
            reason: "ticket 7".to_owned(),
            started: at(1_700_000_050),
            until: at(1_700_003_600),
            known: Some(account()),
        }),
        tokens: Some(SealedTokens {
            sealed: "c2VhbGVk".to_owned(),
            refresh_at: Some(at(1_700_003_000)),
        }),
        origin: Origin {
            address: "192.0.2.1".to_owned(),
            request_id: "r-1".to_owned(),
            user_agent: "Browser".to_owned(),
        },
        version: 3,
    }
}

fn known() -> KnownPerson {
    let last_sign_in = Timestamp::from_unix(1_700_000_000);
    KnownPerson { account: account(), provider: "local".to_owned(), last_sign_in }
}

fn logged() -> Entry {
    let event = Event {
        at: Timestamp::from_unix(-5),
        verb: Verb::ImpersonationStart,
        actor: Who {
            user: "u-root".to_owned(),
            email: "Root@corp.test".to_owned(),
            groups: vec![],
        },
        subject: Some(Who { groups: vec!["g".to_owned()], ..Who::default() }),
        session: Some(id()),
        reason: "a \0 b".to_owned(),
        detail: String::new(),
        origin: Origin::default(),
        deed: None,
    };
    ChainKey::derive(&[7; 32]).next(&Head::default(), event)
}

#[test]
fn records_come_back_as_they_were() {
    let bare = SessionRecord {
        account: Account::default(),
        impersonation: None,
        tokens: None,
        origin: Origin::default(),
        ..record()
    };
    for record in [record(), bare] {
        let cells = session_cells(&record).expect("cells");
        assert_eq!(session(Row::new(cells)).expect("reads"), record);
    }
    let cells = person_cells(&known()).expect("cells");
    assert_eq!(person(Row::new(cells)).expect("reads"), known());
    let entry_back = entry(Row::new(entry_cells(&logged()))).expect("reads");
    assert_eq!(entry_back, logged());
}

/// Every way of spoiling one cell.
fn spoilt(cells: &[Cell]) -> Vec<Vec<Cell>> {
    let wrong = [
        Cell::Null,
        Cell::Int(-1),
        Cell::Int(i64::MAX),
        Cell::text(""),
        Cell::text("{}"),
        Cell::text("[1, 2"),
        Cell::text("\u{0}"),
    ];
    let mut rows = vec![Vec::new(), cells[1..].to_vec(), cells[..cells.len() - 1].to_vec()];
    for index in 0..cells.len() {
        for cell in wrong.iter().filter(|cell| **cell != cells[index]) {
            let mut row = cells.to_vec();
            row[index] = cell.clone();
            rows.push(row);
        }
    }
    rows
}

#[test]
fn a_spoilt_row_is_corrupt() {
    for row in spoilt(&session_cells(&record()).expect("cells")) {
        match session(Row::new(row.clone())) {
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Corrupt),
            // The version stands nowhere else.
            Ok(read) => assert_eq!(read.version, i64::MAX.unsigned_abs(), "{row:?}"),
        }
    }
    for row in spoilt(&person_cells(&known()).expect("cells")) {
        let error = person(Row::new(row.clone())).expect_err(&format!("{row:?}"));
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    }
    for row in spoilt(&entry_cells(&logged())) {
        match entry(Row::new(row.clone())) {
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Corrupt),
            // These two are what the chain is for.
            Ok(read) => assert!(read.number != 1 || read.hash != logged().hash, "{row:?}"),
        }
    }
}

fn machine_account() -> AccountRecord {
    let at = Timestamp::from_unix;
    AccountRecord {
        id: ServiceAccountId::parse("sa_00112233445566778899aabbccddeeff").expect("an id"),
        namespace: NamespaceId::parse("design").expect("an id"),
        kind: AccountKind::Impersonating(Box::new(Impersonated {
            known: account(),
            source: KnownBy::SignIn,
        })),
        user: "u-alice".to_owned(),
        name: "Ålice \0".to_owned(),
        description: "100 %".to_owned(),
        originator: "terraform".to_owned(),
        created: at(1),
        created_by: "root@corp.test".to_owned(),
        modified: at(2),
        expires: Some(at(3)),
        disabled: Some(at(4)),
        deleted: Some(at(5)),
        used: Some(at(6)),
        version: 7,
    }
}

fn machine_credential() -> CredentialRecord {
    let at = Timestamp::from_unix;
    CredentialRecord {
        id: CredentialId::parse("cred_00112233445566778899aabbccddeeff").expect("an id"),
        account: machine_account().id,
        hint: "wxyz".to_owned(),
        issued: at(1),
        issued_by: "root@corp.test".to_owned(),
        expires: Some(at(9)),
        revoked: Some(at(8)),
        superseded: Some(at(7)),
        last_use: Some(LastUse {
            at: at(6),
            address: "192.0.2.1".to_owned(),
            route: "r\0\u{ffff}".to_owned(),
        }),
    }
}

#[test]
fn machines_come_back_as_they_were() {
    let bare = AccountRecord {
        kind: AccountKind::Unique,
        expires: None,
        disabled: None,
        deleted: None,
        used: None,
        ..machine_account()
    };
    for known in [machine_account(), bare] {
        let cells = account_cells(&known).expect("cells");
        assert_eq!(machines::account(Row::new(cells)).expect("reads"), known);
    }
    let bare = CredentialRecord {
        expires: None,
        revoked: None,
        superseded: None,
        last_use: None,
        ..machine_credential()
    };
    for known in [machine_credential(), bare] {
        let cells = credential_cells(&known).expect("cells");
        assert_eq!(credential(Row::new(cells)).expect("reads"), known);
    }
}

/// Nothing that decides whether a machine comes in can be changed in one place alone.
#[test]
fn a_spoilt_machine_is_corrupt() {
    let known = machine_account();
    for row in spoilt(&account_cells(&known).expect("cells")) {
        match machines::account(Row::new(row.clone())) {
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Corrupt),
            // These stand nowhere else, and what it is found by decides nothing.
            Ok(read) => {
                let version = known.version;
                assert_eq!(AccountRecord { used: known.used, version, ..read }, known, "{row:?}");
            }
        }
    }
    let known = machine_credential();
    for row in spoilt(&credential_cells(&known).expect("cells")) {
        match credential(Row::new(row.clone())) {
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Corrupt),
            Ok(read) => {
                let last_use = known.last_use.clone();
                assert_eq!(CredentialRecord { last_use, ..read }, known, "{row:?}");
            }
        }
    }
    let other = AccountRecord {
        id: ServiceAccountId::parse("sa_ffffffffffffffffffffffffffffffff").expect("an id"),
        ..machine_account()
    };
    let mut cells = credential_cells(&known).expect("cells");
    cells.extend(account_cells(&other).expect("cells"));
    let error = machine(Row::new(cells)).expect_err("it is another's");
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
}

#[test]
fn a_spoilt_catalog_is_corrupt() {
    let granted = Permission {
        id: PermissionId::parse("perm_00112233445566778899aabbccddeeff").expect("an id"),
        namespace: NamespaceId::parse("design").expect("an id"),
        subject: Subject::Group("g-eng".to_owned()),
        role: Role::Viewer,
        created: Timestamp::from_unix(1),
        created_by: "root@corp.test".to_owned(),
    };
    let cells = Stored::permission(&granted).expect("a row").cells();
    let read = catalog(vec![Row::new(cells.clone())]).expect("reads");
    assert_eq!(read.permissions, std::slice::from_ref(&granted));
    for row in spoilt(&cells) {
        match catalog(vec![Row::new(row.clone())]) {
            Err(error) => assert_eq!(error.kind(), StoreErrorKind::Corrupt),
            Ok(read) if read.permissions.is_empty() => {
                // A kind of a later version.
                assert_ne!(row.first(), cells.first(), "{row:?}");
            }
            // The name is there to be unique.
            Ok(read) => assert_eq!(read.permissions, std::slice::from_ref(&granted), "{row:?}"),
        }
    }
    for (good, bad) in [("viewer", "owner"), ("group", "all"), ("design", "-")] {
        let mut cells = cells.clone();
        let Some(Cell::Text(json)) = cells.last_mut() else { panic!("json") };
        *json = json.replace(good, bad);
        let error = catalog(vec![Row::new(cells)]).expect_err("it is none");
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    }
}

#[test]
fn an_error_shows_nothing_of_the_record() {
    let mut cells = session_cells(&record()).expect("cells");
    let Some(Cell::Text(json)) = cells.last_mut() else { panic!("json") };
    *json = json.replace("\"Alice@corp.test\"", "[\"hunter2\"]");
    let error = session(Row::new(cells)).expect_err("no record").to_string();
    assert!(error.contains("ses_00112233") && !error.contains("hunter2"), "{error}");
}

#[test]
fn members_that_are_not_known_are_left_alone() {
    let mut cells = session_cells(&record()).expect("cells");
    let Some(Cell::Text(json)) = cells.last_mut() else { panic!("json") };
    *json = json.replacen('{', "{\"of_a_later_version\":1,", 1);
    assert_eq!(session(Row::new(cells)).expect("reads"), record());
}

fn claim() -> impl Strategy<Value = ClaimValue> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<u64>().prop_map(|value| value.to_string()),
        any::<f64>()
            .prop_filter("finite", |value| value.is_finite())
            .prop_map(|value| format!("{value:?}")),
        "-?[0-9]{1,5}\\.[0-9]{1,30}".prop_filter("one zero", |text| {
            let digits = text.trim_start_matches('-');
            !digits.starts_with('0') || digits.starts_with("0.")
        }),
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
    ];
    let json = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::btree_map("[a-z]{1,3}", inner, 0..4).prop_map(|members| {
                let members = members.iter().map(|(name, value)| format!("\"{name}\":{value}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    });
    json.prop_map(|text| ClaimValue::from_json(text.as_bytes()).expect("json"))
}

proptest! {
    #[test]
    fn any_claims_come_back_as_they_were(
        claims in prop::collection::btree_map(any::<String>(), claim(), 0..4),
        user in any::<String>(),
        groups in any::<Option<Vec<String>>>(),
    ) {
        let claims: BTreeMap<String, ClaimValue> = claims;
        let account = Account { user, groups, claims: Claims::new(claims), ..account() };
        let record = SessionRecord { account, ..record() };
        let cells = session_cells(&record).expect("cells");
        // As text, in which also the sign of zero and whole numbers with a fraction are told apart.
        let back = session(Row::new(cells.clone())).expect("reads");
        prop_assert_eq!(&back, &record);
        prop_assert_eq!(session_cells(&back).expect("cells"), cells);
    }
}
