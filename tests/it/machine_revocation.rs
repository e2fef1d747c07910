//! How soon a machine is refused by another server when its credential is revoked, its account disabled,
//! the namespace of the route moved away, or the person it acts as removed from the directory. Checks go
//! on all the while.

use crate::support::check::get;
use crate::support::deaf::Deaf;
use crate::support::estate::{CONFIG, Estate};
use crate::support::fixture::host::SECRET_BYTES;
use crate::support::house::House;
use crate::support::lateness::{Door, TARGET, TRIES, alone, late, told};
use crate::support::replica::Process;
use crate::support::store::Place;
use lictor::activity::ChainKey;
use lictor::admin::NamespaceEdit;
use lictor::id::NamespaceId;
use lictor::store::{self, Store};
use lictor::tasks::Tasks;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// So many changes are under way at once, each with a load of its own.
const WORKERS: usize = 4;

/// How a machine comes to its end.
#[derive(Clone, Copy, Debug)]
enum End {
    Revoked,
    Disabled,
    /// The namespace of the route hangs elsewhere.
    Moved,
}

const ENDS: [End; 3] = [End::Revoked, End::Disabled, End::Moved];

/// Where one worker's machines go: `http://team-N.localhost`, in a namespace below their own.
#[derive(Clone)]
struct Team {
    host: String,
    namespace: NamespaceId,
    /// Where they are at home, above it.
    home: NamespaceId,
}

async fn teams(estate: &Estate) -> Vec<Team> {
    let mut teams = Vec::new();
    for number in 0..WORKERS {
        let name = format!("team-{number}");
        let home = estate.namespace(&format!("Homes {number}"), &estate.design).await;
        let namespace = estate.namespace(&format!("Team {number}"), &home).await;
        estate.route(&name, &namespace).await;
        let anybody = "allow: {and: [{authenticated_user: true}]}";
        estate.policy(&name, anybody, [name.clone()]).await;
        teams.push(Team { host: format!("{name}.localhost"), namespace, home });
    }
    teams
}

/// One way to an end, so many times, from `estate` to `door`.
async fn tried<D: Door>(
    (estate, door): (Arc<Estate>, Arc<D>),
    team: Team,
    end: End,
    tries: usize,
) -> Vec<Duration> {
    let mut all = Vec::new();
    for number in 0..tries {
        let name = format!("{end:?}-{number}").to_lowercase();
        let machine = estate.make(estate.unique(&name, &team.home)).await;
        let asked = get(&team.host, "/", &[("x-pomerium-authorization", &machine.token)]);
        let change = async {
            let (admin, by, at) = (&estate.house.admin, &estate.by, estate.at());
            match end {
                End::Revoked => {
                    let (id, credential) = (machine.id(), &machine.credential);
                    admin.revoke_credential(by, id, credential, at).await.expect("revoked");
                }
                End::Disabled => {
                    admin.disable_account(by, machine.id(), at).await.expect("disabled");
                }
                End::Moved => hang(&estate, &team.namespace, &estate.sales).await,
            }
        };
        all.push(late(&door, asked, change).await);
        if matches!(end, End::Moved) {
            hang(&estate, &team.namespace, &team.home).await;
        }
    }
    all
}

/// Hangs a namespace below another one.
async fn hang(estate: &Estate, namespace: &NamespaceId, parent: &NamespaceId) {
    let edit = NamespaceEdit { parent: Some(parent.clone()), ..NamespaceEdit::default() };
    let moved = estate.house.admin.update_namespace(&estate.by, namespace, edit, estate.at());
    moved.await.expect("moved");
}

/// Every way to an end by several workers at once; what each kept within.
async fn measured<D: Door>(
    what: &str,
    (estate, door): (&Arc<Estate>, &Arc<D>),
    tries: usize,
) -> Vec<(End, Duration)> {
    let mut kept = Vec::new();
    let teams = teams(estate).await;
    for end in ENDS {
        let work = |team: &Team| {
            let between = (Arc::clone(estate), Arc::clone(door));
            tokio::spawn(tried(between, team.clone(), end, tries / WORKERS))
        };
        let workers: Vec<_> = teams.iter().map(work).collect();
        let mut all = Vec::new();
        for worker in workers {
            all.extend(worker.await.expect("no panic"));
        }
        kept.push((end, told(&format!("{what}: {end:?}"), all)));
    }
    kept
}

