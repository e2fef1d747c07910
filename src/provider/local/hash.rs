//! Argon2id hashes in the PHC form, `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`: which are good, what they
//! cost, and how one is made.

use crate::secret::Secret;
use argon2::password_hash::{self, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use std::fmt;

/// A hash that can be compared with a password.
#[derive(Debug)]
pub(super) struct PasswordHash {
    text: Secret<String>,
    cost: Cost,
}

/// What one comparison takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// In KiB.
    pub(super) memory: u32,
    pub(super) passes: u32,
    pub(super) lanes: u32,
}

/// At least as hard to guess as the cheapest setting that OWASP recommends: 7 MiB, five passes.
const LEAST: Cost = Cost { memory: 7 * 1024, passes: 1, lanes: 1 };
const LEAST_WORK: u64 = 7 * 1024 * 5;
/// More would let a few people who sign in at once use up the memory, or the processors.
const MOST: Cost = Cost { memory: 256 * 1024, passes: 32, lanes: 16 };
const MOST_WORK: u64 = 1024 * 1024;

/// Why a text is not a hash that can be used. Never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HashError {
    NotArgon2id,
    Version,
    Incomplete,
    Weak(Cost),
    Costly(Cost),
}

impl HashError {
    pub(super) const HELP: &'static str = "make one with `lictor key password`";
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotArgon2id => f.write_str("is not an argon2id hash"),
            Self::Version => f.write_str("is a hash of an old version of argon2, not 19"),
            Self::Incomplete => f.write_str("lacks a salt of 8 bytes or a hash of 16"),
            Self::Weak(cost) => write!(f, "is a hash that is too cheap to guess ({cost})"),
            Self::Costly(cost) => write!(f, "is a hash that costs too much ({cost})"),
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { memory, passes, lanes } = self;
        write!(f, "m={memory},t={passes},p={lanes}")
    }
}

impl Cost {
    /// Passes over KiB of memory: what computing it takes, as argon2 has it one lane after the other.
    pub(super) fn work(self) -> u64 {
        u64::from(self.memory) * u64::from(self.passes)
    }

    fn judged(self) -> Result<Self, HashError> {
        if self.memory < LEAST.memory || self.work() < LEAST_WORK {
            return Err(HashError::Weak(self));
        }
        let within = self.memory <= MOST.memory
            && self.passes <= MOST.passes
            && self.lanes <= MOST.lanes
            && self.work() <= MOST_WORK;
        if within { Ok(self) } else { Err(HashError::Costly(self)) }
    }
}

impl PasswordHash {
    const MIN_SALT_BYTES: usize = 8;
    const MIN_HASH_BYTES: usize = 16;

    /// Reads a PHC string.
    pub(super) fn parse(text: &str) -> Result<Self, HashError> {
        let hash = password_hash::PasswordHash::new(text).map_err(|_| HashError::NotArgon2id)?;
        if hash.algorithm != ARGON2ID_IDENT {
            return Err(HashError::NotArgon2id);
        }
        if hash.version != Some(Version::V0x13.into()) {
            return Err(HashError::Version);
        }
        let mut salt = [0; 64];
        let salted = hash.salt.and_then(|given| Some(given.decode_b64(&mut salt).ok()?.len()));
        let hashed = hash.hash.map(|output| output.len());
        if salted < Some(Self::MIN_SALT_BYTES) || hashed < Some(Self::MIN_HASH_BYTES) {
            return Err(HashError::Incomplete);
        }
        let params = Params::try_from(&hash).map_err(|_| HashError::NotArgon2id)?;
        // Neither is written by any tool for passwords; both would need another secret.
        if !params.keyid().is_empty() || !params.data().is_empty() {
            return Err(HashError::NotArgon2id);
        }
        let cost =
            Cost { memory: params.m_cost(), passes: params.t_cost(), lanes: params.p_cost() };
        Ok(Self { text: Secret::new(text.to_owned()), cost: cost.judged()? })
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost
    }

    /// The same hash, to be compared with where nothing should fit.
    pub(super) fn copy(&self) -> Self {
        Self { text: Secret::new(self.text.expose().clone()), cost: self.cost }
    }

    /// Whether it is the hash of `password`. The comparison takes the same time either way.
    pub(super) fn fits(&self, password: &str) -> bool {
        password_hash::PasswordHash::new(self.text.expose())
            .and_then(|hash| Argon2::default().verify_password(password.as_bytes(), &hash))
            .is_ok()
    }
}

/// Why a password cannot be hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has at least {} characters", PasswordError::MIN_CHARS)]
    Short,
    #[error("a password has at most {} bytes", super::MAX_PASSWORD_BYTES)]
    Long,
    #[error("no randomness to be had")]
    NoRandomness,
}

impl PasswordError {
    pub const MIN_CHARS: usize = 8;
}

/// An argon2id hash of `password`, for the users file: 19 MiB, two passes, one lane, as OWASP
/// recommends, with 16 random bytes of salt. Takes as long as comparing does.
///
/// # Errors
/// A password that is too short or too long.
pub fn hash_password(password: &str) -> Result<String, PasswordError> {
    if password.chars().count() < PasswordError::MIN_CHARS {
        return Err(PasswordError::Short);
    }
    if password.len() > super::MAX_PASSWORD_BYTES {
        return Err(PasswordError::Long);
    }
    let mut salt = [0; 16];
    aws_lc_rs::rand::fill(&mut salt).map_err(|_| PasswordError::NoRandomness)?;
    let salt = SaltString::encode_b64(&salt).map_err(|_| PasswordError::NoRandomness)?;
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let hash = argon2.hash_password(password.as_bytes(), &salt);
    hash.map(|hash| hash.to_string()).map_err(|_| PasswordError::Long)
}
