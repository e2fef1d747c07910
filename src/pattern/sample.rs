//! Texts that a pattern matches, for those who want to try it.

use super::{Automaton, Pattern};
use regex_automata::dfa::Automaton as _;
use regex_automata::util::primitives::StateID;
use std::collections::HashSet;
use std::hash::Hash;

/// How far is looked before giving up: what people write has a few hundred states.
const STEPS: usize = 1 << 14;

/// Which texts may be spelled, letter by letter.
pub trait Spelling {
    /// What of a text decides how it may go on.
    type State: Copy + Eq + Hash;

    /// Before the first letter.
    fn begin(&self) -> Self::State;
    /// ASCII; of two letters that would both do, the earlier is taken.
    fn letters(&self) -> &[u8];
    /// `None` if `letter` may not follow.
    fn then(&self, state: Self::State, letter: u8) -> Option<Self::State>;
    /// Whether a text may end here.
    fn may_end(&self, state: Self::State) -> bool;
}

impl Pattern {
    /// The shortest text that begins with `start`, is spelled as `spelling` says, and matches. `None` if
    /// there is none, or none was found within reason.
    pub fn sample<S: Spelling>(&self, start: &str, spelling: &S) -> Option<String> {
        let samples = self.automata.iter().filter_map(|table| table.sample(start, spelling));
        samples.min_by_key(String::len)
    }
}

/// A letter of a text, and where the text before it stands.
struct Step<S> {
    state: StateID,
    spelled: S,
    letter: Option<u8>,
    before: usize,
}

impl Automaton {
    /// Breadth first, so that the first text found is a shortest one.
    fn sample<S: Spelling>(&self, start: &str, spelling: &S) -> Option<String> {
        let mut state = self.start;
        let mut spelled = spelling.begin();
        for letter in start.bytes() {
            state = self.table.next_state(state, letter);
            spelled = spelling.then(spelled, letter)?;
        }
        if self.table.is_dead_state(state) {
            return None;
        }
        let mut steps = vec![Step { state, spelled, letter: None, before: 0 }];
        let mut seen = HashSet::from([(state, spelled)]);
        let mut next = 0;
        while let Some(Step { state, spelled, .. }) = steps.get(next) {
            let (state, spelled) = (*state, *spelled);
            if spelling.may_end(spelled)
                && self.table.is_match_state(self.table.next_eoi_state(state))
            {
                return Some(start.to_owned() + &text(&steps, next));
            }
            if self.table.is_dead_state(state) || steps.len() > STEPS {
                next += 1;
                continue;
            }
            for letter in spelling.letters().iter().copied() {
                let Some(spelled) = spelling.then(spelled, letter) else { continue };
                let state = self.table.next_state(state, letter);
                if seen.insert((state, spelled)) {
                    steps.push(Step { state, spelled, letter: Some(letter), before: next });
                }
            }
            next += 1;
        }
        None
    }
}

/// The letters of a step and of those before it.
fn text<S>(steps: &[Step<S>], mut at: usize) -> String {
    let mut letters = Vec::new();
    while let Some(Step { letter: Some(letter), before, .. }) = steps.get(at) {
        letters.push(char::from(*letter));
        at = *before;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Spelling};

    /// `a`, `b` and `/`, never two slashes in a row; the state is whether the last one was a slash.
    struct Short;

    impl Spelling for Short {
        type State = bool;

        fn begin(&self) -> bool {
            false
        }

        fn letters(&self) -> &[u8] {
            b"ba/1"
        }

        fn then(&self, slash: bool, letter: u8) -> Option<bool> {
            (!(slash && letter == b'/')).then_some(letter == b'/')
        }

        fn may_end(&self, slash: bool) -> bool {
            !slash
        }
    }

    #[test]
    fn shortest_texts() {
        let check = |pattern: &str, start: &str, expected: Option<&str>| {
            let pattern = Pattern::one(pattern).expect(pattern);
            let sample = pattern.sample(start, &Short);
            assert_eq!(sample.as_deref(), expected, "{pattern} from {start:?}");
            assert!(sample.is_none_or(|text| pattern.matches(&text)));
        };
        check("/.*", "", Some("/b"));
        check("/[ac]+/1{3}", "", Some("/a/111"));
        check(".*/a", "/b", Some("/b/a"));
        check("/.*/.*/.*", "", Some("/b/b/b"));
        check("", "", Some(""));
        check("/b", "/a", None);
        check("[c-z]+", "", None);
        check("/", "", None);
        check("(?i)/A|/bbb", "", Some("/a"));
        check("(a|b){900}1", "", Some(&("b".repeat(900) + "1")));
    }
}
