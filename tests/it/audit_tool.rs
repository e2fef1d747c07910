//! `lictor audit`: the log of a store is verified and listed, also after somebody was at it.

use crate::support::command::{Ran, lictor};
use crate::support::config::SECRET;
use crate::support::fixture::host::SECRET_BYTES;
use crate::support::postgres::Cluster;
use crate::support::store::{at, event, id, sqlite};
use lictor::activity::{ChainKey, Event, Head, Verb, Who};
use lictor::session::Origin;
use lictor::store::{ConnectionString, Kept, StorageSettings, open};
use lictor::tasks::Tasks;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A configuration and a log of three entries.
struct Stage {
    folder: tempfile::TempDir,
    head: Head,
}

impl Stage {
    async fn new() -> Self {
        Self::with(vec![
            event(Verb::SignIn, "u-root"),
            Event {
                subject: Some(Who {
                    email: "bob@corp.test".to_owned(),
                    groups: vec!["g-eng".to_owned()],
                    ..Who::default()
                }),
                session: Some(id(1)),
                reason: "ticket 7".to_owned(),
                origin: Origin {
                    address: "192.0.2.1".to_owned(),
                    request_id: "r-1".to_owned(),
                    user_agent: "Browser".to_owned(),
                },
                ..event(Verb::ImpersonationStart, "u-root")
            },
            Event {
                actor: Who { email: "eve@evil.test".to_owned(), ..Who::default() },
                detail: "unknown user".to_owned(),
                at: at(5),
                ..event(Verb::SignInFailed, "")
            },
        ])
        .await
    }

    async fn with(events: Vec<Event>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let kept = Kept::InFile(folder.path().join("lictor.db"));
        let head = write(kept, events).await;
        std::fs::write(folder.path().join("lictor.yaml"), "").expect("writes");
        Self { folder, head }
    }

    fn audit(&self, arguments: &[&str]) -> Ran {
        audit(self.folder.path(), arguments)
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("lictor.db")
    }

    /// Changes the file behind the back of its triggers.
    fn tamper(&self, sql: &str) {
        let sql = format!(
            "DROP TRIGGER IF EXISTS lictor_activity_not_changed; \
             DROP TRIGGER IF EXISTS lictor_activity_not_removed; {sql}"
        );
        sqlite(&self.file(), &sql);
    }

    #[track_caller]
    fn broken(&self, arguments: &[&str], why: &str) {
        let ran = self.audit(&[&["verify"], arguments].concat());
        let first = ran.stderr.lines().next().unwrap_or_default();
        assert_eq!((ran.code, ran.stdout.as_str(), first), (4, "", why), "{}", ran.stderr);
    }
}

async fn write(kept: Kept, events: Vec<Event>) -> Head {
    let key = ChainKey::derive(&SECRET_BYTES);
    let store = open(&StorageSettings::new(kept), key, Tasks::default()).await.expect("opens");
    store.commit(Vec::new(), events).await.expect("written")
}

fn audit(folder: &Path, arguments: &[&str]) -> Ran {
    let arguments = [&["audit"], arguments, &["--config", "lictor.yaml"]].concat();
    lictor(folder, &arguments, &[("SHARED_SECRET", SECRET)], "")
}

// --- verify

#[tokio::test]
async fn a_log_that_is_as_it_was_written() {
    let stage = Stage::new().await;
    let ran = stage.audit(&["verify"]);
    let Head { number, hash } = &stage.head;
    assert_eq!((ran.code, ran.stdout), (0, format!("{number}:{hash}\n")));
    assert_eq!(ran.stderr, "the log is as it was written: 3 entries\n");
    let known = format!("{number}:{hash}");
    assert_eq!(stage.audit(&["verify", "--head", &known]).code, 0);
    let kept = Kept::InFile(stage.file());
    write(kept, vec![event(Verb::SignOut, "u-root")]).await;
    let ran = stage.audit(&["verify", "--head", &known]);
    assert_eq!(ran.code, 0, "it has gone on: {}", ran.stderr);
    assert!(ran.stdout.starts_with("4:"));
}

