//! `lictor demo`: see it work.

use super::serve::stop_signal;
use super::{Exit, block_on, report};
use crate::config::Environment;
use crate::demo::{
    DEMO_HOST, EnvoyError, Mint, Stand, StandOptions, Step, locate, walk, walk_in_browser,
};
use crate::provider::hash_password;
use crate::secret::Secret;
use anyhow::{Context, anyhow};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor demo --once")]
pub(super) struct Demo {
    /// Send the requests, show each answer, and end; 0 only if all were as they should be
    #[arg(long)]
    once: bool,
    /// The Envoy to use, instead of the one on the PATH or from PyPI
    #[arg(long, value_name = "PATH")]
    envoy: Option<PathBuf>,
    /// Where Envoy listens on loopback; with --once any free port
    #[arg(long)]
    port: Option<u16>,
}

const CONFIG: &str = "\
authenticate_service_url: http://authenticate.localhost:GATEWAY_PORT
idp_provider: local
users_file: users.yaml
administrators: [root@example.com]
enable_user_impersonation: true
pass_identity_headers: true
jwt_claims_headers: [email, groups]
directory: {file: people.yaml}
log_level: warn
routes:
- id: httpbin
  from: https://httpbin.localhost
  to: http://UPSTREAM
  policy:
    allow:
      or:
      - domain: {is: example.com}
";

const PEOPLE: &str = "\
users:
- {id: u-bob, email: bob@example.com, display_name: Bob, group_ids: [g-finance]}
- {id: u-root, email: root@example.com, display_name: Root, group_ids: [g-admins]}
groups:
- {id: g-finance, name: Finance}
- {id: g-admins, name: Administrators}
";

impl Demo {
    pub(super) fn run(&self) -> Exit {
        block_on(async {
            match self.show().await {
                Ok(exit) => exit,
                Err(error) => {
                    let help = error.is::<EnvoyError>().then_some(EnvoyError::HELP);
                    report::error(&format!("{error:#}"), help);
                    Exit::Unavailable
                }
            }
        })
    }

    async fn show(&self) -> Result<Exit, anyhow::Error> {
        let environment = Environment::of_process();
        let envoy = locate(self.envoy.as_deref(), &environment, &report::say).await?;
        let password = password()?;
        let scratch = Scratch::new(&password)?;
        let port = self.port.unwrap_or(if self.once { 0 } else { 8000 });
        let options = StandOptions {
            envoy,
            folder: scratch.0.clone(),
            port,
            config: CONFIG.to_owned(),
            bootstrap: None,
        };
        let stand = Stand::start(options).await?;
        let exit = if self.once {
            once(&stand, &password).await?
        } else {
            stay(&stand, &scratch.0, &password).await?
        };
        stand.stop().await;
        Ok(exit)
    }
}

/// A folder of our own, gone with this value.
struct Scratch(PathBuf);

impl Scratch {
    #[expect(clippy::disallowed_methods, reason = "the scratch folder is ours")]
    fn new(password: &Secret<String>) -> Result<Self, anyhow::Error> {
        use std::os::unix::fs::DirBuilderExt;
        let folder =
            std::env::temp_dir().join(format!("lictor-demo-{}", uuid::Uuid::new_v4().simple()));
        std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let scratch = Self(folder);
        std::fs::write(scratch.0.join("people.yaml"), PEOPLE)?;
        std::fs::write(scratch.0.join("users.yaml"), users(password)?)?;
        Ok(scratch)
    }
}

impl Drop for Scratch {
    #[expect(clippy::disallowed_methods, reason = "the scratch folder is ours")]
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// Those who sign in here, with one password for all.
fn users(password: &Secret<String>) -> Result<String, anyhow::Error> {
    let mut text = "users:\n".to_owned();
    for (id, email, name) in
        [("u-root", "root@example.com", "Root"), ("u-bob", "bob@example.com", "Bob")]
    {
        let hash = hash_password(password.expose()).context("cannot hash the password")?;
        let _ = writeln!(text, "- {{id: {id}, email: {email}, name: {name}, password: '{hash}'}}");
    }
    Ok(text)
}

/// Four groups of five letters and digits that are not mistaken for each other: 100 bits.
fn password() -> Result<Secret<String>, anyhow::Error> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut random = [0; 20];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| anyhow!("no randomness to be had"))?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter));
    let groups = random.chunks(5).map(|group| group.iter().filter_map(letter).collect::<String>());
    Ok(Secret::new(groups.collect::<Vec<_>>().join("-")))
}

