//! `data_sources`: files of records through the configuration, what finds a record, and everything that
//! can be wrong with them.

use crate::support::check::client;
use crate::support::config::{SECRET, load};
use lictor::app::App;
use lictor::clock::SystemClock;
use lictor::config::{Config, Environment};
use lictor::demo::exchange;
use lictor::identity::{ClaimValue, Directory};
use lictor::record::{DataSources, RecordKeys};
use lictor::state::Snapshot;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const ISSUER: &str = "accepted_issuers: [auth.test]\n";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("writes");
    }
    folder
}

fn config(folder: &TempDir, sources: &str) -> Config {
    let text = format!("{ISSUER}data_sources: {sources}\n");
    load(&text, folder.path()).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// Every problem of these sources: code, place, message and help, the folder left out.
fn problems(files: &[(&str, &str)], sources: &str) -> Vec<String> {
    let folder = folder(files);
    let text = format!("{ISSUER}data_sources: {sources}\n");
    let problems = load(&text, folder.path()).expect_err("problems");
    let home = format!("{}/", folder.path().display());
    let told = problems.iter().map(|problem| format!("{}: {problem}", problem.code));
    told.map(|text| text.replace(&home, "")).collect()
}

#[track_caller]
fn refused(files: &[(&str, &str)], sources: &str, expected: &str) {
    assert_eq!(problems(files, sources), [expected]);
}

/// As `refused`, for one file.
#[track_caller]
fn bad_file(name: &str, text: &str, key: &str, expected: &str) {
    let sources = format!("[{{record_type: t, file: {name}, foreign_key: {key}}}]");
    refused(&[(name, text)], &sources, expected);
}

fn text(sources: &DataSources, name: &str, keys: &RecordKeys<'_>, field: &str) -> Option<String> {
    sources.find(name, keys)?.field(field)?.scalar_text()
}

#[test]
fn every_foreign_key() {
    let print = "0a".repeat(32);
    let devices = format!(r#"[{{"id": "{print}", "asset": "L-7"}}]"#);
    let folder = folder(&[
        (
            "badges.yaml",
            "- id: u-bob\n  building: {floor: 3}\n  doors: [a, b]\n- {id: 42, building: {floor: 4}}\n",
        ),
        ("trained.yml", "- {id: Bob@corp.test, until: 2030}\n"),
        (
            "geoip.json",
            r#"[{"$index": {"cidr": "203.0.113.0/24"}, "country": "CH"}, {"id": "203.0.113.9", "country": "LI"}]"#,
        ),
        ("devices.JSON", &devices),
    ]);
    let settings = config(
        &folder,
        "
- {record_type: corp.test/badge, file: badges.yaml}
- {record_type: corp.test/trained, file: trained.yml, foreign_key: user.email}
- {record_type: corp.test/geoip, file: geoip.json, foreign_key: request.ip}
- {record_type: corp.test/device, file: devices.JSON, foreign_key: request.client_certificate.fingerprint}",
    );
    assert!(settings.notices.is_empty(), "{:?}", settings.notices);
    let snapshot = Snapshot::assemble(settings, Directory::default());
    let sources = &snapshot.settings.data_sources;
    assert_eq!(
        sources.types().collect::<Vec<_>>(),
        ["corp.test/badge", "corp.test/device", "corp.test/geoip", "corp.test/trained"]
    );
    let bob = RecordKeys {
        user_id: "u-bob",
        email: "Bob@corp.test",
        ip: Some("::ffff:203.0.113.9".parse().expect("an address")),
        fingerprint: Some(&[10; 32]),
    };
    assert_eq!(text(sources, "corp.test/badge", &bob, "building.floor").as_deref(), Some("3"));
    assert!(matches!(
        sources.find("corp.test/badge", &bob).and_then(|badge| badge.field("doors")),
        Some(ClaimValue::List(doors)) if doors.len() == 2
    ));
    let number = RecordKeys { user_id: "42", ..bob };
    assert_eq!(text(sources, "corp.test/badge", &number, "building.floor").as_deref(), Some("4"));
    assert_eq!(text(sources, "corp.test/trained", &bob, "until").as_deref(), Some("2030"));
    assert_eq!(text(sources, "corp.test/geoip", &bob, "country").as_deref(), Some("LI"));
    let near = RecordKeys { ip: Some([203, 0, 113, 8].into()), ..bob };
    assert_eq!(text(sources, "corp.test/geoip", &near, "country").as_deref(), Some("CH"));
    assert_eq!(text(sources, "corp.test/device", &bob, "asset").as_deref(), Some("L-7"));
    for name in ["corp.test/badge", "corp.test/trained", "corp.test/geoip", "corp.test/device"] {
        assert!(sources.find(name, &RecordKeys::default()).is_none(), "{name}");
    }
    assert!(sources.find("corp.test/other", &bob).is_none());
}

#[test]
fn email_is_folded_only_where_it_is_asked() {
    let folder = folder(&[("trained.yaml", "- {id: Bob@corp.test}\n")]);
    let source = "[{record_type: t, file: trained.yaml, foreign_key: user.email}]";
    let lower = RecordKeys { email: "bob@corp.test", ..RecordKeys::default() };
    assert!(config(&folder, source).data_sources.find("t", &lower).is_none());
    let folding = format!("{source}\ncase_insensitive_email: true");
    assert!(config(&folder, &folding).data_sources.find("t", &lower).is_some());
}

#[test]
fn nothing_and_empty() {
    let folder = folder(&[("none.json", " [ ] \n"), ("none.yaml", "[]\n")]);
    assert_eq!(config(&folder, "[]").data_sources.types().count(), 0);
    assert_eq!(config(&folder, "").data_sources.types().count(), 0);
    for file in ["none.json", "none.yaml"] {
        let empty = config(&folder, &format!("[{{record_type: t, file: {file}}}]"));
        let told = empty.notices.iter().map(ToString::to_string).collect::<Vec<_>>();
        let place = folder.path().join(file);
        assert_eq!(told, [format!("{}: there are no records in this file", place.display())]);
    }
}

#[test]
fn the_file_is_watched_from_where_the_configuration_is() {
    let folder = folder(&[("r.json", "[]")]);
    let config = config(&folder, "[{record_type: t, file: r.json}]");
    assert_eq!(
        config.origin.files,
        [folder.path().join("lictor.yaml"), folder.path().join("r.json")]
    );
}

#[test]
fn from_the_environment() {
    use base64::Engine as _;
    let folder = folder(&[("r.yaml", "[{id: u}]"), ("lictor.yaml", ISSUER)]);
    let list = base64::engine::general_purpose::STANDARD.encode("[{record_type: t, file: r.yaml}]");
    let environment = Environment::new([
        ("SHARED_SECRET".to_owned(), SECRET.to_owned()),
        ("DATA_SOURCES".to_owned(), list),
    ]);
    let config = Config::load(&folder.path().join("lictor.yaml"), &environment).expect("loads");
    assert!(
        config
            .data_sources
            .find("t", &RecordKeys { user_id: "u", ..RecordKeys::default() })
            .is_some()
    );
}

#[test]
fn what_is_wrong_with_a_source() {
    let help =
        "(write `{record_type: example.com/badge, file: badges.json, foreign_key: user.id}`)";
    let files = &[("r.json", "[]")];
    refused(
        files,
        "r.json",
        "wrong_type: lictor.yaml:2:15: `data_sources` must be a list of maps, not text (begin each source with `- record_type: …`)",
    );
    refused(
        files,
        "[r.json]",
        "wrong_type: lictor.yaml:2:16: `data_sources[0]` must be a map, not text (write `key: value` below it, or `{key: value}`)",
    );
    refused(
        files,
        "[{record_type: t}]",
        &format!("missing_field: lictor.yaml:2:16: a source of records needs `file` {help}"),
    );
    refused(
        files,
        "[{file: r.json}]",
        &format!("missing_field: lictor.yaml:2:16: a source of records needs `record_type` {help}"),
    );
    refused(
        files,
        "[{file: r.json, record_type: ''}]",
        &format!(
            "bad_value: lictor.yaml:2:44: `record_type` of a source of records is empty {help}"
        ),
    );
    refused(
        files,
        "[{file: r.json, record_type: t, foreign_kye: user.id}]",
        "unknown_key: lictor.yaml:2:47: unknown key `data_sources[0].foreign_kye` (did you mean `foreign_key`?)",
    );
    refused(
        files,
        "[{file: r.json, record_type: 5}]",
        "wrong_type: lictor.yaml:2:44: `data_sources[0].record_type` must be text, not a number (put it in quotes)",
    );
    refused(
        files,
        "[{file: r.json, record_type: t, foreign_key: user.emial}]",
        "bad_value: lictor.yaml:2:60: `foreign_key` cannot be `user.emial` (did you mean `user.email`?)",
    );
    refused(
        files,
        "[{file: r.json, record_type: t, foreign_key: sub}]",
        "bad_value: lictor.yaml:2:60: `foreign_key` cannot be `sub` (use one of `user.id`, `user.email`, `request.ip`, `request.client_certificate.fingerprint`)",
    );
    refused(
        files,
        "[{file: r.json, record_type: t}, {file: r.json, record_type: t}]",
        "duplicate_record_type: lictor.yaml:2:76: two sources have records of the type `t` (put all records of a type into one file)",
    );
    refused(
        files,
        "[{file: gone.json, record_type: t}]",
        "unreadable_file: lictor.yaml:2:23: cannot read `gone.json`: No such file or directory (os error 2) (make `file` name a file that this process may read)",
    );
}

#[test]
fn what_is_wrong_with_a_file() {
    let json = "(write one JSON list of maps, with each name once in a map)";
    let list = "(write one map for each record, in a list)";
    bad_file(
        "r.json",
        "",
        "user.id",
        &format!("wrong_type: r.json:1:1: the file must hold a list of maps, not nothing {list}"),
    );
    bad_file(
        "r.json",
        "\n {}",
        "user.id",
        &format!("wrong_type: r.json:2:2: the file must hold a list of maps, not a map {list}"),
    );
    bad_file(
        "r.json",
        "null",
        "user.id",
        &format!(
            "wrong_type: r.json:1:1: the file must hold a list of maps, not a single value {list}"
        ),
    );
    bad_file(
        "r.yaml",
        "id: u\n",
        "user.id",
        &format!("wrong_type: r.yaml:1:1: the file must hold a list of maps, not a map {list}"),
    );
    bad_file(
        "r.yaml",
        "",
        "user.id",
        "empty_document: r.yaml:1:1: the document is empty (write at least one key)",
    );
    bad_file(
        "r.yaml",
        "- {id: u, id: v}\n",
        "user.id",
        "yaml_duplicate_key: r.yaml:1:11: the key `id` is given twice; the first is on line 1 (keep one of the two)",
    );
    for (text, place, message) in [
        ("[", "1:2", "the list has no end"),
        ("[\n{\"id\": \"u\"}\n", "3:1", "the list has no end"),
        ("[{\"id\": \"u\"},", "1:14", "the list has no end"),
        ("[{\"id\": \"u\"},]", "1:14", "expected value"),
        ("[,{\"id\": \"u\"}]", "1:2", "expected value"),
        ("[{\"id\": \"u\"} {}]", "1:14", "`,` or `]` must come here"),
        ("[] []", "1:4", "nothing may come after the list"),
        ("[\n  {\"id\": \"é\"}, {\"id\": }]", "2:23", "expected value"),
        ("[{\"id\":\n \"u\",\n \"x\": tru}]", "3:10", "expected ident"),
        ("[{\"id\": \"u\", \"id\": \"v\"}]", "1:23", "a member is repeated"),
        ("[{\"id\": \"u\", \"n\": 1e999}]", "1:23", "number out of range"),
    ] {
        bad_file(
            "r.json",
            text,
            "user.id",
            &format!("json_syntax: r.json:{place}: {message} {json}"),
        );
    }
    let deep = format!("[{{\"id\": {}}}]", "[".repeat(100_000));
    assert!(
        problems(&[("r.json", &deep)], "[{record_type: t, file: r.json}]")[0]
            .contains("recursion limit")
    );
    let large = format!("[{{id: \"{}\"}}]", "x".repeat(16 << 20));
    bad_file(
        "r.yaml",
        &large,
        "user.id",
        "yaml_syntax: r.yaml: the document is larger than 16 MiB (write so many records as JSON, in a file whose name ends in `.json`)",
    );
}

#[test]
fn what_is_wrong_with_a_record() {
    let bad = |key: &str, record: &str, expected: &str| {
        let one = format!("[\n  {record}\n]");
        for file in ["r.json", "r.yaml"] {
            bad_file(
                file,
                &one,
                key,
                &format!("bad_record: {file}:2:3: record 1 cannot be used: {expected}"),
            );
        }
    };
    bad("user.id", r#"["id"]"#, "it is no map (write each record as `{id: …, NAME: VALUE}`)");
    bad(
        "user.id",
        r#"{"name": "Bob"}"#,
        "it has no `id` (give each record an `id`: what the foreign key is compared with)",
    );
    bad(
        "user.id",
        r#"{"id": 1.5}"#,
        "its `id` is not text and not a whole number (put it in quotes)",
    );
    let fingerprint = "request.client_certificate.fingerprint";
    bad(
        fingerprint,
        r#"{"id": "0a0b"}"#,
        "its id `0a0b` is not a SHA-256 fingerprint (write the SHA-256 of the certificate as 64 hexadecimal digits)",
    );
    let address = "(write `id: 192.0.2.7`, or `$index: {cidr: 192.0.2.0/24}` for a range)";
    bad(
        "request.ip",
        r#"{"country": "CH"}"#,
        &format!("it has neither `id` nor `$index.cidr` {address}"),
    );
    bad(
        "request.ip",
        r#"{"id": "10.0.0.0/8"}"#,
        &format!("its id `10.0.0.0/8` is not an IP address {address}"),
    );
    let index = "(write it as `$index: {cidr: 10.0.0.0/8}`)";
    bad(
        "request.ip",
        r#"{"$index": {"cidr": "10.0.0.0/33"}}"#,
        &format!("its `$index.cidr`, `10.0.0.0/33`, is not an IP address or range {index}"),
    );
    bad(
        "request.ip",
        r#"{"$index": {"cdir": "10.0.0.0/8"}}"#,
        &format!("its `$index` is not a map with `cidr` and nothing else {index}"),
    );
}

#[test]
fn the_second_of_two_is_named() {
    let keep = "(keep one of the two; only one can be found)";
    bad_file(
        "r.json",
        "[{\"id\": 7},\n {\"id\": \"7\"}]",
        "user.id",
        &format!(
            "bad_record: r.json:2:2: record 2 cannot be used: another record has the id `7` {keep}"
        ),
    );
    bad_file(
        "r.yaml",
        "- $index: {cidr: 10.0.0.0/8}\n- $index: {cidr: 10.1.0.0/8}\n",
        "request.ip",
        &format!(
            "bad_record: r.yaml:2:3: record 2 cannot be used: another record is for `10.0.0.0/8` {keep}"
        ),
    );
}

#[test]
fn many_wrong_records_are_not_all_told() {
    let text = format!("[{}]", vec!["{}"; 1000].join(","));
    let told = problems(&[("r.json", &text)], "[{record_type: t, file: r.json}]");
    assert_eq!(told.len(), 21);
    assert_eq!(told[0], "bad_record: r.json: 20 records are wrong; those after them were not read");
}

#[test]
fn a_large_file_is_read_whole() {
    let record = |n: usize| {
        format!(r#"{{"$index": {{"cidr": "10.{}.{}.0/24"}}, "n": {n}}}"#, n / 256, n % 256)
    };
    let text = format!("[{}]", (0..20_000).map(record).collect::<Vec<_>>().join(",\n"));
    let folder = folder(&[("r.json", &text)]);
    let config = config(&folder, "[{record_type: t, file: r.json, foreign_key: request.ip}]");
    for n in [0, 255, 256, 19_999] {
        let ip = [10, u8::try_from(n / 256).unwrap(), u8::try_from(n % 256).unwrap(), 77].into();
        let keys = RecordKeys { ip: Some(ip), ..RecordKeys::default() };
        assert_eq!(text_of(&config, &keys), Some(n.to_string()));
    }
    let outside = RecordKeys { ip: Some([10, 200, 0, 1].into()), ..RecordKeys::default() };
    assert_eq!(text_of(&config, &outside), None);
}

fn text_of(config: &Config, keys: &RecordKeys<'_>) -> Option<String> {
    text(&config.data_sources, "t", keys, "n")
}

/// Puts a file in place in one step, as an editor does.
fn put(folder: &Path, name: &str, content: &str) {
    let next = folder.join("next");
    std::fs::write(&next, content).expect("writes");
    std::fs::rename(next, folder.join(name)).expect("renames");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_records_is_read() {
    let folder = folder(&[("secret", SECRET), ("r.json", "[]")]);
    let text = format!(
        "{ISSUER}grpc_address: 127.0.0.1:0\nhttp_address: 127.0.0.1:0\nmetrics_address: 127.0.0.1:0\nshared_secret_file: secret\ndata_sources: [{{record_type: t, file: r.json}}]\n"
    );
    put(folder.path(), "lictor.yaml", &text);
    let file = folder.path().join("lictor.yaml");
    let config = Config::load(&file, &Environment::default()).expect("loads");
    let app = App::bind(config, Arc::new(SystemClock)).await.expect("binds");
    let at = app.addresses();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(app.run(async move { drop(stopped.await) }));
    drop(client(&at.grpc).await);
    let operator = at.metrics.expect("an operator's listener");
    for (records, expected) in
        [("[{}]", "has 1 problem"), ("[{\"id\": \"u\"}]", "ready\n"), ("[", "has 1 problem")]
    {
        put(folder.path(), "r.json", records);
        let mut seen = String::new();
        for _ in 0..100 {
            let page = exchange(operator, &["GET /readyz HTTP/1.1", "Host: x"]).await;
            seen = page.expect("an answer").body;
            let bad = seen.contains("problem");
            if seen.contains(expected) && bad == expected.contains("problem") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(seen.contains(expected), "{records}: {seen}");
    }
    stop.send(()).expect("running");
    running.await.expect("no panic").expect("ends well");
}
