//! Refusals as problem details (RFC 9457): status, a word for programs, and every field with a pointer
//! to it.

use crate::api::error::{ApiError, ErrorKind, Violation};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::time::Duration;

/// A refusal, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    violations: Vec<Violation>,
    wait: Option<Duration>,
    request_id: String,
}

impl Problem {
    fn plain(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let (violations, request_id) = (Vec::new(), String::new());
        Self { status, code, detail: detail.into(), violations, wait: None, request_id }
    }

    /// With `based`, the change named a version.
    pub(super) fn of(error: ApiError, based: bool) -> Self {
        let ApiError { kind, code, detail, violations, wait } = error;
        let status = status(kind, based);
        Self { violations, wait, ..Self::plain(status, code, detail) }
    }

    pub(super) fn nowhere() -> Self {
        Self::plain(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
    }

    pub(super) fn not_allowed() -> Self {
        let detail = "this method does nothing here; `Allow` names those that do";
        Self::plain(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    pub(super) fn too_large(most: usize) -> Self {
        let detail = format!("send at most {most} bytes");
        Self::plain(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    }

    pub(super) fn media_type(wanted: &str) -> Self {
        let detail = format!("send it as `{wanted}`");
        Self::plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail)
    }

    /// The same, for a call that has a name.
    pub(super) fn of_request(self, request_id: &str) -> Self {
        Self { request_id: request_id.to_owned(), ..self }
    }

    fn json(&self) -> Value {
        let title = self.status.canonical_reason().unwrap_or_default();
        let mut told = json!({
            "type": "about:blank",
            "title": title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
        });
        if let Value::Object(members) = &mut told {
            if !self.request_id.is_empty() {
                members.insert("request_id".to_owned(), self.request_id.clone().into());
            }
            if !self.violations.is_empty() {
                let errors = self.violations.iter().map(|violation| {
                    json!({"pointer": pointer(&violation.field), "detail": violation.message})
                });
                members.insert("errors".to_owned(), errors.collect());
            }
        }
        told
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        Self::of(error, true)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = [(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
        let mut response = (self.status, kind, self.json().to_string()).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.wait {
            headers.insert(RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        response
    }
}

fn status(kind: ErrorKind, based: bool) -> StatusCode {
    match (kind, based) {
        (ErrorKind::Invalid, _) => StatusCode::BAD_REQUEST,
        (ErrorKind::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
        (ErrorKind::Forbidden, _) => StatusCode::FORBIDDEN,
        (ErrorKind::NotFound, _) => StatusCode::NOT_FOUND,
        (ErrorKind::Changed, true) => StatusCode::PRECONDITION_FAILED,
        (ErrorKind::Exists | ErrorKind::Precondition | ErrorKind::Changed, _) => {
            StatusCode::CONFLICT
        }
        (ErrorKind::Exhausted, _) => StatusCode::TOO_MANY_REQUESTS,
        (ErrorKind::Unavailable, _) => StatusCode::SERVICE_UNAVAILABLE,
        (ErrorKind::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A JSON pointer as a fragment (RFC 6901 §6) of a field such as `headers[3].name`.
fn pointer(field: &str) -> String {
    let steps = field.split(['.', '[', ']']).filter(|step| !step.is_empty());
    let steps = steps.map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")));
    let text: String = steps.collect();
    let safe = |c: char| c.is_ascii_alphanumeric() || "/-_~".contains(c);
    let mut encoded = String::from("#");
    for byte in text.bytes() {
        let c = char::from(byte);
        if safe(c) {
            encoded.push(c);
        } else {
            encoded.extend(['%', hexadecimal(byte >> 4), hexadecimal(byte & 15)]);
        }
    }
    encoded
}

/// A digit in upper case; `digit` is below 16.
fn hexadecimal(digit: u8) -> char {
    char::from_digit(u32::from(digit), 16).unwrap_or('0').to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::{Problem, pointer};
    use crate::admin::{AdminError, FieldError, What};
    use crate::api::error::{ApiError, ErrorKind};
    use crate::namespace::Role;
    use crate::store::StoreError;
    use axum::response::IntoResponse as _;
    use serde_json::json;

    fn status(error: AdminError) -> u16 {
        Problem::of(error.into(), true).into_response().status().as_u16()
    }

    #[test]
    fn every_refusal_has_its_status() {
        let told = [
            (AdminError::Invalid(Vec::new()), 400),
            (AdminError::NotFound(What::Route), 404),
            (AdminError::Forbidden { role: Role::Admin, place: "in Global".into() }, 403),
            (AdminError::Refused("no".into()), 409),
            (AdminError::InUse("used".into()), 409),
            (AdminError::Taken("name"), 409),
            (AdminError::Changed, 412),
            (AdminError::NotFresh, 403),
            (AdminError::Unavailable(StoreError::unavailable("away")), 503),
            (AdminError::Unavailable(StoreError::corrupt("rot")), 500),
        ];
        for (error, expected) in told {
            let text = error.to_string();
            assert_eq!(status(error), expected, "{text}");
        }
        let unbased = Problem::of(AdminError::Changed.into(), false);
        assert_eq!(unbased.status.as_u16(), 409);
    }

    #[test]
    fn nothing_of_the_inside_is_told() {
        let error = AdminError::Unavailable(StoreError::unavailable("postgres://u:p@db/x"));
        let told = Problem::of(error.into(), false).json().to_string();
        assert!(!told.contains("postgres"), "{told}");
    }

    #[test]
    fn a_problem_points_to_every_field() {
        let fields = ["name", "expires_at"].map(|field| FieldError { field, message: "x".into() });
        let problem = Problem::of(AdminError::Invalid(fields.to_vec()).into(), false);
        let expected = json!({
            "type": "about:blank",
            "title": "Bad Request",
            "status": 400,
            "detail": "`name`, `expires_at` cannot be taken as written",
            "code": "invalid",
            "request_id": "r-7",
            "errors": [
                {"pointer": "#/name", "detail": "x"},
                {"pointer": "#/expires_at", "detail": "x"},
            ],
        });
        assert_eq!(problem.of_request("r-7").json(), expected);
    }

    #[test]
    fn pointers() {
        assert_eq!(pointer(""), "#");
        assert_eq!(pointer("."), "#");
        assert_eq!(pointer("groups.ids[3]"), "#/groups/ids/3");
        assert_eq!(pointer("a/b~c d\"é"), "#/a~1b~0c%20d%22%C3%A9");
    }

    #[test]
    fn headers_tell_how_to_go_on() {
        let error = ApiError::new(ErrorKind::Unauthenticated, "x", "x");
        let response = Problem::of(error, false).into_response();
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let error = ApiError::new(ErrorKind::Exhausted, "x", "x");
        let wait = Some(std::time::Duration::from_secs(8));
        let response = Problem::of(ApiError { wait, ..error }, false).into_response();
        assert_eq!(response.headers()["retry-after"], "8");
    }
}
