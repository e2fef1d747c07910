//! Claims: JSON values read without tolerance, flattened, and looked up by path.

use crate::document::{Number, quoted};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

/// A JSON value. Numbers compare by value; a repeated member makes the whole text unreadable.
#[derive(Clone, Debug)]
pub enum ClaimValue {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<ClaimValue>),
    Map(BTreeMap<String, ClaimValue>),
}

impl PartialEq for ClaimValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            _ => false,
        }
    }
}

impl ClaimValue {
    /// Reads JSON text, refusing repeated members at every depth.
    ///
    /// # Errors
    /// Text that is not exactly one JSON value.
    pub fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(bytes);
        let value = StrictSeed.deserialize(&mut reader)?;
        reader.end()?;
        Ok(value)
    }

    /// As JSON text.
    pub fn to_json(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Number(Number::Integer(integer)) => integer.to_string(),
            Self::Number(Number::Float(float)) => format!("{float:?}"),
            Self::Text(text) => quoted(text),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(Self::to_json).collect();
                format!("[{}]", items.join(", "))
            }
            Self::Map(members) => {
                let member = |(name, value): (&String, &Self)| {
                    format!("{}: {}", quoted(name), value.to_json())
                };
                let members: Vec<String> = members.iter().map(member).collect();
                format!("{{{}}}", members.join(", "))
            }
        }
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The value as it is written in a header; `None` for lists, maps and null.
    pub fn scalar_text(&self) -> Option<String> {
        match self {
            Self::Bool(value) => Some(value.to_string()),
            Self::Number(value) => Some(value.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::Null | Self::List(_) | Self::Map(_) => None,
        }
    }
}

impl<'de> Deserialize<'de> for ClaimValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        StrictSeed.deserialize(deserializer)
    }
}

struct StrictSeed;

impl<'de> DeserializeSeed<'de> for StrictSeed {
    type Value = ClaimValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<ClaimValue, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StrictSeed {
    type Value = ClaimValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Number(Number::Integer(value.into())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Number(Number::Integer(value.into())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Number(Number::Float(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<ClaimValue, E> {
        Ok(ClaimValue::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<ClaimValue, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(StrictSeed)? {
            items.push(item);
        }
        Ok(ClaimValue::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ClaimValue, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value_seed(StrictSeed)?;
            if members.insert(name, value).is_some() {
                return Err(de::Error::custom("a member is repeated"));
            }
        }
        Ok(ClaimValue::Map(members))
    }
}

/// What an identity provider said about somebody: claim name → values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Claims(BTreeMap<String, ClaimValue>);

/// How many segments a claim path may have to be walked through nested maps.
const WALKED_SEGMENTS: std::ops::RangeInclusive<usize> = 2..=5;

impl Claims {
    /// Takes claims as they are, already flattened or not.
    pub fn new(claims: BTreeMap<String, ClaimValue>) -> Self {
        Self(claims)
    }

    /// Flattens: nested maps join with `.`, a list stays a list, any other value becomes a list of
    /// one, an empty map disappears. Names are not changed.
    pub fn flatten(raw: BTreeMap<String, ClaimValue>) -> Self {
        let mut flat = BTreeMap::new();
        flatten_into(&mut flat, None, raw);
        Self(flat)
    }

    pub fn as_map(&self) -> &BTreeMap<String, ClaimValue> {
        &self.0
    }

    /// The values at `path`: the literal name if there is one, else a walk through nested maps with
    /// `.` and `/` as separators. A map gives its values; a bare scalar gives nothing.
    pub fn values(&self, path: &str) -> impl Iterator<Item = &ClaimValue> {
        let (items, members) = match self.0.get(path).or_else(|| self.walk(path)) {
            Some(ClaimValue::List(items)) => (items.as_slice(), None),
            Some(ClaimValue::Map(members)) => (&[][..], Some(members)),
            Some(
                ClaimValue::Null
                | ClaimValue::Bool(_)
                | ClaimValue::Number(_)
                | ClaimValue::Text(_),
            )
            | None => (&[][..], None),
        };
        items.iter().chain(members.into_iter().flat_map(BTreeMap::values))
    }

    fn walk(&self, path: &str) -> Option<&ClaimValue> {
        let segments = || path.split(['.', '/']);
        if !WALKED_SEGMENTS.contains(&segments().count()) {
            return None;
        }
        let mut segments = segments();
        let first = self.0.get(segments.next()?)?;
        segments.try_fold(first, |value, segment| match value {
            ClaimValue::Map(members) => members.get(segment),
            ClaimValue::Null
            | ClaimValue::Bool(_)
            | ClaimValue::Number(_)
            | ClaimValue::Text(_)
            | ClaimValue::List(_) => None,
        })
    }
}

fn flatten_into(
    flat: &mut BTreeMap<String, ClaimValue>,
    prefix: Option<&str>,
    raw: BTreeMap<String, ClaimValue>,
) {
    for (name, value) in raw {
        let name = match prefix {
            Some(prefix) => format!("{prefix}.{name}"),
            None => name,
        };
        match value {
            ClaimValue::Map(members) => flatten_into(flat, Some(&name), members),
            ClaimValue::List(items) => {
                flat.insert(name, ClaimValue::List(items));
            }
            scalar @ (ClaimValue::Null
            | ClaimValue::Bool(_)
            | ClaimValue::Number(_)
            | ClaimValue::Text(_)) => {
                flat.insert(name, ClaimValue::List(vec![scalar]));
            }
        }
    }
}
