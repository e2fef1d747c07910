//! SQLite alone: the file, its mode and its folder, and what is no file of ours.

use crate::support::store::{Place, id, session, sqlite, verified_log, write};
use lictor::store::{Change, Kept, StorageSettings, StoreErrorKind, open, open_existing};
use lictor::tasks::Tasks;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

async fn refused(path: &Path) -> (StoreErrorKind, String) {
    let settings = StorageSettings::new(Kept::InFile(path.to_owned()));
    let key = crate::support::store::key();
    let error = open(&settings, key, Tasks::default()).await.expect_err("it cannot be opened");
    (error.kind(), error.to_string())
}

#[tokio::test]
async fn the_file_is_for_its_owner_only() {
    let place = Place::file();
    let store = place.open().await;
    write(&*store, 1).await.expect("writes");
    let folder = place.path().parent().expect("a folder").to_owned();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let mode = entry.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", entry.path().display());
        names.push(entry.file_name().into_string().expect("text"));
    }
    names.sort();
    assert_eq!(names, ["lictor.db", "lictor.db-shm", "lictor.db-wal"]);
}

#[tokio::test]
async fn a_name_that_sqlite_reads_otherwise_is_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [":memory:", "file:x?mode=memory"] {
        let path = folder.path().join(name);
        let settings = StorageSettings::new(Kept::InFile(path.clone()));
        let key = crate::support::store::key();
        let store = open(&settings, key, Tasks::default()).await.expect("opens");
        write(&*store, 1).await.expect("writes");
        assert!(path.metadata().expect("a file").len() > 0, "{name}");
    }
}

#[tokio::test]
async fn what_cannot_be_opened_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let missing = folder.path().join("none/lictor.db");
    let (kind, text) = refused(&missing).await;
    assert_eq!(kind, StoreErrorKind::Unavailable);
    let path = missing.display();
    assert_eq!(
        text,
        format!(
            "the store does not answer: cannot open `{path}`: No such file or directory (os error 2)"
        )
    );
    let (_, text) = refused(folder.path()).await;
    assert!(text.contains("Is a directory"), "{text}");
    let (_, text) = refused(Path::new("/proc/lictor.db")).await;
    assert!(text.contains("cannot open `/proc/lictor.db`"), "{text}");
    let text_file = folder.path().join("notes.txt");
    std::fs::write(&text_file, "a".repeat(8192)).expect("writes");
    let (kind, text) = refused(&text_file).await;
    assert_eq!(kind, StoreErrorKind::Corrupt, "{text}");
    assert_eq!(std::fs::read_to_string(&text_file).expect("reads").len(), 8192, "left as it was");
}

/// What a server leaves that ends at any moment while it makes the file: the next one goes on from there, and who
/// only looks is told so.
#[tokio::test]
async fn a_file_that_was_begun_is_gone_on_with() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = "CREATE TABLE lictor_migrations(version INT4 PRIMARY KEY, name VARCHAR(255), \
        applied_on VARCHAR(255), checksum VARCHAR(255))";
    let begun: [(&str, &[&str]); 3] = [
        ("nothing.db", &[]),
        ("header.db", &["PRAGMA journal_mode = WAL"]),
        ("list.db", &["PRAGMA journal_mode = WAL", list]),
    ];
    for (name, statements) in begun {
        let path = folder.path().join(name);
        std::fs::write(&path, "").expect("writes");
        let connection = rusqlite::Connection::open(&path).expect("opens");
        for statement in statements {
            connection.execute_batch(statement).expect("is done");
        }
        drop(connection);
        let settings = StorageSettings::new(Kept::InFile(path.clone()));
        let key = crate::support::store::key;
        let looked = open_existing(&settings, key(), Tasks::default()).await;
        let why = looked.expect_err("there is nothing in it").to_string();
        assert!(
            why.ends_with("is still empty; its tables are made when the server starts"),
            "{why}"
        );
        let store = open(&settings, key(), Tasks::default()).await.expect("opens");
        write(&*store, 1).await.expect("writes");
        drop(store);
        let store = open_existing(&settings, key(), Tasks::default()).await.expect("looks");
        assert_eq!(verified_log(&*store).await.len(), 1, "{name}");
    }
    // What is somebody else's is not made ours by looking.
    let other = folder.path().join("other.db");
    sqlite(&other, "CREATE TABLE notes (text TEXT)");
    let settings = StorageSettings::new(Kept::InFile(other));
    let looked = open_existing(&settings, crate::support::store::key(), Tasks::default()).await;
    let why = looked.expect_err("it is no store").to_string();
    assert!(why.ends_with("is no store of Lictor's"), "{why}");
}

#[tokio::test]
async fn a_file_that_is_spoilt_is_an_error() {
    let place = Place::file();
    {
        let store = place.open().await;
        for number in 0..=u8::MAX {
            store
                .commit(vec![Change::OpenSession(session(number, "u"))], Vec::new())
                .await
                .expect("opens");
        }
    }
    sqlite(&place.path(), "PRAGMA wal_checkpoint(TRUNCATE)");
    let mut bytes = std::fs::read(place.path()).expect("reads");
    let end = bytes.len();
    bytes[8192..end].fill(0x5a);
    std::fs::write(place.path(), bytes).expect("writes");
    let settings = place.settings.clone();
    let store = open(&settings, crate::support::store::key(), Tasks::default()).await;
    let error = match store {
        Err(error) => error,
        Ok(store) => store.session(&id(3)).await.expect_err("nothing can be read"),
    };
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
}

#[tokio::test]
async fn a_reader_that_stays_keeps_nobody_from_writing() {
    let place = Place::file();
    let store = place.open().await;
    write(&*store, 1).await.expect("writes");
    let reader = rusqlite::Connection::open(place.path()).expect("opens");
    reader.execute_batch("BEGIN; SELECT * FROM lictor_head").expect("reads");
    for number in 2..50 {
        write(&*store, number).await.expect("writes");
    }
    drop(reader);
    assert_eq!(verified_log(&*store).await.len(), 49);
}
