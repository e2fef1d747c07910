//! Whole lists, sent part by part as they are read.

use super::problem::Problem;
use super::table::Export;
use super::{Api, Arrived, Call, csv, read};
use crate::api::auth::Asked;
use crate::api::error::{ApiError, Violation};
use crate::api::handlers::Handlers;
use crate::api::message as m;
use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How a list is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// An array.
    Json,
    /// One thing on each line.
    Lines,
    Table(Vec<csv::Column>),
}

/// Where a part stands in the whole.
#[derive(Clone, Copy, Debug)]
struct Part {
    first: bool,
    last: bool,
}

/// So many are read at once.
const AT_ONCE: u32 = 200;

impl Export {
    /// How it can be written, the usual way first.
    pub(in crate::api) fn formats(self) -> [&'static str; 2] {
        match self {
            Self::Accounts => ["csv", "json"],
            Self::Activity => ["ndjson", "csv"],
        }
    }

    fn thing(self) -> &'static str {
        match self {
            Self::Accounts => "ServiceAccount",
            Self::Activity => "ActivityEntry",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Accounts => "service-accounts",
            Self::Activity => "activity",
        }
    }
}

/// Answers an export. What can be refused is refused before anything is sent.
pub(super) async fn answer(
    api: &Api,
    call: &Call,
    arrived: Arrived,
    export: Export,
) -> Result<Response, Problem> {
    let asked = api.gate.anyone(&call.parts, arrived).await?;
    let (format, kind, ending) = format(call, export)?;
    let mut members = read::parameters(call, read::request(call))?;
    members.insert("limit".to_owned(), AT_ONCE.into());
    members.remove("cursor");
    let request = Value::Object(members);
    let handlers = api.handlers.clone();
    let body = match export {
        Export::Accounts => begin(Accounts(parsed(request)?), handlers, asked, format).await?,
        Export::Activity => begin(Activity(parsed(request)?), handlers, asked, format).await?,
    };
    let mut response = body.into_response();
    let file = format!("attachment; filename=\"{}.{ending}\"", export.name());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.extend(super::header(CONTENT_DISPOSITION, &file));
    Ok(response)
}

fn parsed<Q: DeserializeOwned>(request: Value) -> Result<Q, Problem> {
    let read = serde_path_to_error::deserialize(request);
    read.map_err(|error| {
        ApiError::field(&error.path().to_string(), error.inner().to_string()).into()
    })
}

fn format(call: &Call, export: Export) -> Result<(Format, &'static str, &'static str), Problem> {
    let query = call.parts.uri.query().unwrap_or_default();
    let mut given =
        url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "format");
    let [usual, other] = export.formats();
    let wanted = given.next().map(|(_, text)| text.into_owned()).unwrap_or(usual.to_owned());
    let known = given.next().is_none() && (wanted == usual || wanted == other);
    let table = || Format::Table(csv::columns(export.thing()));
    match wanted.as_str() {
        "csv" if known => Ok((table(), "text/csv; charset=utf-8; header=present", "csv")),
        "json" if known => Ok((Format::Json, "application/json", "json")),
        "ndjson" if known => Ok((Format::Lines, "application/x-ndjson", "ndjson")),
        _ => {
            let message = format!("write `{usual}` or `{other}`");
            Err(ApiError::from(Violation::new("format", message)).into())
        }
    }
}

/// A list that is read part by part.
trait List: Send + 'static {
    /// The next part, and whether there are more.
    fn part(
        &mut self,
        handlers: &Handlers,
        asked: &Asked,
    ) -> impl Future<Output = Result<(Vec<Value>, bool), ApiError>> + Send;
}

struct Accounts(m::ListServiceAccountsRequest);
struct Activity(m::ListActivityRequest);

impl List for Accounts {
    async fn part(
        &mut self,
        handlers: &Handlers,
        asked: &Asked,
    ) -> Result<(Vec<Value>, bool), ApiError> {
        let request = self.0.clone();
        let part = handlers.list_service_accounts(&asked.by, request, asked.moment()).await?;
        self.0.cursor = part.next_cursor;
        Ok((values(&part.service_accounts)?, !self.0.cursor.is_empty()))
    }
}

