//! The small languages criteria share: tests on one text, tests on a list, address ranges.

use crate::identity::ClaimValue;
use ipnet::IpNet;
use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr};

/// Tests on one text; all must hold. No test at all holds.
#[derive(Debug, Default)]
pub(super) struct StringMatch(pub(super) Vec<StringTest>);

#[derive(Debug)]
pub(super) enum StringTest {
    Is(ClaimValue),
    Not(ClaimValue),
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    In(HashSet<String>),
    NotIn(HashSet<String>),
}

impl StringMatch {
    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.iter().all(|test| test.holds(text))
    }

    /// As `matches`, with ASCII case folded on both sides.
    pub(super) fn matches_folded(&self, text: &str) -> bool {
        self.0.iter().all(|test| test.holds_folded(text))
    }
}

impl StringTest {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(value) => value.as_text() == Some(text),
            Self::Not(value) => value.as_text() != Some(text),
            Self::Contains(part) => text.contains(part.as_str()),
            Self::StartsWith(part) => text.starts_with(part.as_str()),
            Self::EndsWith(part) => text.ends_with(part.as_str()),
            Self::In(set) => set.contains(text),
            Self::NotIn(set) => !set.contains(text),
        }
    }

    fn holds_folded(&self, text: &str) -> bool {
        let text = text.to_ascii_lowercase();
        let folded = |part: &str| part.to_ascii_lowercase();
        let equal = |value: &ClaimValue| value.as_text().is_some_and(|other| folded(other) == text);
        match self {
            Self::Is(value) => equal(value),
            Self::Not(value) => !equal(value),
            Self::Contains(part) => text.contains(&folded(part)),
            Self::StartsWith(part) => text.starts_with(&folded(part)),
            Self::EndsWith(part) => text.ends_with(&folded(part)),
            Self::In(set) => set.iter().any(|other| folded(other) == text),
            Self::NotIn(set) => !set.iter().any(|other| folded(other) == text),
        }
    }
}

/// Tests on a list of values; all must hold. No test at all holds.
#[derive(Debug, Default)]
pub(super) struct ListMatch(pub(super) Vec<ListTest>);

#[derive(Debug)]
pub(super) enum ListTest {
    /// Some element equals it.
    Has(ClaimValue),
    /// There is exactly one element and it equals it.
    Is(ClaimValue),
    /// No element equals it.
    Exclude(ClaimValue),
}

impl ListMatch {
    pub(super) fn matches<'v>(
        &self,
        values: impl Fn() -> Box<dyn Iterator<Item = &'v ClaimValue> + 'v>,
    ) -> bool {
        self.0.iter().all(|test| match test {
            ListTest::Has(operand) => values().any(|value| value == operand),
            ListTest::Exclude(operand) => values().all(|value| value != operand),
            ListTest::Is(operand) => {
                let mut values = values();
                values.next() == Some(operand) && values.next().is_none()
            }
        })
    }

    pub(super) fn matches_texts(&self, texts: &[String]) -> bool {
        let has = |operand: &ClaimValue| {
            operand.as_text().is_some_and(|wanted| texts.iter().any(|text| text == wanted))
        };
        self.0.iter().all(|test| match test {
            ListTest::Has(operand) => has(operand),
            ListTest::Exclude(operand) => !has(operand),
            ListTest::Is(operand) => texts.len() == 1 && has(operand),
        })
    }
}

/// Address ranges. An IPv4-mapped IPv6 address is the IPv4 address, in the list and in the request.
#[derive(Debug, Default)]
pub(super) struct AddressMatch(Vec<IpNet>);

impl AddressMatch {
    pub(super) fn new(ranges: Vec<IpNet>) -> Self {
        Self(ranges)
    }

    pub(super) fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|range| range.contains(&address))
    }
}

/// Reads an address or a range. Host bits are dropped; leading zeros and zones are refused.
pub(super) fn parse_range(text: &str) -> Option<IpNet> {
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
    let address: Ipv4Addr = range.addr().to_ipv4_mapped()?;
    let length = range.prefix_len().checked_sub(96)?;
    IpNet::new(IpAddr::V4(address), length).ok()
}

#[cfg(test)]
mod tests {
    use super::{AddressMatch, parse_range};

    #[test]
    fn ranges() {
        let inside = |range: &str, address: &str| {
            let list = AddressMatch::new(vec![parse_range(range).expect(range)]);
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
}
