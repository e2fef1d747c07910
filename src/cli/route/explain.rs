//! `lictor route explain`: which route serves a request, and why no other does. Decided by the code
//! that answers Envoy.

use crate::authorizer::{Authorizer, Unavailable};
use crate::cli::{Exit, Format, check, report};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, Environment};
use crate::identity::Directory;
use crate::policy::DenyReason;
use crate::request::{Kind, Request};
use crate::route::{Considered, Route, Table, Verdict};
use crate::state::{Settings, Snapshot};
use serde_json::{Value, json};
use std::path::PathBuf;

/// How many routes of a host are shown as text.
const SHOWN: usize = 50;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: lictor route explain --config lictor.yaml app.example.com /api/users

This is the route that host and path lead to; where Envoy names a route by `route_id`, that one counts.
Exit codes: 0 a route or a page of Lictor's own serves it, 4 nothing does."
)]
pub(in crate::cli) struct Explain {
    /// The host as clients send it, with the port if they send one
    host: String,
    /// The path as clients send it; a query is ignored. `/` if absent, and none for CONNECT
    path: Option<String>,
    /// The configuration
    #[arg(long, short, value_name = "FILE")]
    config: PathBuf,
    /// The request method. Only CONNECT without a path makes a difference: a tunnel
    #[arg(long, default_value = "GET")]
    method: String,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What becomes of a request before anybody asks whose it is.
enum Outcome<'t> {
    Route(&'t Route),
    OwnPage,
    Nothing,
    Refused(String),
}

/// An outcome with the routes that were considered.
struct Explanation<'t> {
    /// What was asked, on one line.
    asked: String,
    outcome: Outcome<'t>,
    /// Those of this host.
    considered: Vec<Considered<'t>>,
    /// How many are for other hosts.
    others: usize,
}

impl Explain {
    pub(super) fn run(&self) -> Exit {
        let config = match Config::load(&self.config, &Environment::of_process()) {
            Ok(config) => config,
            Err(problems) => {
                check::tell(&problems, &self.config);
                return Exit::Invalid;
            }
        };
        let snapshot = Snapshot::assemble(config, Directory::default());
        let explanation = match self.explain(&snapshot) {
            Ok(explanation) => explanation,
            Err(error) => {
                report::error(&error.to_string(), None);
                return Exit::Failure;
            }
        };
        report::data(&match self.format {
            Format::Text => explanation.text(),
            Format::Json => format!("{:#}\n", explanation.json()),
        });
        match explanation.outcome {
            Outcome::Route(_) | Outcome::OwnPage => Exit::Ok,
            Outcome::Nothing | Outcome::Refused(_) => Exit::Denied,
        }
    }

    fn explain<'t>(&self, snapshot: &'t Snapshot) -> Result<Explanation<'t>, Unavailable> {
        let request = self.request(&snapshot.settings);
        let table = snapshot.table();
        let outcome = outcome(snapshot, &request)?;
        let considered = match (&request.target, &outcome) {
            (Ok(target), Outcome::Route(_) | Outcome::Nothing) => {
                table.consider(request.kind, target)
            }
            (Ok(_), Outcome::OwnPage | Outcome::Refused(_)) | (Err(_), _) => Vec::new(),
        };
        let all = considered.len();
        let of_host = |considered: &Considered<'_>| considered.verdict != Verdict::Host;
        let considered: Vec<_> = considered.into_iter().filter(of_host).collect();
        let others = all - considered.len();
        let asked = report::printable(&format!("{}{}", request.raw_host, request.raw_path));
        Ok(Explanation { asked, outcome, considered, others })
    }

    /// The request as it is read when Envoy sends it.
    fn request(&self, settings: &Settings) -> Request {
        let connect = self.method == "CONNECT";
        let path = self.path.as_deref().unwrap_or(if connect { "" } else { "/" });
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path, None),
        };
        let kind = if connect && path.is_empty() { Kind::Connect } else { Kind::Http };
        Request {
            kind,
            method: self.method.clone(),
            raw_host: self.host.clone(),
            raw_path: path.to_owned(),
            query,
            target: settings.target(&self.host, path, kind),
            ..Request::unknown()
        }
    }
}

