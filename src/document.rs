//! A document somebody wrote: a tree of values, each with its place, so that every complaint can
//! name line and column. Knows YAML and JSON; knows nothing of what the values mean.

mod flow;
mod problem;
mod reader;
mod scalar;
mod yaml;

pub use flow::{flow_entry, quoted};
pub use problem::{Notice, Place, Problem, Problems, Weight};
pub use reader::{Section, nearest};
pub use yaml::{LoadError, load_json, load_yaml, load_yaml_within};

use std::cmp::Ordering;
use std::fmt;

/// One value of a document and where it stands.
#[derive(Clone, Debug)]
pub struct Node {
    pub value: Value,
    pub place: Place,
}

/// What a document can hold: the JSON model, with the order of map entries kept.
#[derive(Clone, Debug)]
pub enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One `key: value` of a map.
#[derive(Clone, Debug)]
pub struct Entry {
    pub key: String,
    pub place: Place,
    pub node: Node,
}

/// A number, compared by value: `7` equals `7.0`.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// The number without its fraction, if that is a whole number of moderate size.
    pub fn truncated(self) -> Option<i64> {
        match self {
            Self::Integer(integer) => i64::try_from(integer).ok(),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "bounded; the fraction is to be cut"
            )]
            Self::Float(float) => (float.abs() < 1e15).then_some(float as i64),
        }
    }
}

impl Number {
    /// Which of two numbers is greater, by value and without rounding; `None` for no number (NaN).
    pub fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Integer(integer), Self::Float(float)) => compare_mixed(integer, float),
            (Self::Float(float), Self::Integer(integer)) => {
                compare_mixed(integer, float).map(Ordering::reverse)
            }
        }
    }
}

fn compare_mixed(integer: i128, float: f64) -> Option<Ordering> {
    if float.abs() >= 2_f64.powi(127) {
        return Some(if float > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within bounds")]
    let floor = (!float.is_nan()).then(|| float.floor() as i128)?;
    let fraction =
        if float.fract() > 0.0 || float.fract() < 0.0 { Ordering::Less } else { Ordering::Equal };
    Some(integer.cmp(&floor).then(fraction))
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(b).is_some_and(Ordering::is_eq),
            (Self::Integer(integer), Self::Float(float))
            | (Self::Float(float), Self::Integer(integer)) => {
                exact_integer(*float) == Some(*integer)
            }
        }
    }
}

/// The integer a float is, if it is exactly one.
fn exact_integer(float: f64) -> Option<i128> {
    let whole = float.fract().partial_cmp(&0.0).is_some_and(Ordering::is_eq) && float.abs() < 1e38;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within bounds")]
    whole.then_some(float as i128)
}

impl Eq for Number {}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value}"),
        }
    }
}

impl Value {
    /// The kind of value, for a message: `a list`, `a number`, `nothing`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

impl Node {
    pub fn new(value: Value, place: Place) -> Self {
        Self { value, place }
    }

    /// Whether nothing is written here.
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The entries, if this is a map.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::List(_) => {
                None
            }
        }
    }

    /// The element at `index`, if this is a list that has it.
    pub fn item(&self, index: usize) -> Option<&Node> {
        match &self.value {
            Value::List(items) => items.get(index),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Map(_) => {
                None
            }
        }
    }

    /// The value under `key`, if this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.node)
    }
}
