//! `lictor policy explain`: one question, the answer, and what decided it. Asked of the code that
//! answers Envoy.

mod told;

use super::snapshot;
use crate::authorizer::Authorizer;
use crate::cli::{Exit, Format, report};
use crate::clock::{Clock, SystemClock};
use crate::document::load_json;
use crate::identity::{ClaimValue, Claims};
use crate::policy::claim_value;
use crate::supposition::{AskedUrl, Somebody, Supposition, Who};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  lictor policy explain --config lictor.yaml --as alice@example.com https://wiki.example.com/start
  lictor policy explain --config lictor.yaml --token \"$TOKEN\" --method POST https://api.example.com/v1/items

Without --as or --token nobody is signed in. Exit codes: 0 allowed, 4 denied.")]
pub(in crate::cli) struct Explain {
    /// What is asked for; `https` without a scheme
    url: String,
    /// The configuration
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// The request method
    #[arg(long, short, default_value = "GET")]
    method: String,
    #[command(flatten)]
    who: WhoArgs,
    #[command(flatten)]
    circumstances: Circumstances,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Who asks")]
struct WhoArgs {
    /// Somebody by e-mail address; the directory tells the rest
    #[arg(long = "as", value_name = "EMAIL", conflicts_with = "token")]
    email: Option<String>,
    /// Their user id, if not the directory's
    #[arg(long, value_name = "ID", conflicts_with = "token")]
    user: Option<String>,
    /// Their groups, if not the directory's, separated by commas
    #[arg(long, value_name = "IDS", value_delimiter = ',', conflicts_with = "token")]
    groups: Option<Vec<String>>,
    /// A claim, as `NAME=VALUE`; VALUE is JSON, or else text. Repeatable
    #[arg(long = "claim", value_name = "NAME=VALUE", conflicts_with = "token")]
    claims: Vec<String>,
    /// Whoever this token speaks for
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// Who acts as that person
    #[arg(long, value_name = "EMAIL", requires = "email")]
    impersonated_by: Option<String>,
    /// It is a service account
    #[arg(long, conflicts_with = "token")]
    service_account: bool,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Circumstances")]
struct Circumstances {
    /// A header, as `NAME: VALUE`. Repeatable
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// The client's address
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// The moment, such as 2026-01-31T08:00:00Z; now if absent
    #[arg(long, value_name = "INSTANT")]
    now: Option<jiff::Timestamp>,
    /// A file with the client's certificate as PEM
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// The name in the TLS handshake
    #[arg(long, value_name = "NAME", default_value = "")]
    sni: String,
    /// Whom Envoy saw in the client's certificate
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,
    /// A file with the body
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
    /// The route that Envoy names
    #[arg(long, value_name = "ID")]
    route_id: Option<String>,
}

impl Explain {
    pub(super) fn run(&self) -> Exit {
        let question = match self.question() {
            Ok(question) => question,
            Err(Wrong { message, help }) => {
                report::error(&message, Some(&help));
                return Exit::Usage;
            }
        };
        let snapshot = match snapshot(&self.config) {
            Ok(snapshot) => snapshot,
            Err(exit) => return exit,
        };
        let asked = format!("{} {}", self.method, self.url);
        let (answer, explanation) = match question.ask(&Authorizer::new(), &snapshot) {
            Ok(answered) => answered,
            Err(error) => {
                report::error(&error.to_string(), None);
                return Exit::Failure;
            }
        };
        let told = told::Told { asked: &asked, answer: &answer, explanation: &explanation };
        report::data(&match self.format {
            Format::Text => told.text(snapshot.table()),
            Format::Json => format!("{:#}\n", told.json(snapshot.table())),
        });
        if answer.record.denied.is_none() { Exit::Ok } else { Exit::Denied }
    }

    fn question(&self) -> Result<Supposition, Wrong> {
        let circumstances = &self.circumstances;
        let url = AskedUrl::parse(&self.url).ok_or_else(|| Wrong {
            message: format!("`{}` names no host", self.url),
            help: "write it as `https://app.example.com/path`".to_owned(),
        })?;
        let headers: Result<Vec<_>, Wrong> =
            circumstances.headers.iter().map(|line| header(line)).collect();
        let now = circumstances.now.map(|now| Timestamp::from_unix(now.as_second()));
        Ok(Supposition {
            who: self.who.who()?,
            method: self.method.clone(),
            url,
            headers: headers?,
            ip: circumstances.ip,
            sni: circumstances.sni.clone(),
            principal: circumstances.principal.clone(),
            certificate: circumstances.certificate.as_deref().map(read).transpose()?,
            body: circumstances.body.as_deref().map(read).transpose()?,
            route_id: circumstances.route_id.clone(),
            now: now.unwrap_or_else(|| SystemClock.now()),
            ..Supposition::default()
        })
    }
}

/// A flag that cannot be used, and what to write.
struct Wrong {
    message: String,
    help: String,
}

impl WhoArgs {
    fn who(&self) -> Result<Who, Wrong> {
        if let Some(token) = &self.token {
            return Ok(Who::Token(token.clone()));
        }
        let told = self.email.is_some()
            || self.user.is_some()
            || self.groups.is_some()
            || !self.claims.is_empty()
            || self.service_account;
        if !told {
            return Ok(Who::Nobody);
        }
        let claims: Result<BTreeMap<_, _>, Wrong> =
            self.claims.iter().map(|text| claim(text)).collect();
        Ok(Who::Somebody(Box::new(Somebody {
            email: self.email.clone().unwrap_or_default(),
            user: self.user.clone(),
            groups: self.groups.clone(),
            claims: Claims::flatten(claims?),
            service_account: self.service_account,
            impersonated_by: self.impersonated_by.clone(),
            devices: Vec::new(),
        })))
    }
}

fn claim(text: &str) -> Result<(String, ClaimValue), Wrong> {
    let (name, value) = text.split_once('=').ok_or_else(|| Wrong {
        message: format!("`{text}` is no claim"),
        help: "write it as `--claim department=engineering` or `--claim 'roles=[\"a\", \"b\"]'`"
            .to_owned(),
    })?;
    let json = load_json(value, "claim").ok().map(|node| claim_value(&node));
    let value = json.unwrap_or_else(|| ClaimValue::Text(value.to_owned()));
    Ok((name.to_owned(), value))
}

fn header(line: &str) -> Result<(String, String), Wrong> {
    let (name, value) = line.split_once(':').ok_or_else(|| Wrong {
        message: format!("`{line}` is no header"),
        help: "write it as `--header 'accept: text/html'`".to_owned(),
    })?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

#[expect(clippy::disallowed_methods, reason = "a file that the command line names")]
fn read(file: &Path) -> Result<String, Wrong> {
    std::fs::read_to_string(file).map_err(|error| Wrong {
        message: format!("cannot read `{}`: {error}", file.display()),
        help: "name a file that this process may read".to_owned(),
    })
}
