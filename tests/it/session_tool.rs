//! `lictor session`: who is signed in is listed, and ended, by somebody at the terminal.

use crate::support::command::{Ran, lictor};
use crate::support::config::SECRET;
use crate::support::fixture::host::SECRET_BYTES;
use crate::support::store::{acting, session};
use lictor::activity::{ChainKey, Verb};
use lictor::session::SessionRecord;
use lictor::store::{Change, Kept, StorageSettings, Store, open};
use lictor::tasks::Tasks;
use lictor::time::Timestamp;
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

const FAR: Timestamp = Timestamp::from_unix(4_000_000_000);

async fn stage(folder: &Path) -> Arc<dyn Store> {
    std::fs::write(folder.join("lictor.yaml"), "").expect("writes");
    let settings = StorageSettings::new(Kept::InFile(folder.join("lictor.db")));
    let store = open(&settings, ChainKey::derive(&SECRET_BYTES), Tasks::default()).await;
    let store = store.expect("a store");
    let lasting = |record| SessionRecord { expires: FAR, ..record };
    let sessions = vec![
        Change::OpenSession(lasting(session(1, "u-alice"))),
        Change::OpenSession(lasting(acting(session(2, "u-root"), "bob@corp.test", FAR))),
    ];
    store.commit(sessions, Vec::new()).await.expect("made");
    store
}

fn ran(folder: &Path, arguments: &[&str]) -> Ran {
    let all: Vec<&str> = ["session"].iter().chain(arguments).copied().collect();
    lictor(folder, &all, &[("SHARED_SECRET", SECRET)], "")
}

fn listed(folder: &Path, more: &[&str]) -> Vec<String> {
    let all: Vec<&str> =
        ["list", "-c", "lictor.yaml", "--format", "json"].iter().chain(more).copied().collect();
    let ran = ran(folder, &all);
    assert_eq!(ran.code, 0, "{ran:?}");
    let all: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let mut users: Vec<String> = all
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["user"].as_str().expect("a user").to_owned())
        .collect();
    users.sort();
    users
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_listed_and_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let store = stage(at).await;
    assert_eq!(listed(at, &[]), ["u-alice", "u-root"]);
    assert_eq!(listed(at, &["--impersonating"]), ["u-root"]);
    assert_eq!(listed(at, &["--who", "u-alice"]), ["u-alice"]);
    let (alice, root) = (session(1, "").id.to_string(), session(2, "").id.to_string());
    let table = ran(at, &["list", "-c", "lictor.yaml"]);
    assert!(table.stdout.contains(&root) && table.stdout.contains("bob@corp.test [g-eng]"));
    let stopped = ran(at, &["stop", "-c", "lictor.yaml", &root, &alice]);
    assert_eq!((stopped.code, stopped.stdout), (4, format!("{root}\n")));
    assert!(stopped.stderr.contains("does not act as anybody"), "{}", stopped.stderr);
    assert_eq!(listed(at, &["--impersonating"]), [""; 0]);
    let ended = ran(at, &["end", "-c", "lictor.yaml", &alice, &root]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(listed(at, &[]), [""; 0]);
    let entries = store.activity_after(0, 10).await.expect("a log");
    let told: Vec<_> = entries.iter().map(|entry| entry.event.verb).collect();
    assert_eq!(told, [Verb::ImpersonationStop, Verb::Revoke, Verb::Revoke]);
    assert!(entries.iter().all(|entry| entry.event.actor.user == "operator"));
    for wrong in ["ses_1", "alice", ""] {
        assert_eq!(ran(at, &["end", "-c", "lictor.yaml", wrong]).code, 2, "{wrong}");
    }
}
