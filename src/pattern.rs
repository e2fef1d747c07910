//! Regular expressions over whole texts, made to decide: once built, a match is one walk through a
//! table, which neither allocates, nor waits, nor fails. Read as RE2 reads them, because Envoy does
//! (see `re2`). Knows nothing of what the texts are.

mod fold;
mod re2;
mod sample;

pub use sample::Spelling;

use regex_automata::Anchored;
use regex_automata::MatchKind;
use regex_automata::dfa::dense::{Builder, Config, DFA};
use regex_automata::dfa::{Automaton as _, StartKind};
use regex_automata::nfa::thompson::{self, Compiler, WhichCaptures};
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_syntax::hir::{Dot, Hir, HirKind, Look};
use std::fmt;
use std::sync::Arc;

/// What a table may hold, and what may be held while it is made. What people write takes a few
/// kilobytes; this much is needed by sets of whole scripts with large repetitions only.
const LIMIT: usize = 10 << 20;
/// How much of a pattern is shown when it is refused.
const SHOWN: usize = 80;

/// One or several regular expressions, of which one must match a text from its first character to
/// its last. Alternatives are not ordered: any that fits will do.
#[derive(Clone)]
pub struct Pattern {
    texts: Arc<[String]>,
    automata: Arc<[Automaton]>,
}

/// Why a text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("`{pattern}` is not a regular expression: {reason}")]
    Syntax { pattern: String, reason: String },
    #[error("`{pattern}` would need a table larger than {} MB", LIMIT >> 20)]
    TooLarge { pattern: String },
}

impl PatternError {
    pub fn help(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => {
                "write a regular expression as RE2 does, without look-around or back-references"
            }
            Self::TooLarge { .. } => {
                "write it shorter: smaller numbers in `{…}`, and `[a-z0-9]` instead of `\\p{…}`"
            }
        }
    }
}

impl Pattern {
    /// Reads one regular expression.
    ///
    /// # Errors
    /// What is not one, what other engines would read differently, and what would grow too large.
    pub fn one(text: &str) -> Result<Self, PatternError> {
        Self::read(&[text], re2::parse)
    }

    /// Reads several, each on its own; a text matches if one of them does. None match nothing. A `.`
    /// is any character, line breaks too: none hides what stands beside it.
    ///
    /// # Errors
    /// The first that [`Pattern::one`] would refuse.
    pub fn any_of(texts: &[&str]) -> Result<Self, PatternError> {
        Self::read(texts, re2::parse_open)
    }

    /// As [`Pattern::any_of`], for texts in which ASCII letters are the same in either case.
    ///
    /// # Errors
    /// The same.
    pub fn any_folded_of(texts: &[&str]) -> Result<Self, PatternError> {
        Self::read(texts, re2::parse_folded)
    }

    fn read(texts: &[&str], parse: fn(&str) -> Result<Hir, String>) -> Result<Self, PatternError> {
        let read = |text: &&str| {
            let named = |reason| PatternError::Syntax { pattern: shown(text), reason };
            parse(text).map_err(named)
        };
        let parsed = texts.iter().map(read).collect::<Result<Vec<Hir>, _>>()?;
        let too_large = |text: &str| PatternError::TooLarge { pattern: shown(text) };
        let automata = match (Automaton::build(&Hir::alternation(parsed.clone())), texts) {
            (Some(together), _) => vec![together],
            (None, [text]) => return Err(too_large(text)),
            // Together they are too large: then one after the other.
            (None, _) => {
                let apart = parsed.iter().zip(texts);
                let mut held = 0;
                let built = apart.map(|(hir, text)| {
                    let built = Automaton::build(hir).filter(|_| held <= LIMIT);
                    let built = built.ok_or_else(|| too_large(text))?;
                    held += built.table.memory_usage();
                    Ok(built)
                });
                built.collect::<Result<_, _>>()?
            }
        };
        let texts = texts.iter().map(|text| (*text).to_owned()).collect();
        Ok(Self { texts, automata: automata.into() })
    }

