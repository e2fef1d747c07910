//! Processes that end in the middle of a write: ours, and the server's. What was told to be written is
//! there afterwards, and of everything the whole.

use crate::support::postgres::Cluster;
use crate::support::store::{Place, at, verified_log, write};
use lictor::store::{SessionQuery, StoreErrorKind};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// This test as a process of its own, begun by the shell with `before`.
fn child(place: &str, before: &str) -> Child {
    let this = std::env::current_exe().expect("a test");
    let name = "store_crash::writes_until_it_cannot";
    let script = format!("{before} exec \"$0\" --exact {name} --nocapture");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).arg(this).env("LICTOR_TEST_STORE", place);
    shell.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("runs")
}

/// The numbers that the child says have been written, until it ends or `enough` are.
fn told(child: &mut Child, enough: usize) -> Vec<usize> {
    let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let numbers = lines.map_while(Result::ok).filter_map(|line| {
        let (_, number) = line.split_once("written ")?;
        number.parse().ok()
    });
    numbers.take(enough).collect()
}

/// Also run by the others, as a process of its own that is told where to write; by itself it writes a
/// little and looks at it.
#[tokio::test]
async fn writes_until_it_cannot() {
    let Ok(name) = std::env::var("LICTOR_TEST_STORE") else {
        let place = Place::file();
        let store = place.open().await;
        for number in 0..3 {
            write(&*store, number).await.expect("written");
        }
        drop(store);
        assert_eq!(assert_whole(&place, 3).await, 3);
        return;
    };
    let place = Place::named(&name);
    let store = place.open().await;
    let begin = usize::try_from(store.head().await.expect("a head").number).expect("small");
    for number in begin.. {
        match write(&*store, number).await {
            Ok(()) => println!("written {number}"),
            Err(kind) => {
                assert_eq!(kind, StoreErrorKind::Unavailable);
                store.sessions(&SessionQuery::default(), at(0)).await.expect("reads");
                println!("full");
                return;
            }
        }
    }
}

/// What was told is there, and of everything the whole.
async fn assert_whole(place: &Place, told: usize) -> usize {
    let store = place.open().await;
    let entries = verified_log(&*store).await;
    assert!(entries.len() >= told, "{} of {told} that were told", entries.len());
    let everybody = SessionQuery { limit: usize::MAX, ..SessionQuery::default() };
    let sessions = store.sessions(&everybody, at(0)).await.expect("sessions");
    assert_eq!(sessions.len(), entries.len(), "a session for each entry");
    let changes = store.changes_since(0).await.expect("changes");
    assert_eq!(changes.latest as usize, entries.len(), "a note for each entry");
    entries.len()
}

#[tokio::test]
async fn a_process_that_is_killed_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("lictor.db").display().to_string();
    for name in [file, Cluster::shared().database()] {
        let place = Place::named(&name);
        let mut written = 0;
        for round in 0..5 {
            let mut child = child(&name, "");
            written += told(&mut child, 5 + 7 * round).len();
            child.kill().expect("it was writing");
            drop(child.wait());
            written = assert_whole(&place, written).await;
        }
        assert!(written > 90);
    }
}

#[tokio::test]
async fn a_disk_that_is_full_leaves_nothing_half_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let name = folder.path().join("lictor.db").display().to_string();
    let place = Place::named(&name);
    // No file may grow beyond 4000 blocks of 512 bytes, and who tries is told instead of killed.
    let mut child = child(&name, "trap '' XFSZ; ulimit -f 4000;");
    let written = told(&mut child, usize::MAX).len();
    assert!(child.wait().expect("ends").success(), "it was told, and could still read");
    assert!(written > 10, "{written}");
    let written = assert_whole(&place, written).await;
    let store = place.open().await;
    write(&*store, written + 1).await.expect("there is room again");
    assert_eq!(verified_log(&*store).await.len(), written + 1);
}

#[tokio::test]
async fn a_server_that_crashes_leaves_nothing_half_written() {
    let mut cluster = Cluster::start(&[]);
    let place = Place::named(&cluster.database()).impatient();
    let store = place.open().await;
    let (next, told) = (Arc::new(AtomicUsize::new(1)), Arc::new(AtomicUsize::default()));
    for _ in 0..3 {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let (store, next, told) = (store.clone(), next.clone(), told.clone());
                tokio::spawn(async move {
                    while write(&*store, next.fetch_add(1, Ordering::Relaxed)).await.is_ok() {
                        told.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        tokio::time::sleep(Duration::from_millis(400)).await;
        cluster.stop("-QUIT");
        for writer in writers {
            writer.await.expect("no panic");
        }
        cluster.start_again();
        assert_whole(&place, told.load(Ordering::Relaxed)).await;
        let number = next.fetch_add(1, Ordering::Relaxed);
        write(&*store, number).await.expect("the same store goes on");
        told.fetch_add(1, Ordering::Relaxed);
    }
    assert!(told.load(Ordering::Relaxed) > 20);
}
