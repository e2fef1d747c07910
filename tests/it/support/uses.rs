//! What machines do, written down by servers while accounts come to their end.

use super::check::{Checks as _, allows, asking, get};
use super::estate::{CONFIG, Estate, Machine};
use super::fixture::NOW;
use super::house::House;
use super::lateness::Door as _;
use super::listening::listen;
use super::replica::{InProcess, Process};
use super::store::Place;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;
use lictor::activity::{Outcome, Verb};
use lictor::id::ServiceAccountId;
use lictor::service_account::{AccountRecord, CredentialRecord};
use lictor::store::{ActivityQuery, Store, Usage};
use lictor::telemetry::Noted;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tonic::{Code, Status};

fn request(host: &str, token: &str) -> HttpRequest {
    get(&format!("{host}.localhost"), "/", &[("x-pomerium-authorization", token)])
}

async fn estate_at(place: &Place) -> Estate {
    Estate::of(House::with(CONFIG, &place.settings).await).await
}

// --- accounts that end while what they did is written down

/// Writes down what was noted, without a pause, as no server does.
async fn written(house: Arc<Estate>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        write(&house).await;
        tokio::task::yield_now().await;
    }
}

async fn write(estate: &Estate) {
    let Noted { uses, lost, .. } = estate.house.usage.take();
    assert_eq!(lost, 0);
    if !uses.is_empty() {
        estate.house.store.note_uses(uses).await.expect("written");
    }
}

