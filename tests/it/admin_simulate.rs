//! Questions put by hand: the answer is that of a check, and whoever asks learns nothing of what they do
//! not see.

use crate::admin_namespaces::policy;
use crate::support::office::{Office, after, now, ns, word};
use lictor::admin::{NewPolicy, Overlap, Principal, Simulation, StepOutcome, Supposed};
use lictor::id::ServiceAccountId;
use lictor::secret::Secret;
use std::time::Duration;

const SITE: &str = "https://site.corp.test/";

fn asked(principal: Principal, url: &str) -> Supposed {
    Supposed {
        principal,
        method: "GET".to_owned(),
        url: url.to_owned(),
        headers: Vec::new(),
        source_ip: None,
        time: None,
        groups: None,
    }
}

fn token(token: &Secret<String>) -> Principal {
    Principal::Token(Secret::new(token.expose().clone()))
}

async fn simulate(office: &Office, by: &str, supposed: Supposed) -> Simulation {
    let simulated = office.admin.simulate(&office.actor(by), supposed, now().now).await;
    simulated.expect("an answer")
}

fn step<'s>(simulation: &'s Simulation, what: &str) -> &'s lictor::admin::Step {
    let found = simulation.steps.iter().find(|step| step.what == what);
    found.unwrap_or_else(|| panic!("{what} in {simulation:#?}"))
}

fn decisive(simulation: &Simulation) -> Vec<&str> {
    let decisive = simulation.steps.iter().filter(|step| step.decisive);
    decisive.map(|step| step.what.as_str()).collect()
}

#[tokio::test]
async fn an_account_that_is_allowed_and_why() {
    let office = Office::staffed().await;
    let (id, minted) = office.unique("design", "ci").await;
    for principal in [Principal::Account(id), token(&minted.token)] {
        let told = simulate(&office, "vera", asked(principal, SITE)).await;
        assert!(told.allowed, "{told:#?}");
        assert_eq!((told.reason.as_str(), told.status), ("allowed", 200));
        assert_eq!(told.route.as_deref(), Some("site"));
        assert_eq!(told.namespace_path, "Global / Design / Web");
        assert_eq!(step(&told, "account").outcome, StepOutcome::Pass);
        assert_eq!(step(&told, "namespace").outcome, StepOutcome::Pass);
        assert_eq!(decisive(&told).len(), 2, "a group and a criterion: {told:#?}");
        assert!(
            told.removed_headers.contains(&"authorization".to_owned())
                || told.removed_headers.contains(&"x-pomerium-authorization".to_owned()),
            "{told:#?}"
        );
    }
}

#[tokio::test]
async fn each_thing_that_can_be_wrong_with_a_token_has_its_step() {
    let office = Office::staffed().await;
    let by = office.actor("root");
    let ask = async |minted: &Secret<String>, seconds: i64| {
        let at = after(seconds);
        let supposed = Supposed { time: Some(at.now), ..asked(token(minted), SITE) };
        let told = simulate(&office, "vera", supposed).await;
        let check = office.answer(minted, SITE, at).await;
        assert_eq!((told.allowed, told.status), (false, 401), "{told:#?}");
        let failed =
            told.steps.iter().find(|step| step.outcome == StepOutcome::Fail && step.depth == 1);
        let failed = failed.expect("a step that failed");
        assert!(failed.decisive, "{told:#?}");
        let code = failed.detail.split(':').next().expect("a code").to_owned();
        assert_eq!(code, check, "the check says the same");
        format!("{} {code}", failed.what)
    };
    let (_, minted) = office.unique("design", "a").await;
    let (signed, tag) = minted.token.expose().rsplit_once('.').expect("a signature");
    let first = if tag.starts_with('A') { "B" } else { "A" };
    let forged = format!("{signed}.{first}{}", &tag[1..]);
    assert_eq!(ask(&Secret::new(forged), 0).await, "signature bad-signature");
    let (id, minted) = office.unique("design", "b").await;
    assert_eq!(ask(&Secret::new("x.y".to_owned()), 0).await, "signature malformed");
    assert_eq!(ask(&minted.token, -3600).await, "claims not-yet-valid");
    office.admin.rotate(&by, &id, Overlap(Duration::ZERO), now()).await.expect("rotated");
    assert_eq!(ask(&minted.token, 1).await, "credential credential-superseded");
    let one = &minted.credential.id;
    office.admin.revoke_credential(&by, &id, one, now()).await.expect("revoked");
    assert_eq!(ask(&minted.token, 1).await, "credential credential-revoked");
    let (id, minted) = office.unique("design", "c").await;
    office.admin.disable_account(&by, &id, now()).await.expect("off");
    assert_eq!(ask(&minted.token, 1).await, "account service-account-disabled");
    office.admin.delete_account(&by, &id, None, now()).await.expect("deleted");
    assert_eq!(ask(&minted.token, 1).await, "account service-account-deleted");
    let (_, minted) = office.impersonating("design", "u-bob").await;
    office.admin.block(&by, "u-bob", "", now()).await.expect("blocked");
    assert_eq!(ask(&minted.token, 1).await, "person user-blocked");
}

