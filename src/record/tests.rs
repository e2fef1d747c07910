use super::SourceBuilder;
use super::source::fingerprint;
use super::{DataSource, DataSources, ForeignKey, FoundBy, Record, RecordError, RecordKeys};
use crate::identity::ClaimValue;
use std::collections::BTreeMap;
use std::net::IpAddr;

fn record(json: &str) -> Record {
    let ClaimValue::Map(fields) = ClaimValue::from_json(json.as_bytes()).expect(json) else {
        panic!("{json}")
    };
    Record::new(fields)
}

fn source(found_by: FoundBy, records: &[&str]) -> Result<DataSource, RecordError> {
    let mut builder = SourceBuilder::new(found_by);
    records.iter().try_for_each(|json| builder.add(record(json)))?;
    Ok(builder.finish())
}

fn by(key: ForeignKey) -> FoundBy {
    FoundBy { key, fold_email: false }
}

/// The `n` of the record that `keys` find.
fn found(source: &DataSource, keys: &RecordKeys<'_>) -> Option<String> {
    source.find(keys)?.field("n")?.scalar_text()
}

fn user(id: &str) -> RecordKeys<'_> {
    RecordKeys { user_id: id, ..RecordKeys::default() }
}

fn mail(email: &str) -> RecordKeys<'_> {
    RecordKeys { email, ..RecordKeys::default() }
}

fn from(ip: &str) -> RecordKeys<'static> {
    RecordKeys { ip: Some(ip.parse::<IpAddr>().expect(ip)), ..RecordKeys::default() }
}

#[test]
fn fields() {
    let record = record(
        r#"{"a": {"b": {"c": 1}, "x.y": 2}, "a.b": "literal", "list": [{"b": 1}], "z": null}"#,
    );
    let text = |path: &str| record.field(path).and_then(ClaimValue::scalar_text);
    assert_eq!(text("a.b").as_deref(), Some("literal"), "a literal name comes first");
    assert_eq!(text("a.b.c").as_deref(), Some("1"));
    assert_eq!(record.field("z"), Some(&ClaimValue::Null));
    for missing in ["", ".", "a.", ".a", "a..b", "a.b.c.d", "a.x.y", "list.b", "list.0", "A", "z.a"]
    {
        assert_eq!(record.field(missing), None, "{missing}");
    }
}

