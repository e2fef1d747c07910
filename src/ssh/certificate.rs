//! An OpenSSH user certificate (PROTOCOL.certkeys of OpenSSH). One exists only after its signature was
//! verified; whose signature that has to be is for a policy to say.

use super::PublicKey;
use super::key::{KeyKind, Material};
use super::wire::Wire;
use crate::time::Timestamp;

/// As many names as OpenSSH reads.
const MAX_PRINCIPALS: usize = 256;

/// `SSH2_CERT_TYPE_USER`
const USER: u32 = 1;

/// A certificate that its authority really signed, for users, without conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Certificate {
    blob: Box<[u8]>,
    authority: Box<[u8]>,
    principals: Vec<Box<[u8]>>,
    /// Seconds since the Unix epoch, the first one inclusive, the second exclusive.
    after: u64,
    before: u64,
}

impl Certificate {
    /// Reads a certificate. `None` for every other thing: a host certificate, a signature that is not
    /// right or made with SHA-1, an authority that is itself a certificate, anything left over.
    ///
    /// A certificate with a critical option (`force-command`, `source-address`, `verify-required`, or
    /// one nobody knows) is refused too: who signed it relied on the option being kept, and none is
    /// kept here. Extensions are permissions for the SSH server and mean nothing here.
    pub(super) fn read(blob: &[u8]) -> Option<Self> {
        let mut wire = Wire::new(blob);
        let name = wire.string()?;
        let kind =
            KeyKind::ALL.into_iter().find(|kind| kind.certificate_name().as_bytes() == name)?;
        let _nonce = wire.string()?;
        let _key = kind.material(&mut wire)?;
        let _serial = wire.uint64()?;
        let for_users = wire.uint32()? == USER;
        let _key_id = wire.string()?;
        let principals = principals(wire.string()?)?;
        let (after, before) = (wire.uint64()?, wire.uint64()?);
        let unconditional = wire.string()?.is_empty();
        let _extensions = wire.string()?;
        let _reserved = wire.string()?;
        let authority = wire.string()?;
        let signed = blob.get(..blob.len() - wire.left())?;
        let signature = wire.string()?;
        wire.end()?;
        let good =
            for_users && unconditional && Material::read(authority)?.has_signed(signed, signature);
        let (blob, authority) = (blob.into(), authority.into());
        good.then_some(Self { blob, authority, principals, after, before })
    }

    pub(super) fn blob(&self) -> &[u8] {
        &self.blob
    }

    pub(super) fn is_by(&self, ca: &PublicKey) -> bool {
        *self.authority == *ca.blob()
    }

    /// Whether `username` is among the principals. OpenSSH takes a certificate without any for one of
    /// everybody; here it is one of nobody.
    pub(super) fn names(&self, username: &str) -> bool {
        !username.is_empty()
            && self.principals.iter().any(|principal| **principal == *username.as_bytes())
    }

    pub(super) fn is_valid_at(&self, now: Timestamp) -> bool {
        u64::try_from(now.unix()).is_ok_and(|now| self.after <= now && now < self.before)
    }
}

fn principals(list: &[u8]) -> Option<Vec<Box<[u8]>>> {
    let mut wire = Wire::new(list);
    let mut principals = Vec::new();
    while wire.left() > 0 {
        if principals.len() == MAX_PRINCIPALS {
            return None;
        }
        principals.push(wire.string()?.into());
    }
    Some(principals)
}
