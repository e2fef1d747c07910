//! PostgreSQL alone: a server that is stopped, hangs or is not there yet, notifications, TLS, and how
//! many connections there are.

use crate::support::pki::{Ca, dns};
use crate::support::postgres::{Cluster, USER};
use crate::support::store::{Place, at, id, once, session, verified_log, write};
use lictor::store::{
    Change, ConnectionString, Kept, RecordKey, StorageSettings, Store, StoreErrorKind, open,
    open_existing,
};
use lictor::tasks::Tasks;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

async fn opened(store: &dyn Store, number: u8) {
    let change = Change::OpenSession(session(number, "u-alice"));
    store.commit(vec![change], Vec::new()).await.expect("opens");
}

/// Fails in about the time that a look-up may take.
async fn fails_in_time(store: &dyn Store) {
    let begun = Instant::now();
    let error = store.session(&id(1)).await.expect_err("nobody answers");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

// --- a server that does not answer

#[tokio::test]
async fn a_server_may_be_stopped_and_started_again() {
    let mut cluster = Cluster::start(&["-c", "fsync=off"]);
    let place = Place::database(&cluster.database()).impatient();
    let store = place.open().await;
    opened(&*store, 1).await;
    let mut feed = store.follow().await.expect("a feed");
    cluster.stop("-INT");
    let error = feed.next().await.expect_err("the feed is broken");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(feed.next().await.is_err(), "and stays so");
    fails_in_time(&*store).await;
    assert!(store.follow().await.is_err());
    assert!(write(&*store, 1).await.is_err());
    let new = place.open().await;
    assert!(new.head().await.is_err(), "a new one is made, and says so when it is asked");

    cluster.start_again();
    assert!(store.session(&id(1)).await.expect("an answer").is_some());
    let mut feed = store.follow().await.expect("a new feed");
    write(&*store, 1).await.expect("writes");
    feed.next().await.expect("a change");
    assert_eq!(new.head().await.expect("answers").number, 1);
    verified_log(&*store).await;
}

#[tokio::test]
async fn a_server_may_come_later() {
    let mut cluster = Cluster::start(&["-c", "fsync=off"]);
    let database = cluster.database();
    cluster.stop("-INT");
    let store = Place::database(&database).impatient().open().await;
    assert!(store.keep_once(once("k", at(9))).await.is_err());
    cluster.start_again();
    store.keep_once(once("k", at(9))).await.expect("its tables are made when it is there");
    assert!(store.take_once("k", at(0)).await.expect("an answer").is_some());
}

#[tokio::test]
async fn a_server_that_hangs_is_not_waited_for() {
    let cluster = Cluster::start(&["-c", "fsync=off"]);
    let store = Place::database(&cluster.database()).impatient().open().await;
    opened(&*store, 1).await;
    cluster.signal_all("-STOP");
    for _ in 0..2 {
        let asking: Vec<_> = (0..20)
            .map(|_| {
                let store = Arc::clone(&store);
                tokio::spawn(async move { fails_in_time(&*store).await })
            })
            .collect();
        for asked in asking {
            asked.await.expect("fails in time");
        }
    }
    cluster.signal_all("-CONT");
    let mut tries = 0;
    while store.session(&id(1)).await.is_err() {
        tries += 1;
        assert!(tries < 20, "it answers again");
    }
    write(&*store, 1).await.expect("writes");
    verified_log(&*store).await;
}

#[tokio::test]
async fn connections_are_few() {
    let string = Cluster::shared().database();
    let (_, name) = string.rsplit_once('=').expect("a database");
    let store = Place::database(&string).open().await;
    let asking: Vec<_> = (0..100)
        .map(|number| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { write(&*store, number).await })
        })
        .collect();
    for asked in asking {
        asked.await.expect("no panic").expect("writes");
    }
    let count = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{name}'");
    let count: usize = Cluster::shared().psql("postgres", &count).parse().expect("a number");
    assert!((1..=8).contains(&count), "{count}");
    assert_eq!(verified_log(&*store).await.len(), 100);
}

