//! Google's types that have a JSON of their own: an instant, a length of time, the names of fields.
//! Written here, because what reads them must neither panic nor take what is out of range.

use crate::time::{self, parse_duration};
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;
use prost::Message;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration as Span;

/// `google.protobuf.Timestamp`; in JSON RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub struct Timestamp {
    /// Since 1970-01-01T00:00:00Z.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `google.protobuf.Duration`; in JSON `86400s`, and read also as `24h`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub struct Duration {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `google.protobuf.FieldMask`; in JSON with commas between.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct FieldMask {
    #[prost(string, repeated, tag = "1")]
    pub paths: Vec<String>,
}

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const FIRST: i64 = -62_135_596_800;
const LAST: i64 = 253_402_300_799;
const NANOS: i32 = 1_000_000_000;

impl Timestamp {
    /// An instant of ours, moved into the range of RFC 3339.
    pub fn of(at: time::Timestamp) -> Self {
        Self { seconds: at.unix().clamp(FIRST, LAST), nanos: 0 }
    }

    /// The whole second in which it lies; `None` for what is no instant.
    pub fn read(self) -> Option<time::Timestamp> {
        let good = (FIRST..=LAST).contains(&self.seconds) && (0..NANOS).contains(&self.nanos);
        good.then(|| time::Timestamp::from_unix(self.seconds))
    }

    /// RFC 3339, in UTC.
    pub fn text(self) -> String {
        let (seconds, nanos) = (self.seconds.clamp(FIRST, LAST), self.nanos.clamp(0, NANOS - 1));
        let at = epoch().checked_add(SignedDuration::new(seconds, nanos));
        at.map(|at| format!("{at}Z")).unwrap_or_default()
    }

    /// Reads RFC 3339.
    pub fn parse(text: &str) -> Option<Self> {
        // A blank between date and time, or a zone in brackets, is no RFC 3339.
        if !text.is_ascii() || text.contains([' ', '[']) {
            return None;
        }
        let pieces = Pieces::parse(text).ok()?;
        let (date, time) = (pieces.date(), pieces.time()?);
        let offset = i64::from(pieces.to_numeric_offset()?.seconds());
        let since = date.to_datetime(time).duration_since(epoch());
        // Towards the past, so that the rest is never negative.
        let nanos = since.subsec_nanos().rem_euclid(NANOS);
        let whole = since.as_secs() - i64::from(since.subsec_nanos() < 0);
        let read = Self { seconds: whole - offset, nanos };
        read.read().map(|_| read)
    }
}

fn epoch() -> DateTime {
    DateTime::constant(1970, 1, 1, 0, 0, 0, 0)
}

impl Duration {
    pub fn of(span: Span) -> Self {
        Self { seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX), nanos: 0 }
    }

    /// `None` for what is negative or inconsistent.
    pub fn read(self) -> Option<Span> {
        let nanos = u32::try_from(self.nanos).ok().filter(|_| self.nanos < NANOS)?;
        Some(Span::new(u64::try_from(self.seconds).ok()?, nanos))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom("write a time as `2030-01-31T12:00:00Z` (RFC 3339)");
        Self::parse(&text).ok_or_else(wrong)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { seconds, nanos } = *self;
        let text = match nanos {
            0 => format!("{seconds}s"),
            nanos => format!("{seconds}.{:09}s", nanos.unsigned_abs()),
        };
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom("write a length of time as `86400s` or `24h`");
        let span = parse_duration(&text).map_err(|_| wrong())?;
        let nanos = i32::try_from(span.subsec_nanos()).map_err(|_| wrong())?;
        Ok(Self { seconds: i64::try_from(span.as_secs()).map_err(|_| wrong())?, nanos })
    }
}

impl Serialize for FieldMask {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.paths.join(","))
    }
}

