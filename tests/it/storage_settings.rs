//! `storage`, and what is said of it when it is wrong. A connection string is shown nowhere.

use crate::support::command::{Ran, lictor};
use crate::support::config::{SECRET, load};
use lictor::config::{Config, Environment};
use lictor::store::{ConnectionString, Kept, StorageSettings};
use std::path::Path;
use std::time::Duration;

const STRING: &str = "postgresql://lictor:hunter2@db.test/lictor?sslmode=verify-full";

fn storage(text: &str, variables: &[(&str, &str)]) -> StorageSettings {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lictor.yaml");
    std::fs::write(&file, text).expect("writes");
    std::fs::write(folder.path().join("string"), format!("{STRING}\n")).expect("writes");
    let all = [("SHARED_SECRET", SECRET)].iter().chain(variables);
    let all = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let config = Config::load(&file, &Environment::new(all));
    let mut storage = config.unwrap_or_else(|problems| panic!("{problems:#?}\n{text}")).storage;
    if let Kept::InFile(path) = &mut storage.kept {
        *path = path.strip_prefix(folder.path()).expect("beside the configuration").to_owned();
    }
    storage
}

fn in_postgres() -> Kept {
    Kept::InPostgres(ConnectionString::parse(STRING).expect("a connection string"))
}

fn in_file(name: &str) -> Kept {
    Kept::InFile(name.into())
}

#[test]
fn where_records_are_kept() {
    let own = |text: &str| storage(&format!("storage: {text}\n"), &[]).kept;
    assert_eq!(storage("", &[]), StorageSettings::new(in_file("lictor.db")));
    assert_eq!(own("{}"), in_file("lictor.db"));
    assert_eq!(own("{type: sqlite, path: people.db}"), in_file("people.db"));
    assert_eq!(own("{type: memory}"), Kept::InMemory);
    assert_eq!(own(&format!("{{type: postgres, connection_string: '{STRING}'}}")), in_postgres());
    assert_eq!(own("{type: postgres, connection_string_file: string}"), in_postgres());
}

#[test]
fn how_long_one_waits() {
    let text = "storage: {lookup_timeout: 250ms, timeout: 2s, max_staleness: 0s}\n";
    let StorageSettings { lookup_timeout, timeout, max_staleness, .. } = storage(text, &[]);
    assert_eq!((lookup_timeout, timeout), (Duration::from_millis(250), Duration::from_secs(2)));
    assert_eq!(max_staleness, Duration::ZERO, "nothing is used that cannot be asked about");
    let StorageSettings { lookup_timeout, timeout, max_staleness, .. } = storage("", &[]);
    let seconds = [lookup_timeout, timeout, max_staleness].map(|time| time.as_secs());
    assert_eq!(seconds, [1, 5, 60]);
}

#[test]
fn as_pomerium_writes_it() {
    let foreign = |text: &str| storage(text, &[]).kept;
    assert_eq!(foreign("databroker_storage_type: memory\n"), Kept::InMemory);
    assert_eq!(foreign("databroker_storage_type: file\n"), in_file("lictor.db"));
    let postgres = "databroker_storage_type: postgres\ndatabroker_storage_connection_string";
    assert_eq!(foreign(&format!("{postgres}: {STRING}\n")), in_postgres());
    assert_eq!(foreign(&format!("{postgres}_file: string\n")), in_postgres());
    let folder = tempfile::tempdir().expect("a folder");
    let text = "databroker_storage_type: file\ndatabroker_storage_connection_string: file:///x\n";
    let config = load(text, folder.path()).expect("loads");
    let notices: Vec<String> = config.notices.iter().map(ToString::to_string).collect();
    let told = "`databroker_storage_connection_string` is used with `databroker_storage_type: postgres` only";
    assert!(notices.iter().any(|notice| notice.ends_with(told)), "{notices:?}");
}

#[test]
fn by_variables() {
    let text = "storage: {type: memory, timeout: 2s}\n";
    let of = |variables| storage(text, variables).kept;
    assert_eq!(of(&[("STORAGE_TYPE", "sqlite"), ("STORAGE_PATH", "v.db")]), in_file("v.db"));
    let postgres = &[("STORAGE_TYPE", "postgres"), ("STORAGE_CONNECTION_STRING", STRING)];
    assert_eq!(of(postgres), in_postgres());
    assert_eq!(of(&[("STORAGE", "{\"type\": \"sqlite\"}")]), in_file("lictor.db"));
    let foreign =
        [("DATABROKER_STORAGE_TYPE", "postgres"), ("DATABROKER_STORAGE_CONNECTION_STRING", STRING)];
    assert_eq!(storage("", &foreign).kept, in_postgres());
}

#[test]
fn the_file_of_the_string_is_watched() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("string"), STRING).expect("writes");
    let text = "storage: {type: postgres, connection_string_file: string}\n";
    let config = load(text, folder.path()).expect("loads");
    assert!(config.origin.files.contains(&folder.path().join("string")));
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2"), "nothing of it is shown");
}

// --- what is wrong

fn check(folder: &Path, text: &str) -> Ran {
    let text = format!("authenticate_service_url: https://auth.example.com\n{text}");
    std::fs::write(folder.join("lictor.yaml"), text).expect("writes");
    lictor(folder, &["config", "check", "lictor.yaml"], &[("SHARED_SECRET", SECRET)], "")
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("folder")).expect("makes");
    let ran = check(folder.path(), text);
    assert_eq!(ran.stderr, format!("{expected}\n\n1 problem in lictor.yaml\n"));
    assert_eq!((ran.code, ran.stdout.as_str()), (3, ""));
}

