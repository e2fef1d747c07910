//! What goes wrong around a store, on each engine: it says so in time, and nothing is half-written.

use crate::support::postgres::Cluster;
use crate::support::store::{
    Fault, Faulty, Place, acting, at, credential, credential_id, event, id, key, known,
    machine_account, once, session, sqlite, verified_log,
};
use lictor::activity::{Head, Verb};
use lictor::catalog::Catalog;
use lictor::session::SessionRecord;
use lictor::store::{
    Change, Changes, Kept, SessionQuery, StorageSettings, Store, StoreErrorKind, open_existing,
};
use lictor::tasks::Tasks;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// An engine with a way round it.
struct Bench {
    place: Place,
    /// The database, if it is one of the shared server.
    database: Option<String>,
}

impl Bench {
    fn sqlite() -> Self {
        Self { place: Place::file(), database: None }
    }

    fn postgres() -> Self {
        let connection_string = Cluster::shared().database();
        let (_, name) = connection_string.rsplit_once('=').expect("a database");
        let database = Some(name.to_owned());
        Self { place: Place::database(&connection_string), database }
    }

    fn both() -> [Self; 2] {
        [Self::sqlite(), Self::postgres()]
    }

    fn sql(&self, sql: &str) -> Result<(), String> {
        match &self.database {
            None => {
                let connection = rusqlite::Connection::open(self.place.path()).expect("opens");
                connection.execute_batch(sql).map_err(|error| error.to_string())
            }
            Some(database) => Cluster::shared().try_psql(database, sql).map(drop),
        }
    }

    /// From now on whatever does `what` to `table` fails; until `mend`.
    fn spoil(&self, what: &str, table: &str) {
        let sql = match self.database {
            None => format!(
                "CREATE TRIGGER spoilt BEFORE {what} ON {table} BEGIN SELECT RAISE(FAIL, 'as asked'); END"
            ),
            Some(_) => format!(
                "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS \
                 $$BEGIN RAISE EXCEPTION 'as asked' USING ERRCODE = 'disk_full'; END$$; \
                 CREATE TRIGGER spoilt BEFORE {what} ON {table} EXECUTE FUNCTION spoil()"
            ),
        };
        self.sql(&sql).expect("spoilt");
    }

    fn mend(&self, table: &str) {
        let sql = match self.database {
            None => "DROP TRIGGER spoilt".to_owned(),
            Some(_) => format!("DROP TRIGGER spoilt ON {table}; DROP FUNCTION spoil()"),
        };
        self.sql(&sql).expect("mended");
    }
}

/// Somebody signs in: a session, a person and an entry.
async fn sign_in(store: &dyn Store, number: u8) -> Result<Head, StoreErrorKind> {
    let user = format!("u-{number}");
    let changes =
        vec![Change::OpenSession(session(number, &user)), Change::KnowPerson(known(&user))];
    let done = store.commit(changes, vec![event(Verb::SignIn, &user)]).await;
    done.map_err(|error| error.kind())
}

/// Whether all of `sign_in` is there, or nothing.
async fn signed_in(store: &dyn Store, number: u8) -> bool {
    let session = store.session(&id(number)).await.expect("an answer").is_some();
    let person = store.person(&format!("u-{number}")).await.expect("an answer").is_some();
    let entries = verified_log(store).await;
    let user = format!("u-{number}");
    let entry = entries.iter().any(|entry| entry.event.actor.user == user);
    assert_eq!((session, person), (entry, entry), "half-written");
    entry
}

// --- before, after and in the middle

#[tokio::test]
async fn what_fails_before_is_not_done_and_what_fails_after_is_done_whole() {
    for bench in Bench::both() {
        let store = Faulty::new(bench.place.open().await);
        store.fails(Fault::Before);
        assert_eq!(sign_in(&store, 1).await, Err(StoreErrorKind::Unavailable));
        store.fails(Fault::After);
        assert_eq!(sign_in(&store, 2).await, Err(StoreErrorKind::Unavailable));
        store.fails(Fault::Never);
        assert!(!signed_in(&store, 1).await);
        assert!(signed_in(&store, 2).await);
        assert_eq!(sign_in(&store, 2).await, Err(StoreErrorKind::Conflict), "it was done");

        store.keep_once(once("k", at(9))).await.expect("kept");
        store.fails(Fault::After);
        let lost = store.take_once("k", at(0)).await.expect_err("lost");
        assert_eq!(lost.kind(), StoreErrorKind::Unavailable);
        store.fails(Fault::Never);
        assert_eq!(store.take_once("k", at(0)).await.expect("an answer"), None, "once is once");
    }
}

