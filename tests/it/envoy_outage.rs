//! Lictor gone, leaving, restarted or behind a socket file: nothing is ever let through unasked.

use crate::support::gates::free_address;
use crate::support::process::{Setup, authorization, eventually, get};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Steady requests of bob, a few at a time, until told to stop: when each began and ended, and its
/// status.
struct Trickle {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<tokio::task::JoinHandle<Vec<Asked>>>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    begun: Instant,
    ended: Instant,
    status: u16,
}

const CLIENTS: usize = 4;
/// No client sends more than this.
const MOST: usize = 2000;
const PAUSE: Duration = Duration::from_millis(5);

impl Trickle {
    fn start(setup: &Setup) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicUsize::new(0));
        let (gateway, line) = (setup.gateway, authorization());
        let client = |number: usize| {
            let (stop, answered, line) = (Arc::clone(&stop), Arc::clone(&answered), line.clone());
            tokio::spawn(async move {
                let mut asked = Vec::new();
                while asked.len() < MOST && !stop.load(Ordering::Acquire) {
                    let begun = Instant::now();
                    let status =
                        get(gateway, &format!("/{number}/{}", asked.len()), &[&line]).await.status;
                    asked.push(Asked { begun, ended: Instant::now(), status });
                    answered.fetch_add(1, Ordering::AcqRel);
                    tokio::time::sleep(PAUSE).await;
                }
                asked
            })
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { stop, answered, clients }
    }

    /// Waits for this many more answers.
    async fn goes_on(&self, count: usize) {
        let wanted = self.answered.load(Ordering::Acquire) + count;
        let came = eventually(|| self.answered.load(Ordering::Acquire) >= wanted).await;
        assert!(came, "requests are flowing");
    }

    async fn stop(self) -> Vec<Asked> {
        self.stop.store(true, Ordering::Release);
        let mut asked = Vec::new();
        for client in self.clients {
            asked.extend(client.await.expect("no panic"));
        }
        asked.sort_by_key(|asked| asked.begun);
        asked
    }
}

fn one_server() -> Vec<String> {
    vec![free_address().to_string()]
}

#[tokio::test]
async fn nothing_passes_once_lictor_is_killed() {
    let mut setup = Setup::start(&one_server(), |_| ()).await;
    let before = setup.upstream.served();
    let trickle = Trickle::start(&setup);
    trickle.goes_on(100).await;
    setup.servers[0].kill().await;
    let killed = Instant::now();
    trickle.goes_on(100).await;
    let asked = trickle.stop().await;

    let passed = asked.iter().filter(|asked| asked.status == 200).count();
    assert!(passed >= 100, "requests were flowing: {passed}");
    assert_eq!(passed, setup.upstream.served() - before, "one pass, one request upstream");
    assert!(asked.iter().all(|asked| matches!(asked.status, 200 | 503)), "{asked:?}");
    let late: Vec<_> = asked.iter().filter(|asked| asked.begun > killed).collect();
    assert!(late.len() > 10 && late.iter().all(|asked| asked.status == 503), "{late:?}");

    let reached = setup.upstream.served();
    let line = authorization();
    for number in 0..200 {
        let reply = setup.get(&format!("/gone/{number}"), &[&line]).await;
        assert_eq!(reply.status, 503, "{number}");
    }
    assert_eq!(setup.upstream.served(), reached, "nothing is forwarded");
    setup.stop().await;
}

