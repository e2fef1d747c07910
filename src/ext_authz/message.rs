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
    let mut address = None;
    each(fields, |field, value| {
        match field {
            1 => once(&mut address, value, socket)?,
            2 => found.service = value.text()?,
            4 => found.principal = value.text()?,
            5 => found.certificate = value.text()?,
            _ => {}
        }
        Ok(())
    })?;
    found.socket = address.flatten();
    Ok(found)
}

/// The `SocketAddress` in an `Address`. Of several kinds of address the last counts.
fn socket(fields: Fields<'_>) -> Result<Option<Socket<'_>>, WireError> {
    let mut found = None;
    each(fields, |field, value| {
        match field {
            1 => {
                let mut socket = Socket::default();
                each(value.fields()?, |field, value| {
                    match field {
                        2 => socket.address = value.text()?,
                        3 => socket.port = Some(value.number()?),
                        4 => socket.port = None,
                        _ => {}
                    }
                    Ok(())
                })?;
                found = Some(socket);
            }
            2 | 3 => found = None,
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
