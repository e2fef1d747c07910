//! The headers that keep a page to itself.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use url::Origin;

const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// What a page may not use. Only `clipboard-write` is used, by the buttons that copy.
const PERMISSIONS: &str = "camera=(), clipboard-read=(), clipboard-write=(self), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()";

/// The headers of every page, besides its type.
///
/// `form_targets`: where else a form of this page may lead. Chromium holds every redirect that
/// follows a form against this list: after a sign-in the host one lands on, after a sign-out the
/// authenticate host and the provider. A page whose form is answered with an `OnwardPage`, or with a
/// redirect to the same host, needs none.
///
/// The referrer policy is `same-origin`: with `no-referrer`, browsers send `Origin: null` with a form.
pub fn security_headers(form_targets: &[Origin]) -> Vec<(HeaderName, HeaderValue)> {
    let fixed = |name, value| (name, HeaderValue::from_static(value));
    vec![
        (CONTENT_SECURITY_POLICY, content_security_policy(form_targets)),
        fixed(X_CONTENT_TYPE_OPTIONS, "nosniff"),
        fixed(REFERRER_POLICY, "same-origin"),
        fixed(HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        fixed(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        fixed(HeaderName::from_static("permissions-policy"), PERMISSIONS),
        fixed(X_FRAME_OPTIONS, "DENY"),
        fixed(CACHE_CONTROL, "no-store"),
    ]
}

/// An origin that could be read as more than one is no target.
fn content_security_policy(form_targets: &[Origin]) -> HeaderValue {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/[]".contains(&byte);
    let origins = form_targets.iter().filter(|origin| origin.is_tuple());
    let targets = origins.map(Origin::ascii_serialization).filter(|text| text.bytes().all(plain));
    let policy = targets.fold(POLICY.to_owned(), |policy, target| format!("{policy} {target}"));
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(POLICY))
}

#[cfg(test)]
mod tests {
    use super::security_headers;
    use http::header::CONTENT_SECURITY_POLICY;
    use url::Url;

    fn policy(targets: &[&str]) -> String {
        let origins: Vec<_> =
            targets.iter().map(|url| Url::parse(url).expect("a URL").origin()).collect();
        let headers = security_headers(&origins);
        let found = headers.into_iter().find(|(name, _)| name == CONTENT_SECURITY_POLICY);
        found.expect("a policy").1.to_str().expect("ASCII").to_owned()
    }

    #[test]
    fn forms_lead_nowhere_else_unless_told() {
        assert!(policy(&[]).ends_with("; form-action 'self'"));
        let two = policy(&["https://app.example.com/a;b", "http://auth.localhost:8080/"]);
        assert!(
            two.ends_with(
                "; form-action 'self' https://app.example.com http://auth.localhost:8080"
            )
        );
    }

    #[test]
    fn a_target_cannot_add_a_directive() {
        for hostile in [
            "data:text/html,a;script-src *",
            "file:///;script-src *",
            "javascript:1",
            "https://a;sandbox",
            "https://*.example.com",
        ] {
            assert_eq!(policy(&[hostile]), policy(&[]));
        }
    }

    #[test]
    fn nothing_inline_runs() {
        assert!(!policy(&[]).contains("unsafe"));
    }
}
