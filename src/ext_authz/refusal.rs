//! A refusal as an HTTP answer: status, headers and body. Says little: the reason is in the log.

use super::negotiate::{Form, form, is_browser};
use super::page;
use crate::assertion::safe_value;
use crate::authorizer::{Mcp, Record, Refusal};
use crate::pages::RefusalPage;
use crate::policy::DenyReason;
use crate::request::Request;
use crate::signed_url;
use crate::state::{Settings, SignIn};
use crate::time::Timestamp;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, RETRY_AFTER, SET_COOKIE,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue};
use serde_json::json;
use url::{Position, Url};

/// Marks an answer that did not come from the upstream.
const INTERCEPTED: HeaderName = HeaderName::from_static("x-pomerium-intercepted-response");

/// The longest address a sign-in returns to; beyond it, to the start of the site.
const MAX_RETURN: usize = 4096;

/// An answer to a client.
#[derive(Debug)]
pub(super) struct HttpAnswer {
    pub(super) status: u16,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: String,
}

/// JSON-RPC 2.0 §5.1.
const INVALID_PARAMS: i32 = -32602;

/// The query parameter that says which kind of device is wanted.
const DEVICE_TYPE: &str = "pomerium_device_type";

/// The words for a status: what it is called, and one sentence for a person.
struct Words {
    status: u16,
    title: &'static str,
    sentence: &'static str,
}

const fn words(reason: &DenyReason) -> Words {
    let (title, sentence) = match reason {
        DenyReason::Malformed(_) => {
            ("Bad Request", "This request can be read in more than one way.")
        }
        DenyReason::NoRoute => ("Not Found", "Nothing is served at this address."),
        DenyReason::RouteMismatch => {
            ("Forbidden", "This request does not belong to the route it came by.")
        }
        DenyReason::ClientCertificate => {
            ("Client Certificate Required", "A valid client certificate is needed here.")
        }
        DenyReason::Unauthenticated(_) => ("Unauthenticated", "You need to sign in to see this."),
        DenyReason::ImpersonationNotPermitted => {
            ("Forbidden", "You may not act as somebody else here.")
        }
        DenyReason::DeviceUnauthenticated(_) => {
            ("Device Required", "You need to register this device to see this.")
        }
        DenyReason::DeviceUnauthorized => {
            ("Device Not Allowed", "This device may not be used here.")
        }
        // Opaque: whoever holds a token need not learn what it is kept from.
        DenyReason::Forbidden | DenyReason::OutOfNamespace => {
            ("Forbidden", "You do not have access to this.")
        }
        DenyReason::Fault => {
            ("Internal Server Error", "Something went wrong on our side. Nothing was let through.")
        }
    };
    Words { status: reason.status(), title, sentence }
}

