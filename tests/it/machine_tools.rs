//! Machines, namespaces, policies, routes and people, administered at the terminal: the real binary, an
//! SQLite file, and now and then a server beside it that reads the same file.

use crate::support::check::{allows, get};
use crate::support::command::{Ran, lictor};
use crate::support::config::SECRET;
use crate::support::fixture::NOW;
use crate::support::fixture::host::SECRET_BYTES;
use crate::support::house::House;
use lictor::activity::ChainKey;
use lictor::catalog::PolicyRecord;
use lictor::id::{CredentialId, NamespaceId, PermissionId, PolicyId, ServiceAccountId};
use lictor::namespace::{
    LifetimeRules, Made, NamespaceName, NamespaceRecord, Permission, Role, Subject,
};
use lictor::service_account::{AccountKind, AccountRecord, CredentialRecord};
use lictor::store::{Change, Kept, StorageSettings, Store, open};
use lictor::tasks::Tasks;
use lictor::time::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

const CONFIG: &str = "\
directory: {file: people.yaml}
namespaces:
- {id: design, name: Design}
- {id: web, name: Web, parent: design}
- {id: sales, name: Sales}
routes:
- {id: wiki, from: https://wiki.example.com, namespace: design, policy: {allow: {or: [{user: build-bot@design.pomerium}]}}}
- {id: files, from: https://files.example.com, namespace: web}
- {id: shop, from: https://shop.example.com, namespace: sales, policy: {allow: {or: [{user: build-bot@design.pomerium}]}}}
- {id: app, from: https://app.example.com}
";

const PEOPLE: &str = "\
users:
- {id: u-alice, email: alice@example.com, display_name: Alice Adams, group_ids: [g-design]}
- {id: u-bob, email: bob@example.com, display_name: Bob, group_ids: []}
groups:
- {id: g-design, name: Design}
";

const ALLOWS_BOT: &str = "allow:\n  or:\n    - user:\n        is: build-bot@design.pomerium\n";

/// A configuration with a store.
struct Stage {
    folder: tempfile::TempDir,
}

impl Stage {
    async fn new() -> Self {
        let stage = Self { folder: tempfile::tempdir().expect("a folder") };
        stage.write("lictor.yaml", CONFIG);
        stage.write("people.yaml", PEOPLE);
        stage.write("ci-only.yaml", ALLOWS_BOT);
        drop(stage.store().await);
        stage
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.at(name), text).expect("writes");
    }

    async fn store(&self) -> Arc<dyn Store> {
        let settings = StorageSettings::new(Kept::InFile(self.at("lictor.db")));
        let chain = ChainKey::derive(&SECRET_BYTES);
        open(&settings, chain, Tasks::default()).await.expect("a store")
    }

    /// Runs a command with the configuration; words are parted by `|`.
    fn run(&self, words: &str) -> Ran {
        self.run_with(words, "")
    }

    fn run_with(&self, words: &str, input: &str) -> Ran {
        let words: Vec<&str> = words.split('|').chain(["--config", "lictor.yaml"]).collect();
        lictor(self.folder.path(), &words, &[("SHARED_SECRET", SECRET)], input)
    }

    /// What a command that does what it should writes.
    #[track_caller]
    fn done(&self, words: &str) -> String {
        let ran = self.run(words);
        assert_eq!(ran.code, 0, "{words}: {}", ran.stderr);
        ran.stdout
    }

    #[track_caller]
    fn json(&self, words: &str) -> Value {
        let text = self.done(&format!("{words}|--format|json"));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words}: {error}: {text}"))
    }

    /// A command that is refused: with which code, and the first line of why.
    #[track_caller]
    fn refused(&self, words: &str, code: i32, why: &str) {
        let ran = self.run(words);
        let first = ran.stderr.lines().next().unwrap_or_default();
        assert_eq!((ran.code, first, &*ran.stdout), (code, why, ""), "{words}: {}", ran.stderr);
    }

    fn build_bot(&self) -> String {
        self.done("service-account|create|--namespace|Design|--name|build-bot|--expires-in|90d")
    }
}

const BOT: &str = "build-bot@design.pomerium";

/// The members of the token's payload.
fn payload(token: &str) -> Value {
    use base64::Engine as _;
    let part = token.split('.').nth(1).expect("a payload");
    let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64");
    serde_json::from_slice(&text).expect("JSON")
}

// --- service accounts

#[tokio::test]
async fn an_account_from_its_first_day_to_its_last() {
    let stage = Stage::new().await;
    let ran =
        stage.run("sa|create|-n|Design|--name|build-bot|--expires-in|90d|--description|nightly");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let token = ran.stdout;
    assert!(token.bytes().all(|byte| byte.is_ascii_graphic()), "the token alone: {token:?}");
    let claims = payload(&token);
    assert_eq!(claims["sub"], BOT);
    let id = claims["sid"].as_str().expect("an account").to_owned();
    assert!(ran.stderr.contains(&id) && !ran.stderr.contains(&token), "{}", ran.stderr);

    let list = stage.json("service-account|list");
    let account = &list[0];
    assert_eq!(list.as_array().map(Vec::len), Some(1));
    assert_eq!((&account["id"], &account["user_id"]), (&*id, BOT).map_json());
    assert_eq!((&account["kind"], &account["state"]), ("unique", "active").map_json());
    assert_eq!(account["namespace_id"], "design");
    assert_eq!(account["namespace_path"], "Global / Design");
    assert_eq!(account["description"], "nightly");

    let table = stage.done(&format!("service-account|show|{BOT}"));
    assert!(table.contains("state        active") && table.contains("wiki"), "{table}");
    let stands = |words: &str| stage.json(&format!("{words}|{BOT}"))[0]["state"].clone();
    assert_eq!(stands("service-account|disable"), "disabled");
    assert_eq!(stands("service-account|disable"), "disabled", "twice is no error");
    assert_eq!(stands("service-account|enable"), "active");
    let updated = stage.json(&format!("service-account|update|{BOT}|--never|--description|more"));
    assert_eq!(updated["expires_at"], Value::Null);
    assert_eq!(updated["description"], "more");

    let rotated = stage.json(&format!("service-account|rotate|{id}|--overlap|1h"));
    assert_ne!(rotated["token"], token);
    let issued = stage.json(&format!("service-account|issue|{id}|--expires-in|1h"));
    let states = || {
        let shown = stage.json(&format!("service-account|show|{id}"));
        let credentials = shown["credentials"].as_array().expect("credentials").iter();
        let mut states: Vec<String> =
            credentials.map(|one| one["state"].as_str().expect("a word").to_owned()).collect();
        states.sort();
        states
    };
    assert_eq!(states(), ["active", "active", "ending"]);
    let issued = issued["credential"]["id"].as_str().expect("an id");
    assert_eq!(stage.done(&format!("service-account|revoke|{issued}")), format!("{issued}\n"));
    assert_eq!(states(), ["active", "ending", "revoked"]);
    stage.done(&format!("service-account|revoke|--all-of|{id}"));
    assert_eq!(states(), ["revoked", "revoked", "revoked"]);

    let ran = stage.run(&format!("service-account|delete|{BOT}|nobody"));
    assert_eq!((ran.code, ran.stdout), (4, format!("{id}\n")), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("still names") && ran.stderr.contains("`nobody`"),
        "{}",
        ran.stderr
    );
    assert_eq!(stage.json("service-account|list"), serde_json::json!([]));
    stage.refused(
        &format!("service-account|show|{id}"),
        4,
        "error: there is no such service account",
    );
    stage.build_bot();
    let verified = stage.run("audit|verify");
    assert_eq!(verified.code, 0, "{}", verified.stderr);
}

/// Pairs of texts beside pairs of JSON.
trait MapJson {
    fn map_json(self) -> (&'static Value, &'static Value);
}

impl MapJson for (&str, &str) {
    fn map_json(self) -> (&'static Value, &'static Value) {
        let leak = |text: &str| &*Box::leak(Box::new(Value::from(text)));
        (leak(self.0), leak(self.1))
    }
}

/// A server that reads the same file sees what the terminal changes.
#[tokio::test(flavor = "multi_thread")]
async fn a_running_server_follows_the_terminal() {
    let stage = Stage::new().await;
    let config =
        format!("{}{CONFIG}", "authenticate_service_url: https://authenticate.example.com\n");
    let config = config.replace("directory: {file: people.yaml}\n", "");
    let storage = StorageSettings::new(Kept::InFile(stage.at("lictor.db")));
    let house = House::with(&config, &storage).await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    house.later(i64::try_from(now.as_secs()).expect("not yet") - NOW + 5);
    let token = stage.build_bot();
    let follows = async |token: &str, host: &str, wanted: bool| {
        let begun = Instant::now();
        let header = format!("Pomerium {token}");
        loop {
            let headers = [("authorization", header.as_str())];
            let answer = house.check(get(host, "/", &headers)).await;
            if allows(&answer) == wanted {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(10), "{host}: not {wanted}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let wiki = "wiki.example.com";
    follows(&token, wiki, true).await;
    follows(&token, "shop.example.com", false).await;
    stage.done(&format!("sa|disable|{BOT}"));
    follows(&token, wiki, false).await;
    stage.done(&format!("sa|enable|{BOT}"));
    follows(&token, wiki, true).await;
    let next = stage.done(&format!("sa|rotate|{BOT}|--overlap|0"));
    follows(&token, wiki, false).await;
    follows(&next, wiki, true).await;
    follows(&next, "files.example.com", false).await;
    stage.done("policy|create|-n|Design|--name|bots|--file|ci-only.yaml|--route|files");
    follows(&next, "files.example.com", true).await;
    stage.done("policy|remove|bots|files");
    follows(&next, "files.example.com", false).await;
    stage.done(&format!("sa|delete|{BOT}"));
    follows(&next, wiki, false).await;
    house.close().await;
}

#[tokio::test]
async fn a_token_is_shown_once_and_is_nowhere_else() {
    let stage = Stage::new().await;
    let mut tokens = Vec::new();
    let mut heard = String::new();
    let minting = [
        "sa|create|-n|Design|--name|build-bot",
        "sa|create|-n|Design|--user|u-alice|--expires-in|1d",
        "sa|rotate|build-bot@design.pomerium",
        "sa|issue|build-bot@design.pomerium|--expires-in|1d",
    ];
    for words in minting {
        let ran = stage.run(words);
        assert_eq!(ran.code, 0, "{words}: {}", ran.stderr);
        tokens.push(ran.stdout);
        heard += &ran.stderr;
    }
    let json = stage.run("sa|rotate|u-alice|--format|json");
    let object: Value = serde_json::from_str(&json.stdout).expect("JSON");
    tokens.push(object["token"].as_str().expect("a token").to_owned());
    heard += &json.stderr;
    let filed = stage.run("sa|issue|u-alice|--format|json|--output-file|token");
    tokens.push(std::fs::read_to_string(stage.at("token")).expect("a token"));
    heard += &format!("{}{}", filed.stdout, filed.stderr);
    let again = stage.run("sa|create|-n|Design|--name|build-bot");
    assert_eq!((again.code, &*again.stdout), (4, ""), "{}", again.stderr);
    let asking = [
        "sa|list",
        "sa|show|build-bot@design.pomerium",
        "sa|show|u-alice",
        "sa|usage|u-alice",
        "sa|where|u-alice",
        "user|show|u-alice",
        "namespace|show|Design",
        "audit|list|--limit|1000",
        "audit|show|1",
        "audit|show|2",
        "audit|show|5",
    ];
    for words in asking {
        for format in ["table", "json"] {
            let ran = stage.run(&format!("{words}|--format|{format}"));
            assert_eq!(ran.code, 0, "{words}: {}", ran.stderr);
            heard += &format!("{}{}", ran.stdout, ran.stderr);
        }
    }
    heard += &stage.done("audit|export|--format|ndjson");
    heard += &stage.done("audit|export|--format|csv");
    heard += &format!("{}{}", again.stdout, again.stderr);
    let mut kept = Vec::new();
    for entry in std::fs::read_dir(stage.folder.path()).expect("a folder").flatten() {
        if entry.file_name().to_string_lossy().starts_with("lictor.db") {
            kept.extend(std::fs::read(entry.path()).expect("reads"));
        }
    }
    let kept = String::from_utf8_lossy(&kept).into_owned();
    assert!(kept.contains(BOT), "the file is read");
    assert_eq!(tokens.len(), 6);
    for token in &tokens {
        let secret = payload(token)["jti"].as_str().expect("a secret").to_owned();
        let parts = token.split('.').skip(1).chain([secret.as_str()]);
        for part in parts {
            assert!(!heard.contains(part), "{part} is told");
            assert!(!kept.contains(part), "{part} is kept");
        }
    }
}

#[tokio::test]
async fn a_token_goes_into_a_file_of_its_own() {
    let stage = Stage::new().await;
    let ran = stage.run("sa|create|-n|Design|--name|build-bot|--output-file|token");
    assert_eq!((ran.code, &*ran.stdout), (0, ""), "{}", ran.stderr);
    let token = std::fs::read_to_string(stage.at("token")).expect("a token");
    assert_eq!(payload(&token)["sub"], BOT);
    let mode = std::fs::metadata(stage.at("token")).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Nothing is made for a file that is there, behind a link or not.
    stage.refused(
        "sa|create|-n|Design|--name|other|--output-file|token",
        2,
        "error: `token` is there already",
    );
    std::os::unix::fs::symlink(stage.at("elsewhere"), stage.at("link")).expect("a link");
    assert_eq!(stage.run("sa|create|-n|Design|--name|other|--output-file|link").code, 2);
    assert!(!stage.at("elsewhere").exists());
    assert_eq!(stage.run("sa|create|-n|Design|--name|other|--output-file|no/file").code, 5);
    assert_eq!(stage.json("sa|list").as_array().map(Vec::len), Some(1));
    // No file stays for a token that was never made.
    let ran = stage.run("sa|create|-n|Design|--name|build-bot|--output-file|left");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(!stage.at("left").exists());
}

#[tokio::test]
async fn a_token_that_cannot_be_written_is_told_of() {
    let stage = Stage::new().await;
    let script = format!(
        "exec {} sa create -c lictor.yaml -n Design --name build-bot > /dev/full",
        env!("CARGO_BIN_EXE_lictor")
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(stage.folder.path())
        .env_clear()
        .env("SHARED_SECRET", SECRET)
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("is lost") && said.contains("service-account revoke cred_"), "{said}");
}

#[tokio::test]
async fn what_cannot_be_taken_as_written() {
    let stage = Stage::new().await;
    let create = |more: &str| format!("sa|create|-n|Design|{more}");
    for (more, code) in [
        ("", 2),
        ("--name|a|--user|u-alice", 2),
        ("--name|a|--unknown-user", 2),
        ("--name|a|--never|--expires-in|1d", 2),
        ("--name|a|--expires-in|soon", 2),
        ("--name|a|--expires-in|0", 2),
        ("--name|a|--expires-at|2001-01-01", 2),
        ("--name|", 2),
        ("--name|a b", 2),
        ("--name|a\nb", 2),
        ("--name|a@sales.pomerium", 2),
        ("--user|u-nobody", 2),
        ("--name|u-alice\u{202e}", 2),
    ] {
        let ran = stage.run(create(more).trim_end_matches('|'));
        assert_eq!((ran.code, &*ran.stdout), (code, ""), "{more:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: "), "{more:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains('\u{202e}'), "{more:?}");
    }
    let why = "error: `name` cannot be taken as written";
    stage.refused(&create("--name|.a"), 2, why);
    stage.refused("sa|create|-n|Nowhere|--name|a", 4, "error: there is no namespace `Nowhere`");
    stage.refused("sa|show|nobody", 4, "error: there is no service account `nobody`");
    let unknown = "cred_0123456789abcdef0123456789abcdef";
    stage.refused(&format!("sa|revoke|{unknown}"), 4, &format!("error: `{unknown}` was not there"));
    assert_eq!(stage.run("sa|revoke|cred_1").code, 2);
    assert_eq!(stage.json("sa|list"), serde_json::json!([]));
    // Somebody nobody knows, said twice.
    stage.done(&create("--user|u-nobody|--unknown-user"));
    assert_eq!(stage.json("sa|list|--kind|impersonated")[0]["user_id"], "u-nobody");
}

#[tokio::test]
async fn accounts_are_found_and_ordered() {
    let stage = Stage::new().await;
    for (place, name, expiry) in [
        ("Design", "b", "30d"),
        ("Design/Web", "a", "5d"),
        ("Global", "c", "90d"),
        ("Sales", "a", "1d"),
    ] {
        stage.done(&format!("sa|create|-n|{place}|--name|{name}|--expires-in|{expiry}"));
    }
    let users = |more: &str| -> Vec<String> {
        let list = stage.json(&format!("sa|list{more}"));
        let views = list.as_array().expect("a list").iter();
        views.map(|view| view["user_id"].as_str().expect("a user id").to_owned()).collect()
    };
    assert_eq!(users("").len(), 4);
    assert_eq!(
        users("|--sort|user_id"),
        ["a@sales.pomerium", "a@web.pomerium", "b@design.pomerium", "c"]
    );
    assert_eq!(users("|--sort|-expires_at|--limit|2"), ["c", "b@design.pomerium"]);
    assert_eq!(users("|-n|design|--sort|user_id"), ["a@web.pomerium", "b@design.pomerium"]);
    assert_eq!(users("|-n|global/DESIGN|--here"), ["b@design.pomerium"]);
    assert_eq!(users("|--text|A@SALES"), ["a@sales.pomerium"]);
    assert_eq!(users("|--state|expiring").len(), 2);
    assert_eq!(users("|--state|never_used").len(), 4);
    assert_eq!(users("|--user|c"), ["c"]);
    let ran = stage.run("sa|list|--limit|3");
    assert_eq!((ran.code, &*ran.stderr), (0, "3 of 4; --limit shows more\n"));
    for wrong in ["--state|asleep", "--sort|salary", "--kind|robot", "--here"] {
        assert_eq!(stage.run(&format!("sa|list|{wrong}")).code, 2, "{wrong}");
    }
    let reach = stage.json("sa|where|b@design.pomerium");
    let told = reach.as_array().expect("a list").iter();
    let told: Vec<_> = told.map(|one| (&one["route_id"], &one["allowed"])).collect();
    assert_eq!(told.len(), 2, "shop is out of its namespace: {told:?}");
}

// --- namespaces

#[tokio::test]
async fn namespaces_are_arranged() {
    let stage = Stage::new().await;
    stage.build_bot();
    let made = stage.json("namespace|create|Press|--parent|Design|--max-lifetime|30d");
    assert_eq!(
        (&made["path"], &made["max_lifetime"]),
        ("Global / Design / Press", "2592000s").map_json()
    );
    let tree = stage.done("namespace|list");
    let names: Vec<&str> =
        tree.lines().map(|line| line.split("  ").next().unwrap_or_default()).collect();
    let shown = ["NAMESPACE", "Global", "├─ Design", "│", "│", "└─ Sales"];
    assert_eq!(names, shown, "{tree}");
    assert!(tree.contains("│  ├─ Press") && tree.contains("│  └─ Web"), "{tree}");

    let why = "error: `expires_at` cannot be taken as written";
    stage.refused("sa|create|-n|Design/Press|--name|a|--expires-in|60d", 2, why);
    stage.refused("sa|create|-n|Design/Press|--name|a", 2, why);
    let preview = stage.json("namespace|move|Design/Press|--to|Sales|--dry-run");
    assert_eq!(preview["lose"][0]["namespace_path"], "Global / Design");
    assert_eq!(preview["lose"][0]["service_account_count"], 1);
    assert_eq!(stage.json("namespace|show|Design/Press")["path"], "Global / Design / Press");
    let ran = stage.run("namespace|move|Design/Press|--to|Sales");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("reach it no more: 1 service account of Global / Design"));
    let ran = stage.run("namespace|move|Sales|--to|Sales/Press|--dry-run");
    assert_eq!(ran.code, 4, "a ring: {}", ran.stdout);
    let renamed = stage.json("namespace|rename|Sales/Press|Newsroom");
    assert_eq!(renamed["path"], "Global / Sales / Newsroom");
    let updated = stage.json("namespace|update|Sales/Newsroom|--require-expiry|yes");
    assert_eq!(
        (&updated["require_expiry"], &updated["max_lifetime"]),
        (&true.into(), &"2592000s".into())
    );
    let updated = stage.json("namespace|update|Sales/Newsroom|--max-lifetime|inherit");
    assert_eq!(
        (&updated["require_expiry"], &updated["max_lifetime"]),
        (&true.into(), &Value::Null)
    );
    stage.done("sa|create|-n|Sales/Newsroom|--name|a|--expires-in|1d");

    let ran = stage.run("namespace|delete|Sales/Newsroom");
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("a@") || ran.stderr.contains("service_account"), "{}", ran.stderr);
    stage.done("namespace|delete|Sales/Newsroom|--with-all");
    assert!(!stage.done("namespace|list").contains("Newsroom"));
    assert_eq!(stage.run("namespace|delete|Design").code, 4, "it is written in the configuration");
    assert_eq!(stage.run("namespace|create|a/b").code, 2);
}

#[tokio::test]
async fn a_name_that_fits_two_is_not_enough() {
    let stage = Stage::new().await;
    // Called as the other one's id is.
    stage.done("namespace|create|web");
    let ran = stage.run("sa|create|-n|web|--name|a");
    assert_eq!((ran.code, &*ran.stdout), (4, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("names more than one namespace"), "{}", ran.stderr);
    stage.done("sa|create|-n|Global/web|--name|a");
    stage.done("sa|create|-n|Design/Web|--user|u-alice");
    stage.done("sa|create|-n|Sales|--user|u-alice");
    let ran = stage.run("sa|disable|u-alice");
    assert_eq!((ran.code, &*ran.stdout), (4, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("names more than one service account"), "{}", ran.stderr);
    for place in ["Design", "Sales"] {
        stage.done(&format!("policy|create|-n|{place}|--name|same|--file|ci-only.yaml"));
    }
    assert_eq!(stage.run("policy|delete|SAME").code, 4);
    assert_eq!(stage.json("policy|list").as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn roles_are_given_and_taken() {
    let stage = Stage::new().await;
    let role = stage.done("namespace|grant|Design|--group|g-design|--role|manager");
    let role = role.trim();
    let listed = stage.json("namespace|roles|Design/Web");
    assert_eq!((&listed[0]["id"], &listed[0]["role"]), (role, "manager").map_json());
    assert_eq!(listed[0]["inherited_from"], "Global / Design");
    assert_eq!(stage.json("user|show|u-alice")["roles"][0]["role"], "manager");
    stage.done(&format!("namespace|remove-role|{role}"));
    assert_eq!(stage.json("namespace|roles|Design"), serde_json::json!([]));
    assert_eq!(stage.run("namespace|grant|Design|--group|g|--role|owner").code, 2);
    assert_eq!(stage.run("namespace|grant|Design|--role|admin").code, 2);
}

// --- policies and routes

#[tokio::test]
async fn policies_are_kept() {
    let stage = Stage::new().await;
    let made = stage.run_with(
        "policy|create|-n|Design|--name|only the build|--file|-|--route|wiki|--explanation|no",
        ALLOWS_BOT,
    );
    assert_eq!(made.code, 0, "{}", made.stderr);
    let shown = stage.json("policy|show|Only the build");
    assert_eq!((&shown["text"], &shown["explanation"]), (ALLOWS_BOT, "no").map_json());
    assert_eq!(shown["route_ids"], serde_json::json!(["wiki"]));
    assert_eq!(stage.done("policy|show|only the build|--only-text"), ALLOWS_BOT);
    stage.done("policy|assign|only the build|files|wiki");
    stage.done("policy|remove|only the build|wiki");
    assert_eq!(stage.json("policy|show|only the build")["route_ids"], serde_json::json!(["files"]));
    let out_of_reach = stage.run("policy|assign|only the build|shop");
    assert_eq!(out_of_reach.code, 2, "{}", out_of_reach.stderr);
    assert_eq!(stage.run("policy|delete|only the build").code, 4);

    stage.write("bad.yaml", "allow:\n  or:\n    - usr:\n        is: x\n");
    for words in [
        "policy|update|only the build|--file|bad.yaml",
        "policy|create|-n|Design|--name|b|--file|bad.yaml",
    ] {
        let ran = stage.run(words);
        assert_eq!((ran.code, &*ran.stdout), (3, ""));
        assert!(ran.stderr.contains("bad.yaml:3:7") && ran.stderr.contains("did you mean `user`?"));
    }
    let check = lictor(stage.folder.path(), &["policy", "check", "bad.yaml"], &[], "");
    assert_eq!(check.code, 3, "{}", check.stdout);
    let check = lictor(stage.folder.path(), &["policy", "check", "-"], &[], ALLOWS_BOT);
    assert_eq!((check.code, &*check.stdout), (0, "standard input is good\n"));
    assert_eq!(stage.run("policy|update|only the build|--file|nothing.yaml").code, 3);

    let updated = stage.json("policy|update|only the build|--enforced|yes|--name|machines");
    assert_eq!((&updated["enforced"], &updated["name"]), (&true.into(), &"machines".into()));
    assert_eq!(updated["route_ids"], serde_json::json!(["files", "wiki"]));
    assert_eq!(stage.run("policy|assign|machines|wiki").code, 4, "it counts everywhere below");
    stage.done("policy|delete|machines|--from-routes");
    assert_eq!(stage.json("policy|list"), serde_json::json!([]));
}

#[tokio::test]
async fn routes_are_kept() {
    let stage = Stage::new().await;
    stage.done("policy|create|-n|Design|--name|bots|--file|ci-only.yaml");
    let made = stage.json(
        "route|create|-n|Design|--id|press|--from|https://press.example.com|--prefix|/drafts/|--policy|bots",
    );
    assert_eq!((&made["prefix"], &made["made"]), ("/drafts/", "store").map_json());
    assert_eq!(made["policies"][0]["name"], "bots");
    let ids: Vec<String> = stage
        .done("route|list")
        .lines()
        .skip(1)
        .map(|line| line.split(' ').next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(ids, ["wiki", "files", "shop", "app", "press"]);
    let moved = stage.json("route|update|press|--any-path|--show-error-details|yes");
    assert_eq!((&moved["prefix"], &moved["show_error_details"]), (&Value::Null, &true.into()));
    assert_eq!(
        stage.run("route|update|wiki|--description|x").code,
        4,
        "it is written in the configuration"
    );
    assert_eq!(stage.run("route|update|press").code, 2);
    assert_eq!(stage.run("route|create|-n|Design|--from|nowhere").code, 2);
    assert_eq!(stage.done("route|delete|press"), "press\n");
    stage.refused("route|delete|press", 4, "error: there is no such route");
    let explained = stage.run("routes|explain|wiki.example.com");
    assert_eq!(explained.code, 0, "{}", explained.stderr);
}

// --- people

#[tokio::test]
async fn people_are_found_and_kept_out() {
    let stage = Stage::new().await;
    stage.done("sa|create|-n|Design|--user|u-alice");
    let found = stage.json("user|search|adams");
    assert_eq!((&found[0]["id"], &found[0]["source"]), ("u-alice", "directory").map_json());
    assert_eq!(stage.json("user|search|--groups|des")[0]["id"], "g-design");
    stage.done("user|block|u-alice|--reason|left");
    let shown = stage.json("user|show|u-alice");
    assert_eq!(
        (&shown["blocked"]["reason"], &shown["service_accounts"][0]["state"]),
        ("left", "suspended").map_json()
    );
    stage.done("user|unblock|u-alice");
    assert_eq!(stage.json("sa|list")[0]["state"], "active");
    assert_eq!(stage.json("user|revoke-accounts|u-alice")["service_account_count"], 1);
    assert_eq!(stage.json("sa|show|u-alice")["credentials"][0]["state"], "revoked");
    assert_eq!(stage.run("user|show|u-nobody").code, 4);
}

// --- the log

#[tokio::test]
async fn entries_are_chosen_shown_and_exported() {
    let stage = Stage::new().await;
    stage.build_bot();
    stage.done("policy|create|-n|Design|--name|bots|--file|ci-only.yaml");
    stage.write("more.yaml", &format!("{ALLOWS_BOT}    - user:\n        is: other\n"));
    stage.done("policy|update|bots|--file|more.yaml|--description|=cmd()");
    assert_eq!(stage.run("namespace|delete|Sales").code, 4);
    let numbers = |more: &str| -> Vec<u64> {
        let list = stage.json(&format!("audit|list{more}"));
        let entries = list.as_array().expect("a list").iter();
        entries.map(|entry| entry["number"].as_u64().expect("a number")).collect()
    };
    let all = numbers("");
    assert_eq!(all, [5, 4, 3, 2, 1]);
    assert_eq!(numbers("|--entity|policy"), [4, 3]);
    assert_eq!(numbers("|--entity|policy|--verb|create"), [3]);
    assert_eq!(numbers("|--outcome|denied"), [5]);
    assert_eq!(numbers("|--namespace|Sales"), [5]);
    assert_eq!(numbers("|--namespace|Design").len(), 4);
    assert_eq!(numbers("|--namespace|Global").len(), 5);
    assert_eq!(numbers("|--namespace|Global|--here").len(), 0);
    assert_eq!(numbers("|--until|2001-01-01").len(), 0);
    assert_eq!(numbers("|--from|2001-01-01T00:00:00Z|--limit|2"), [5, 4]);
    assert_eq!(numbers("|--entity-id|sales"), [5]);
    for wrong in ["--verb|dance", "--entity|robot", "--outcome|maybe", "--from|yesterday", "--here"]
    {
        assert_eq!(stage.run(&format!("audit|list|{wrong}")).code, 2, "{wrong}");
    }
    let shown = stage.done("audit|show|4");
    assert!(shown.contains("+       - user:") && shown.contains("called       bots"), "{shown}");
    assert!(shown.contains("  policy:\n"), "{shown}");
    let changes = stage.json("audit|show|4")["changes"].clone();
    let fields: Vec<&str> = changes
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["field"].as_str())
        .collect();
    assert!(fields.contains(&"description") && fields.contains(&"policy"), "{fields:?}");
    stage.refused("audit|show|99", 4, "error: there is no such entry");

    let lines = stage.done("audit|export");
    let ids: Vec<String> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("JSON")["id"].to_string())
        .collect();
    assert_eq!(ids, ["\"1\"", "\"2\"", "\"3\"", "\"4\"", "\"5\""]);
    let csv = stage.done("audit|export|--format|csv|--entity|policy");
    assert_eq!(csv.lines().next().unwrap_or_default().split(',').count(), 25);
    assert!(csv.starts_with("id,at,verb,actor.user_id,"), "{csv}");
}

/// What somebody calls themselves is nothing a spreadsheet calculates.
#[tokio::test]
async fn an_export_holds_no_formula() {
    let stage = Stage::new().await;
    let names = ["=HYPERLINK(0)", "+1", "-1", "@SUM(A1)"];
    for name in names {
        stage.done(&format!("policy|create|-n|Design|--file|ci-only.yaml|--name={name}"));
    }
    let csv = stage.done("audit|export|--format|csv");
    for name in names {
        assert!(csv.contains(&format!("\"'{name}\"")), "{name}: {csv}");
        assert!(!csv.contains(&format!(",{name}")) && !csv.contains(&format!(",\"{name}")));
    }
}

#[tokio::test]
async fn an_export_that_is_not_taken_whole() {
    let stage = Stage::new().await;
    stage.build_bot();
    let script =
        format!("exec {} audit export -c lictor.yaml > /dev/full", env!("CARGO_BIN_EXE_lictor"));
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(stage.folder.path())
        .env_clear()
        .env("SHARED_SECRET", SECRET)
        .output()
        .expect("a shell");
    assert_eq!(output.status.code(), Some(1));
}

// --- what commands have in common

#[test]
fn a_store_that_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("lictor.yaml"), "").expect("writes");
    for words in [
        "service-account list",
        "namespace list",
        "policy list",
        "route list",
        "user show u",
        "audit show 1",
        "audit export",
    ] {
        let words: Vec<&str> = words.split(' ').chain(["-c", "lictor.yaml"]).collect();
        let ran = lictor(folder.path(), &words, &[("SHARED_SECRET", SECRET)], "");
        assert_eq!((ran.code, &*ran.stdout), (5, ""), "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.starts_with("error: the store does not answer: "), "{}", ran.stderr);
    }
    assert!(!folder.path().join("lictor.db").exists(), "who looks makes nothing");
}

/// A directory that is fetched and not there keeps nobody from ending what must end.
#[tokio::test]
async fn without_a_directory() {
    let stage = Stage::new().await;
    stage.build_bot();
    stage.write(
        "lictor.yaml",
        &CONFIG.replace("{file: people.yaml}", "{url: 'http://127.0.0.1:9/people'}"),
    );
    let ran = stage.run("sa|list");
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("error: the directory cannot be read: "), "{}", ran.stderr);
    stage.done("user|block|u-bob|--reason|now");
    stage.done(&format!("sa|disable|{BOT}"));
    stage.done(&format!("sa|revoke|--all-of|{BOT}"));
    stage.done(&format!("sa|delete|{BOT}"));
}

/// What the examples of the helps speak of.
async fn furnished() -> Stage {
    let stage = Stage::new().await;
    let digits = "0123456789abcdef0123456789abcdef";
    let design = NamespaceId::parse("design").expect("an id");
    let at = Timestamp::from_unix(NOW);
    let account = ServiceAccountId::parse(&format!("sa_{digits}")).expect("an id");
    let changes = vec![
        Change::NextCatalog(0),
        Change::PutNamespace(NamespaceRecord {
            id: NamespaceId::parse("press").expect("an id"),
            parent: Some(NamespaceId::global()),
            name: NamespaceName::parse("Press").expect("a name"),
            description: String::new(),
            lifetime: LifetimeRules::default(),
            made: Made::Here,
            created: at,
            modified: at,
            version: 0,
        }),
        Change::PutPermission(Permission {
            id: PermissionId::parse(&format!("perm_{digits}")).expect("an id"),
            namespace: design.clone(),
            subject: Subject::User("u-bob".to_owned()),
            role: Role::Viewer,
            created: at,
            created_by: "operator".to_owned(),
        }),
        Change::PutPolicy(PolicyRecord {
            id: PolicyId::parse(&format!("pol_{digits}")).expect("an id"),
            namespace: design.clone(),
            name: "only the build".to_owned(),
            description: String::new(),
            explanation: String::new(),
            remediation: String::new(),
            text: ALLOWS_BOT.to_owned(),
            enforced: false,
            routes: BTreeSet::from(["wiki".to_owned()]),
            created: at,
            modified: at,
            modified_by: "operator".to_owned(),
            version: 0,
        }),
        Change::CreateAccount(AccountRecord {
            id: account.clone(),
            namespace: design,
            kind: AccountKind::Unique,
            user: BOT.to_owned(),
            name: "build-bot".to_owned(),
            description: String::new(),
            originator: String::new(),
            created: at,
            created_by: "operator".to_owned(),
            modified: at,
            expires: None,
            disabled: None,
            deleted: None,
            used: None,
            version: 0,
        }),
        Change::AddCredential(CredentialRecord {
            id: CredentialId::parse(&format!("cred_{digits}")).expect("an id"),
            account,
            hint: "abcd".to_owned(),
            issued: at,
            issued_by: "operator".to_owned(),
            expires: None,
            revoked: None,
            superseded: None,
            last_use: None,
        }),
    ];
    stage.store().await.commit(changes, Vec::new()).await.expect("made");
    stage.done("route|create|-n|Design|--id|drafts|--from|https://drafts.example.com|--prefix|/a");
    stage.done("user|block|u-bob|--reason|for the examples");
    stage
}

/// A copy of a furnished stage.
fn copied(stage: &Stage) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(stage.folder.path()).expect("a folder").flatten() {
        std::fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("copies");
    }
    copy
}

/// The names under `Commands:` of a help.
fn commands_of(group: &str) -> Vec<String> {
    let help = lictor(Path::new("/"), &[group, "--help"], &[], "");
    assert_eq!(help.code, 0, "{group}");
    let list = help.stdout.split("Commands:\n").nth(1).expect("commands").to_owned();
    let lines = list.lines().take_while(|line| !line.trim().is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[tokio::test]
async fn every_example_of_a_help_runs() {
    let stage = furnished().await;
    let binaries = Path::new(env!("CARGO_BIN_EXE_lictor")).parent().expect("a folder");
    // Those of before speak of other stores.
    let others = ["explain", "test", "diff", "lint", "print", "verify"];
    let mut run = 0;
    for group in ["service-account", "namespace", "policy", "route", "user", "audit"] {
        for name in commands_of(group).iter().filter(|name| !others.contains(&name.as_str())) {
            let help = lictor(Path::new("/"), &[group, name, "--help"], &[], "");
            let text = help.stdout.split("Example: ").nth(1);
            let text = text.unwrap_or_else(|| panic!("{group} {name}: no example"));
            let example = text.lines().next().expect("a line");
            assert!(example.starts_with(&format!("lictor {group} {name} ")), "{example}");
            assert!(help.stdout.contains("Exit codes: 0 "), "{group} {name}: no exit codes");
            let folder = copied(&stage);
            let output = std::process::Command::new("sh")
                .args(["-c", example])
                .current_dir(folder.path())
                .env_clear()
                .env("PATH", format!("{}:/usr/bin:/bin", binaries.display()))
                .env("SHARED_SECRET", SECRET)
                .output()
                .expect("a shell");
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(0), "{example}\n{said}");
            run += 1;
        }
    }
    assert!(run >= 40, "only {run} examples were found");
}

/// Colour is for terminals.
#[tokio::test]
async fn nothing_is_coloured_in_a_pipe() {
    let stage = furnished().await;
    for words in ["audit|show|2", "sa|show|nobody", "policy|list", "namespace|list"] {
        let ran = stage.run(words);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains('\u{1b}'), "{words}");
    }
}
