//! The style sheet, the script and the icon, each under a name that holds its hash, so that browsers
//! may keep it for ever.

use super::path::ASSETS;
use crate::hex::hex;
use aws_lc_rs::digest::{SHA256, digest};
use http::header::{CACHE_CONTROL, HeaderName, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use std::sync::LazyLock;

/// A file that pages load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asset {
    pub bytes: &'static [u8],
    pub content_type: &'static str,
}

/// The headers of every asset, besides its type.
pub const ASSET_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

const STYLE: &[u8] = concat!(
    include_str!("assets/base.css"),
    include_str!("assets/style.css"),
    include_str!("assets/console.css")
)
.as_bytes();
const SCRIPT: &[u8] =
    concat!(include_str!("assets/script.js"), include_str!("assets/console.js")).as_bytes();
const ICON: &[u8] = include_bytes!("assets/icon.svg");

/// Bytes of a hash that a name keeps.
const NAMED: usize = 8;

struct Served {
    path: String,
    asset: Asset,
}

static STYLE_SERVED: LazyLock<Served> =
    LazyLock::new(|| served("style", "css", STYLE, "text/css; charset=utf-8"));
static SCRIPT_SERVED: LazyLock<Served> =
    LazyLock::new(|| served("script", "js", SCRIPT, "text/javascript; charset=utf-8"));
static ICON_SERVED: LazyLock<Served> =
    LazyLock::new(|| served("icon", "svg", ICON, "image/svg+xml"));

fn served(name: &str, ending: &str, bytes: &'static [u8], content_type: &'static str) -> Served {
    let hash = digest(&SHA256, bytes);
    let hash = hex(hash.as_ref().get(..NAMED).unwrap_or_default());
    Served { path: format!("{ASSETS}{name}.{hash}.{ending}"), asset: Asset { bytes, content_type } }
}

/// What is served at this path, if it is one of the three.
pub fn asset(path: &str) -> Option<Asset> {
    let all = [&STYLE_SERVED, &SCRIPT_SERVED, &ICON_SERVED];
    all.into_iter().find(|served| served.path == path).map(|served| served.asset)
}

pub(super) fn style_path() -> &'static str {
    &STYLE_SERVED.path
}

pub(super) fn script_path() -> &'static str {
    &SCRIPT_SERVED.path
}

pub(super) fn icon_path() -> &'static str {
    &ICON_SERVED.path
}