/// One server alone: it answers until its listener is gone, and says when that is.
#[tokio::test]
async fn a_server_that_leaves_answers_to_the_end() {
    let mut setup = Setup::start(&one_server(), |_| ()).await;
    let before = setup.upstream.served();
    let trickle = Trickle::start(&setup);
    trickle.goes_on(100).await;
    let asked_to_stop = Instant::now();
    setup.servers[0].terminate().await;
    assert!(setup.servers[0].ended().await, "{}", setup.servers[0].read_log());
    let ended = Instant::now();
    let asked = trickle.stop().await;

    let first_failure = asked.iter().find(|asked| asked.status != 200);
    let failures = asked.iter().filter(|asked| asked.status != 200).count();
    eprintln!(
        "graceful stop: {} requests, {failures} not answered, the first {:?} after SIGTERM; gone {:?} after SIGTERM",
        asked.len(),
        first_failure.map(|asked| asked.ended - asked_to_stop),
        ended - asked_to_stop,
    );
    let early = asked.iter().find(|asked| {
        asked.status != 200 && asked.begun < asked_to_stop + Duration::from_millis(900)
    });
    assert!(early.is_none(), "no check fails within the notice: {early:?}");
    let in_notice =
        asked.iter().filter(|asked| asked.begun > asked_to_stop && asked.status == 200).count();
    assert!(in_notice > 50, "requests were flowing: {in_notice}");
    let passed = asked.iter().filter(|asked| asked.status == 200).count();
    assert_eq!(passed, setup.upstream.served() - before);
    setup.stop().await;
}

/// Two servers, one leaves: no client notices.
#[tokio::test]
async fn one_of_two_leaves_and_nobody_notices() {
    let mut setup = two_servers().await;
    let trickle = Trickle::start(&setup);
    trickle.goes_on(100).await;
    setup.servers[0].terminate().await;
    assert!(setup.servers[0].ended().await);
    trickle.goes_on(200).await;
    let asked = trickle.stop().await;

    let failures: Vec<_> = asked.iter().filter(|asked| asked.status != 200).collect();
    eprintln!("one of two leaves: {} requests, {} not answered", asked.len(), failures.len());
    assert!(failures.is_empty(), "{failures:?}");
    setup.stop().await;
}

/// Two servers, one is killed: the other answers for it.
#[tokio::test]
async fn one_of_two_is_killed_and_the_other_answers() {
    let mut setup = two_servers().await;
    let trickle = Trickle::start(&setup);
    trickle.goes_on(100).await;
    setup.servers[0].kill().await;
    let killed = Instant::now();
    trickle.goes_on(200).await;
    let asked = trickle.stop().await;

    let failures: Vec<_> = asked.iter().filter(|asked| asked.status != 200).collect();
    eprintln!("one of two is killed: {} requests, {} not answered", asked.len(), failures.len());
    assert!(failures.iter().all(|asked| asked.status == 503), "{failures:?}");
    assert!(
        failures.iter().all(|asked| asked.begun <= killed),
        "only checks under way: {failures:?}"
    );
    setup.stop().await;
}

async fn two_servers() -> Setup {
    let addresses = [free_address(), free_address()];
    let texts: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let [first, second] = addresses.map(|address| address.port());
    Setup::start(&texts, |bootstrap| beside(bootstrap, first, second)).await
}

/// Adds a second endpoint for Lictor.
fn beside(bootstrap: &mut Value, first: u16, second: u16) {
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut().expect("clusters");
    let mut lictor = clusters.iter_mut().filter(|cluster| cluster["name"] == "lictor");
    let lictor = lictor.next().expect("a cluster");
    let endpoints = &mut lictor["load_assignment"]["endpoints"][0]["lb_endpoints"];
    let mut other = endpoints[0].clone();
    let port = &mut other["endpoint"]["address"]["socket_address"]["port_value"];
    assert_eq!(*port, first);
    *port = second.into();
    endpoints.as_array_mut().expect("endpoints").push(other);
}

#[tokio::test]
async fn a_socket_file_works_as_an_address() {
    let setup = Setup::start(&["unix://FOLDER/authz.sock".to_owned()], |bootstrap| {
        assert!(bootstrap.to_string().contains("authz.sock"), "it names the socket: {bootstrap}");
    })
    .await;
    let allowed = setup.get("/socket", &[&authorization()]).await;
    assert_eq!((allowed.status, allowed.json()["path"].as_str()), (200, Some("/socket")));
    let refused = setup.get("/socket", &[]).await;
    assert_eq!(
        (refused.status, refused.header("x-pomerium-intercepted-response")),
        (401, Some("true"))
    );
    setup.stop().await;
}