/// Asks as nobody: where a request goes does not depend on who sends it.
fn outcome<'t>(snapshot: &'t Snapshot, request: &Request) -> Result<Outcome<'t>, Unavailable> {
    let answer = Authorizer::new().authorize(snapshot, request, SystemClock.now())?;
    let named = |table: &'t Table, id| table.routes().find(|route| route.id == id);
    let route = answer.record.route.and_then(|id| named(snapshot.table(), id));
    Ok(match (route, answer.record.denied) {
        (_, Some(DenyReason::Malformed(why))) => Outcome::Refused(why),
        (_, Some(DenyReason::NoRoute)) => Outcome::Nothing,
        (Some(route), _) => Outcome::Route(route),
        (None, _) => Outcome::OwnPage,
    })
}

impl Explanation<'_> {
    fn text(&self) -> String {
        let mut lines = vec![self.answer()];
        if !self.considered.is_empty() {
            lines.push(String::new());
            lines.push("routes of this host, in the order in which they are tried:".to_owned());
            self.list(&mut lines);
        }
        if self.others > 0 {
            let (routes, are) = if self.others == 1 { ("route", "is") } else { ("routes", "are") };
            lines.push(String::new());
            lines
                .push(format!("{} other {routes} {are} for other hosts or protocols", self.others));
        }
        lines.join("\n") + "\n"
    }

    fn answer(&self) -> String {
        let asked = &self.asked;
        match &self.outcome {
            Outcome::Route(route) => {
                format!("{asked} is served by `{}`\n  {}", route.id, rule(route))
            }
            Outcome::OwnPage => {
                format!("{asked} is a page of Lictor's own; no route is consulted")
            }
            Outcome::Nothing => format!("nothing serves {asked}: it is answered with 404"),
            Outcome::Refused(why) => format!("{asked} is refused with 400: {why}"),
        }
    }

    /// The first routes, and in any case the one that serves.
    fn list(&self, lines: &mut Vec<String>) {
        let mut skipped = 0;
        for (index, considered) in self.considered.iter().enumerate() {
            if index >= SHOWN && considered.verdict != Verdict::Serves {
                skipped += 1;
                continue;
            }
            let Considered { route, .. } = considered;
            lines.push(format!("{:>3}. `{}`: {}", index + 1, route.id, considered.why()));
            lines.push(format!("     {}", rule(route)));
        }
        if skipped > 0 {
            lines.push(format!("     … and {skipped} more; `--format json` tells all"));
        }
    }

    fn json(&self) -> Value {
        let (outcome, reason) = match &self.outcome {
            Outcome::Route(_) => ("route", None),
            Outcome::OwnPage => ("own-page", None),
            Outcome::Nothing => ("nothing", None),
            Outcome::Refused(why) => ("refused", Some(why)),
        };
        let route = match &self.outcome {
            Outcome::Route(route) => route_json(route),
            Outcome::OwnPage | Outcome::Nothing | Outcome::Refused(_) => Value::Null,
        };
        let considered = self.considered.iter().map(|considered| {
            let mut route = route_json(considered.route);
            if let Value::Object(members) = &mut route {
                members.insert("verdict".to_owned(), json!(considered.verdict.code()));
                members.insert("why".to_owned(), json!(considered.why()));
            }
            route
        });
        json!({
            "asked": self.asked,
            "outcome": outcome,
            "reason": reason,
            "route": route,
            "considered": considered.collect::<Vec<_>>(),
            "others": self.others,
        })
    }
}

fn rule(route: &Route) -> String {
    format!("{}, {}, at {}", route.from, route.path, route.place)
}

fn route_json(route: &Route) -> Value {
    json!({
        "id": route.id.as_str(),
        "from": route.from.to_string(),
        "path": route.path.to_string(),
        "source": route.place.source(),
        "line": route.place.line(),
        "column": route.place.column(),
    })
}