#[tokio::test]
async fn a_route_outside_the_namespace_decides_before_policy() {
    let office = Office::staffed().await;
    let (id, _) = office.unique("design", "ci").await;
    let url = "https://shop.corp.test/";
    let told = simulate(&office, "root", asked(Principal::Account(id.clone()), url)).await;
    assert_eq!((told.reason.as_str(), told.status), ("service-account-out-of-namespace", 403));
    assert_eq!(decisive(&told), ["namespace"]);
    let of_max = simulate(&office, "max", asked(Principal::Account(id), url)).await;
    assert_eq!((of_max.reason.as_str(), of_max.status), ("route-not-found", 404));
    assert_eq!(of_max.route, None);
}

#[tokio::test]
async fn people_and_nobody() {
    let office = Office::staffed().await;
    let told = simulate(&office, "vera", asked(Principal::Anonymous, SITE)).await;
    assert_eq!((told.allowed, told.reason.as_str(), told.status), (false, "unauthenticated", 401));
    let bob = || Principal::User("u-bob".to_owned());
    assert!(simulate(&office, "vera", asked(bob(), SITE)).await.allowed);
    let ann = Principal::User("u-ann".to_owned());
    let told = simulate(&office, "vera", asked(ann, SITE)).await;
    assert_eq!((told.reason.as_str(), told.status), ("forbidden", 403));
    assert!(!decisive(&told).is_empty());
    office.admin.block(&office.actor("root"), "u-bob", "", now()).await.expect("blocked");
    let told = simulate(&office, "vera", asked(bob(), SITE)).await;
    assert_eq!((told.allowed, told.status), (false, 401));
    assert_eq!(step(&told, "person").outcome, StepOutcome::Fail);
    let nobody = asked(Principal::User("u-nobody".to_owned()), SITE);
    let told = office.admin.simulate(&office.actor("vera"), nobody, now().now).await;
    assert_eq!(word(told), "no user");
}

#[tokio::test]
async fn groups_and_time_can_be_supposed() {
    let office = Office::staffed().await;
    let text = "allow: {or: [{groups: {has: g-x}}]}\n".to_owned();
    let routes = [String::from("site")].into();
    let new = NewPolicy { text, routes, ..policy(&ns("design"), "x", false) };
    office.admin.create_policy(&office.actor("max"), new, now()).await.expect("made");
    let ann = || Principal::User("u-ann".to_owned());
    assert!(!simulate(&office, "vera", asked(ann(), SITE)).await.allowed);
    let groups = Some(vec!["g-x".to_owned()]);
    let told = simulate(&office, "vera", Supposed { groups, ..asked(ann(), SITE) }).await;
    assert!(told.allowed, "{told:#?}");
    let (id, _) = office.unique("design", "ci").await;
    let edit = lictor::admin::AccountEdit {
        expires: lictor::admin::Expiry::At(after(100).now),
        ..Default::default()
    };
    office.admin.update_account(&office.actor("max"), &id, edit, now()).await.expect("changed");
    for (seconds, allowed) in [(99, true), (100, false)] {
        let time = Some(after(seconds).now);
        let supposed = Supposed { time, ..asked(Principal::Account(id.clone()), SITE) };
        assert_eq!(simulate(&office, "vera", supposed).await.allowed, allowed, "{seconds}");
    }
}