// --- notifications

#[tokio::test]
async fn every_replica_is_told_at_once() {
    let place = Place::postgres();
    let (ours, theirs) = (place.open().await, place.open().await);
    let mut feed = ours.follow().await.expect("a feed");
    let mut delays = Vec::new();
    for round in 0..60 {
        let begun = Instant::now();
        theirs.commit(vec![Change::EndSession(id(round))], Vec::new()).await.expect("ends");
        let told = tokio::time::timeout(Duration::from_secs(5), feed.next()).await;
        assert_eq!(told.expect("in time").expect("a change").record, RecordKey::Session(id(round)));
        delays.push(begun.elapsed());
    }
    delays.sort();
    eprintln!("told after {:?} at the median, {:?} at most", delays[30], delays[59]);
    assert!(delays[30] < Duration::from_millis(200), "{:?}", delays[30]);
}

#[tokio::test]
async fn a_feed_that_is_cut_says_so() {
    let string = Cluster::shared().database();
    let (_, name) = string.rsplit_once('=').expect("a database");
    let store = Place::database(&string).open().await;
    opened(&*store, 1).await;
    let mut feed = store.follow().await.expect("a feed");
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = '{name}' AND query LIKE 'LISTEN%'"
    );
    assert_eq!(Cluster::shared().psql("postgres", &cut), "t", "there is one such connection");
    let error = tokio::time::timeout(Duration::from_secs(5), feed.next()).await;
    let error = error.expect("in time").expect_err("it is cut");
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    opened(&*store, 2).await;
    assert_eq!(store.changes_since(1).await.expect("changes").latest, 2, "meanwhile one may ask");
    let mut feed = store.follow().await.expect("a new feed");
    opened(&*store, 3).await;
    assert_eq!(feed.next().await.expect("a change").number, 3);
}

#[tokio::test]
async fn deployments_in_one_database_do_not_hear_each_other() {
    let string = Cluster::shared().database();
    let (_, name) = string.rsplit_once('=').expect("a database");
    Cluster::shared().psql(name, "CREATE SCHEMA one; CREATE SCHEMA two");
    let open = async |schema: &str| {
        Place::database(&format!("{string} options='-c search_path={schema}'")).open().await
    };
    let (one, two) = (open("one").await, open("two").await);
    let mut feed = one.follow().await.expect("a feed");
    opened(&*two, 1).await;
    opened(&*one, 2).await;
    let told = feed.next().await.expect("a change");
    assert_eq!(told.record, RecordKey::Session(id(2)));
    assert_eq!(two.session(&id(2)).await.expect("an answer"), None);
}

#[tokio::test]
async fn a_notification_by_somebody_else_breaks_the_feed() {
    let string = Cluster::shared().database();
    let (_, name) = string.rsplit_once('=').expect("a database");
    let store = Place::database(&string).open().await;
    let mut feed = store.follow().await.expect("a feed");
    let channel = "(SELECT 'lictor_' || 'public'::regnamespace::oid)";
    Cluster::shared().psql(name, &format!("SELECT pg_notify({channel}, '1 route r-1')"));
    opened(&*store, 1).await;
    assert_eq!(feed.next().await.expect("of another version").number, 1);
    Cluster::shared().psql(name, &format!("SELECT pg_notify({channel}, 'hello')"));
    assert_eq!(feed.next().await.expect_err("no change").kind(), StoreErrorKind::Corrupt);
}

// --- databases that will not do

async fn head_of(string: &str) -> Result<u64, String> {
    let reached = ConnectionString::parse(string).map_err(|error| error.to_string())?;
    let settings = StorageSettings::new(Kept::InPostgres(reached));
    let key = crate::support::store::key();
    let store = open(&settings, key, Tasks::default()).await.map_err(|error| error.to_string())?;
    store.head().await.map(|head| head.number).map_err(|error| error.to_string())
}