/// Words a refusal for the client that asked.
pub(super) fn answer(
    request: &Request,
    refusal: &Refusal,
    record: &Record,
    settings: &Settings,
    now: Timestamp,
) -> HttpAnswer {
    let words = words(&refusal.reason);
    let mut answer = match (&refusal.reason, form(request)) {
        (reason, Form::Html | Form::Json | Form::Plain) if is_robots(request, reason) => robots(),
        (DenyReason::Unauthenticated(_) | DenyReason::DeviceUnauthenticated(_), form) => {
            unauthenticated(request, refusal, record, form, settings, now)
        }
        (DenyReason::Forbidden | DenyReason::OutOfNamespace, _)
            if matches!(refusal.mcp, Some(Mcp::ToolCall { .. })) =>
        {
            tool_refused(refusal)
        }
        (_, form) => written(form, &words, request, refusal, record),
    };
    add_configured(&mut answer, &settings.response_headers);
    answer.headers.push((CACHE_CONTROL, HeaderValue::from_static("no-store")));
    answer.headers.push((X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")));
    answer.headers.push((INTERCEPTED, HeaderValue::from_static("true")));
    answer
}

/// What a client is told of whose request nothing is known.
pub(super) fn bare(status: u16, body: &str) -> HttpAnswer {
    let headers = [
        (CONTENT_TYPE, "text/plain; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (INTERCEPTED, "true"),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    HttpAnswer { status, headers: headers.to_vec(), body: body.to_owned() }
}

/// What a client is told for which there is no room.
pub(super) fn busy() -> HttpAnswer {
    let mut answer = bare(503, "Service Unavailable");
    answer.headers.push((RETRY_AFTER, HeaderValue::from_static("1")));
    answer
}

/// Headers of the operator's, save those that say what an answer of ours is.
fn add_configured(answer: &mut HttpAnswer, configured: &[(HeaderName, HeaderValue)]) {
    let ours = [
        CONTENT_TYPE,
        LOCATION,
        SET_COOKIE,
        WWW_AUTHENTICATE,
        CACHE_CONTROL,
        CONTENT_SECURITY_POLICY,
    ];
    let theirs = configured.iter().filter(|(name, _)| !ours.contains(name));
    answer.headers.extend(theirs.cloned());
}

fn is_robots(request: &Request, reason: &DenyReason) -> bool {
    let answered = matches!(
        reason,
        DenyReason::Unauthenticated(_)
            | DenyReason::Forbidden
            | DenyReason::OutOfNamespace
            | DenyReason::DeviceUnauthenticated(_)
            | DenyReason::DeviceUnauthorized
            | DenyReason::ImpersonationNotPermitted
    );
    answered && request.method == "GET" && request.raw_path == "/robots.txt"
}

fn robots() -> HttpAnswer {
    HttpAnswer {
        status: 200,
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("text/plain"))],
        body: "User-agent: *\nDisallow: /\n".to_owned(),
    }
}

/// A redirect to where people sign in, or register a device, for a browser; 401 with a challenge for
/// everybody else.
fn unauthenticated(
    request: &Request,
    refusal: &Refusal,
    record: &Record,
    form: Form,
    settings: &Settings,
    now: Timestamp,
) -> HttpAnswer {
    let browser = is_browser(request) && !refusal.token_outside_cookie && refusal.mcp.is_none();
    let sign_in = settings.sign_in.as_ref().filter(|_| browser);
    let location = sign_in.and_then(|sign_in| {
        if let DenyReason::DeviceUnauthenticated(kind) = &refusal.reason {
            enrolment(kind, sign_in, request, now)
        } else {
            sign_in_location(sign_in, request, now)
        }
    });
    let Some(location) = location else {
        let mut answer = written(form, &words(&refusal.reason), request, refusal, record);
        answer.headers.extend(challenge(request));
        return answer;
    };
    let mut headers = vec![(LOCATION, location)];
    if refusal.clear_cookie {
        let name = &settings.cookie_name;
        headers.extend(expired_cookie(name));
        headers.extend(
            (1..=refusal.cookie_chunks)
                .filter_map(|chunk| expired_cookie(&format!("{name}_{chunk}"))),
        );
    }
    HttpAnswer { status: 302, headers, body: String::new() }
}

fn sign_in_location(sign_in: &SignIn, request: &Request, now: Timestamp) -> Option<HeaderValue> {
    let page = format!("{}/.pomerium/sign_in", &sign_in.url[..Position::BeforePath]);
    let back = way_back(sign_in, request);
    safe_value(&signed_url::sign_redirect(&page, &back, sign_in.key.expose(), now))
}

/// The page of the route's own host where a device of this kind is registered.
fn enrolment(
    kind: &str,
    sign_in: &SignIn,
    request: &Request,
    now: Timestamp,
) -> Option<HeaderValue> {
    let mut url = Url::parse(&format!("https://{}/.pomerium/webauthn", request.raw_host)).ok()?;
    let back = way_back(sign_in, request);
    url.query_pairs_mut().append_pair(DEVICE_TYPE, kind).append_pair(signed_url::REDIRECT, &back);
    safe_value(signed_url::sign(url, sign_in.key.expose(), now).as_str())
}

/// The page that was wanted, to return to.
fn way_back(sign_in: &SignIn, request: &Request) -> String {
    let wanted = request.url(sign_in.url.scheme());
    // A browser refuses a Location that is too long, and would be left with nothing.
    if wanted.len() > MAX_RETURN {
        format!("{}://{}/", sign_in.url.scheme(), request.raw_host)
    } else {
        wanted
    }
}

/// A refused tool call, as JSON-RPC 2.0 has it: the HTTP exchange itself went well.
fn tool_refused(refusal: &Refusal) -> HttpAnswer {
    let id = match &refusal.mcp {
        Some(Mcp::ToolCall { id }) => serde_json::from_str(id).unwrap_or_default(),
        Some(Mcp::Other) | None => serde_json::Value::Null,
    };
    let error = json!({ "code": INVALID_PARAMS, "message": "access to this tool is denied" });
    let body = json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string();
    let headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    HttpAnswer { status: 200, headers, body }
}

/// RFC 9110 §11.6.1 wants a challenge with every 401.
fn challenge(request: &Request) -> Option<(HeaderName, HeaderValue)> {
    let host = request.target.as_ref().map(|target| target.host.to_string()).unwrap_or_default();
    Some((WWW_AUTHENTICATE, safe_value(&format!("Pomerium realm=\"{host}\""))?))
}

fn expired_cookie(name: &str) -> Option<(HeaderName, HeaderValue)> {
    Some((SET_COOKIE, safe_value(&format!("{name}=; Path=/; Max-Age=0; HttpOnly; Secure"))?))
}

fn written(
    form: Form,
    words: &Words,
    request: &Request,
    refusal: &Refusal,
    record: &Record,
) -> HttpAnswer {
    let typed = |text| vec![(CONTENT_TYPE, HeaderValue::from_static(text))];
    let plain = |status| HttpAnswer {
        status,
        headers: typed("text/plain; charset=utf-8"),
        body: words.title.to_owned(),
    };
    match form {
        Form::Html => {
            let mut headers = typed("text/html; charset=utf-8");
            headers.push((CONTENT_SECURITY_POLICY, RefusalPage::content_security_policy()));
            HttpAnswer {
                status: words.status,
                headers,
                body: page::render(
                    words.status,
                    words.title,
                    words.sentence,
                    request,
                    refusal,
                    record,
                ),
            }
        }
        Form::Json => HttpAnswer {
            status: words.status,
            headers: typed("application/json"),
            body: json!({ "error": words.title, "request_id": request.id.as_str() }).to_string(),
        },
        Form::Plain => plain(words.status),
        Form::Grpc => HttpAnswer { headers: grpc_status(words), ..plain(words.status) },
        Form::GrpcWeb => {
            let mut headers = typed("application/grpc-web");
            headers.extend(grpc_status(words));
            HttpAnswer { status: 200, headers, body: String::new() }
        }
        Form::Kubernetes => HttpAnswer {
            status: words.status,
            headers: typed("application/json"),
            body: kubernetes(words),
        },
    }
}

/// Envoy makes HTTP 200 of a refused gRPC call; these tell the rest.
fn grpc_status(words: &Words) -> Vec<(HeaderName, HeaderValue)> {
    let code = match words.status {
        400 => "13",
        401 => "16",
        403 => "7",
        404 => "12",
        _ => "2",
    };
    vec![
        (HeaderName::from_static("grpc-status"), HeaderValue::from_static(code)),
        (HeaderName::from_static("grpc-message"), HeaderValue::from_static(words.title)),
    ]
}

/// `meta/v1` Status, which kubectl shows to its user.
fn kubernetes(words: &Words) -> String {
    let reason = match words.status {
        401 | 495 => "Unauthorized",
        403 => "Forbidden",
        404 => "NotFound",
        _ => "",
    };
    let message = if words.status == 495 { words.sentence } else { words.title };
    json!({
        "apiVersion": "v1",
        "kind": "Status",
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": words.status,
    })
    .to_string()
}
