//! The parts of a `CheckRequest` that decide, read where they lie.

use super::wire::{Fields, Value, WireError};
use crate::request::Headers;
use std::collections::BTreeMap;

/// What of `AttributeContext` decides.
#[derive(Debug, Default)]
pub(super) struct Attributes<'a> {
    pub(super) source: Option<Peer<'a>>,
    pub(super) destination: Option<Peer<'a>>,
    pub(super) http: Option<Http<'a>>,
    pub(super) sni: &'a str,
    pub(super) route_id: &'a str,
}

/// What of `AttributeContext.Peer` decides.
#[derive(Debug, Default)]
pub(super) struct Peer<'a> {
    pub(super) service: &'a str,
    pub(super) principal: &'a str,
    pub(super) certificate: &'a str,
    /// An address and port, if it is of that kind.
    pub(super) socket: Option<Socket<'a>>,
}

#[derive(Debug, Default)]
pub(super) struct Socket<'a> {
    pub(super) address: &'a str,
    pub(super) port: Option<u64>,
}

/// What of `AttributeContext.HttpRequest` decides.
#[derive(Debug, Default)]
pub(super) struct Http<'a> {
    pub(super) id: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) host: &'a str,
    pub(super) scheme: &'a str,
    pub(super) size: i64,
    pub(super) body: &'a str,
    pub(super) raw_body: &'a [u8],
    /// `header_map`, which keeps repeated headers apart and bytes as they were; `None` if it is empty.
    pub(super) list: Option<Headers>,
    /// `headers`; the later of two entries of one name counts.
    pub(super) map: BTreeMap<&'a str, &'a str>,
}

/// The attributes of a `CheckRequest`, if it has any.
pub(super) fn read(check: &[u8]) -> Result<Option<Attributes<'_>>, WireError> {
    let mut found = None;
    each(Fields::of(check), |field, value| match field {
        1 => once(&mut found, value, attributes),
        _ => Ok(()),
    })?;
    Ok(found)
}

fn each<'a>(
    mut fields: Fields<'a>,
    mut read: impl FnMut(u64, Value<'a>) -> Result<(), WireError>,
) -> Result<(), WireError> {
    while let Some((field, value)) = fields.next()? {
        read(field, value)?;
    }
    Ok(())
}

/// SECURITY: two messages where one belongs would be merged by some readers, and not by others.
fn once<'a, T>(
    slot: &mut Option<T>,
    value: Value<'a>,
    read: impl FnOnce(Fields<'a>) -> Result<T, WireError>,
) -> Result<(), WireError> {
    let before = slot.replace(read(value.fields()?)?);
    if before.is_some() { Err(WireError::Repeated) } else { Ok(()) }
}