async fn once(stand: &Stand, password: &Secret<String>) -> Result<Exit, anyhow::Error> {
    let mut steps = walk(stand).await?;
    steps.extend(walk_in_browser(stand, password.expose()).await?);
    for (number, step) in steps.iter().enumerate() {
        report::data(&shown(number + 1, step));
    }
    let wrong = steps.iter().filter(|step| !step.wrong.is_empty()).count();
    if wrong == 0 {
        report::data(&format!("All {} answers are as they should be.\n", steps.len()));
        return Ok(Exit::Ok);
    }
    report::error(&format!("{wrong} of {} answers are not as they should be", steps.len()), None);
    Ok(Exit::Failure)
}

fn shown(number: usize, step: &Step) -> String {
    let mut text =
        format!("{number}. {}\n   {}\n   → {}", step.title, step.request, step.reply.status);
    if let Some(location) = step.reply.header("location") {
        let short: String = location.chars().take(60).collect();
        let _ = write!(text, " to {short}…");
    }
    text.push('\n');
    let seen = step.reply.json();
    if let Some(path) = seen.get("path").and_then(Value::as_str) {
        let credential = ["authorization", "cookie"]
            .into_iter()
            .find_map(|name| Some((name, seen.get("headers")?.get(name)?)));
        let credential = credential
            .map_or("no credential".to_owned(), |(name, value)| format!("{name}: {value}"));
        let _ = writeln!(text, "   the upstream saw {path} with {credential}");
    }
    if let Some(claims) = &step.assertion {
        let _ = writeln!(text, "   and a verified assertion: {claims}");
    } else if !step.reply.body.is_empty() && step.reply.status >= 400 {
        let _ = writeln!(text, "   {}", step.reply.body.lines().next().unwrap_or_default());
    }
    for wrong in &step.wrong {
        let _ = writeln!(text, "   WRONG: {wrong}");
    }
    text.push('\n');
    text
}

async fn stay(
    stand: &Stand,
    folder: &Path,
    password: &Secret<String>,
) -> Result<Exit, anyhow::Error> {
    let port = stand.gateway.port();
    let url = format!("http://{DEMO_HOST}:{port}");
    let bob = stand.mint(&Mint::default())?;
    let root = stand.mint(&Mint {
        email: "root@example.com",
        impersonate_email: Some("bob@example.com"),
        ..Mint::default()
    })?;
    report::data(&format!(
        "Envoy, Lictor and an upstream that echoes what it gets are running. Files: {folder}

In a browser:

  1. Open {url}/headers and sign in as root@example.com. The upstream sees root.
  2. Open {url}/.pomerium/ and act as bob@example.com.
  3. Reload the first page: the upstream sees bob, and that root is acting.
  4. Stop, by the button in the band above your page.

In a terminal: a token for bob, and one of an administrator acting as bob:

  BOB={bob}

  ROOT_AS_BOB={root}

  curl {url}/headers -H \"Authorization: Pomerium $BOB\"
  curl {url}/headers -H \"Authorization: Pomerium $ROOT_AS_BOB\"
  curl -i {url}/headers -H 'Accept: application/json'
  curl -i {url}/headers
  curl {url}/.well-known/pomerium/jwks.json

If your system does not resolve names under .localhost, add --resolve {DEMO_HOST}:{port}:127.0.0.1
to curl; Chrome and Firefox find them by themselves. Stop the demo with Ctrl-C.

The password of root@example.com and bob@example.com: {password}
",
        folder = folder.display(),
        password = password.expose(),
    ));
    stop_signal().await;
    Ok(Exit::Ok)
}
