//! The signing key that follows from the shared secret when none is configured: the same on every
//! replica, and the same as Pomerium derives, so its published key stays known to upstreams.

use aws_lc_rs::hkdf;

const INFO: &[u8] = b"derived-jwt-signing-key";

/// Order of P-256 minus one, most significant limb first (FIPS 186-5, SEC 2 §2.4.2).
const ORDER_MINUS_ONE: [u64; 5] =
    [0, 0xffff_ffff_0000_0000, 0xffff_ffff_ffff_ffff, 0xbce6_faad_a717_9e84, 0xf3b9_cac2_fc63_2550];

struct Length(usize);

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

/// The private scalar: HKDF-SHA256 (no salt) gives 320 bits, reduced to 1 … order−1.
pub(super) fn scalar(secret: &[u8; 32]) -> Option<[u8; 32]> {
    let key = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(secret);
    let mut stream = [0_u8; 40];
    key.expand(&[INFO], Length(stream.len())).and_then(|okm| okm.fill(&mut stream)).ok()?;
    Some(reduce(&stream))
}

fn reduce(stream: &[u8; 40]) -> [u8; 32] {
    let mut rest = [0_u64; 5];
    for byte in stream {
        for bit in (0..8).rev() {
            rest = double_and_add(rest, (byte >> bit) & 1);
            if rest >= ORDER_MINUS_ONE {
                rest = subtract(rest, ORDER_MINUS_ONE);
            }
        }
    }
    let sum = subtract(rest, [u64::MAX; 5]);
    let mut scalar = [0_u8; 32];
    let bytes = sum.iter().skip(1).flat_map(|limb| limb.to_be_bytes());
    scalar.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
    scalar
}

fn double_and_add(number: [u64; 5], bit: u8) -> [u64; 5] {
    let mut carry = u64::from(bit);
    let mut out = number;
    for limb in out.iter_mut().rev() {
        let high = *limb >> 63;
        *limb = (*limb << 1) | carry;
        carry = high;
    }
    out
}

/// `a − b` modulo 2³²⁰. Subtracting 2³²⁰−1 adds one.
fn subtract(a: [u64; 5], b: [u64; 5]) -> [u64; 5] {
    let mut borrow = false;
    let mut out = a;
    for (limb, take) in out.iter_mut().zip(b).rev() {
        let (once, first) = limb.overflowing_sub(take);
        let (twice, second) = once.overflowing_sub(u64::from(borrow));
        *limb = twice;
        borrow = first || second;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{ORDER_MINUS_ONE, reduce};

    fn stream(limbs: [u64; 5]) -> [u8; 40] {
        let mut out = [0; 40];
        let bytes = limbs.iter().flat_map(|limb| limb.to_be_bytes());
        out.iter_mut().zip(bytes).for_each(|(slot, byte)| *slot = byte);
        out
    }

    #[test]
    fn reduction_is_modulo_order_minus_one_plus_one() {
        let one = {
            let mut one = [0_u8; 32];
            one[31] = 1;
            one
        };
        assert_eq!(reduce(&stream([0; 5])), one);
        assert_eq!(reduce(&stream(ORDER_MINUS_ONE)), one);
        let mut two_to_64 = [0_u8; 32];
        two_to_64[23] = 1;
        two_to_64[31] = 1;
        assert_eq!(reduce(&stream([0, 0, 0, 1, 0])), two_to_64);
    }
}
