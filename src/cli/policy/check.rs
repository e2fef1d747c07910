//! `lictor policy check`: everything that is wrong with one policy, before it is stored.

use crate::cli::terminal::{Stop, text_of};
use crate::cli::{Exit, Format, check, report};
use crate::config::Config;
use crate::document::{Problem, Problems, load_yaml};
use crate::policy::{Language, compile};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor policy check ci-only.yaml

`lictor policy lint --policy` says besides what is probably not meant as it is written.
Exit codes: 0 it can be used, 3 it cannot.")]
pub(in crate::cli) struct Check {
    /// The policy; `-` for standard input
    file: PathBuf,
    /// The configuration beside which it is to be used
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl Check {
    pub(super) fn run(&self) -> Exit {
        let config = match self.config.as_deref().map(super::load).transpose() {
            Ok(config) => config,
            Err(exit) => return exit,
        };
        let written = match Written::read(&self.file) {
            Ok(written) => written,
            Err(stop) => return stop.tell(),
        };
        let problems = written.problems(language(config.as_ref()));
        match self.format {
            Format::Text if problems.is_empty() => {
                report::data(&format!("{} is good\n", written.name));
            }
            Format::Text => written.tell(&problems),
            Format::Json => {
                report::data(&format!("{:#}\n", check::problems_json(&problems)));
            }
        }
        if problems.is_empty() { Exit::Ok } else { Exit::Invalid }
    }
}

fn language(config: Option<&Config>) -> Language {
    config.map_or(Language::TEXT, |config| config.stored.language)
}

/// A policy as somebody wrote it.
#[derive(Debug)]
pub(super) struct Written {
    name: String,
    pub(super) text: String,
}

impl Written {
    pub(super) fn read(file: &Path) -> Result<Self, Stop> {
        let name = if file == Path::new("-") {
            "standard input".to_owned()
        } else {
            file.display().to_string()
        };
        Ok(Self { name, text: text_of(file)? })
    }

    /// The text of a policy that can be used. What is wrong has been told.
    pub(super) fn usable(file: &Path, language: Language) -> Result<String, Stop> {
        let written = Self::read(file)?;
        let problems = written.problems(language);
        if problems.is_empty() {
            return Ok(written.text);
        }
        written.tell(&problems);
        Err(Stop::Told(Exit::Invalid))
    }

    fn problems(&self, language: Language) -> Vec<Problem> {
        let document = match load_yaml(&self.text, &self.name) {
            Ok(document) => document,
            Err(error) => return vec![error.into_problem()],
        };
        let mut problems = Problems::default();
        compile(&document, language, &mut problems);
        problems.into_parts().0
    }

    fn tell(&self, problems: &[Problem]) {
        for problem in problems {
            report::problem(problem, Some(&self.text));
        }
        let plural = if problems.len() == 1 { "" } else { "s" };
        report::say(&format!("{} problem{plural} in {}", problems.len(), self.name));
    }
}