fn within(kept: &[(End, Duration)], bound: Duration) {
    assert!(kept.iter().all(|(_, late)| *late < bound), "{kept:?}, and the bound is {bound:?}");
}

async fn estate_at(place: &Place) -> Arc<Estate> {
    Arc::new(Estate::of(House::with(CONFIG, &place.settings).await).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_on_the_same_database() {
    let _alone = alone().await;
    let place = Place::postgres();
    let estate = estate_at(&place).await;
    let other = Arc::new(House::with(CONFIG, &place.settings).await);
    within(&measured("two servers on one PostgreSQL", (&estate, &other), TRIES).await, TARGET);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_notifications_the_heartbeat_is_the_bound() {
    let _alone = alone().await;
    let place = Place::postgres();
    let estate = estate_at(&place).await;
    let chain = ChainKey::derive(&SECRET_BYTES);
    let store = store::open(&place.settings, chain, Tasks::default()).await.expect("a store");
    let deaf: Arc<dyn Store> = Arc::new(Deaf::new(store));
    let bound = deaf.heartbeat() + TARGET;
    let other = Arc::new(House::on(CONFIG, deaf, Tasks::default()).await);
    within(&measured("no notifications", (&estate, &other), 40).await, bound);
}

// --- another process

#[tokio::test(flavor = "multi_thread")]
async fn another_process_with_the_same_file() {
    let _alone = alone().await;
    let place = Place::file();
    let estate = estate_at(&place).await;
    let folder = tempfile::tempdir().expect("a folder");
    let other = Process::serve(folder.path(), &place.yaml).await;
    let bound = estate.house.store.heartbeat() + TARGET;
    within(&measured("two processes, one SQLite file", (&estate, &other.door), TRIES).await, bound);
}

// --- the directory

/// Puts a file in place in one step.
fn put(folder: &Path, name: &str, content: &str) {
    let next = folder.join("next");
    std::fs::write(&next, content).expect("writes");
    std::fs::rename(next, folder.join(name)).expect("renames");
}

/// A directory file with the people of the house, or without alice, and with so many others.
fn people(alice: bool, others: usize) -> String {
    let mut text = "users:\n".to_owned();
    let named = ["root", "alice", "bob"];
    for name in named.iter().filter(|name| alice || **name != "alice") {
        writeln!(text, "- {{id: u-{name}, email: {name}@corp.test}}").expect("writes");
    }
    for number in 0..others {
        writeln!(text, "- {{id: x-{number}, email: x{number}@corp.test}}").expect("writes");
    }
    text
}

/// How late another server hears of it that alice is gone, by a file that `write` writes.
async fn removed(what: &str, tries: usize, write: impl Fn(&Path, &str)) -> Duration {
    let place = Place::postgres();
    let estate = estate_at(&place).await;
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "people.yaml", &people(true, 0));
    let more = format!("{}directory: {{file: people.yaml}}\n", place.yaml);
    let other = Process::serve(folder.path(), &more).await;
    let machine = estate.make(estate.acting_as("u-alice", &estate.design)).await;
    let asked = || get("design.localhost", "/", &[("x-pomerium-authorization", &machine.token)]);
    let mut all = Vec::new();
    for _ in 0..tries {
        let change = async { write(folder.path(), &people(false, 0)) };
        all.push(late(&other.door, asked(), change).await);
        put(folder.path(), "people.yaml", &people(true, 0));
    }
    told(what, all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_leaves_the_directory_file() {
    let _alone = alone().await;
    let renamed = |folder: &Path, text: &str| put(folder, "people.yaml", text);
    let late = removed("a file put in place", TRIES, renamed).await;
    assert!(late < TARGET, "{late:?}");
    // An editor that writes into the file.
    let written = |folder: &Path, text: &str| {
        std::fs::write(folder.join("people.yaml"), text).expect("writes");
    };
    let late = removed("a file written into", 40, written).await;
    assert!(late < TARGET, "{late:?}");
}
