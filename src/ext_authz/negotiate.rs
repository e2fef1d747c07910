//! What kind of client is asking, and in which form it reads an answer.

use crate::request::{Headers, Request};

/// The form of a refusal's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Html,
    Json,
    Plain,
    Grpc,
    GrpcWeb,
    /// A Kubernetes `Status` object.
    Kubernetes,
}

/// The media types a refusal can be offered in, in order of preference.
const OFFERS: [(&str, Form); 6] = [
    ("text/html", Form::Html),
    ("application/json", Form::Json),
    ("text/plain", Form::Plain),
    ("application/grpc-web-text", Form::GrpcWeb),
    ("application/grpc-web+proto", Form::GrpcWeb),
    ("application/grpc+proto", Form::Grpc),
];

/// How many ranges of `Accept` are looked at. Browsers send about ten.
const MAX_RANGES: usize = 32;

/// The form in which this client reads a refusal.
pub(super) fn form(request: &Request) -> Form {
    let agent = request.headers.first_text("user-agent").unwrap_or_default();
    if agent.contains("kubernetes/") {
        return Form::Kubernetes;
    }
    grpc(&request.headers).or_else(|| accepted(&request.headers)).unwrap_or(Form::Html)
}

/// Whether a redirect to a sign-in page would be followed by a person: not by gRPC, scripts, sockets,
/// and clients that asked for something other than a page.
pub(super) fn is_browser(request: &Request) -> bool {
    let headers = &request.headers;
    let is = |name: &str, value: &str| {
        headers.first_text(name).is_some_and(|text| text.trim().eq_ignore_ascii_case(value))
    };
    let script = is("x-requested-with", "XMLHttpRequest") || is("upgrade", "websocket");
    let fetched = headers.first_text("sec-fetch-mode").is_some_and(|mode| mode != "navigate");
    let page = matches!(accepted(headers), None | Some(Form::Html));
    grpc(headers).is_none() && !script && !fetched && page
}

fn grpc(headers: &Headers) -> Option<Form> {
    let media = headers.first_text("content-type")?.split(';').next()?.trim().to_ascii_lowercase();
    if media == "application/grpc" || media.starts_with("application/grpc+") {
        return Some(Form::Grpc);
    }
    let web = media == "application/grpc-web-text"
        || media == "application/grpc-web"
        || media.starts_with("application/grpc-web+")
        || media.starts_with("application/grpc-web-text+");
    web.then_some(Form::GrpcWeb)
}

/// The first range of `Accept`, by quality and then by precision, that names something we offer.
fn accepted(headers: &Headers) -> Option<Form> {
    let header = headers.combined("accept")?;
    let mut ranges: Vec<(u32, u8, &str)> =
        header.split(',').take(MAX_RANGES).filter_map(range).collect();
    ranges.sort_by_key(|(quality, precision, _)| {
        (std::cmp::Reverse(*quality), std::cmp::Reverse(*precision))
    });
    ranges.into_iter().find_map(|(_, _, media)| {
        OFFERS.iter().find(|(offer, _)| covers(media, offer)).map(|(_, form)| *form)
    })
}

/// `(quality in thousandths, precision, media range)`. A missing or zero quality counts as one.
fn range(text: &str) -> Option<(u32, u8, &str)> {
    let mut parts = text.split(';').map(str::trim);
    let media = parts.next().filter(|media| media.contains('/'))?;
    let quality =
        parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
    let quality = quality.and_then(thousandths).filter(|quality| *quality > 0).unwrap_or(1000);
    let precision = match media {
        "*/*" => 0,
        _ if media.ends_with("/*") => 1,
        _ => 2,
    };
    Some((quality, precision, media))
}

fn thousandths(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let value = whole.parse::<u32>().ok()?.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
    Some(value.min(1000))
}

fn covers(range: &str, offer: &str) -> bool {
    match range.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => {
            offer.split('/').next().is_some_and(|offered| offered.eq_ignore_ascii_case(kind))
        }
        None => range.eq_ignore_ascii_case(offer),
    }
}

#[cfg(test)]
mod tests {
    use super::{Form, form, is_browser};
    use crate::request::{Headers, Request};

    fn with(headers: &[(&str, &str)]) -> Request {
        let lines =
            headers.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Request { headers: Headers::from_lines(lines), ..Request::unknown() }
    }

    #[test]
    fn browsers_and_others() {
        let check = |headers: &[(&str, &str)], browser| {
            assert_eq!(is_browser(&with(headers)), browser, "{headers:?}");
        };
        check(&[], true);
        check(&[("accept", "")], true);
        check(&[("accept", "*/*")], true);
        check(&[("accept", "image/*")], true);
        check(&[("accept", "text/html,application/xhtml+xml,*/*;q=0.8")], true);
        check(&[("accept", "application/json;q=0.5, text/html")], true);
        check(&[("accept", "application/json")], false);
        check(&[("accept", "text/plain")], false);
        check(&[("accept", "application/json, text/plain, */*")], false);
        check(&[("accept", "application/json;q=0.9, text/*;q=0.8")], false);
        check(&[("accept", "text/html"), ("x-requested-with", "xmlhttprequest")], false);
        check(&[("accept", "text/html"), ("content-type", "application/grpc")], false);
        check(&[("content-type", "application/grpc+proto")], false);
        check(&[("content-type", "application/grpc-web+proto")], false);
        check(&[("content-type", "application/grpcx")], true);
        check(&[("upgrade", "websocket")], false);
        check(&[("sec-fetch-mode", "cors"), ("accept", "*/*")], false);
        check(&[("sec-fetch-mode", "navigate"), ("accept", "text/html")], true);
    }

    #[test]
    fn forms() {
        let check = |headers: &[(&str, &str)], expected| {
            assert_eq!(form(&with(headers)), expected, "{headers:?}");
        };
        check(&[], Form::Html);
        check(&[("accept", "application/json")], Form::Json);
        check(&[("accept", "text/plain")], Form::Plain);
        check(&[("accept", "text/html"), ("content-type", "application/grpc")], Form::Grpc);
        check(&[("content-type", "application/grpc-web-text")], Form::GrpcWeb);
        check(
            &[
                ("user-agent", "kubectl/v1.20 (linux/amd64) kubernetes/abc"),
                ("accept", "application/json"),
            ],
            Form::Kubernetes,
        );
    }
}
