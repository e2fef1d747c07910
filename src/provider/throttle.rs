//! How often passwords may be tried. Counts tries by who is tried, from where, and by both; time is
//! an argument.
//!
//! Somebody who guesses from one address waits longer and longer for that person, and for everybody
//! after many. Somebody who guesses from many addresses meets a count of all tries at that person; it
//! never holds up an address that has hardly tried, so nobody can be locked out from elsewhere.

use super::local::folded;
use crate::time::Timestamp;
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// The tries of late. Memory is bounded: what is counted least is forgotten first.
#[derive(Debug, Default)]
pub struct Throttle {
    pairs: Counts,
    addresses: Counts,
    logins: Counts,
}

/// How long to wait before the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait(pub Duration);

/// When a count begins to hold up, and how fast it is forgotten.
struct Rule {
    /// So many tries are free.
    free: u32,
    /// The longest wait, in seconds; the first is one second, each next twice as long.
    longest: i64,
    /// One try is forgotten in so many seconds.
    forgets: i64,
}

/// One person from one address.
const PAIR: Rule = Rule { free: 5, longest: 60, forgets: 3600 };
/// One address, whoever is tried. Many people may share it, and mistype now and then.
const ADDRESS: Rule = Rule { free: 30, longest: 60, forgets: 60 };
/// One person, from wherever.
const LOGIN: Rule = Rule { free: 50, longest: 8, forgets: 60 };
/// So many tries an address has at a person whatever others do.
const FRESH: u32 = 3;

type Key = [u8; 16];

impl Throttle {
    /// Whether somebody at `address` may try to sign in as `login` now. A try that may be made counts
    /// as failed until [`Throttle::succeeded`] says otherwise, so that many at once cannot slip through.
    /// `None` is for an address that is not known to be the client's own.
    ///
    /// # Errors
    /// How long to wait. Nothing is counted then.
    pub fn admit(
        &mut self,
        login: &str,
        address: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Wait> {
        let (pair, place, login) = keys(login, address);
        let by_pair = self.pairs.wait(&pair, &PAIR, now);
        let by_address = place.map_or(0, |place| self.addresses.wait(&place, &ADDRESS, now));
        let is_fresh = self.pairs.tries(&pair, &PAIR, now) < FRESH;
        let by_login = if is_fresh { 0 } else { self.logins.wait(&login, &LOGIN, now) };
        let seconds = by_pair.max(by_address).max(by_login);
        if seconds > 0 {
            return Err(Wait(Duration::from_secs(seconds.unsigned_abs())));
        }
        self.pairs.count(pair, &PAIR, now);
        self.logins.count(login, &LOGIN, now);
        if let Some(place) = place {
            self.addresses.count(place, &ADDRESS, now);
        }
        Ok(())
    }

    /// The try was right: this person's count begins anew, and the try does not count against the
    /// address. What the address has tried at others stays.
    pub fn succeeded(&mut self, login: &str, address: Option<IpAddr>) {
        let (pair, place, login) = keys(login, address);
        self.pairs.forget(&pair);
        self.logins.forget(&login);
        if let Some(place) = place {
            self.addresses.take_back(&place);
        }
    }

    /// The try was not made after all: nobody had time to look at the password.
    pub fn withdraw(&mut self, login: &str, address: Option<IpAddr>) {
        let (pair, place, login) = keys(login, address);
        self.pairs.take_back(&pair);
        self.logins.take_back(&login);
        if let Some(place) = place {
            self.addresses.take_back(&place);
        }
    }
}

/// Names for the counts of a fixed length, so that long names take no memory.
fn keys(login: &str, address: Option<IpAddr>) -> (Key, Option<Key>, Key) {
    let place = address.map_or(String::new(), |address| network(address).to_string());
    let login = folded(login);
    (key(&[&place, &login]), address.map(|_| key(&[&place])), key(&[&login]))
}

fn key(parts: &[&str]) -> Key {
    let whole = digest(&SHA256, parts.join("\n").as_bytes());
    whole.as_ref().first_chunk().copied().unwrap_or_default()
}

/// What one client has to itself: an IPv4 address, or the first half of an IPv6 address.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

/// Tries by name.
#[derive(Debug, Default)]
struct Counts(HashMap<Key, Count>);

#[derive(Clone, Copy, Debug)]
struct Count {
    tries: u32,
    /// From when forgetting is reckoned.
    since: Timestamp,
    last: Timestamp,
}

impl Counts {
    /// At most so many names; about a megabyte.
    const MOST: usize = 16_384;

    fn tries(&self, key: &Key, rule: &Rule, now: Timestamp) -> u32 {
        self.0.get(key).map_or(0, |count| count.settled(rule, now).tries)
    }