#[tokio::test]
async fn a_log_of_nothing() {
    let stage = Stage::with(Vec::new()).await;
    let ran = stage.audit(&["verify", "--head", "0:"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "0:\n"));
    assert_eq!(ran.stderr, "the log is as it was written: 0 entries\n");
}

#[tokio::test]
async fn an_entry_that_was_changed() {
    let stage = Stage::new().await;
    stage.tamper("UPDATE lictor_activity SET event = replace(event, 'ticket 7', 'ticket 8')");
    stage.broken(&[], "error: entry 2 was changed, or an entry before it was");
}

#[tokio::test]
async fn columns_that_were_changed() {
    let stage = Stage::new().await;
    stage.tamper("UPDATE lictor_activity SET actor = 'u-eve' WHERE number = 1");
    let why = "error: a stored record cannot be read: entry 1: its columns say something else";
    stage.broken(&[], why);
    stage.tamper("UPDATE lictor_activity SET event = 'x' WHERE number = 1");
    let ran = stage.audit(&["list"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (4, ""), "{}", ran.stderr);
}

#[tokio::test]
async fn an_entry_that_is_gone() {
    let stage = Stage::new().await;
    stage.tamper("DELETE FROM lictor_activity WHERE number = 2");
    stage.broken(&[], "error: entry 2 is missing; entry 3 stands in its place");
}

#[tokio::test]
async fn a_log_that_was_cut() {
    let stage = Stage::new().await;
    let known = format!("3:{}", stage.head.hash);
    stage.tamper("DELETE FROM lictor_activity WHERE number = 3");
    let why = "error: the log ends with entry 2, and entry 3 is known to have been written";
    stage.broken(&[], why);
    stage.tamper(
        "UPDATE lictor_head SET entry = 2, hash = (SELECT hash FROM lictor_activity WHERE number = 2)",
    );
    assert_eq!(stage.audit(&["verify"]).code, 0, "only who kept the end sees it now");
    stage.broken(&["--head", &known], why);
}

#[tokio::test]
async fn a_log_that_was_written_anew() {
    let stage = Stage::new().await;
    let other = format!("2:{}", stage.head.hash);
    let why = "error: entry 2 is not the one that is known to have been written";
    stage.broken(&["--head", &other], why);
    stage.tamper("UPDATE lictor_head SET hash = 'x'");
    let why = "error: entry 3 is not the one that is known to have been written";
    stage.broken(&[], why);
}

#[tokio::test]
async fn a_log_by_another_key() {
    let stage = Stage::new().await;
    let other = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
    let arguments = ["audit", "verify", "--config", "lictor.yaml"];
    let ran = lictor(stage.folder.path(), &arguments, &[("SHARED_SECRET", other)], "");
    assert_eq!(ran.code, 4);
    let why = "error: entry 1 was changed, or an entry before it was\n";
    assert!(ran.stderr.starts_with(why), "{}", ran.stderr);
}

#[test]
fn a_store_that_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("lictor.yaml");
    for (text, why) in [
        ("", "cannot open `lictor.db`"),
        ("storage: {type: memory}", "it is kept in the memory of the process that serves"),
        ("storage: {type: postgres, connection_string: 'host=/nowhere'}", "/nowhere"),
    ] {
        std::fs::write(&config, text).expect("writes");
        for command in ["verify", "list"] {
            let ran = audit(folder.path(), &[command]);
            assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{text}: {}", ran.stderr);
            assert!(ran.stderr.starts_with("error: the store does not answer: "), "{}", ran.stderr);
            assert!(text.contains("nowhere") || ran.stderr.contains(why), "{}", ran.stderr);
        }
    }
    assert!(!folder.path().join("lictor.db").exists(), "who looks makes nothing");
    std::fs::write(&config, "storage: {type: none}").expect("writes");
    assert_eq!(audit(folder.path(), &["verify"]).code, 3);
    assert_eq!(audit(folder.path(), &["verify", "--head", "3"]).code, 2);
}

