//! The wire format of Protocol Buffers, as far as a check needs it: fields of a message that is read where
//! it lies, and messages that are written once, without values in between.

/// A message that cannot be read. The words say nothing of what was in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    #[error("it ends in the middle of a field")]
    CutOff,
    #[error("a number in it is longer than 64 bits")]
    TooLong,
    #[error("it has a field of a kind that there is not")]
    UnknownKind,
    #[error("a field in it has another type than it should")]
    Mistyped,
    #[error("a text in it is not UTF-8")]
    NotText,
    #[error("a message stands in it twice where one belongs")]
    Repeated,
}

/// The value of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number(u64),
    /// Of 32 or 64 bits that never vary.
    Fixed,
    Bytes(&'a [u8]),
}

/// The fields of a message, in the order they come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Value<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], WireError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Number(_) | Self::Fixed => Err(WireError::Mistyped),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, WireError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| WireError::NotText)
    }

    pub(super) fn fields(self) -> Result<Fields<'a>, WireError> {
        Ok(Fields::of(self.bytes()?))
    }

    pub(super) fn number(self) -> Result<u64, WireError> {
        match self {
            Self::Number(number) => Ok(number),
            Self::Bytes(_) | Self::Fixed => Err(WireError::Mistyped),
        }
    }
}

impl<'a> Fields<'a> {
    pub(super) fn of(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The number and value of the next field; `None` at the end.
    #[inline]
    pub(super) fn next(&mut self) -> Result<Option<(u64, Value<'a>)>, WireError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| WireError::CutOff)?;
                Value::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            _ => return Err(WireError::UnknownKind),
        };
        Ok(Some((key >> 3, value)))
    }

    #[inline]
    fn take(&mut self, length: usize) -> Result<&'a [u8], WireError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(WireError::CutOff)?;
        self.rest = rest;
        Ok(taken)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, WireError> {
        match self.rest {
            // Most are of one byte.
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, WireError> {
        let mut number = 0;
        for (index, byte) in self.rest.iter().enumerate().take(10) {
            // The tenth byte has one bit left.
            if index == 9 && *byte > 1 {
                return Err(WireError::TooLong);
            }
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = self.rest.get(index + 1..).unwrap_or_default();
                return Ok(number);
            }
        }
        Err(if self.rest.len() < 10 { WireError::CutOff } else { WireError::TooLong })
    }
}

/// A message under way.
#[derive(Debug, Default)]
pub(super) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) fn number(&mut self, field: u32, number: u64) {
        self.key(field, 0);
        self.varint(number);
    }

    pub(super) fn text(&mut self, field: u32, text: &str) {
        self.key(field, 2);
        self.varint(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// One text of two parts.
    pub(super) fn joined(&mut self, field: u32, parts: [&str; 2]) {
        self.key(field, 2);
        self.varint(parts.iter().map(|part| part.len() as u64).sum());
        for part in parts {
            self.bytes.extend_from_slice(part.as_bytes());
        }
    }

    /// A message inside. Its length is known only afterwards: one byte is left for it, and more made if it
    /// is long.
    pub(super) fn message(&mut self, field: u32, write: impl FnOnce(&mut Self)) {
        self.key(field, 2);
        let place = self.bytes.len();
        self.bytes.push(0);
        write(self);
        let mut length = self.bytes.len() - place - 1;
        let (mut varint, mut used) = ([0_u8; 10], 0);
        for slot in &mut varint {
            *slot = u8::try_from(length & 0x7f).unwrap_or_default();
            used += 1;
            length >>= 7;
            if length == 0 {
                break;
            }
            *slot |= 0x80;
        }
        self.bytes.splice(place..=place, varint.into_iter().take(used));
    }

    fn key(&mut self, field: u32, kind: u32) {
        self.varint(u64::from(field << 3 | kind));
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
            number >>= 7;
        }
        self.bytes.push(u8::try_from(number).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::{Fields, Message, Value, WireError};

    fn all(bytes: &[u8]) -> Result<Vec<(u64, Value<'_>)>, WireError> {
        let (mut fields, mut found) = (Fields::of(bytes), Vec::new());
        while let Some(field) = fields.next()? {
            found.push(field);
        }
        Ok(found)
    }

    #[test]
    fn what_is_written_is_read() {
        for length in [0, 1, 127, 128, 300, 16_383, 16_384, 70_000] {
            let text = "x".repeat(length);
            let mut message = Message::default();
            message.number(1, u64::MAX);
            message.message(700, |inner| {
                inner.text(2, &text);
                inner.message(3, |_| ());
            });
            let bytes = message.into_bytes();
            let found = all(&bytes).expect("fields");
            assert_eq!(found[0], (1, Value::Number(u64::MAX)));
            assert_eq!(found[1].0, 700);
            let inner = all(found[1].1.bytes().expect("a message")).expect("fields");
            assert_eq!(inner, [(2, Value::Bytes(text.as_bytes())), (3, Value::Bytes(b""))]);
        }
    }

    #[test]
    fn what_is_no_message() {
        let check = |bytes: &[u8], expected| assert_eq!(all(bytes), Err(expected), "{bytes:?}");
        check(&[0x08], WireError::CutOff);
        check(&[0x0a, 5, 1], WireError::CutOff);
        check(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], WireError::CutOff);
        check(&[0x09, 1, 2, 3], WireError::CutOff);
        check(&[0x0b], WireError::UnknownKind);
        check(&[0x0c], WireError::UnknownKind);
        check(&[0x0e], WireError::UnknownKind);
        check(&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], WireError::TooLong);
        check(&[0xff; 12], WireError::TooLong);
        assert_eq!(Value::Bytes(&[0xff]).text(), Err(WireError::NotText));
        assert_eq!(Value::Number(1).bytes(), Err(WireError::Mistyped));
        assert_eq!(Value::Fixed.number(), Err(WireError::Mistyped));
    }
}
