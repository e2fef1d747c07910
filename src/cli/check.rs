//! `lictor config check`, `lictor config schema`.

use super::{Exit, Format, report};
use crate::config::{Config, Environment, load_directory, schema as config_schema};
use crate::document::{Notice, Problem};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Example: `lictor config check lictor.yaml`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor config check lictor.yaml")]
pub(super) struct Check {
    /// The configuration
    file: PathBuf,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Check {
    pub(super) fn run(&self) -> Exit {
        let loaded = Config::load(&self.file, &Environment::of_process());
        let exit =
            if self.format == Format::Json { json_report(&loaded) } else { self.text(&loaded) };
        if let Ok(config) = &loaded {
            self.point_to_advice(advice(config).len());
        }
        exit
    }

    fn text(&self, loaded: &Result<Config, Vec<Problem>>) -> Exit {
        match loaded {
            Ok(config) => {
                config.notices.iter().for_each(report::notice);
                report::data(&summary(&self.file, config));
                Exit::Ok
            }
            Err(problems) => {
                tell(problems, &self.file);
                Exit::Invalid
            }
        }
    }

    fn point_to_advice(&self, number: usize) {
        if number > 0 {
            let file = self.file.display();
            report::say(&format!("`lictor policy lint {file}` has {}", pieces(number)));
        }
    }
}

/// Everything there is to advise about a configuration and the directory it names.
pub(super) fn advice(config: &Config) -> Vec<Notice> {
    // A directory that cannot be read is a problem of the configuration, and told as one.
    let directory = config.directory.as_deref().and_then(|file| load_directory(file).ok());
    config.advice(&directory.unwrap_or_default())
}

pub(super) fn pieces(number: usize) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} piece{plural} of advice")
}

/// Says where secrets came from, never what they are.
fn summary(file: &Path, config: &Config) -> String {
    let routes = config.routes.len();
    let plural = if routes == 1 { "" } else { "s" };
    let key = config.outgoing.keys.signing();
    format!(
        "{} is good: {routes} route{plural}\nshared secret: {}\nsigning key: {} {}, {}\n",
        file.display(),
        origin(&config.identity.secret_place.to_string()),
        key.algorithm().name(),
        key.kid(),
        origin(&config.outgoing.key_place),
    )
}

/// Where a secret came from, in words.
fn origin(place: &str) -> String {
    if place.starts_with("derived") { place.to_owned() } else { format!("from {place}") }
}

/// Every problem with its line, and how many there are.
pub(super) fn tell(problems: &[Problem], file: &Path) {
    let text = read(file);
    let name = file.display().to_string();
    for problem in problems {
        report::problem(problem, text.as_deref().filter(|_| problem.place.source() == name));
    }
    let plural = if problems.len() == 1 { "" } else { "s" };
    report::say(&format!("{} problem{plural} in {name}", problems.len()));
}

#[expect(clippy::disallowed_methods, reason = "shows the line a problem is on")]
pub(super) fn read(file: &Path) -> Option<String> {
    std::fs::read_to_string(file).ok()
}

fn json_report(loaded: &Result<Config, Vec<Problem>>) -> Exit {
    let (report, exit) = match loaded {
        Ok(config) => {
            let notices: Vec<String> = config.notices.iter().map(ToString::to_string).collect();
            (
                json!({ "ok": true, "routes": config.routes.len(), "notices": notices, "problems": [] }),
                Exit::Ok,
            )
        }
        Err(problems) => (problems_json(problems), Exit::Invalid),
    };
    report::data(&format!("{report:#}\n"));
    exit
}

pub(super) fn problems_json(problems: &[Problem]) -> Value {
    let problems: Vec<Value> = problems.iter().map(problem_json).collect();
    json!({ "ok": false, "problems": problems })
}

fn problem_json(problem: &Problem) -> Value {
    json!({
        "code": problem.code,
        "message": problem.message,
        "help": problem.help,
        "source": problem.place.source(),
        "line": problem.place.line(),
        "column": problem.place.column(),
    })
}

pub(super) fn schema() -> Exit {
    report::data(&format!("{:#}\n", config_schema()));
    Exit::Ok
}