    /// Seconds to wait from `now`.
    fn wait(&self, key: &Key, rule: &Rule, now: Timestamp) -> i64 {
        let Some(count) = self.0.get(key) else {
            return 0;
        };
        let over = count.settled(rule, now).tries.saturating_sub(rule.free);
        let pause = match over {
            0 => 0,
            over => rule.longest.min(1_i64.checked_shl(over - 1).unwrap_or(i64::MAX).max(1)),
        };
        let waited = now.unix().saturating_sub(count.last.unix());
        // A clock that was set back must not make anybody wait longer than the rule does.
        (pause - waited).clamp(0, pause)
    }

    fn count(&mut self, key: Key, rule: &Rule, now: Timestamp) {
        if self.0.len() >= Self::MOST && !self.0.contains_key(&key) {
            self.make_room(rule, now);
        }
        let count = self.0.entry(key).or_insert(Count { tries: 0, since: now, last: now });
        *count = count.settled(rule, now);
        // A little above where the wait is longest, so that it is forgotten in bounded time.
        count.tries = (count.tries + 1).min(rule.free + 10);
        count.last = now;
    }

    fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }

    fn take_back(&mut self, key: &Key) {
        if let Some(count) = self.0.get_mut(key) {
            count.tries = count.tries.saturating_sub(1);
        }
    }

    /// Forgets what is over, and then the quarter with the fewest tries, the oldest first.
    fn make_room(&mut self, rule: &Rule, now: Timestamp) {
        self.0.retain(|_, count| count.settled(rule, now).tries > 0);
        let excess = (self.0.len() + Self::MOST / 4).saturating_sub(Self::MOST);
        let mut ranked: Vec<(u32, Timestamp, Key)> =
            self.0.iter().map(|(key, count)| (count.tries, count.last, *key)).collect();
        ranked.sort_unstable();
        for (.., key) in ranked.iter().take(excess) {
            self.0.remove(key);
        }
    }
}

