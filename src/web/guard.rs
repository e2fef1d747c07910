//! Whether a form comes from a page of ours: by what the browser says of where it is from, and by a
//! token that only a page shown to this session, or this browser, can hold.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The token of forms for whoever has this secret, on this host.
pub(super) fn token(secret: &str, host: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, format!("lictor form {host}").as_bytes());
    URL_SAFE_NO_PAD.encode(tag)
}

/// Whether a form was sent by a page of `page`'s host. A client that says nothing of where it comes
/// from is no browser of today; it needs the token all the same.
pub(super) fn is_same_origin(headers: &HeaderMap, page: &Url) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let own = page.origin().ascii_serialization();
    let origin = origins.all(|origin| origin.to_str().is_ok_and(|origin| origin == own));
    let mut sites = headers.get_all(FETCH_SITE).iter();
    origin && sites.all(|site| site == "same-origin")
}

/// Whether `given` is the token for this secret and host.
pub(super) fn is_token(given: &str, secret: &str, host: &str) -> bool {
    verify_slices_are_equal(given.as_bytes(), token(secret, host).as_bytes()).is_ok()
}