/// Asks without a pause until told to stop; counts what was allowed.
async fn traffic(
    estate: Arc<Estate>,
    asked: HttpRequest,
    stop: Arc<AtomicBool>,
    allowed: Arc<AtomicU64>,
) {
    while !stop.load(Ordering::SeqCst) {
        if estate.house.lets(asked.clone()).await {
            allowed.fetch_add(1, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
    }
}

async fn record(store: &dyn Store, id: &ServiceAccountId) -> AccountRecord {
    store.account(id).await.expect("asked").expect("there is one")
}

/// Accounts are deleted and disabled while traffic flows and every use is written down at once, so that
/// writing and ending race all the time.
pub async fn ended_under_traffic(place: Place, rounds: usize) {
    let estate = Arc::new(estate_at(&place).await);
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..2).map(|_| tokio::spawn(written(Arc::clone(&estate), Arc::clone(&stop)))).collect();
    let mut ended = Vec::new();
    for round in 0..rounds {
        ended.push(end_two(&estate, round).await);
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.expect("no panic");
    }
    write(&estate).await;
    // As a server sees it that knows nothing yet.
    let fresh = estate_at_again(&place).await;
    for [deleted, disabled] in &ended {
        let known = record(&*fresh.store, deleted.id()).await;
        assert_eq!(known.deleted, Some(estate.now()), "deleted, and back again");
        assert_eq!(known.used, Some(estate.now()), "of the time before");
        let known = record(&*fresh.store, disabled.id()).await;
        assert!(known.disabled == Some(estate.now()) && known.deleted.is_none(), "{known:?}");
        for machine in [deleted, disabled] {
            for house in [&estate.house, &fresh] {
                assert!(!house.lets(request("design", &machine.token)).await);
            }
            let credentials = fresh.store.credentials(machine.id()).await.expect("asked");
            assert!(matches!(&credentials[..], [CredentialRecord { revoked: None, .. }]));
        }
    }
    let all = lictor::admin::AccountsWanted { limit: 200, ..Default::default() };
    let listed = estate.house.admin.accounts(&estate.by, &all, estate.now()).await.expect("listed");
    assert_eq!(listed.total, rounds as u64, "the disabled ones and no other");
    fresh.close().await;
}

async fn estate_at_again(place: &Place) -> House {
    let house = House::with(CONFIG, &place.settings).await;
    while house.state.snapshot().catalog.stored.routes.is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    house
}

/// One is deleted, one disabled, in the middle of their traffic.
async fn end_two(estate: &Arc<Estate>, round: usize) -> [Machine; 2] {
    let make = |name: &str| {
        let new = estate.unique(&format!("{name}-{round}"), &estate.design);
        async move { estate.make(new).await }
    };
    let machines = [make("deleted").await, make("disabled").await];
    let stop = Arc::new(AtomicBool::new(false));
    let allowed = [(); 2].map(|()| Arc::new(AtomicU64::new(0)));
    let mut traffics = Vec::new();
    for (machine, allowed) in machines.iter().zip(&allowed) {
        let asked = request("design", &machine.token);
        let (stop, allowed) = (Arc::clone(&stop), Arc::clone(allowed));
        traffics.push(tokio::spawn(traffic(Arc::clone(estate), asked, stop, allowed)));
    }
    let used =
        async |machine: &Machine| record(&*estate.house.store, machine.id()).await.used.is_some();
    while !(used(&machines[0]).await && used(&machines[1]).await) {
        tokio::task::yield_now().await;
    }
    let (admin, by) = (&estate.house.admin, &estate.by);
    admin.delete_account(by, machines[0].id(), None, estate.at()).await.expect("deleted");
    admin.disable_account(by, machines[1].id(), estate.at()).await.expect("disabled");
    let counted = usage(&*estate.house.store, machines[0].id()).await;
    // Uses of before are still on their way to be written, and others come.
    tokio::time::sleep(Duration::from_millis(20)).await;
    stop.store(true, Ordering::SeqCst);
    for traffic in traffics {
        traffic.await.expect("no panic");
    }
    let still = usage(&*estate.house.store, machines[0].id()).await;
    assert_eq!(counted, still, "nothing more is written down of a deleted account");
    machines
}

async fn usage(store: &dyn Store, id: &ServiceAccountId) -> Vec<Usage> {
    store.usage(id, 0).await.expect("asked")
}

// --- a server that stops

/// What a check is told for which nothing could be decided.
const UNDECIDED: &str = "not decided";

/// What was answered, by account and outcome.
type Answered = BTreeMap<(String, bool), u64>;

/// Asks a process. `None` if it is gone, or going. What could not be looked up in time, as on a machine that
/// is busy, is asked again: nothing was decided, and so nothing is counted.
async fn answer(process: &Process, host: &str, machine: &Machine) -> Option<bool> {
    loop {
        let mut door = (*process.door).clone();
        match door.check(asking(request(host, &machine.token))).await {
            Ok(answer) => return Some(allows(answer.get_ref())),
            Err(status) if status.message() == UNDECIDED => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Err(status) if matches!(status.code(), Code::Unavailable | Code::Cancelled) => {
                return None;
            }
            Err(status) if status.message() == "transport error" => return None,
            Err(status) if crossed(&status) => return None,
            Err(status) => panic!("{status:?}"),
        }
    }
}

/// Whether a check was sent when the server had said already which were its last: it has not read it (RFC 9113,
/// section 6.8).
fn crossed(status: &Status) -> bool {
    let mut cause = status.source();
    while let Some(error) = cause {
        if let Some(said) = error.downcast_ref::<h2::Error>() {
            return said.is_go_away() && said.reason() == Some(h2::Reason::NO_ERROR);
        }
        cause = error.source();
    }
    false
}

/// Asks a process until it is gone; counts every answer.
async fn asked_to_the_end(
    process: Arc<Process>,
    machines: Arc<Vec<Machine>>,
    turn: usize,
) -> Answered {
    let mut answered = Answered::new();
    for turn in turn.. {
        let machine = &machines[turn % machines.len()];
        let host = if turn.is_multiple_of(3) { "sales" } else { "design" };
        let Some(allowed) = answer(&process, host, machine).await else { break };
        *answered.entry((machine.id().to_string(), allowed)).or_default() += 1;
    }
    answered
}

/// `lictor serve` is told to stop while requests come in without a pause. Whatever it has answered is
/// written down when it has ended; in the meantime accounts are deleted, and stay so.
pub async fn counted_to_the_end(place: Place) {
    let estate = estate_at(&place).await;
    let mut machines = Vec::new();
    for number in 0..50 {
        let new = estate.unique(&format!("m-{number}"), &estate.design);
        machines.push(estate.make(new).await);
    }
    let machines = Arc::new(machines);
    let folder = tempfile::tempdir().expect("a folder");
    let process = Arc::new(Process::serve(folder.path(), &place.yaml).await);
    let asking: Vec<_> = (0..4)
        .map(|task| {
            let (process, machines) = (Arc::clone(&process), Arc::clone(&machines));
            tokio::spawn(asked_to_the_end(process, machines, task * 7))
        })
        .collect();
    // Longer than what was done is kept in memory, twice; accounts end all the while.
    let mut ended = Vec::new();
    for number in 0..40 {
        let new = estate.unique(&format!("e-{number}"), &estate.design);
        let machine = estate.make(new).await;
        for _ in 0..3 {
            answer(&process, "design", &machine).await.expect("it serves");
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
        let delete = estate.house.admin.delete_account(&estate.by, machine.id(), None, estate.at());
        delete.await.expect("deleted");
        ended.push(machine);
    }
    process.server.terminate().await;
    let mut answered = Answered::new();
    for task in asking {
        for (key, count) in task.await.expect("no panic") {
            *answered.entry(key).or_default() += count;
        }
    }
    let Ok(mut process) = Arc::try_unwrap(process) else { panic!("somebody still asks") };
    assert!(process.server.ended().await, "{}", process.server.read_log());
    let store = &*estate.house.store;
    let mut counted = Answered::new();
    for machine in machines.iter() {
        for row in usage(store, machine.id()).await {
            let key = (machine.id().to_string(), row.outcome == "allowed");
            *counted.entry(key).or_default() += row.count;
        }
    }
    let all: u64 = answered.values().sum();
    eprintln!("{all} answers, {} lines of use", counted.len());
    assert_eq!(counted, answered);
    for machine in &ended {
        let known = store.account(machine.id()).await.expect("asked");
        assert!(known.is_none_or(|known| known.deleted.is_some()), "deleted, and back again");
    }
}

// --- a credential that was replaced

/// How often the token was shown in vain, as it is written down.
async fn in_vain(estate: &Estate, machine: &Machine) -> u64 {
    let rows = usage(&*estate.house.store, machine.id()).await.into_iter();
    let rows = rows.filter(|row| row.outcome == "credential-superseded");
    rows.map(|row| row.count).sum()
}

/// Whether a token is good at a server, which decides nothing while it has not heard of the store for long:
/// so it is right after its clock was moved.
async fn shown(server: &InProcess, machine: &Machine) -> bool {
    for _ in 0..1000 {
        let asked = asking(request("design", &machine.token));
        match server.service.checker().check(asked, None).await {
            Ok(answer) => return allows(&answer),
            Err(status) => assert_eq!(status.code(), Code::Unavailable, "{status}"),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("nothing was decided");
}

/// Two servers see one credential used after another one has taken its place.
pub async fn one_alert_an_hour(place: Place) {
    let (listening, heard) = listen();
    let estate = estate_at(&place).await;
    let machine = estate.make(estate.unique("ci", &estate.design)).await;
    estate.rotate(machine.id(), 60).await;
    let servers =
        [InProcess::start(NOW, &place.yaml).await, InProcess::start(NOW, &place.yaml).await];
    let later = |seconds| servers.iter().for_each(|server| server.clock.later(seconds));
    let used = async |expected: usize, when: &str| {
        let before = in_vain(&estate, &machine).await;
        for server in servers.iter().cycle().take(6) {
            assert!(!shown(server, &machine).await, "{when}");
        }
        while in_vain(&estate, &machine).await < before + 6 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // Whatever is to be told is told right after it was written down.
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(alerts(&estate, &machine).await, expected, "{when}");
        let lines = heard.text().matches("a superseded credential was used\"").count();
        assert_eq!(lines, expected, "{when}");
    };
    for server in &servers {
        // Until it has read the routes.
        while !shown(server, &machine).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    later(60);
    used(1, "from the end of the overlap on").await;
    later(3599);
    used(1, "within the hour").await;
    later(1);
    used(2, "an hour later").await;
    // What is written down at the end is no news.
    assert!(!shown(&servers[0], &machine).await);
    for server in servers {
        server.stop().await;
    }
    assert_eq!(alerts(&estate, &machine).await, 2);
    drop(listening);
    let line = heard.text();
    let line = line.lines().find(|line| line.contains("a superseded credential was used"));
    let line: serde_json::Value = serde_json::from_str(line.expect("a line")).expect("JSON");
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["credential"], machine.credential.as_str());
    assert_eq!(line["account"], machine.id().as_str());
    assert!(!heard.text().contains(&machine.token), "never the token");
}

/// How many alerts there are of a credential, each as it should be.
async fn alerts(estate: &Estate, machine: &Machine) -> usize {
    let which = ActivityQuery {
        verb: Some(Verb::CredentialReused),
        limit: 100,
        ..ActivityQuery::default()
    };
    let entries = estate.house.store.activity(&which).await.expect("a log");
    for entry in &entries {
        let deed = entry.event.deed.as_ref().expect("a deed");
        assert_eq!(deed.id, machine.credential.as_str());
        assert_eq!(deed.outcome, Outcome::Denied);
        assert_eq!(entry.event.actor.user, machine.record.user);
    }
    entries.len()
}