#[tokio::test]
async fn what_is_wrong_with_a_database_is_said() {
    let cluster = Cluster::shared();
    let missing = head_of(&cluster.connection_string("missing")).await.expect_err("missing");
    assert_eq!(
        missing,
        "the store does not answer: database \"missing\" does not exist (SQLSTATE 3D000)"
    );
    cluster.psql("postgres", "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'");
    let latin = head_of(&cluster.connection_string("latin")).await.expect_err("no Unicode");
    assert!(latin.contains("the encoding of the database is LATIN1; it must be UTF8"), "{latin}");
    let read_only = format!("{} options='-c default_transaction_read_only=on'", cluster.database());
    let refused = head_of(&read_only).await.expect_err("nothing can be made there");
    assert!(refused.contains("the tables cannot be made"), "{refused}");
    let nobody = head_of("host=/nowhere user=u password=hunter2").await.expect_err("nobody");
    assert!(!nobody.contains("hunter2") && nobody.contains("No such file"), "{nobody}");

    let string = cluster.database();
    let reached = ConnectionString::parse(&string).expect("a connection string");
    let settings = StorageSettings::new(Kept::InPostgres(reached));
    let key = crate::support::store::key();
    let store = open_existing(&settings, key, Tasks::default()).await.expect("asks nobody yet");
    let error = store.head().await.expect_err("there is nothing").to_string();
    assert!(error.contains("the database has no tables of Lictor's"), "{error}");
}

#[tokio::test]
async fn a_role_may_be_kept_from_changing_the_log() {
    let cluster = Cluster::shared();
    let string = cluster.database();
    let (_, name) = string.rsplit_once('=').expect("a database");
    cluster.psql(name, "CREATE ROLE clerk LOGIN");
    let as_clerk = string.replace(&format!("user={USER}"), "user=clerk");
    let refused = head_of(&as_clerk).await.expect_err("it may not make tables");
    assert!(refused.contains("permission denied for schema public"), "{refused}");
    assert_eq!(head_of(&string).await, Ok(0), "the owner makes them");
    cluster.psql(
        name,
        "GRANT SELECT, INSERT, UPDATE, DELETE ON lictor_sessions, lictor_people, lictor_once, \
         lictor_changes, lictor_head, lictor_accounts, lictor_credentials, lictor_usage, \
         lictor_catalog, lictor_flags TO clerk; \
         GRANT SELECT, INSERT ON lictor_activity TO clerk; \
         GRANT SELECT ON lictor_migrations TO clerk",
    );
    let store = Place::database(&as_clerk).open().await;
    let mut feed = store.follow().await.expect("a feed");
    write(&*store, 1).await.expect("writes");
    feed.next().await.expect("a change");
    store.keep_once(once("k", at(9))).await.expect("kept");
    store.sweep(at(5000)).await.expect("sweeps");
    assert_eq!(verified_log(&*store).await.len(), 1);
    cluster.psql(name, "DROP TRIGGER lictor_activity_not_changed ON lictor_activity");
    let refused = cluster.try_psql(name, "SET ROLE clerk; DELETE FROM lictor_activity");
    let refused = refused.expect_err("the log is only added to");
    assert!(refused.contains("permission denied for table lictor_activity"), "{refused}");
}

// --- TLS

