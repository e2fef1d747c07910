//! What was answered, read from a few bytes of the answer.

use anyhow::{Context, bail};
use bytes::Bytes;
use std::fmt;
use std::str::FromStr;

/// How a check was answered: what Envoy acts on.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Answer {
    /// The code of the `CheckResponse`, and the HTTP status a client would see; 200 stands for that of
    /// the upstream.
    Decided { code: u64, status: u64 },
    /// The call itself failed, with this gRPC status.
    Failed(u64),
    /// No gRPC answer: the HTTP status of the call, or 0 if the connection ended.
    None(u16),
}

impl fmt::Display for Answer {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decided { code, status } => write!(to, "{code} {status}"),
            Self::Failed(status) => write!(to, "grpc {status}"),
            Self::None(status) => write!(to, "http {status}"),
        }
    }
}

impl FromStr for Answer {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (first, second) = text.split_once(' ').context("two words, such as `0 200`")?;
        Ok(match first {
            "grpc" => Self::Failed(second.parse()?),
            "http" => Self::None(second.parse()?),
            code => Self::Decided { code: code.parse()?, status: second.parse()? },
        })
    }
}

// Numbers of the fields that are looked at, in `CheckResponse` and in what it holds.
const STATUS: u64 = 1;
const DENIED: u64 = 2;
const ERROR: u64 = 5;
const CODE: u64 = 1;

/// The answer in `frame`, a `CheckResponse` with the five bytes that gRPC puts before it.
pub(crate) fn read(frame: &Bytes) -> anyhow::Result<Answer> {
    let Some(message) = frame.get(5..) else { bail!("an answer without a message") };
    let (mut code, mut status) = (0, 200);
    for field in Fields(message) {
        match field? {
            (STATUS, Value::Inner(inner)) => code = number(inner, CODE)?.unwrap_or(0),
            (DENIED, Value::Inner(denied)) => status = http_status(denied)?.unwrap_or(403),
            (ERROR, Value::Inner(error)) => status = http_status(error)?.unwrap_or(500),
            _ => {}
        }
    }
    Ok(Answer::Decided { code, status })
}

/// `status.code`, of a `DeniedHttpResponse` or alike.
fn http_status(response: &[u8]) -> anyhow::Result<Option<u64>> {
    for field in Fields(response) {
        if let (STATUS, Value::Inner(inner)) = field? {
            return number(inner, CODE);
        }
    }
    Ok(None)
}

fn number(message: &[u8], wanted: u64) -> anyhow::Result<Option<u64>> {
    for field in Fields(message) {
        if let (name, Value::Number(number)) = field?
            && name == wanted
        {
            return Ok(Some(number));
        }
    }
    Ok(None)
}

/// The fields of a protobuf message, in the order in which they stand. Ends after a mistake.
struct Fields<'a>(&'a [u8]);

enum Value<'a> {
    Number(u64),
    Inner(&'a [u8]),
    Fixed,
}

impl<'a> Iterator for Fields<'a> {
    type Item = anyhow::Result<(u64, Value<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().context("an answer that is no message");
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                Value::Inner(self.take(usize::try_from(length).ok()?)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return None,
        };
        Some((key >> 3, value))
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}