impl Count {
    /// The count with what has been forgotten by `now` taken off.
    fn settled(self, rule: &Rule, now: Timestamp) -> Self {
        let passed = now.unix().saturating_sub(self.since.unix()).max(0);
        let forgotten = passed / rule.forgets;
        let tries = self.tries.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX));
        let since = if tries == 0 { now.unix() } else { now.unix() - passed % rule.forgets };
        Self { tries, since: Timestamp::from_unix(since), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::{ADDRESS, Counts, FRESH, PAIR, Throttle, Wait};
    use crate::time::Timestamp;
    use std::net::IpAddr;
    use std::time::Duration;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_700_000_000 + seconds)
    }

    #[expect(clippy::unnecessary_wraps, reason = "as the throttle takes it")]
    fn home() -> Option<IpAddr> {
        Some("198.51.100.7".parse().expect("an address"))
    }

    /// The `number`th address of a crowd.
    #[expect(clippy::unnecessary_wraps, reason = "as the throttle takes it")]
    fn crowd(number: u32) -> Option<IpAddr> {
        Some(IpAddr::from(0x0a00_0000_u32.wrapping_add(number).to_be_bytes()))
    }

    fn wait(seconds: u64) -> Result<(), Wait> {
        Err(Wait(Duration::from_secs(seconds)))
    }

    /// So many addresses try every second, for `span` seconds; how often they are let.
    fn tries_within(throttle: &mut Throttle, span: i64, addresses: u32) -> u32 {
        let mut made = 0;
        for second in 0..span {
            for number in 0..addresses {
                made += u32::from(throttle.admit("ann", crowd(number), at(second)).is_ok());
            }
        }
        made
    }

    #[test]
    fn five_tries_are_free_then_it_takes_longer_and_longer() {
        let mut throttle = Throttle::default();
        for _ in 0..5 {
            assert_eq!(throttle.admit("ann", home(), at(0)), Ok(()));
        }
        let mut now = 0;
        assert_eq!(throttle.admit("ann", home(), at(now)), Ok(()));
        for pause in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            assert_eq!(throttle.admit("ann", home(), at(now)), wait(pause), "{pause}");
            now += i64::try_from(pause).expect("short");
            assert_eq!(throttle.admit("ann", home(), at(now - 1)), wait(1));
            assert_eq!(throttle.admit("ann", home(), at(now)), Ok(()));
        }
    }

    #[test]
    fn a_refused_try_does_not_make_the_wait_longer() {
        let mut throttle = Throttle::default();
        for _ in 0..6 {
            assert_eq!(throttle.admit("ann", home(), at(0)), Ok(()));
        }
        for _ in 0..100 {
            assert_eq!(throttle.admit("ann", home(), at(0)), wait(1));
        }
        assert_eq!(throttle.admit("ann", home(), at(1)), Ok(()));
    }

    #[test]
    fn success_begins_anew() {
        let mut throttle = Throttle::default();
        for _ in 0..4 {
            for _ in 0..5 {
                assert_eq!(throttle.admit("ann", home(), at(0)), Ok(()));
            }
            throttle.succeeded("ann", home());
        }
    }

    #[test]
    fn what_was_not_tried_does_not_count() {
        let mut throttle = Throttle::default();
        for _ in 0..100 {
            assert_eq!(throttle.admit("ann", home(), at(0)), Ok(()));
            throttle.withdraw("ann", home());
        }
    }

    #[test]
    fn case_and_space_make_no_other_person() {
        let mut throttle = Throttle::default();
        for login in ["ann", "ANN", " ann", "Ann ", "ann", "aNn"] {
            assert_eq!(throttle.admit(login, home(), at(0)), Ok(()));
        }
        assert_eq!(throttle.admit("ann", home(), at(0)), wait(1));
    }

    #[test]
    fn nobody_is_locked_out_from_elsewhere() {
        let mut throttle = Throttle::default();
        // A crowd tries all the time, so that the count of this person is as high as can be.
        tries_within(&mut throttle, 600, 20);
        for _ in 0..FRESH {
            assert_eq!(throttle.admit("ann", home(), at(600)), Ok(()));
        }
        throttle.succeeded("ann", home());
        assert_eq!(throttle.admit("ann", home(), at(600)), Ok(()));
    }

    #[test]
    fn one_address_guesses_about_once_a_minute() {
        let mut throttle = Throttle::default();
        let day = tries_within(&mut throttle, 86_400, 1);
        assert!(day < 1_600, "{day}");
    }

    #[test]
    fn many_addresses_share_what_is_left() {
        let mut throttle = Throttle::default();
        let hour = tries_within(&mut throttle, 3_600, 200);
        // Some for each of two hundred, and then one in eight seconds.
        assert!(hour < 200 * (FRESH + 1) + 3_600 / 8 + 60, "{hour}");
    }

    #[test]
    fn one_address_cannot_try_one_password_on_everybody() {
        let mut throttle = Throttle::default();
        let mut made = 0;
        for person in 0..1_000 {
            made += u32::from(throttle.admit(&format!("p{person}"), home(), at(0)).is_ok());
        }
        assert_eq!(made, ADDRESS.free + 1);
        // A success of the guesser's own does not help.
        throttle.succeeded("p0", home());
        assert!(throttle.admit("p1", home(), at(0)).is_ok());
        assert!(throttle.admit("p2", home(), at(0)).is_err());
    }

    #[test]
    fn half_of_an_ipv6_address_is_one_client() {
        let mut throttle = Throttle::default();
        let neighbours = (1..=6).map(|last| format!("2001:db8::{last}").parse().ok());
        for address in neighbours {
            assert_eq!(throttle.admit("ann", address, at(0)), Ok(()));
        }
        let neighbour = "2001:db8:0:0:ffff::1".parse().ok();
        assert_eq!(throttle.admit("ann", neighbour, at(0)), wait(1));
        let mapped = "::ffff:198.51.100.7".parse().ok();
        for address in [mapped, home(), mapped, home(), mapped, home()] {
            assert_eq!(throttle.admit("bob", address, at(0)), Ok(()));
        }
        assert_eq!(throttle.admit("bob", mapped, at(0)), wait(1));
    }

    #[test]
    fn tries_are_forgotten() {
        let mut throttle = Throttle::default();
        for _ in 0..6 {
            assert_eq!(throttle.admit("ann", home(), at(0)), Ok(()));
        }
        let later = 6 * PAIR.forgets;
        for _ in 0..6 {
            assert_eq!(throttle.admit("ann", home(), at(later)), Ok(()));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_holds_nobody_up() {
        let mut throttle = Throttle::default();
        for _ in 0..6 {
            assert_eq!(throttle.admit("ann", home(), at(0)), Ok(()));
        }
        assert_eq!(throttle.admit("ann", home(), at(-86_400)), wait(1));
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_are_remembered() {
        let mut throttle = Throttle::default();
        for _ in 0..6 {
            assert_eq!(throttle.admit("ann", home(), at(0)), Ok(()));
        }
        for number in 0..100_000 {
            let _ = throttle.admit(&format!("p{number}"), crowd(number), at(0));
        }
        for counts in [&throttle.pairs, &throttle.addresses, &throttle.logins] {
            assert!(counts.0.len() <= Counts::MOST, "{}", counts.0.len());
        }
        assert_eq!(throttle.admit("ann", home(), at(0)), wait(1));
    }
}
