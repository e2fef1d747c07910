//! `lictor policy lint`: advice about policies and the routes they stand before.

use crate::advice::Advice;
use crate::cli::{Exit, Format, check, report};
use crate::config::{Config, Environment, load_policy};
use crate::document::{Notice, Problem};
use crate::identity::Directory;
use crate::policy::{KnownNames, advise};
use serde_json::{Value, json};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: lictor policy lint lictor.yaml
Everything said is certain; what to make of it is not: --ignore turns off what is meant as it is.
Exit codes: 0 nothing to say, 3 the file cannot be used, 4 there is advice.")]
pub(in crate::cli) struct Lint {
    /// The configuration
    file: PathBuf,
    /// The file is a single policy in the policy language
    #[arg(long)]
    policy: bool,
    /// Say nothing of this code, such as `dry-run`; can be repeated
    #[arg(long, value_name = "CODE", value_parser = code)]
    ignore: Vec<Advice>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn code(text: &str) -> Result<Advice, String> {
    let known = || Advice::all().filter(|advice| advice.is_about_policies());
    let found = known().find(|advice| advice.code() == text);
    let codes = || known().map(Advice::code).collect::<Vec<_>>().join(", ");
    found.ok_or_else(|| format!("known codes: {}", codes()))
}

impl Lint {
    pub(super) fn run(&self) -> Exit {
        let advice = match self.advice() {
            Ok(advice) => advice,
            Err(problems) => return self.refuse(&problems),
        };
        report::data(&match self.format {
            Format::Text => self.text(&advice),
            Format::Json => {
                let listed: Vec<Value> = advice.iter().map(notice_json).collect();
                format!("{:#}\n", json!({ "ok": advice.is_empty(), "advice": listed }))
            }
        });
        if advice.is_empty() { Exit::Ok } else { Exit::Denied }
    }

    fn advice(&self) -> Result<Vec<Notice>, Vec<Problem>> {
        let mut advice = if self.policy {
            let (policy, mut notices) = load_policy(&self.file)?;
            notices.extend(advise(&policy, &KnownNames::of(&Directory::default())));
            notices.sort_by_key(|notice| (notice.place.line(), notice.place.column()));
            notices
        } else {
            check::advice(&Config::load(&self.file, &Environment::of_process())?)
        };
        advice.retain(|notice| !self.ignore.contains(&notice.advice));
        Ok(advice)
    }

    fn refuse(&self, problems: &[Problem]) -> Exit {
        match self.format {
            Format::Text => check::tell(problems, &self.file),
            Format::Json => report::data(&format!("{:#}\n", check::problems_json(problems))),
        }
        Exit::Invalid
    }

    fn text(&self, advice: &[Notice]) -> String {
        let name = self.file.display().to_string();
        if advice.is_empty() {
            return format!("{name}: nothing to advise\n");
        }
        let text = check::read(&self.file);
        let mut out = String::new();
        for notice in advice {
            let source = text.as_deref().filter(|_| notice.place.source() == name);
            out.push_str(&report::advice(notice, source));
        }
        out + &format!("{} in {name}\n", check::pieces(advice.len()))
    }
}

fn notice_json(notice: &Notice) -> Value {
    json!({
        "code": notice.advice.code(),
        "message": notice.message,
        "help": notice.help,
        "source": notice.place.source(),
        "line": notice.place.line(),
        "column": notice.place.column(),
    })
}