/// SECURITY: what is not seen is answered as what is not there, to the letter.
#[tokio::test]
async fn what_is_not_seen_is_not_there() {
    let office = Office::staffed().await;
    let (hidden, minted) = office.unique("sales", "bot").await;
    let nothing = ServiceAccountId::parse(&format!("sa_{}", "0".repeat(32))).expect("an id");
    let by = office.actor("vera");
    for id in [hidden, nothing] {
        let told = office.admin.simulate(&by, asked(Principal::Account(id), SITE), now().now).await;
        assert_eq!(word(told), "no service account");
    }
    let paths = ["/", "/x;y/%2e", "/.pomerium/", "/.pomerium/admin/sessions", "/a%2fb"];
    for path in paths {
        let of = async |host: &str| {
            let url = format!("https://{host}.corp.test{path}");
            let told = simulate(&office, "vera", asked(Principal::Anonymous, &url)).await;
            format!("{told:?}")
        };
        assert_eq!(of("shop").await, of("nowhere").await, "{path}");
    }
    // A token of an account that is not seen is one that nobody knows.
    let told = simulate(&office, "vera", asked(token(&minted.token), SITE)).await;
    let failed = step(&told, "credential");
    assert!(failed.detail.starts_with("unknown-credential"), "{told:#?}");
    assert!(!format!("{told:?}").contains("bot"), "{told:#?}");
    let without = office.admin.simulate(
        &by,
        asked(token(&minted.token), "https://nowhere.corp.test/"),
        now().now,
    );
    let without = without.await.expect("an answer");
    assert!(step(&without, "credential").detail.starts_with("unknown-credential"));
    let stranger = asked(Principal::Anonymous, SITE);
    let told = office.admin.simulate(&office.actor("bob"), stranger, now().now).await;
    assert_eq!(word(told), "takes viewer");
}

#[tokio::test]
async fn nothing_that_is_shown_or_written_holds_the_token() {
    let office = Office::staffed().await;
    let (_, minted) = office.unique("design", "ci").await;
    let entries = office.entries().await.len();
    let supposed = asked(token(&minted.token), SITE);
    let shown = format!("{supposed:?}");
    let told = simulate(&office, "vera", supposed).await;
    let shown = format!("{shown}{told:?}");
    for part in minted.token.expose().split('.').skip(1) {
        assert!(!shown.contains(part), "{shown}");
    }
    assert_eq!(office.entries().await.len(), entries, "a simulation writes nothing");
}

#[tokio::test]
async fn what_is_no_question() {
    let office = Office::staffed().await;
    let by = office.actor("vera");
    let ask =
        async |supposed: Supposed| word(office.admin.simulate(&by, supposed, now().now).await);
    for url in [
        "",
        "https://",
        "ftp://site.corp.test/",
        "https://site.corp.test/a b",
        "x\ny",
        "https://ä.test/",
    ] {
        assert_eq!(ask(asked(Principal::Anonymous, url)).await, "invalid url", "{url:?}");
    }
    for method in ["", "G T", "GET\n"] {
        let method = method.to_owned();
        let supposed = Supposed { method, ..asked(Principal::Anonymous, SITE) };
        let word = ask(supposed).await;
        assert!(word == "invalid method" || word == "done", "{word}");
    }
    for (name, value) in [("a b", "c"), ("a", "b\nc"), ("", "x")] {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let supposed = Supposed { headers, ..asked(Principal::Anonymous, SITE) };
        assert_eq!(ask(supposed).await, "invalid headers", "{name:?}");
    }
}

/// A credential in the headers does not speak for somebody else than was named.
#[tokio::test]
async fn the_one_who_was_named_asks() {
    let office = Office::staffed().await;
    let (_, minted) = office.unique("design", "ci").await;
    let bearer = format!("Pomerium {}", minted.token.expose());
    let headers = vec![("Authorization".to_owned(), bearer)];
    let supposed = Supposed { headers: headers.clone(), ..asked(Principal::Anonymous, SITE) };
    assert!(!simulate(&office, "vera", supposed).await.allowed);
    let forged = Principal::Token(Secret::new("a.b.c".to_owned()));
    let supposed = Supposed { headers, ..asked(forged, SITE) };
    assert!(!simulate(&office, "vera", supposed).await.allowed);
}

#[tokio::test]
async fn enforced_policies_come_first() {
    let office = Office::staffed().await;
    let text = "deny: {or: [{user: ci@design.pomerium}]}".to_owned();
    let new = NewPolicy { text, ..policy(&ns("global"), "guard", true) };
    office.admin.create_policy(&office.actor("root"), new, now()).await.expect("made");
    let (id, _) = office.unique("design", "ci").await;
    let told = simulate(&office, "vera", asked(Principal::Account(id), SITE)).await;
    assert_eq!((told.allowed, told.reason.as_str()), (false, "forbidden"));
    let groups: Vec<_> = told.steps.iter().filter(|step| step.what.contains("policy")).collect();
    assert_eq!(groups[0].what, "enforced policy `guard`: deny/or");
    assert_eq!((groups[0].outcome, groups[0].decisive), (StepOutcome::Fail, true));
    assert!(!groups[1].decisive);
}