#[tokio::test]
async fn a_log_in_postgresql() {
    let string = Cluster::shared().database();
    let kept = Kept::InPostgres(ConnectionString::parse(&string).expect("a connection string"));
    let head = write(kept, vec![event(Verb::SignIn, "u-root")]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("storage: {{type: postgres, connection_string: '{string}'}}\n");
    std::fs::write(folder.path().join("lictor.yaml"), text).expect("writes");
    let ran = audit(folder.path(), &["verify"]);
    assert_eq!((ran.code, ran.stdout), (0, format!("1:{}\n", head.hash)), "{}", ran.stderr);
    assert!(audit(folder.path(), &["list"]).stdout.contains("root@corp.test"));
}

// --- list

#[tokio::test]
async fn entries_as_a_table() {
    let stage = Stage::new().await;
    let ran = stage.audit(&["list"]);
    let table = "\
NUMBER  TIME                  WHAT                 ACTOR                      SUBJECT                REASON    DETAIL        ADDRESS    REQUEST
3       2023-11-14T22:13:25Z  sign-in-failed       eve@evil.test              -                      -         unknown user  -          -
2       2023-11-14T22:13:20Z  impersonation-start  u-root@corp.test (u-root)  bob@corp.test [g-eng]  ticket 7  -             192.0.2.1  r-1
1       2023-11-14T22:13:20Z  sign-in              u-root@corp.test (u-root)  -                      -         -             -          -
";
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (0, table, ""));
    let lines = |arguments: &[&str]| {
        let ran = stage.audit(&[&["list"], arguments].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let numbers = ran.stdout.lines().skip(1).map(|line| line[..1].to_owned());
        numbers.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(lines(&["--limit", "2"]), "3 2");
    assert_eq!(lines(&["--who", "BOB@corp.test"]), "2");
    assert_eq!(lines(&["--who", "u-root", "--limit", "1"]), "2");
    assert_eq!(lines(&["--who", "nobody"]), "");
}

#[tokio::test]
async fn entries_as_json() {
    let stage = Stage::new().await;
    let ran = stage.audit(&["list", "--format", "json", "--limit", "2"]);
    let shown: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(shown.as_array().expect("a list").len(), 2);
    assert_eq!(shown[0]["hash"], stage.head.hash.as_str());
    let second = &shown[1];
    assert_eq!((&second["number"], &second["verb"]), (&2.into(), &"impersonation-start".into()));
    assert_eq!(
        (&second["at"], &second["time"]),
        (&1_700_000_000.into(), &"2023-11-14T22:13:20Z".into())
    );
    assert_eq!(second["actor"]["user"], "u-root");
    assert_eq!(second["subject"]["groups"][0], "g-eng");
    assert_eq!(second["session"], id(1).as_str());
    assert_eq!((&second["reason"], &second["address"]), (&"ticket 7".into(), &"192.0.2.1".into()));
    assert_eq!((&second["request_id"], &second["user_agent"]), (&"r-1".into(), &"Browser".into()));
    let none = Stage::with(Vec::new()).await.audit(&["list", "--format", "json"]);
    assert_eq!((none.code, none.stdout.as_str()), (0, "[]\n"));
}

#[tokio::test]
async fn what_a_terminal_would_obey_is_not_shown_to_it() {
    let hostile = Event {
        reason: "\u{1b}[2J\u{9b}31m\nfake line\u{202e}txt".to_owned(),
        origin: Origin { address: "\r\u{7}".to_owned(), ..Origin::default() },
        ..event(Verb::ImpersonationStart, "u\u{1b}]0;x\u{7}")
    };
    let ran = Stage::with(vec![hostile]).await.audit(&["list"]);
    assert_eq!(ran.stdout.lines().count(), 2, "{:?}", ran.stdout);
    let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!ran.stdout.contains(bad), "{:?}", ran.stdout);
}
