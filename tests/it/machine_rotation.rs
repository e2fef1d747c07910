//! Tokens are rotated while programs ask without a pause, at two servers: nobody who takes up the new
//! token in time is refused, and the old one is good until the last second of the overlap and no longer.

use crate::support::check::{allows, get};
use crate::support::estate::{CONFIG, Estate, Machine};
use crate::support::house::House;
use crate::support::lateness::TARGET;
use crate::support::store::Place;
use lictor::clock::Clock;
use lictor::time::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

const OVERLAP: i64 = 60;
const CLIENTS: usize = 4;

/// Two servers on one store, whose clocks are moved together.
struct Servers {
    estate: Estate,
    other: House,
}

impl Servers {
    async fn at(place: &Place) -> Self {
        let estate = Estate::of(House::with(CONFIG, &place.settings).await).await;
        let other = House::with(CONFIG, &place.settings).await;
        let servers = Self { estate, other };
        let machine = servers.estate.make(servers.estate.unique("probe", &servers.estate.design));
        let token = machine.await.token;
        // Until the other one has read the routes.
        while !servers.asks(1, &token).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        servers
    }

    /// Asks one of the two.
    async fn asks(&self, turn: usize, token: &str) -> bool {
        let house = if turn.is_multiple_of(2) { &self.estate.house } else { &self.other };
        let asked = get("design.localhost", "/", &[("x-pomerium-authorization", token)]);
        allows(&house.check(asked).await)
    }

    fn later(&self, seconds: i64) {
        // A check that begins in between sees one of two instants, both of which are now.
        self.estate.house.later(seconds);
        self.other.later(seconds);
    }

    fn clock(&self, turn: usize) -> Timestamp {
        let house = if turn.is_multiple_of(2) { &self.estate.house } else { &self.other };
        house.clock.now()
    }
}

/// What clients have been given, and how many have taken it up.
struct Given {
    token: RwLock<String>,
    version: AtomicUsize,
    taken: Vec<AtomicUsize>,
    asked: AtomicUsize,
    refused: AtomicUsize,
    stop: AtomicBool,
}

impl Given {
    fn new(machine: &Machine) -> Self {
        Self {
            token: RwLock::new(machine.token.clone()),
            version: AtomicUsize::new(0),
            taken: (0..CLIENTS).map(|_| AtomicUsize::new(0)).collect(),
            asked: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        }
    }

    fn give(&self, token: String) {
        *self.token.write().expect("unpoisoned") = token;
        self.version.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until nobody asks with an older token any more.
    async fn all_taken(&self) {
        let version = self.version.load(Ordering::SeqCst);
        while self.taken.iter().any(|taken| taken.load(Ordering::SeqCst) < version) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

/// Asks without a pause, with whatever token there is.
async fn client(servers: Arc<Servers>, given: Arc<Given>, number: usize) {
    let mut turn = number;
    while !given.stop.load(Ordering::SeqCst) {
        let version = given.version.load(Ordering::SeqCst);
        let token = given.token.read().expect("unpoisoned").clone();
        given.taken[number].store(version, Ordering::SeqCst);
        given.asked.fetch_add(1, Ordering::SeqCst);
        if !servers.asks(turn, &token).await {
            given.refused.fetch_add(1, Ordering::SeqCst);
        }
        turn += 1;
        tokio::task::yield_now().await;
    }
}

/// Shows one token until it is refused, which it must be from the second on when it ends.
async fn holdout(servers: Arc<Servers>, token: String, turn: usize, end: Timestamp) -> usize {
    let mut allowed = 0;
    loop {
        let before = servers.clock(turn);
        let good = servers.asks(turn, &token).await;
        let after = servers.clock(turn);
        assert!(good || after >= end, "refused at {after:?}, and it is good until {end:?}");
        assert!(!good || before < end, "allowed at {before:?}, and it is good until {end:?}");
        if !good {
            return allowed;
        }
        allowed += 1;
        tokio::task::yield_now().await;
    }
}

/// A change is heard of by both servers within `heard`.
async fn rotated_under_load(place: Place, rotations: usize, heard: Duration) {
    let servers = Arc::new(Servers::at(&place).await);
    let estate = &servers.estate;
    let machine = estate.make(estate.unique("ci", &estate.design)).await;
    let given = Arc::new(Given::new(&machine));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| tokio::spawn(client(Arc::clone(&servers), Arc::clone(&given), number)))
        .collect();
    let mut old = machine.token.clone();
    for _ in 0..rotations {
        let new = estate.rotate(machine.id(), OVERLAP.unsigned_abs()).await;
        let end = estate.now().plus(Duration::from_secs(OVERLAP.unsigned_abs()));
        let holdouts: Vec<_> = (0..2)
            .map(|turn| tokio::spawn(holdout(Arc::clone(&servers), old.clone(), turn, end)))
            .collect();
        // For a while everybody has the old one.
        tokio::time::sleep(heard).await;
        old = new.token.expose().clone();
        given.give(old.clone());
        given.all_taken().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        servers.later(OVERLAP - 1);
        tokio::time::sleep(Duration::from_millis(5)).await;
        servers.later(1);
        for holdout in holdouts {
            assert!(holdout.await.expect("to the second") > 0, "it was good for a while");
        }
    }
    given.stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.await.expect("no panic");
    }
    let asked = given.asked.load(Ordering::SeqCst);
    eprintln!("{rotations} rotations, {asked} requests, {:?} refused", given.refused);
    assert_eq!(given.refused.load(Ordering::SeqCst), 0);
    assert!(asked > rotations * CLIENTS, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_at_two_servers_on_one_database() {
    rotated_under_load(Place::postgres(), 50, TARGET).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_refused_at_two_servers_on_one_file() {
    let heartbeat = Duration::from_millis(100);
    rotated_under_load(Place::file(), 20, heartbeat + TARGET).await;
}