#[tokio::test]
async fn sslmode_is_kept() {
    let (ca, stranger) = (Ca::new("CA of the database"), Ca::new("another CA"));
    let (certificate, key) =
        ca.client_with_key(|params| params.subject_alt_names = vec![dns("db.corp.test")]);
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it").port();
    let listen = format!("port={port}");
    let access = format!(
        "local all all trust\nhostssl all secret 127.0.0.1/32 scram-sha-256\n\
         host all {USER} 127.0.0.1/32 trust\n"
    );
    let cluster = Cluster::with_files(
        &[
            "-c",
            "fsync=off",
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            &listen,
            "-c",
            "ssl_cert_file=FOLDER/server.pem",
            "-c",
            "ssl_key_file=FOLDER/server.key",
            "-c",
            "hba_file=FOLDER/hba",
        ],
        &[("server.pem", &certificate), ("server.key", &key), ("hba", &access)],
    );
    cluster.psql("postgres", "ALTER SYSTEM SET ssl = on");
    cluster.psql("postgres", "SELECT pg_reload_conf()");
    let folder = tempfile::tempdir().expect("a folder");
    let (ours, theirs) = (folder.path().join("ca.pem"), folder.path().join("stranger.pem"));
    std::fs::write(&ours, &ca.pem).expect("writes");
    std::fs::write(&theirs, &stranger.pem).expect("writes");
    let (ours, theirs) = (ours.display(), theirs.display());
    let ask = async |rest: &str| {
        head_of(&format!("hostaddr=127.0.0.1 port={port} user={USER} dbname=postgres {rest}")).await
    };
    let mut tries = 0;
    while ask("host=db.corp.test sslmode=require").await.is_err() {
        tries += 1;
        assert!(tries < 100, "the server reads its settings again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for good in [
        "host=db.corp.test".to_owned(),
        "host=db.corp.test sslmode=disable".to_owned(),
        "host=db.corp.test sslmode=require".to_owned(),
        format!("host=other.test sslmode=verify-ca sslrootcert={ours}"),
        format!("host=other.test sslmode=require sslrootcert={ours}"),
        format!("host=db.corp.test sslmode=verify-full sslrootcert={ours}"),
    ] {
        assert_eq!(ask(&good).await, Ok(0), "{good}");
    }
    for (bad, why) in [
        (format!("host=other.test sslmode=verify-full sslrootcert={ours}"), "not valid for name"),
        (format!("host=db.corp.test sslmode=verify-full sslrootcert={theirs}"), "UnknownIssuer"),
        (format!("host=db.corp.test sslmode=verify-ca sslrootcert={theirs}"), "UnknownIssuer"),
        (format!("host=db.corp.test sslmode=require sslrootcert={theirs}"), "UnknownIssuer"),
        ("host=db.corp.test sslmode=verify-full".to_owned(), "UnknownIssuer"),
        (
            "host=db.corp.test sslmode=verify-full sslrootcert=/nowhere".to_owned(),
            "cannot use `/nowhere`",
        ),
    ] {
        let error = ask(&bad).await.expect_err(&bad);
        assert!(error.contains(why), "{bad}: {error}");
    }
    encrypted(&cluster, port).await;
    cluster.psql("postgres", "CREATE USER secret PASSWORD 'right'");
    let wrong = format!(
        "host=db.corp.test hostaddr=127.0.0.1 port={port} user=secret password=hunter2 dbname=postgres"
    );
    let wrong = head_of(&wrong).await.expect_err("the password is wrong");
    assert!(wrong.contains("SQLSTATE 28P01") && !wrong.contains("hunter2"), "{wrong}");

    cluster.psql("postgres", "ALTER SYSTEM SET ssl = off");
    cluster.psql("postgres", "SELECT pg_reload_conf()");
    let mut tries = 0;
    while ask("host=db.corp.test sslmode=require").await.is_ok() {
        tries += 1;
        assert!(tries < 100, "the server reads its settings again");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(ask("host=db.corp.test sslmode=prefer").await, Ok(0), "it is only preferred");
}

/// Whether connections are what `sslmode` says, as the server sees them.
async fn encrypted(cluster: &Cluster, port: u16) {
    for (mode, encrypted) in [("disable", "f"), ("prefer", "t"), ("require", "t")] {
        let string = format!(
            "host=db.corp.test hostaddr=127.0.0.1 port={port} user={USER} dbname=postgres sslmode={mode} application_name={mode}"
        );
        let store = Place::database(&string).open().await;
        let _feed = store.follow().await.expect("a feed");
        let sql = format!(
            "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
             WHERE application_name = '{mode}'"
        );
        assert_eq!(cluster.psql("postgres", &sql), encrypted, "{mode}");
    }
}
