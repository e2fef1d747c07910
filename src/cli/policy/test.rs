//! `lictor policy test`: runs files of policy tests, says what failed and what no test decided.

mod junit;

use crate::cli::{Exit, Format, check, report};
use crate::clock::{Clock, SystemClock};
use crate::document::{LoadError, Problem, load_yaml};
use crate::trial::{Coverage, Outcome, Suite, Trial, Uncovered};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor policy test --config lictor.yaml policy-tests.yaml

Exit codes: 0 all as expected, 3 a file cannot be used, 4 a case failed, or with --require-coverage a
criterion decided no case.")]
pub(in crate::cli) struct Test {
    /// Files of tests
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The configuration for files that name none
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the results as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Fail if some criterion decided no case
    #[arg(long)]
    require_coverage: bool,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A file and what came of it.
struct Ran<'f> {
    file: &'f Path,
    outcome: Outcome,
}

impl Test {
    pub(super) fn run(&self) -> Exit {
        let mut ran = Vec::with_capacity(self.files.len());
        let mut unusable = false;
        for file in &self.files {
            match self.suite(file) {
                Ok(suite) => match suite.run() {
                    Ok(outcome) => ran.push(Ran { file, outcome }),
                    Err(error) => {
                        report::error(&error.to_string(), None);
                        return Exit::Failure;
                    }
                },
                Err(problems) => {
                    unusable = true;
                    check::tell(&problems, file);
                }
            }
        }
        report::data(&match self.format {
            Format::Text => text(&ran),
            Format::Json => format!("{:#}\n", json(&ran)),
        });
        if let Some(file) = &self.junit
            && let Err(why) = write(file, &junit::report(&ran))
        {
            report::error(&format!("cannot write `{}`: {why}", file.display()), None);
            return Exit::Failure;
        }
        let failed = ran.iter().any(|ran| failed(ran).next().is_some());
        let open = |ran: &Ran<'_>| !ran.outcome.coverage.uncovered().is_empty();
        match (unusable, failed || self.require_coverage && ran.iter().any(open)) {
            (true, _) => Exit::Invalid,
            (false, true) => Exit::Denied,
            (false, false) => Exit::Ok,
        }
    }

    fn suite(&self, file: &Path) -> Result<Suite, Vec<Problem>> {
        let document = read(file).map_err(|problem| vec![problem])?;
        Suite::read(&document, file, self.config.as_deref(), SystemClock.now())
    }
}

#[expect(clippy::disallowed_methods, reason = "a file that the command line names")]
fn read(file: &Path) -> Result<crate::document::Node, Problem> {
    let name = file.display().to_string();
    let place = crate::document::Place::whole(&name);
    let text = std::fs::read_to_string(file).map_err(|error| {
        Problem::new("unreadable_file", &place, format!("cannot read the tests: {error}"))
            .help("name an existing file")
    })?;
    load_yaml(&text, &name).map_err(LoadError::into_problem)
}

#[expect(clippy::disallowed_methods, reason = "a file that the command line names")]
fn write(file: &Path, text: &str) -> Result<(), std::io::Error> {
    std::fs::write(file, text)
}

fn failed<'r>(ran: &'r Ran<'_>) -> impl Iterator<Item = &'r Trial> {
    ran.outcome.trials.iter().filter(|trial| !trial.failures.is_empty())
}

fn text(ran: &[Ran<'_>]) -> String {
    let mut lines = Vec::new();
    for ran in ran {
        for trial in failed(ran) {
            lines.push(format!("FAILED {} ({})", trial.name, trial.place));
            lines.extend(trial.failures.iter().map(|failure| format!("  {failure}")));
            lines.extend(trial.decided.iter().map(|decided| format!("  decided by {decided}")));
        }
        let (all, bad) = (ran.outcome.trials.len(), failed(ran).count());
        lines.push(format!("{}: {} of {all} passed", ran.file.display(), all - bad));
        lines.extend(coverage(&ran.outcome.coverage));
    }
    lines.join("\n") + "\n"
}

fn coverage(coverage: &Coverage) -> Vec<String> {
    let (all, decided) = coverage.count();
    let mut lines = vec![format!("  {decided} of {all} criteria decided a case")];
    for Uncovered { text, place, whole_group } in coverage.uncovered() {
        let what = if whole_group { "rule" } else { "criterion" };
        lines.push(format!("  no case is decided by the {what} {text} ({place})"));
    }
    lines
}

fn json(ran: &[Ran<'_>]) -> Value {
    let files = ran.iter().map(|ran| {
        let (all, decided) = ran.outcome.coverage.count();
        let uncovered = ran.outcome.coverage.uncovered().into_iter().map(|uncovered| {
            json!({
                "text": uncovered.text,
                "whole_group": uncovered.whole_group,
                "source": uncovered.place.source(),
                "line": uncovered.place.line(),
                "column": uncovered.place.column(),
            })
        });
        let cases = ran.outcome.trials.iter().map(|trial| {
            json!({
                "name": trial.name,
                "passed": trial.failures.is_empty(),
                "failures": trial.failures,
                "decided_by": trial.decided,
                "line": trial.place.line(),
            })
        });
        json!({
            "file": ran.file.display().to_string(),
            "cases": cases.collect::<Vec<_>>(),
            "coverage": { "criteria": all, "decided": decided, "uncovered": uncovered.collect::<Vec<_>>() },
        })
    });
    json!({ "files": files.collect::<Vec<_>>() })
}