#[test]
fn by_user_id() {
    let users = [r#"{"id": "u-1", "n": 1}"#, r#"{"id": 42, "n": 2}"#, r#"{"id": "U-1", "n": 3}"#];
    let users = source(by(ForeignKey::UserId), &users).expect("a source");
    assert_eq!(found(&users, &user("u-1")).as_deref(), Some("1"));
    assert_eq!(found(&users, &user("42")).as_deref(), Some("2"));
    assert_eq!(found(&users, &user("U-1")).as_deref(), Some("3"));
    for keys in [user(""), user("u-2"), user(" u-1"), mail("u-1"), from("0.0.0.42")] {
        assert_eq!(found(&users, &keys), None, "{keys:?}");
    }
    assert_eq!(users.len(), 3);
}

#[test]
fn by_email() {
    let one = [r#"{"id": "Bob@Corp.test", "n": 1}"#];
    let exact = source(by(ForeignKey::UserEmail), &one).expect("a source");
    assert_eq!(found(&exact, &mail("Bob@Corp.test")).as_deref(), Some("1"));
    assert_eq!(found(&exact, &mail("bob@corp.test")), None);
    assert_eq!(found(&exact, &mail("")), None);
    let folding = FoundBy { key: ForeignKey::UserEmail, fold_email: true };
    let folded = source(folding, &one).expect("a source");
    for email in ["Bob@Corp.test", "bob@corp.test", "BOB@CORP.TEST"] {
        assert_eq!(found(&folded, &mail(email)).as_deref(), Some("1"), "{email}");
    }
    // U+212A, the Kelvin sign, is no `k`: only ASCII is folded.
    let kelvin = source(folding, &[r#"{"id": "k@corp.test", "n": 1}"#]).expect("a source");
    assert_eq!(found(&kelvin, &mail("\u{212a}@corp.test")), None);
    assert_eq!(found(&folded, &mail(&"a".repeat(100_000))), None);
    assert_eq!(found(&folded, &mail("")), None);
    let twice = [one[0], r#"{"id": "bob@corp.test"}"#];
    assert!(source(by(ForeignKey::UserEmail), &twice).is_ok());
    assert_eq!(source(folding, &twice).err(), Some(RecordError::SameId("bob@corp.test".into())));
}

#[test]
fn by_address() {
    let records = [
        r#"{"$index": {"cidr": "10.0.0.0/8"}, "n": "wide"}"#,
        r#"{"id": "office", "$index": {"cidr": "10.1.0.7/16"}, "n": "narrow"}"#,
        r#"{"id": "10.1.2.3", "n": "exact"}"#,
        r#"{"id": "192.0.2.1", "$index": {"cidr": "198.51.100.0/24"}, "n": "both"}"#,
        r#"{"$index": {"cidr": "2001:db8::/32"}, "n": "six"}"#,
        r#"{"$index": {"cidr": "::ffff:203.0.113.0/120"}, "n": "mapped"}"#,
    ];
    let places = source(by(ForeignKey::RequestIp), &records).expect("a source");
    for (ip, expected) in [
        ("10.9.9.9", "wide"),
        ("10.1.9.9", "narrow"),
        ("10.1.2.3", "exact"),
        ("::ffff:10.1.2.3", "exact"),
        ("::ffff:10.9.9.9", "wide"),
        ("192.0.2.1", "both"),
        ("198.51.100.255", "both"),
        ("2001:db8:ffff::1", "six"),
        ("203.0.113.9", "mapped"),
    ] {
        assert_eq!(found(&places, &from(ip)).as_deref(), Some(expected), "{ip}");
    }
    for ip in ["11.0.0.0", "9.255.255.255", "2001:db9::", "::10.1.2.3", "0.0.0.0", "::"] {
        assert_eq!(found(&places, &from(ip)), None, "{ip}");
    }
    assert_eq!(found(&places, &user("office")), None);
    let both = places.find(&from("192.0.2.1")).expect("a record");
    assert_eq!((both.field("$index"), both.field("$index.cidr")), (None, None));
    let none = source(by(ForeignKey::RequestIp), &[]).expect("a source");
    assert_eq!(found(&none, &from("10.1.2.3")), None);
}

#[test]
fn by_fingerprint() {
    let bytes: [u8; 32] = std::array::from_fn(|index| u8::try_from(index * 8).expect("small"));
    let plain = crate::hex::hex(&bytes);
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    for id in [plain.clone(), plain.to_ascii_uppercase(), pairs.join(":")] {
        let json = format!(r#"{{"id": "{id}", "n": 1}}"#);
        let source = source(by(ForeignKey::CertificateFingerprint), &[&json]).expect(&id);
        let with = |bytes| RecordKeys { fingerprint: Some(bytes), ..RecordKeys::default() };
        assert_eq!(found(&source, &with(&bytes)).as_deref(), Some("1"), "{id}");
        assert_eq!(found(&source, &with(&[0; 32])), None);
        assert_eq!(found(&source, &RecordKeys::default()), None);
    }
    for bad in [
        "",
        "00",
        plain.trim_start_matches('0'),
        &format!("{plain}0"),
        &plain.replace('0', "+"),
        &pairs.join("-"),
        &pairs.join(""),
        &format!("{}:", pairs.join(":")),
        &"é".repeat(32),
    ] {
        let read = fingerprint(bad);
        assert_eq!(read.is_some(), bad == pairs.concat(), "{bad}");
    }
}

#[test]
fn what_is_no_record() {
    use ForeignKey::{CertificateFingerprint, RequestIp, UserEmail, UserId};
    let refused =
        |key: ForeignKey, records: &[&str]| source(by(key), records).expect_err("refused");
    for none in ["{}", r#"{"id": ""}"#, r#"{"id": null}"#, r#"{"ID": "a"}"#] {
        for key in [UserId, UserEmail, CertificateFingerprint] {
            assert_eq!(refused(key, &[none]), RecordError::NoId, "{none}");
        }
        assert_eq!(refused(RequestIp, &[none]), RecordError::NoAddress, "{none}");
    }
    for wrong in ["1.5", "true", "[]", "{}", "12345678901234567890123"] {
        assert_eq!(refused(UserId, &[&format!(r#"{{"id": {wrong}}}"#)]), RecordError::IdType);
    }
    assert_eq!(
        refused(UserId, &[r#"{"id": "7"}"#, r#"{"id": 7}"#]),
        RecordError::SameId("7".into())
    );
    let long = format!(r#"{{"id": "{}"}}"#, "a".repeat(321));
    assert!(matches!(refused(UserEmail, &[&long]), RecordError::NotAnEmail(_)));
    for id in ["office", "10.0.0.0/8", "10.0.0.01", "fe80::1%eth0", "10.0.0.1:80", "167772161"] {
        let error = refused(RequestIp, &[&format!(r#"{{"id": "{id}"}}"#)]);
        assert_eq!(error, RecordError::NotAnAddress(id.into()));
    }
    for index in [
        "null",
        "[]",
        "{}",
        "\"10.0.0.0/8\"",
        r#"{"cidr": 5}"#,
        r#"{"cidr": "10.0.0.0/8", "cdir": ""}"#,
    ] {
        let json = format!(r#"{{"id": "10.0.0.1", "$index": {index}}}"#);
        assert_eq!(refused(RequestIp, &[&json]), RecordError::BadIndex, "{index}");
    }
    let bad_range = refused(RequestIp, &[r#"{"$index": {"cidr": "10.0.0.0/33"}}"#]);
    assert_eq!(bad_range, RecordError::BadRange("10.0.0.0/33".into()));
    let eight = r#"{"$index": {"cidr": "10.0.0.0/8"}}"#;
    for other in ["10.1.1.1/8", "::ffff:10.0.0.0/104"] {
        let other = format!(r#"{{"id": "x", "$index": {{"cidr": "{other}"}}}}"#);
        assert!(matches!(refused(RequestIp, &[eight, &other]), RecordError::SameRange(_)));
    }
    let same = [r#"{"id": "10.0.0.1"}"#, r#"{"id": "::ffff:10.0.0.1"}"#];
    assert_eq!(refused(RequestIp, &same), RecordError::SameId("::ffff:10.0.0.1".into()));
    let names =
        [r#"{"id": "x", "$index": {"cidr": "::/0"}}"#, r#"{"id": "x", "$index": {"cidr": "::1"}}"#];
    assert_eq!(refused(RequestIp, &names), RecordError::SameId("x".into()));
}

#[test]
fn a_refused_record_leaves_no_trace() {
    let mut builder = SourceBuilder::new(by(ForeignKey::RequestIp));
    let good = r#"{"id": "10.0.0.1", "n": "first"}"#;
    builder.add(record(good)).expect("added");
    let refused = r#"{"id": "10.0.0.2", "$index": {"cidr": "10.0.0.1/32"}, "n": "refused"}"#;
    builder.add(record(refused)).expect_err("refused");
    builder.add(record(r#"{"id": "10.0.0.3", "n": "second"}"#)).expect("added");
    let source = builder.finish();
    assert_eq!(found(&source, &from("10.0.0.1")).as_deref(), Some("first"));
    assert_eq!(found(&source, &from("10.0.0.2")), None);
    assert_eq!(found(&source, &from("10.0.0.3")).as_deref(), Some("second"));
}

#[test]
fn sources_by_type() {
    let one = source(by(ForeignKey::UserId), &[r#"{"id": "u", "n": 1}"#]).expect("a source");
    let sources = DataSources::new(BTreeMap::from([("corp.test/badge".to_owned(), one)]));
    assert!(sources.find("corp.test/badge", &user("u")).is_some());
    assert!(sources.find("corp.test/badge", &user("v")).is_none());
    assert!(sources.find("corp.test/Badge", &user("u")).is_none());
    assert!(DataSources::default().find("", &user("u")).is_none());
    let fixed = DataSources::fixed(BTreeMap::from([("t".to_owned(), record(r#"{"n": 1}"#))]));
    assert!(fixed.find("t", &RecordKeys::default()).is_some());
    assert!(fixed.find("s", &RecordKeys::default()).is_none());
    assert_eq!(fixed.types().collect::<Vec<_>>(), ["t"]);
}