#[tokio::test]
async fn what_fails_in_the_middle_is_not_done() {
    for bench in Bench::both() {
        let store = bench.place.open().await;
        sign_in(&*store, 1).await.expect("signs in");
        let before = store.changes_since(0).await.expect("changes");
        let mut feed = store.follow().await.expect("a feed");
        for (what, table) in [
            ("INSERT", "lictor_sessions"),
            ("INSERT", "lictor_people"),
            ("INSERT", "lictor_changes"),
            ("INSERT", "lictor_activity"),
            ("UPDATE", "lictor_head"),
        ] {
            bench.spoil(what, table);
            assert_eq!(sign_in(&*store, 2).await, Err(StoreErrorKind::Unavailable), "{table}");
            assert!(!signed_in(&*store, 2).await, "{table}");
            assert_eq!(store.changes_since(0).await.expect("changes"), before, "{table}");
            bench.mend(table);
        }
        sign_in(&*store, 2).await.expect("all is well again");
        assert!(signed_in(&*store, 1).await && signed_in(&*store, 2).await);
        let told = feed.next().await.expect("a change");
        assert_eq!(told.number, before.latest + 1, "of what failed nothing was told");
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_written_keeps_a_session_from_being_swept() {
    for bench in Bench::both() {
        let store = bench.place.open().await;
        let record = acting(session(1, "u-root"), "bob@corp.test", at(600));
        let record = SessionRecord { expires: at(10), ..record };
        store.commit(vec![Change::OpenSession(record)], Vec::new()).await.expect("opens");
        bench.spoil("INSERT", "lictor_activity");
        let error = store.sweep(at(20)).await.expect_err("no entry, no removal");
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(store.session(&id(1)).await.expect("an answer").is_some());
        bench.mend("lictor_activity");
        store.sweep(at(20)).await.expect("sweeps");
        assert_eq!(store.session(&id(1)).await.expect("an answer"), None);
        assert_eq!(verified_log(&*store).await.len(), 1);
    }
}

// --- slow

#[tokio::test]
async fn a_lock_that_somebody_holds_is_not_waited_for_longer_than_said() {
    for mut bench in Bench::both() {
        sign_in(&*bench.place.open().await, 1).await.expect("signs in");
        bench.place = bench.place.impatient();
        let store = bench.place.open().await;
        let held = hold(&bench).await;
        let begun = Instant::now();
        assert_eq!(sign_in(&*store, 2).await, Err(StoreErrorKind::Unavailable));
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        assert!(store.session(&id(1)).await.expect("reading goes on").is_some());
        assert!(store.changes_since(0).await.is_ok());
        drop(held);
        let mut tries = 0;
        while sign_in(&*store, 3).await.is_err() {
            tries += 1;
            assert!(tries < 20, "it goes on once the lock is free");
        }
        signed_in(&*store, 2).await;
        assert!(signed_in(&*store, 3).await);
    }
}

/// Whoever holds the lock that every writer needs.
enum Held {
    Sqlite(#[expect(dead_code, reason = "it holds a lock")] rusqlite::Connection),
    Postgres(#[expect(dead_code, reason = "it holds a lock")] tokio_postgres::Client),
}

async fn hold(bench: &Bench) -> Held {
    let Some(database) = &bench.database else {
        let connection = rusqlite::Connection::open(bench.place.path()).expect("opens");
        connection.execute_batch("BEGIN IMMEDIATE").expect("locks");
        return Held::Sqlite(connection);
    };
    let string = Cluster::shared().connection_string(database);
    let (client, connection) =
        tokio_postgres::connect(&string, tokio_postgres::NoTls).await.expect("connects");
    tokio::spawn(connection);
    client.batch_execute("BEGIN; SELECT * FROM lictor_head FOR UPDATE").await.expect("locks");
    Held::Postgres(client)
}

#[tokio::test]
async fn who_does_not_wait_any_more_leaves_nothing_behind() {
    for bench in Bench::both() {
        let store = bench.place.open().await;
        for _ in 0..40 {
            for patience in [0, 50, 300, 1000] {
                let patience = Duration::from_micros(patience);
                drop(tokio::time::timeout(patience, sign_in(&*store, 1)).await);
                drop(tokio::time::timeout(patience, store.session(&id(1))).await);
            }
        }
        let mut tries = 0;
        while let Err(kind) = sign_in(&*store, 2).await {
            tries += 1;
            assert!(kind == StoreErrorKind::Unavailable && tries < 20, "{kind:?}");
        }
        signed_in(&*store, 1).await;
        assert!(signed_in(&*store, 2).await);
    }
}

// --- spoilt rows

#[tokio::test]
async fn a_record_that_cannot_be_read_can_still_be_ended() {
    for bench in Bench::both() {
        let store = bench.place.open().await;
        for number in [1, 2] {
            let record = acting(session(number, "u-root"), "bob@corp.test", at(600));
            store.commit(vec![Change::OpenSession(record)], Vec::new()).await.expect("opens");
        }
        bench.sql("UPDATE lictor_sessions SET user_id = 'u-eve'").expect("spoilt");
        let error = store.session(&id(1)).await.expect_err("its columns say something else");
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert!(error.to_string().contains(id(1).as_str()), "{error}");
        bench.sql("UPDATE lictor_sessions SET record = '{}'").expect("spoilt");
        let error = store.session(&id(1)).await.expect_err("it is no record");
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        let all = SessionQuery { limit: 9, ..SessionQuery::default() };
        let error = store.sessions(&all, at(0)).await.expect_err("not a shorter list");
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);

        store.commit(vec![Change::EndSession(id(1))], Vec::new()).await.expect("ends");
        assert_eq!(store.session(&id(1)).await.expect("an answer"), None);
        store.sweep(at(700)).await.expect("what acts no more is left alone");
        store.sweep(at(4000)).await.expect("sweeps");
        assert_eq!(store.session(&id(2)).await.expect("an answer"), None);
        let entries = verified_log(&*store).await;
        assert_eq!(entries.len(), 1);
        let entry = &entries[0].event;
        assert_eq!((entry.verb, &entry.session), (Verb::ImpersonationEnd, &Some(id(2))));
    }
}

#[tokio::test]
async fn spoilt_people_and_entries_are_corrupt() {
    for bench in Bench::both() {
        let store = bench.place.open().await;
        sign_in(&*store, 1).await.expect("signs in");
        bench.sql("UPDATE lictor_people SET record = '[]'").expect("spoilt");
        let error = store.person("u-1").await.expect_err("no person");
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        bench.sql("DELETE FROM lictor_head").expect("spoilt");
        for error in [
            store.head().await.expect_err("no head"),
            store.changes_since(0).await.expect_err("no head"),
            store.commit(Vec::new(), Vec::new()).await.expect_err("no head"),
        ] {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
        }
    }
}

#[tokio::test]
async fn a_head_that_was_set_back_is_not_written_over() {
    for bench in Bench::both() {
        let store = bench.place.open().await;
        sign_in(&*store, 1).await.expect("signs in");
        bench.sql("UPDATE lictor_head SET entry = 0, hash = ''").expect("spoilt");
        let refused = store.commit(Vec::new(), vec![event(Verb::SignIn, "u-2")]).await;
        assert_eq!(refused.expect_err("entry 1 is there").kind(), StoreErrorKind::Corrupt);
        bench.sql("UPDATE lictor_head SET change = 0").expect("spoilt");
        let refused = store.commit(vec![Change::EndSession(id(1))], Vec::new()).await;
        assert_eq!(refused.expect_err("change 1 is there").kind(), StoreErrorKind::Corrupt);
    }
}

#[tokio::test]
async fn the_log_is_only_added_to() {
    for bench in Bench::both() {
        let store = bench.place.open().await;
        sign_in(&*store, 1).await.expect("signs in");
        let mut tries =
            vec!["UPDATE lictor_activity SET event = '{}'", "DELETE FROM lictor_activity"];
        if bench.database.is_some() {
            tries.push("TRUNCATE lictor_activity");
        }
        for sql in tries {
            let refused = bench.sql(sql).expect_err(sql);
            assert!(refused.contains("the activity log is only added to"), "{refused}");
        }
        assert_eq!(verified_log(&*store).await.len(), 1);
    }
}

// --- other processes and other versions

#[tokio::test]
async fn what_another_process_changes_is_seen() {
    for bench in Bench::both() {
        let (ours, theirs) = (bench.place.open().await, bench.place.open().await);
        sign_in(&*ours, 1).await.expect("signs in");
        let seen = ours.changes_since(0).await.expect("changes").latest;
        let mut feed = ours.follow().await.expect("a feed");
        theirs.commit(vec![Change::EndSession(id(1))], Vec::new()).await.expect("ends");
        let Changes { latest, changed } = ours.changes_since(seen).await.expect("changes");
        assert_eq!((latest, changed.map(|changed| changed.len())), (seen + 1, Some(1)));
        assert_eq!(ours.session(&id(1)).await.expect("an answer"), None);
        let told = tokio::time::timeout(Duration::from_millis(500), feed.next()).await;
        assert_eq!(told.is_ok(), bench.database.is_some(), "the server tells every process");
    }
}

#[tokio::test]
async fn many_may_open_a_new_store_at_once() {
    for bench in Bench::both() {
        let settings = bench.place.settings.clone();
        let opening: Vec<_> = (0..8)
            .map(|number| {
                let settings = settings.clone();
                tokio::spawn(async move {
                    let key = crate::support::store::key();
                    let store = lictor::store::open(&settings, key, Tasks::default()).await;
                    sign_in(&*store.expect("opens"), number).await.expect("signs in");
                })
            })
            .collect();
        for opened in opening {
            opened.await.expect("no panic");
        }
        assert_eq!(verified_log(&*bench.place.open().await).await.len(), 8);
    }
}

#[tokio::test]
async fn a_later_version_may_have_added_to_the_tables() {
    for bench in Bench::both() {
        sign_in(&*bench.place.open().await, 1).await.expect("signs in");
        let moment = "2033-05-18T03:33:20Z";
        bench
            .sql(
                &format!(
                    "ALTER TABLE lictor_sessions ADD COLUMN seen BIGINT NOT NULL DEFAULT 0; \
                 CREATE TABLE lictor_later (id BIGINT PRIMARY KEY); \
                 INSERT INTO lictor_migrations (version, name, applied_on, checksum) \
                 VALUES (99, 'later', '{moment}', '7')"
                )
                .replace("BIGINT", if bench.database.is_some() { "BIGINT" } else { "INTEGER" }),
            )
            .expect("migrated");
        let store = bench.place.open().await;
        sign_in(&*store, 2).await.expect("signs in");
        assert!(signed_in(&*store, 1).await && signed_in(&*store, 2).await);
    }
}

/// Takes back what the second migration has added.
const FIRST_VERSION: &str = "
    DROP TABLE lictor_catalog;
    DROP TABLE lictor_flags;
    DROP TABLE lictor_accounts;
    DROP TABLE lictor_credentials;
    DROP TABLE lictor_usage;
    DROP INDEX lictor_activity_namespace;
    DROP INDEX lictor_activity_entity;
    DROP INDEX lictor_activity_entity_id;
    DROP INDEX lictor_activity_outcome;
    DROP INDEX lictor_activity_verb;
    DROP INDEX lictor_activity_at;
    ALTER TABLE lictor_activity DROP COLUMN namespace;
    ALTER TABLE lictor_activity DROP COLUMN entity;
    ALTER TABLE lictor_activity DROP COLUMN entity_id;
    ALTER TABLE lictor_activity DROP COLUMN outcome;
    DELETE FROM lictor_migrations WHERE version > 1";

#[tokio::test]
async fn a_store_of_the_first_version_is_upgraded_in_place() {
    for bench in Bench::both() {
        let store = bench.place.open().await;
        for number in 1..=3 {
            sign_in(&*store, number).await.expect("signs in");
        }
        drop(store);
        bench.sql(FIRST_VERSION).expect("as it was");
        // Who only looks changes no tables.
        let why = match open_existing(&bench.place.settings, key(), Tasks::default()).await {
            Err(error) => error,
            Ok(store) => store.head().await.expect_err("it is of an earlier version"),
        };
        assert!(why.to_string().contains("of an earlier version"), "{why}");
        let upgraded = bench.place.open().await;
        assert_eq!(verified_log(&*upgraded).await.len(), 3);
        assert!(signed_in(&*upgraded, 1).await);
        assert_eq!(upgraded.catalog().await.expect("a catalog"), Catalog::default());
        let changes = vec![
            Change::NextCatalog(0),
            Change::CreateAccount(machine_account(1, "ci")),
            Change::AddCredential(credential(1, 1)),
        ];
        upgraded.commit(changes, Vec::new()).await.expect("made");
        let machine = upgraded.machine(&credential_id(1)).await.expect("an answer");
        assert!(machine.is_some());
        let again = bench.place.open().await;
        assert_eq!(again.catalog().await.expect("a catalog").version, 1);
    }
}

#[tokio::test]
async fn old_notes_are_removed_and_who_needs_them_has_to_forget() {
    for bench in Bench::both() {
        let store = bench.place.open().await;
        for number in 1..=3 {
            sign_in(&*store, number).await.expect("signs in");
        }
        bench
            .sql(
                "UPDATE lictor_head SET change = 100002; \
                  INSERT INTO lictor_changes (number, kind, name) \
                  SELECT 99999 + number, kind, name FROM lictor_changes",
            )
            .expect("as if many changes had been made");
        store.sweep(at(0)).await.expect("sweeps");
        let since = async |number| store.changes_since(number).await.expect("changes");
        assert_eq!(since(100_000).await.changed.map(|changed| changed.len()), Some(2));
        assert_eq!(since(3).await, Changes { latest: 100_002, changed: None });
        let kept = "DELETE FROM lictor_changes WHERE number = 3";
        bench.sql(kept).expect("the one that is young enough");
        assert_eq!(since(2).await, Changes { latest: 100_002, changed: None });
    }
}

// --- looking without making

#[tokio::test]
async fn looking_makes_nothing() {
    let key = crate::support::store::key;
    let look = async |settings: &StorageSettings| {
        let store = open_existing(settings, key(), Tasks::default()).await;
        let store = match store {
            Ok(store) => store,
            Err(error) => return Err((error.kind(), error.to_string())),
        };
        store.head().await.map_err(|error| (error.kind(), error.to_string()))
    };
    for bench in Bench::both() {
        let (kind, _) = look(&bench.place.settings).await.expect_err("there is nothing");
        assert_eq!(kind, StoreErrorKind::Unavailable);
        if bench.database.is_none() {
            assert!(!bench.place.path().exists());
        }
        sign_in(&*bench.place.open().await, 1).await.expect("signs in");
        assert_eq!(look(&bench.place.settings).await.expect("a head").number, 1);
    }
    let memory = StorageSettings::new(Kept::InMemory);
    assert!(look(&memory).await.is_err(), "another process has no part in it");
    let place = Place::file();
    sqlite(&place.path(), "CREATE TABLE others (id INTEGER)");
    let (kind, text) = look(&place.settings).await.expect_err("others' tables");
    assert_eq!(kind, StoreErrorKind::Unavailable);
    assert!(text.contains("is no store of Lictor's"), "{text}");
}

// --- feeds

#[tokio::test]
async fn a_feed_that_is_too_slow_is_told_so() {
    let store: Arc<dyn Store> = Place::memory().open().await;
    let mut feed = store.follow().await.expect("a feed");
    let gone = (0..5000).map(|_| Change::EndSession(id(1))).collect();
    store.commit(gone, Vec::new()).await.expect("ends");
    let error = feed.next().await.expect_err("some were missed");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(feed.next().await.is_err(), "nothing comes any more");
    let mut feed = store.follow().await.expect("a new feed");
    let changes = store.changes_since(0).await.expect("changes");
    assert_eq!(changes.changed.map(|changed| changed.len()), Some(5000));
    let more = (0..6000).map(|_| Change::EndSession(id(1))).collect();
    store.commit(more, Vec::new()).await.expect("ends");
    let changes = store.changes_since(0).await.expect("changes");
    assert_eq!(changes, Changes { latest: 11_000, changed: None }, "too many to tell");
    assert!(feed.next().await.is_err());
}
