//! IP addresses and ranges of them, as an operator writes them and as a request is compared with them.
//! An IPv4-mapped IPv6 address is the IPv4 address, in a list and in a request.

use ipnet::{IpNet, Ipv4Net};
use prefix_trie::joint::{JointPrefixMap, JointPrefixSet};
use std::net::IpAddr;

/// Up to so many ranges are looked through one by one. Measured: one IPv4 range costs 10 ns, six cost
/// 20 ns; the trie costs 9 to 18 ns (IPv4) and about 45 ns (IPv6) however many there are, and wins in
/// both families from eight on.
const FEW: usize = 6;

/// A set of address ranges, compiled for asking.
#[derive(Debug)]
pub struct AddressRanges(Index);

#[derive(Debug)]
enum Index {
    Few(Vec<IpNet>),
    Many(Box<JointPrefixSet<IpNet>>),
}

impl AddressRanges {
    /// Compiles ranges as [`parse_range`] gives them.
    pub fn new(ranges: Vec<IpNet>) -> Self {
        Self(if ranges.len() <= FEW {
            Index::Few(ranges)
        } else {
            Index::Many(Box::new(ranges.into_iter().collect()))
        })
    }

    /// Whether one of the ranges contains `address`. No ranges contain none. Does not allocate.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match &self.0 {
            Index::Few(ranges) => ranges.iter().any(|range| range.contains(&address)),
            Index::Many(ranges) => ranges.is_covered(&IpNet::from(address)),
        }
    }

    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Index::Few(ranges) => ranges.is_empty(),
            Index::Many(ranges) => ranges.is_empty(),
        }
    }

    /// Whether some address is in a range of both.
    pub fn meets(&self, other: &Self) -> bool {
        let within = |small: &Self, large: &Self| {
            small.ranges().iter().any(|range| match &large.0 {
                Index::Few(ranges) => ranges.iter().any(|other| other.contains(range)),
                Index::Many(ranges) => ranges.is_covered(range),
            })
        };
        // Of two ranges that meet, one contains the other.
        within(self, other) || within(other, self)
    }

    fn ranges(&self) -> Vec<IpNet> {
        match &self.0 {
            Index::Few(ranges) => ranges.clone(),
            Index::Many(ranges) => ranges.iter().collect(),
        }
    }
}

/// Something for each of many address ranges.
#[derive(Debug)]
pub(crate) struct AddressMap<V>(JointPrefixMap<IpNet, V>);

impl<V> Default for AddressMap<V> {
    fn default() -> Self {
        Self(JointPrefixMap::new())
    }
}

impl<V> AddressMap<V> {
    /// Keeps `value` for `range`, a range as [`parse_range`] gives it, in place of what was kept.
    pub(crate) fn insert(&mut self, range: IpNet, value: V) {
        self.0.insert(range, value);
    }

    /// Whether something is kept for exactly this range.
    pub(crate) fn has(&self, range: &IpNet) -> bool {
        self.0.contains_key(range)
    }

    /// What is kept for the smallest range that contains `address`. Does not allocate.
    pub(crate) fn smallest(&self, address: IpAddr) -> Option<&V> {
        self.0.get_lpm(&IpNet::from(address.to_canonical())).map(|(_, value)| value)
    }
}

/// Reads an address or a range. Host bits are dropped; leading zeros and zones are refused.
pub fn parse_range(text: &str) -> Option<IpNet> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address.parse::<IpAddr>().ok()?, Some(parse_length(length)?)),
        None => (text.parse::<IpAddr>().ok()?, None),
    };
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let range = IpNet::new(address, length.unwrap_or(bits)).ok()?.trunc();
    Some(unmapped(range).unwrap_or(range))
}