impl<'de> Deserialize<'de> for FieldMask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let paths = text.split(',').filter(|path| !path.is_empty());
        Ok(Self { paths: paths.map(str::to_owned).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::{Duration, FieldMask, Timestamp};
    use serde_json::{from_str, to_string};
    use std::time::Duration as Span;

    #[test]
    fn instants() {
        let read = |text: &str| from_str::<Timestamp>(&format!("\"{text}\"")).ok();
        let check = |text: &str, seconds, nanos, written: &str| {
            let at = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((at.seconds, at.nanos), (seconds, nanos), "{text}");
            assert_eq!(to_string(&at).expect("writes"), format!("\"{written}\""));
        };
        check("2030-01-31T12:00:00Z", 1_896_091_200, 0, "2030-01-31T12:00:00Z");
        check("2030-01-31T12:00:00+02:00", 1_896_084_000, 0, "2030-01-31T10:00:00Z");
        check("2030-01-31T12:00:00.25Z", 1_896_091_200, 250_000_000, "2030-01-31T12:00:00.25Z");
        check("1969-12-31T23:59:59.75Z", -1, 750_000_000, "1969-12-31T23:59:59.75Z");
        check("9999-12-31T23:59:59Z", super::LAST, 0, "9999-12-31T23:59:59Z");
        check("0001-01-01T00:00:00Z", super::FIRST, 0, "0001-01-01T00:00:00Z");
        for text in [
            "",
            "now",
            "2030-01-31",
            "2030-01-31T12:00:00",
            "2030-01-31 12:00:00Z",
            "2030-01-31T12:00:00Z[UTC]",
            "2030-02-30T12:00:00Z",
            "0000-12-31T23:59:59Z",
            "-000001-01-01T00:00:00Z",
            "99999-01-01T00:00:00Z",
            "1896091200",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert!(from_str::<Timestamp>("1896091200").is_err(), "no number");
    }

    #[test]
    fn instants_of_the_wire_are_judged() {
        let read =
            |seconds, nanos| Timestamp { seconds, nanos }.read().map(crate::time::Timestamp::unix);
        assert_eq!(read(7, 999_999_999), Some(7));
        for (seconds, nanos) in [(i64::MAX, 0), (i64::MIN, 0), (7, -1), (7, i32::MAX)] {
            assert_eq!(read(seconds, nanos), None);
            // Never a panic, whatever came.
            let _ = to_string(&Timestamp { seconds, nanos }).expect("writes");
        }
    }

    #[test]
    fn lengths_of_time() {
        let read = |text: &str| from_str::<Duration>(&format!("\"{text}\"")).ok();
        let span = |text: &str| read(text).and_then(Duration::read);
        assert_eq!(span("86400s"), Some(Span::from_hours(24)));
        assert_eq!(span("24h"), Some(Span::from_hours(24)));
        assert_eq!(span("1.5s"), Some(Span::from_millis(1500)));
        assert_eq!(span("0s"), Some(Span::ZERO));
        for text in ["", "5", "-5s", "--9223372036854775808s", "1d", "s", "1.0000000000000000000s"]
        {
            assert_eq!(span(text), None, "{text}");
        }
        assert_eq!(to_string(&Duration::of(Span::from_hours(1))).expect("writes"), "\"3600s\"");
        for (seconds, nanos) in [(-1, 0), (1, -1), (i64::MIN, i32::MIN), (1, i32::MAX)] {
            assert_eq!(Duration { seconds, nanos }.read(), None);
            let _ = to_string(&Duration { seconds, nanos }).expect("writes");
        }
    }

    #[test]
    fn names_of_fields() {
        let mask: FieldMask = from_str("\"description,expires_at\"").expect("reads");
        assert_eq!(mask.paths, ["description", "expires_at"]);
        assert_eq!(to_string(&mask).expect("writes"), "\"description,expires_at\"");
        assert_eq!(from_str::<FieldMask>("\"\"").expect("reads").paths, [""; 0]);
    }
}