    /// How much its tables hold, in bytes.
    pub fn memory(&self) -> usize {
        self.automata.iter().map(|automaton| automaton.table.memory_usage()).sum()
    }

    /// Whether all of `text` is as one of the expressions says.
    pub fn matches(&self, text: &str) -> bool {
        self.automata.iter().any(|automaton| automaton.matches(text))
    }

    /// Whether every text without a line break surely matches. Walks through the expressions anew: for
    /// advice, not for decisions.
    pub fn is_everything(&self) -> bool {
        self.texts.iter().any(|text| re2::parse(text).is_ok_and(|hir| is_everything(&hir)))
    }

    /// The expressions as they were written.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// As written; several are separated by `|`.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts.join("|"))
    }
}

/// The texts alone: a table says nothing to a reader.
impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.texts).finish()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.texts == other.texts
    }
}

impl Eq for Pattern {}

/// A table of states, and the one in which a text begins.
struct Automaton {
    table: DFA<Vec<u32>>,
    start: StateID,
}

impl Automaton {
    /// `None` if the table would grow too large.
    fn build(hir: &Hir) -> Option<Self> {
        let nfa =
            thompson::Config::new().nfa_size_limit(Some(LIMIT)).which_captures(WhichCaptures::None);
        let nfa = Compiler::new().configure(nfa).build_from_hir(hir).ok()?;
        // Anchored by where the walk begins and ends, not by adding `^(?:` and `)$` to the text. All
        // matches must be followed, or `a|ab` would end after the `a` of `ab`.
        let config = Config::new()
            .start_kind(StartKind::Anchored)
            .match_kind(MatchKind::All)
            .accelerate(false)
            .dfa_size_limit(Some(LIMIT))
            .determinize_size_limit(Some(LIMIT));
        let table = Builder::new().configure(config).build_from_nfa(&nfa).ok()?;
        let start = table.start_state(&start::Config::new().anchored(Anchored::Yes)).ok()?;
        Some(Self { table, start })
    }

    fn matches(&self, text: &str) -> bool {
        let mut state = self.start;
        for byte in text.bytes() {
            state = self.table.next_state(state, byte);
            if self.table.is_dead_state(state) {
                return false;
            }
        }
        // INVARIANT: the table gives up on no byte (it would only for word boundaries of all
        // scripts, which `re2` never makes), so that this is an answer.
        self.table.is_match_state(self.table.next_eoi_state(state))
    }
}

/// Finds `.*` and what says the same; an expression that fits everything in a roundabout way is not
/// found.
fn is_everything(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => is_everything(&capture.sub),
        HirKind::Alternation(parts) => parts.iter().any(is_everything),
        HirKind::Concat(parts) => {
            let is = |part: &Hir, look: Look| *part.kind() == HirKind::Look(look);
            let mut parts = parts.as_slice();
            while let [first, rest @ ..] = parts
                && is(first, Look::Start)
            {
                parts = rest;
            }
            while let [rest @ .., last] = parts
                && is(last, Look::End)
            {
                parts = rest;
            }
            !parts.is_empty() && parts.iter().all(is_everything)
        }
        HirKind::Repetition(repetition) => {
            repetition.min == 0 && repetition.max.is_none() && is_dot(&repetition.sub)
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

fn is_dot(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => is_dot(&capture.sub),
        HirKind::Class(_) => {
            *hir == Hir::dot(Dot::AnyChar) || *hir == Hir::dot(Dot::AnyCharExcept('\n'))
        }
        HirKind::Empty
        | HirKind::Literal(_)
        | HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Concat(_)
        | HirKind::Alternation(_) => false,
    }
}

/// A pattern for a message: its beginning, on one line.
fn shown(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let cut = if text.chars().nth(SHOWN).is_some() { "…" } else { "" };
    text.chars().take(SHOWN).map(plain).collect::<String>() + cut
}

#[cfg(test)]
mod tests;