fn attributes(fields: Fields<'_>) -> Result<Attributes<'_>, WireError> {
    let mut found = Attributes::default();
    let (mut request, mut tls) = (None, None);
    each(fields, |field, value| {
        match field {
            1 => once(&mut found.source, value, peer)?,
            2 => once(&mut found.destination, value, peer)?,
            4 => once(&mut request, value, request_of)?,
            10 => {
                let (name, text) = entry(value.fields()?)?;
                if name == "route_id" {
                    found.route_id = text;
                }
            }
            12 => once(&mut tls, value, |fields| text_of(fields, 1))?,
            _ => {}
        }
        Ok(())
    })?;
    found.http = request.flatten();
    found.sni = tls.unwrap_or_default();
    Ok(found)
}

/// `AttributeContext.Request`
fn request_of(fields: Fields<'_>) -> Result<Option<Http<'_>>, WireError> {
    let mut found = None;
    each(fields, |field, value| match field {
        2 => once(&mut found, value, http),
        _ => Ok(()),
    })?;
    Ok(found)
}

fn http(fields: Fields<'_>) -> Result<Http<'_>, WireError> {
    let mut found = Http::default();
    let mut list = None;
    each(fields, |field, value| {
        match field {
            1 => found.id = value.text()?,
            2 => found.method = value.text()?,
            3 => {
                let (name, text) = entry(value.fields()?)?;
                found.map.insert(name, text);
            }
            4 => found.path = value.text()?,
            5 => found.host = value.text()?,
            6 => found.scheme = value.text()?,
            9 => found.size = value.number()?.cast_signed(),
            11 => found.body = value.text()?,
            12 => found.raw_body = value.bytes()?,
            13 => {
                let bytes = value.bytes()?.len();
                once(&mut list, value, |fields| header_list(fields, bytes))?;
            }
            _ => {}
        }
        Ok(())
    })?;
    found.list = list.flatten();
    Ok(found)
}

/// `HeaderMap`
fn header_list(fields: Fields<'_>, bytes: usize) -> Result<Option<Headers>, WireError> {
    /// About as many as a browser sends and Envoy adds.
    const USUAL: usize = 32;
    let mut headers = None;
    each(fields, |field, value| {
        if field == 1 {
            let headers = headers.get_or_insert_with(|| Headers::with_capacity(USUAL, bytes));
            let (mut name, mut text, mut raw): (&[u8], &str, &[u8]) = (&[], "", &[]);
            each(value.fields()?, |field, value| {
                match field {
                    1 => name = value.bytes()?,
                    2 => text = value.text()?,
                    3 => raw = value.bytes()?,
                    _ => {}
                }
                Ok(())
            })?;
            if !name.is_ascii() && std::str::from_utf8(name).is_err() {
                return Err(WireError::NotText);
            }
            headers.add(name, if raw.is_empty() { text.as_bytes() } else { raw });
        }
        Ok(())
    })?;
    Ok(headers)
}

fn peer(fields: Fields<'_>) -> Result<Peer<'_>, WireError> {
    let mut found = Peer::default();
    let mut at = None;
    each(fields, |field, value| {
        match field {
            1 => once(&mut at, value, address)?,
            2 => found.service = value.text()?,
            4 => found.principal = value.text()?,
            5 => found.certificate = value.text()?,
            _ => {}
        }
        Ok(())
    })?;
    found.socket = at.flatten();
    Ok(found)
}

/// The `SocketAddress` in an `Address`, which is of one kind.
fn address(fields: Fields<'_>) -> Result<Option<Socket<'_>>, WireError> {
    let mut found = None;
    each(fields, |field, value| match field {
        1 => once(&mut found, value, |fields| socket(fields).map(Some)),
        2 | 3 => once(&mut found, value, |_| Ok(None)),
        _ => Ok(()),
    })?;
    Ok(found.flatten())
}

/// `SocketAddress`
fn socket(fields: Fields<'_>) -> Result<Socket<'_>, WireError> {
    let mut found = Socket::default();
    each(fields, |field, value| {
        match field {
            2 => found.address = value.text()?,
            3 => found.port = Some(value.number()?),
            4 => found.port = None,
            _ => {}
        }
        Ok(())
    })?;
    Ok(found)
}

/// An entry of a map from text to text.
fn entry(fields: Fields<'_>) -> Result<(&str, &str), WireError> {
    let (mut name, mut text) = ("", "");
    each(fields, |field, value| {
        match field {
            1 => name = value.text()?,
            2 => text = value.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((name, text))
}

/// The text in this field of a message.
fn text_of(fields: Fields<'_>, wanted: u64) -> Result<&str, WireError> {
    let mut text = "";
    each(fields, |field, value| {
        if field == wanted {
            text = value.text()?;
        }
        Ok(())
    })?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Message, WireError};
    use super::{Attributes, read};

    /// A message in these fields, the first the outermost.
    fn within(fields: &[u32], write: &mut dyn FnMut(&mut Message)) -> Vec<u8> {
        fn put(message: &mut Message, fields: &[u32], write: &mut dyn FnMut(&mut Message)) {
            match fields {
                [] => write(message),
                [field, rest @ ..] => message.message(*field, |inner| put(inner, rest, write)),
            }
        }
        let mut message = Message::default();
        put(&mut message, fields, write);
        message.into_bytes()
    }

    fn why(check: &[u8]) -> Option<WireError> {
        read(check).err()
    }

    const ATTRIBUTES: u32 = 1;
    const SOURCE: u32 = 1;
    const DESTINATION: u32 = 2;
    const REQUEST: u32 = 4;
    const HTTP: u32 = 2;
    const ADDRESS: u32 = 1;

    #[test]
    fn one_message_where_one_belongs() {
        let places: [(&[u32], u32); 9] = [
            (&[], ATTRIBUTES),
            (&[ATTRIBUTES], SOURCE),
            (&[ATTRIBUTES], DESTINATION),
            (&[ATTRIBUTES], REQUEST),
            (&[ATTRIBUTES], 12),
            (&[ATTRIBUTES, REQUEST], HTTP),
            (&[ATTRIBUTES, REQUEST, HTTP], 13),
            (&[ATTRIBUTES, SOURCE], ADDRESS),
            (&[ATTRIBUTES, DESTINATION, ADDRESS], 1),
        ];
        for (fields, field) in places {
            let times = |count: usize| {
                within(fields, &mut |message| {
                    (0..count).for_each(|_| message.message(field, |_| ()));
                })
            };
            assert_eq!(why(&times(1)), None, "{fields:?} {field}");
            assert_eq!(why(&times(2)), Some(WireError::Repeated), "{fields:?} {field}");
        }
    }

    #[test]
    fn an_address_is_of_one_kind() {
        let fields = [ATTRIBUTES, SOURCE, ADDRESS];
        let socket =
            |message: &mut Message| message.message(1, |socket| socket.text(2, "192.0.2.7"));
        let peer = |check: &[u8]| {
            let attributes: Attributes<'_> = read(check).expect("a check").expect("attributes");
            attributes.source.expect("a peer").socket.map(|socket| socket.address.to_owned())
        };
        assert_eq!(peer(&within(&fields, &mut |it| socket(it))).as_deref(), Some("192.0.2.7"));
        for other in [2, 3] {
            assert_eq!(peer(&within(&fields, &mut |it| it.message(other, |_| ()))), None);
            let after = within(&fields, &mut |it| {
                socket(it);
                it.message(other, |_| ());
            });
            let before = within(&fields, &mut |it| {
                it.message(other, |_| ());
                socket(it);
            });
            assert_eq!(why(&after), Some(WireError::Repeated));
            assert_eq!(why(&before), Some(WireError::Repeated));
        }
        let twice = within(&fields, &mut |it| {
            it.message(1, |socket| socket.text(2, "10.0.0.1"));
            socket(it);
        });
        assert_eq!(why(&twice), Some(WireError::Repeated));
    }

    #[test]
    fn a_field_of_another_type() {
        let text_where_a_number_belongs: [(&[u32], u32); 2] =
            [(&[ATTRIBUTES, REQUEST, HTTP], 9), (&[ATTRIBUTES, SOURCE, ADDRESS, 1], 3)];
        for (fields, field) in text_where_a_number_belongs {
            let check = within(fields, &mut |message| message.text(field, "x"));
            assert_eq!(why(&check), Some(WireError::Mistyped), "{fields:?} {field}");
        }
        let number_where_more_belongs: [(&[u32], u32); 6] = [
            (&[], ATTRIBUTES),
            (&[ATTRIBUTES], SOURCE),
            (&[ATTRIBUTES, SOURCE], 4),
            (&[ATTRIBUTES, REQUEST, HTTP], 3),
            (&[ATTRIBUTES, REQUEST, HTTP], 12),
            (&[ATTRIBUTES, REQUEST, HTTP, 13], 1),
        ];
        for (fields, field) in number_where_more_belongs {
            let check = within(fields, &mut |message| message.number(field, 1));
            assert_eq!(why(&check), Some(WireError::Mistyped), "{fields:?} {field}");
        }
    }
}
