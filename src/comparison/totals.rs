//! How much differs, in numbers.

use super::crowd::{Crowd, Standing};
use super::judge::{Judged, SignIn, Turn};

/// How much differs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub gains: Count,
    pub losses: Count,
    /// Routes where nobody in particular is asked to sign in and was refused before.
    pub asked_to_sign_in: usize,
    /// The other way round.
    pub no_longer_asked: usize,
    /// Hosts and paths that were tried.
    pub probes: usize,
    pub people: usize,
    pub service_accounts: usize,
}

/// Who and where; each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub people: usize,
    pub service_accounts: usize,
    pub anonymous: bool,
    pub routes: usize,
}

/// Counts.
pub(super) struct Counter<'c> {
    crowd: &'c Crowd,
    totals: Totals,
    gain: Vec<bool>,
    lose: Vec<bool>,
}

impl<'c> Counter<'c> {
    /// `probes` is how many hosts and paths were tried.
    pub(super) fn new(crowd: &'c Crowd, probes: usize) -> Self {
        let totals = Totals {
            probes,
            people: crowd.count(Standing::Person),
            service_accounts: crowd.count(Standing::ServiceAccount),
            ..Totals::default()
        };
        let nobody = vec![false; crowd.members().len()];
        Self { crowd, totals, gain: nobody.clone(), lose: nobody }
    }

    /// Counts what happens on one route.
    pub(super) fn add<'j>(
        &mut self,
        sign_in: Option<SignIn>,
        judged: impl Iterator<Item = &'j Judged>,
    ) {
        match sign_in {
            None => {}
            Some(SignIn::Asked) => self.totals.asked_to_sign_in += 1,
            Some(SignIn::NoLongerAsked) => self.totals.no_longer_asked += 1,
        }
        let (mut gains, mut loses) = (false, false);
        for change in judged.flat_map(|judged| &judged.changes) {
            let (here, who) = match change.turn {
                Turn::Gain => (&mut gains, &mut self.gain),
                Turn::Lose => (&mut loses, &mut self.lose),
            };
            *here = true;
            for member in &change.members {
                let index = usize::try_from(*member).ok();
                if let Some(counted) = index.and_then(|index| who.get_mut(index)) {
                    *counted = true;
                }
            }
        }
        self.totals.gains.routes += usize::from(gains);
        self.totals.losses.routes += usize::from(loses);
    }

    pub(super) fn counted(self) -> Totals {
        let mut totals = self.totals;
        for (count, who) in [(&mut totals.gains, self.gain), (&mut totals.losses, self.lose)] {
            for (member, _) in self.crowd.members().iter().zip(who).filter(|(_, counted)| *counted)
            {
                match member.standing {
                    Standing::Anonymous => count.anonymous = true,
                    Standing::Person => count.people += 1,
                    Standing::ServiceAccount => count.service_accounts += 1,
                }
            }
        }
        totals
    }
}
