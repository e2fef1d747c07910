//! Requests that are known again. A request with a key makes a thing whose id follows from who asks, the
//! key and what is asked for: whoever repeats it finds what was made before, however often and from
//! wherever, and the same key with other words finds nothing and makes nothing.

use super::{Actor, AdminError};
use crate::hex::hex;
use crate::store::{Once, StoreError};
use crate::time::Timestamp;
use aws_lc_rs::digest::{Context, SHA256};
use std::time::Duration;

/// How long a key is kept.
const KEPT: Duration = Duration::from_hours(24);
/// Bytes of an id.
const ID: usize = 16;

/// The id of something new, and what keeps it from being made twice.
#[derive(Clone, Debug)]
pub(super) struct Fresh {
    bytes: [u8; ID],
    pub(super) once: Option<Once>,
}

impl Fresh {
    /// An id for what `by` makes. `what` tells apart kinds of things, `asked` is all that was asked for.
    ///
    /// # Errors
    /// There is no randomness to be had.
    pub(super) fn of(
        by: &Actor,
        key: Option<&str>,
        (what, asked): (&str, &[&str]),
        now: Timestamp,
    ) -> Result<Self, AdminError> {
        let Some(key) = key else {
            return Ok(Self { bytes: random()?, once: None });
        };
        let whose = [by.kind().name(), &by.who().user, what, key];
        let hash = hashed("key", whose.into_iter());
        let once = Once {
            key: format!("admin:{}", hex(&hash)),
            value: what.to_owned(),
            expires: now.plus(KEPT),
        };
        let hash = hashed("id", whose.into_iter().chain(asked.iter().copied()));
        let mut bytes = [0; ID];
        bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        Ok(Self { bytes, once: Some(once) })
    }

    /// Whether the same may have been asked before.
    pub(super) fn is_repeatable(&self) -> bool {
        self.once.is_some()
    }

    /// 32 lower-case hexadecimal digits.
    pub(super) fn digits(&self) -> String {
        hex(&self.bytes)
    }

    /// A UUID of version 4.
    pub(super) fn uuid(&self) -> String {
        uuid::Builder::from_random_bytes(self.bytes).into_uuid().to_string()
    }
}

/// SHA-256 over texts, each with its length, so that no two lists run together.
fn hashed<'t>(label: &'t str, texts: impl Iterator<Item = &'t str>) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    for text in std::iter::once(label).chain(texts) {
        context.update(&u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(text.as_bytes());
    }
    context.finish().as_ref().to_vec()
}

/// # Errors
/// There is no randomness to be had.
pub(super) fn random<const N: usize>() -> Result<[u8; N], AdminError> {
    let mut bytes = [0; N];
    let filled = aws_lc_rs::rand::fill(&mut bytes);
    filled.map_err(|_| StoreError::unavailable("there is no randomness to be had"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::Fresh;
    use crate::admin::Actor;
    use crate::time::Timestamp;

    fn fresh(by: &Actor, key: Option<&str>, asked: &[&str]) -> Fresh {
        Fresh::of(by, key, ("account", asked), Timestamp::from_unix(0)).expect("randomness")
    }

    #[test]
    fn a_repeated_request_has_the_same_id_and_key() {
        let by = Actor::terminal();
        let (one, again) = (fresh(&by, Some("k"), &["a", "b"]), fresh(&by, Some("k"), &["a", "b"]));
        assert_eq!((one.digits(), &one.once), (again.digits(), &again.once));
        assert_eq!(one.uuid().len(), 36);
    }

    #[test]
    fn other_words_have_another_id_and_the_same_key() {
        let by = Actor::terminal();
        let one = fresh(&by, Some("k"), &["a", "b"]);
        for asked in [&["ab"][..], &["a", "b", ""], &["b", "a"], &["", "ab"]] {
            let other = fresh(&by, Some("k"), asked);
            assert_ne!(one.digits(), other.digits(), "{asked:?}");
            assert_eq!(one.once, other.once);
        }
    }

    #[test]
    fn somebody_else_has_another_key() {
        let one = fresh(&Actor::terminal(), Some("k"), &[]);
        let other = fresh(&Actor::bootstrap(), Some("k"), &[]);
        assert_ne!(one.digits(), other.digits());
        assert_ne!(one.once, other.once);
        assert_ne!(one.once, fresh(&Actor::terminal(), Some("kk"), &[]).once);
    }

    #[test]
    fn without_a_key_every_request_is_new() {
        let by = Actor::terminal();
        let (one, other) = (fresh(&by, None, &["a"]), fresh(&by, None, &["a"]));
        assert_ne!(one.digits(), other.digits());
        assert!(!one.is_repeatable() && one.once.is_none());
    }
}