fn parse_length(text: &str) -> Option<u8> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit())
        && (text.len() == 1 || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

/// `::ffff:10.0.0.0/104` as `10.0.0.0/8`.
fn unmapped(range: IpNet) -> Option<IpNet> {
    let IpNet::V6(range) = range else { return None };
    let address = range.addr().to_ipv4_mapped()?;
    let length = range.prefix_len().checked_sub(96)?;
    Ipv4Net::new(address, length).ok().map(IpNet::V4)
}

#[cfg(test)]
mod tests {
    use super::{AddressRanges, FEW, parse_range};
    use ipnet::IpNet;
    use proptest::prelude::*;
    use std::net::IpAddr;

    #[test]
    fn ranges() {
        let inside = |range: &str, address: &str| {
            let list = AddressRanges::new(vec![parse_range(range).expect(range)]);
            list.contains(address.parse().expect(address))
        };
        assert!(inside("203.0.113.77/24", "203.0.113.10"));
        assert!(inside("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(inside("::ffff:10.0.0.0/104", "10.1.2.3"));
        assert!(inside("2001:db8::/32", "2001:db8:1::5"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1"));
        assert!(!inside("0.0.0.0/0", "2001:db8::1"));
        for bad in ["010.0.0.1", "fe80::1%eth0", "10.0.0.0/33", "10.0.0.0/08", "10.0.0/8", "", "a"]
        {
            assert!(parse_range(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn the_ends_of_the_number_line() {
        let many = |texts: &[&str]| {
            let filler = (0..=FEW).map(|low| format!("192.0.2.{low}"));
            let texts = texts.iter().map(|text| (*text).to_owned()).chain(filler);
            AddressRanges::new(texts.map(|text| parse_range(&text).expect("a range")).collect())
        };
        let address = |text: &str| text.parse::<IpAddr>().expect(text);
        assert!(!AddressRanges::new(Vec::new()).contains(address("0.0.0.0")));
        assert!(many(&["0.0.0.0/0"]).contains(address("255.255.255.255")));
        assert!(!many(&["0.0.0.0/0"]).contains(address("::")));
        assert!(many(&["0.0.0.0/0"]).contains(address("::ffff:0.0.0.0")));
        assert!(many(&["::/0"]).contains(address("ffff::ffff")));
        assert!(!many(&["::/0"]).contains(address("0.0.0.0")));
        assert!(!many(&["::/0"]).contains(address("::ffff:1.2.3.4")));
        assert!(many(&["::1"]).contains(address("::1")));
        assert!(many(&["255.255.255.255"]).contains(address("255.255.255.255")));
        assert!(!many(&[]).contains(address("192.0.3.0")));
    }

    /// Ranges close together, so that they nest and touch.
    fn range() -> impl Strategy<Value = IpNet> {
        let v4 = (0_u32..64, 24_u8..=32).prop_map(|(low, length)| {
            format!("{}/{length}", std::net::Ipv4Addr::from(0x0a00_0000 | low))
        });
        let v6 = (any::<u8>(), 0_u8..=128).prop_map(|(low, length)| {
            format!("{}/{length}", std::net::Ipv6Addr::from(u128::from(low) << 64))
        });
        let mapped = (0_u32..64, 120_u8..=128).prop_map(|(low, length)| {
            format!("::ffff:{}/{length}", std::net::Ipv4Addr::from(0x0a00_0000 | low))
        });
        prop_oneof![v4, v6, mapped].prop_map(|text| parse_range(&text).expect("a range"))
    }

    fn address() -> impl Strategy<Value = IpAddr> {
        let v4 = (0_u32..64).prop_map(|low| std::net::Ipv4Addr::from(0x0a00_0000 | low));
        prop_oneof![
            v4.prop_map(IpAddr::V4),
            v4_mapped(),
            any::<u8>().prop_map(|low| IpAddr::V6((u128::from(low) << 64).into())),
            any::<u128>().prop_map(|bits| IpAddr::V6(bits.into())),
        ]
    }

    fn v4_mapped() -> impl Strategy<Value = IpAddr> {
        (0_u32..64).prop_map(|low| {
            IpAddr::V6(std::net::Ipv4Addr::from(0x0a00_0000 | low).to_ipv6_mapped())
        })
    }

    proptest! {
        #[test]
        fn ranges_that_share_an_address_meet(
            ours in proptest::collection::vec(range(), 0..12),
            theirs in proptest::collection::vec(range(), 0..12),
        ) {
            let pairs = ours.iter().flat_map(|ours| theirs.iter().map(move |theirs| (ours, theirs)));
            let mut ends = pairs.flat_map(|(ours, theirs)| {
                let low = [ours.network(), theirs.network()];
                low.into_iter().filter(move |low| ours.contains(low) && theirs.contains(low))
            });
            let share = ends.next().is_some();
            let (ours, theirs) = (AddressRanges::new(ours.clone()), AddressRanges::new(theirs.clone()));
            prop_assert_eq!(ours.meets(&theirs), share);
        }

        #[test]
        fn many_ranges_say_what_one_by_one_says(
            ranges in proptest::collection::vec(range(), 0..24),
            addresses in proptest::collection::vec(address(), 1..24),
        ) {
            let compiled = AddressRanges::new(ranges.clone());
            for address in addresses {
                let one_by_one = ranges.iter().any(|range| range.contains(&address.to_canonical()));
                prop_assert_eq!(compiled.contains(address), one_by_one, "{}", address);
            }
        }
    }
}