#[test]
fn a_type_that_is_not_known() {
    refused(
        "storage: {type: postgresql}\n",
        "error: `storage.type` cannot be `postgresql`
 --> lictor.yaml:2:17
  |
2 | storage: {type: postgresql}
  |                 ^
help: use `sqlite`, `postgres` or `memory`",
    );
    refused(
        "databroker_storage_type: redis\n",
        "error: `databroker_storage_type` cannot be `redis`
 --> lictor.yaml:2:26
  |
2 | databroker_storage_type: redis
  |                          ^
help: use `postgres`, `file` or `memory`",
    );
}

#[test]
fn a_string_that_is_missing() {
    refused(
        "storage:\n  type: postgres\n",
        "error: `storage.connection_string` is missing
 --> lictor.yaml:3:3
  |
3 |   type: postgres
  |   ^
help: write it as `postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full`, or name a file that holds it with `connection_string_file`",
    );
    refused(
        "databroker_storage_type: postgres\n",
        "error: `databroker_storage_connection_string` is missing
 --> lictor.yaml:1:1
  |
1 | authenticate_service_url: https://auth.example.com
  | ^
help: write it as `postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full`, or name a file that holds it with `databroker_storage_connection_string_file`",
    );
}

#[test]
fn a_string_that_is_none() {
    refused(
        "storage:\n  type: postgres\n  connection_string: postgresql://lictor:hunter2@db.test:x/lictor\n",
        "error: `storage.connection_string`: the connection string cannot be read
 --> lictor.yaml:4:22
  |
4 |   connection_string: …
  |                      ^
help: write it as `postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full`, with `%40` for an `@` in a password",
    );
    refused(
        "storage: {type: postgres, connection_string: 'host=db.test sslmode=allow password=hunter2'}\n",
        "error: `storage.connection_string`: the connection string has an `sslmode` that is not known
 --> lictor.yaml:2:46
  |
2 | storage: {type: postgres, connection_string: …
  |                                              ^
help: use `disable`, `prefer`, `require`, `verify-ca` or `verify-full`",
    );
}

#[test]
fn a_file_of_a_string_that_cannot_be_read() {
    refused(
        "storage: {type: postgres, connection_string_file: none}\n",
        "error: cannot read `none`: No such file or directory (os error 2)
 --> lictor.yaml:2:51
  |
2 | storage: {type: postgres, connection_string_file: …
  |                                                   ^
help: make `connection_string_file` name a file that this process may read",
    );
}

#[test]
fn a_file_that_cannot_be() {
    refused(
        "storage: {path: none/lictor.db}\n",
        "error: `storage.path`: there is no folder `none`
 --> lictor.yaml:2:17
  |
2 | storage: {path: none/lictor.db}
  |                 ^
help: make the folder, or name a file in one that is there",
    );
    refused(
        "storage: {path: folder}\n",
        "error: `storage.path`: `folder` is not the path of a file
 --> lictor.yaml:2:17
  |
2 | storage: {path: folder}
  |                 ^
help: name a file",
    );
}

#[test]
fn what_belongs_to_another_type() {
    refused(
        "storage: {connection_string: 'host=db.test password=hunter2'}\n",
        "error: `storage.connection_string` is for `type: postgres`
 --> lictor.yaml
help: write `type: postgres`, or remove `storage.connection_string`",
    );
    refused(
        "storage: {type: memory, path: lictor.db}\n",
        "error: `storage.path` is for `type: sqlite`
 --> lictor.yaml
help: write `type: sqlite`, or remove `storage.path`",
    );
}

#[test]
fn what_is_said_twice() {
    refused(
        "storage: {type: memory}\ndatabroker_storage_type: memory\n",
        "error: `storage` and `databroker_storage_type` are both given
 --> lictor.yaml:3:26
  |
3 | databroker_storage_type: memory
  |                          ^
help: remove `databroker_storage_type`",
    );
}

#[test]
fn times_and_keys() {
    refused(
        "storage: {lookup_timeout: 0s}\n",
        "error: `storage.lookup_timeout` must be longer than nothing
 --> lictor.yaml:2:27
  |
2 | storage: {lookup_timeout: 0s}
  |                           ^
help: leave it out for the default",
    );
    refused(
        "storage: {file: lictor.db}\n",
        "error: unknown key `storage.file`
 --> lictor.yaml:2:11
  |
2 | storage: {file: lictor.db}
  |           ^
help: remove it, or run `lictor config schema` for the list of keys",
    );
    refused(
        "storage: sqlite\n",
        "error: `storage` must be a map, not text
 --> lictor.yaml:2:10
  |
2 | storage: sqlite
  |          ^
help: write `key: value` below it, or `{key: value}`",
    );
}

#[test]
fn a_password_is_not_shown_wherever_it_stands() {
    let folder = tempfile::tempdir().expect("a folder");
    for text in [
        format!("storage: {{path: '{STRING}'}}\n"),
        format!("storage: {{type: '{STRING}'}}\n"),
        format!("storage: {{type: memory, connection_string: '{STRING}', path: x}}\n"),
        format!("databroker_storage_type: '{STRING}'\n"),
        format!("databroker_storage_connection_string: '{STRING}'\nstorage: {{}}\n"),
        format!("databroker_storage_connection_string: '{STRING}'\n"),
        "storage: {type: postgres, connection_string: [hunter2]}\n".to_owned(),
    ] {
        let ran = check(folder.path(), &text);
        let shown = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!shown.contains("hunter2"), "{text}\n{shown}");
    }
}
