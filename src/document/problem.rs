//! What is wrong with a document, where, and what to do about it.

use crate::advice::Advice;
use std::fmt;
use std::sync::Arc;

/// Where something was written: a file with line and column (both from 1), or another source such
/// as an environment variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    source: Arc<str>,
    position: Option<(usize, usize)>,
}

impl Place {
    pub fn new(source: &Arc<str>, line: usize, column: usize) -> Self {
        Self { source: Arc::clone(source), position: Some((line, column)) }
    }

    /// A place without line and column: the whole file, an environment variable, a flag.
    pub fn whole(source: &str) -> Self {
        Self { source: source.into(), position: None }
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn line(&self) -> Option<usize> {
        self.position.map(|(line, _)| line)
    }

    pub fn column(&self) -> Option<usize> {
        self.position.map(|(_, column)| column)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        match self.position {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}

/// Something that keeps a document from being used.
#[derive(Clone, Debug)]
pub struct Problem {
    /// A stable name for programs: `unknown_key`, `unknown_criterion`, …
    pub code: &'static str,
    pub place: Place,
    pub message: String,
    pub help: Option<String>,
}

impl Problem {
    pub fn new(code: &'static str, place: &Place, message: impl Into<String>) -> Self {
        Self { code, place: place.clone(), message: message.into(), help: None }
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// Something worth saying that does not keep the document from being used.
#[derive(Clone, Debug)]
pub struct Notice {
    pub advice: Advice,
    pub place: Place,
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    pub weight: Weight,
}

impl Notice {
    /// Said whenever the document is read.
    pub fn new(advice: Advice, place: &Place, message: impl Into<String>) -> Self {
        let (place, message) = (place.clone(), message.into());
        Self { advice, place, message, help: None, weight: Weight::Notice }
    }

    /// Said to those who ask for advice.
    pub fn lint(advice: Advice, place: &Place, message: impl Into<String>) -> Self {
        Self { weight: Weight::Lint, ..Self::new(advice, place, message) }
    }

    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

/// How loudly something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// Whenever the document is read.
    Notice,
    /// To those who ask for advice.
    Lint,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        match &self.help {
            Some(help) => write!(f, " ({help})"),
            None => Ok(()),
        }
    }
}

/// Collects every problem and notice of a document; nobody stops at the first.
#[derive(Debug, Default)]
pub struct Problems {
    problems: Vec<Problem>,
    notices: Vec<Notice>,
}

impl Problems {
    pub fn push(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub fn tell(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// Something worth saying that needs no help.
    pub fn notice(&mut self, advice: Advice, place: &Place, message: impl Into<String>) {
        self.tell(Notice::new(advice, place, message));
    }

    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// All problems and notices, in the order of the document.
    pub fn into_parts(mut self) -> (Vec<Problem>, Vec<Notice>) {
        self.problems.sort_by_key(|problem| (problem.place.line(), problem.place.column()));
        self.notices.sort_by_key(|notice| (notice.place.line(), notice.place.column()));
        (self.problems, self.notices)
    }
}