impl List for Activity {
    async fn part(
        &mut self,
        handlers: &Handlers,
        asked: &Asked,
    ) -> Result<(Vec<Value>, bool), ApiError> {
        let part = handlers.list_activity(&asked.by, self.0.clone(), asked.moment()).await?;
        self.0.cursor = part.next_cursor;
        Ok((values(&part.entries)?, !self.0.cursor.is_empty()))
    }
}

fn values<T: Serialize>(things: &[T]) -> Result<Vec<Value>, ApiError> {
    let written = things.iter().map(serde_json::to_value).collect::<Result<_, _>>();
    written.map_err(|error| {
        let detail = format!("an entry cannot be written: {error}");
        ApiError::new(crate::api::ErrorKind::Internal, "fault", detail)
    })
}

/// An export under way.
struct Going<L> {
    list: L,
    handlers: Handlers,
    asked: Asked,
    format: Format,
    /// What was read and not sent, and whether there is more.
    read: (Vec<Value>, bool),
    sent: bool,
    over: bool,
}

/// Reads the first part, so that a refusal can still be told, and sends the rest as it is wanted.
async fn begin<L: List>(
    mut list: L,
    handlers: Handlers,
    asked: Asked,
    format: Format,
) -> Result<Body, Problem> {
    let read = list.part(&handlers, &asked).await?;
    let going = Going { list, handlers, asked, format, read, sent: false, over: false };
    let parts = stream::try_unfold(going, async |mut going| {
        if going.over {
            return Ok::<_, ApiError>(None);
        }
        if going.read.0.is_empty() && going.read.1 {
            going.read = going.list.part(&going.handlers, &going.asked).await?;
        }
        let text = going.text();
        Ok(Some((text, going)))
    });
    Ok(Body::from_stream(parts))
}

impl<L> Going<L> {
    fn text(&mut self) -> Bytes {
        let things = std::mem::take(&mut self.read.0);
        let first = !std::mem::replace(&mut self.sent, true);
        self.over = !self.read.1;
        let written = self.format.written(&things, Part { first, last: self.over });
        Bytes::from(written)
    }
}

impl Format {
    /// A part, with what stands before the first and after the last.
    fn written(&self, things: &[Value], part: Part) -> String {
        let Part { first, last } = part;
        let mut text = String::new();
        match self {
            Self::Lines => {
                for thing in things {
                    text.push_str(&thing.to_string());
                    text.push('\n');
                }
            }
            Self::Table(columns) => {
                text += &if first { csv::head(columns) } else { String::new() };
                for thing in things {
                    text += &csv::row(columns, thing);
                }
            }
            Self::Json => {
                text += if first { "[\n" } else { "" };
                for (at, thing) in things.iter().enumerate() {
                    let comma = if first && at == 0 { "" } else { ",\n" };
                    text.push_str(comma);
                    text.push_str(&thing.to_string());
                }
                text += if last { "\n]\n" } else { "" };
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Format, Part};
    use serde_json::{Value, json};
    use std::slice;

    #[test]
    fn parts_make_one_document() {
        let (one, two) = (json!({"id": "1"}), json!({"id": "2"}));
        let json = |parts: &[&[Value]]| {
            let last = parts.len() - 1;
            let written = parts.iter().enumerate().map(|(at, things)| {
                Format::Json.written(things, Part { first: at == 0, last: at == last })
            });
            serde_json::from_str::<Value>(&written.collect::<String>()).expect("JSON")
        };
        assert_eq!(json(&[&[]]), json!([]));
        assert_eq!(json(&[&[one.clone(), two.clone()]]), json!([one, two]));
        assert_eq!(json(&[slice::from_ref(&one), slice::from_ref(&two)]), json!([one, two]));
        assert_eq!(json(&[slice::from_ref(&one), &[]]), json!([one]));
        let lines = Format::Lines.written(&[one, two], Part { first: true, last: true });
        assert_eq!(lines, "{\"id\":\"1\"}\n{\"id\":\"2\"}\n");
    }
}
