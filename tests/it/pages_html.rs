//! What pages are made of: every text is escaped, nothing runs that is not in our script, forms are
//! guarded, and what people need who do not see is there.

use crate::support::page_samples::{Sample, Samples};
use lictor::pages::{CSRF_FIELD, Navigation, asset, path, security_headers};
use regex::Regex;
use std::collections::BTreeSet;

fn found(pattern: &str, html: &str) -> Vec<String> {
    let pattern = Regex::new(pattern).expect("a pattern");
    let all = pattern.captures_iter(html);
    all.map(|one| one.get(one.len() - 1).expect("a group").as_str().to_owned()).collect()
}

fn every(check: impl Fn(&Sample)) {
    let samples = Samples::plain().everything();
    assert!(samples.len() > 30, "some page has no sample");
    samples.iter().for_each(check);
}

#[test]
fn every_text_is_escaped() {
    const HOSTILE: &str = "<script>alert(1)</script>\"'&><img src=x onerror=alert(1)>";
    let hostile = Samples(|text| format!("{text}{HOSTILE}")).everything();
    for (plain, hostile) in Samples::plain().everything().iter().zip(&hostile) {
        let tags = |html: &str| found(r"<[a-zA-Z/!][^>]*", html).len();
        let name = &plain.name;
        assert_eq!(tags(&plain.html), tags(&hostile.html), "{name}: a tag came from a text");
        assert!(!hostile.html.contains("<img"), "{name}");
        assert_eq!(found(r"<script", &hostile.html).len(), found(r"<script", &plain.html).len());
        for attribute in found(r#"[a-z-]+="([^"]*)""#, &hostile.html) {
            assert!(!attribute.contains(['<', '>']), "{name}: {attribute}");
        }
        // Quotes of attributes are the only ones there are.
        let quotes = |html: &str| html.matches('"').count();
        assert_eq!(quotes(&plain.html), quotes(&hostile.html), "{name}: a quote came from a text");
    }
}

#[test]
fn names_of_samples_differ() {
    let names: Vec<_> =
        Samples::plain().everything().into_iter().map(|sample| sample.name).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
}

#[test]
fn nothing_is_inline() {
    every(|Sample { name, html }| {
        assert_eq!(found(r"\s(on[a-z]+|style|srcdoc)\s*=", html), [""; 0], "{name}");
        let scripts = found(r"<script([^>]*)>", html);
        assert!(scripts.iter().all(|script| script.contains("src=\"/.pomerium/assets/")), "{name}");
        assert!(!html.contains("javascript:"), "{name}");
        assert!(name == "refusal" || !html.contains("<style"), "{name}");
    });
}

#[test]
fn one_heading_a_title_and_a_language() {
    every(|Sample { name, html }| {
        assert_eq!(found(r"<(h1)", html).len(), 1, "{name}");
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\""), "{name}");
        let head = html.split("</head>").next().expect("a head");
        let titles = found(r"(?s)<title>(.*?)</title>", head);
        assert!(titles.len() == 1 && titles[0].len() > 8, "{name}: {titles:?}");
        assert_eq!(found(r"<(main)", html).len(), 1, "{name}");
    });
}

#[test]
fn forms_that_change_something_are_guarded() {
    let guard = format!("<input type=\"hidden\" name=\"{CSRF_FIELD}\" value=\"c5rf-");
    every(|Sample { name, html }| {
        for form in found(r"(?s)<form(.*?)</form>", html) {
            let search = form.contains("method=\"get\"") && form.contains("role=\"search\"");
            let post = form.contains("method=\"post\"") && form.contains(&guard);
            assert!(search ^ post, "{name}: {form}");
            assert!(!search || !form.contains(CSRF_FIELD), "{name}: {form}");
        }
        let links = found(r#"href="([^"]*)""#, html);
        assert!(links.iter().all(|link| !link.contains("c5rf")), "{name}");
    });
}

#[test]
fn every_field_has_a_label_and_every_id_is_one() {
    every(|Sample { name, html }| {
        let ids = found(r#"\sid="([^"]*)""#, html);
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name}: {ids:?}");
        let labels = found(r#"<label for="([^"]*)""#, html);
        for field in found(r"<(?:input|select)([^>]*)>", html) {
            let hidden = field.contains("type=\"hidden\"");
            let wrapped = field.contains("type=\"radio\"") || field.contains("type=\"checkbox\"");
            let id = found(r#"\bid="([^"]*)""#, &field);
            assert!(hidden || wrapped || labels.contains(&id[0]), "{name}: {field}");
        }
        for referred in found(r#"aria-(?:describedby|labelledby)="([^"]*)""#, html) {
            for id in referred.split(' ') {
                assert!(ids.iter().any(|known| known == id), "{name}: {id} is nowhere");
            }
        }
        for anchor in found(r##"href="#([^"]*)""##, html) {
            assert!(ids.contains(&anchor), "{name}: #{anchor} is nowhere");
        }
    });
}

#[test]
fn without_permission_there_is_nothing_of_impersonation() {
    let html = Samples::plain().person_page(Navigation::Person).render();
    for word in ["mpersonat", "somebody else", path::PEOPLE, path::PREVIEW, "admin/", "Sessions"] {
        assert!(!html.contains(word), "{word}");
    }
    let html = Samples::plain().administrator().render();
    assert!(html.contains("Sign in as somebody else"));
}

#[test]
fn what_was_typed_is_kept_and_the_password_is_not() {
    let samples = Samples::plain().all();
    let page =
        |name: &str| samples.iter().find(|sample| sample.name == name).expect(name).html.clone();
    let errors = page("my-page-errors");
    for typed in ["value=\"bob\"", "value=\"a b\"", "value=\"because\"", "\"30m0s\" selected"] {
        assert!(errors.contains(typed), "{typed}");
    }
    let wrong = page("sign-in-wrong");
    assert!(wrong.contains("name=\"login\" type=\"text\" value=\"ann\""));
    let password = found(r#"<input id="password"([^>]*)>"#, &wrong);
    assert!(!password[0].contains("value="), "{password:?}");
}

#[test]
fn a_failed_sign_in_does_not_say_which_field_was_wrong() {
    let samples = Samples::plain().all();
    let wrong = samples.iter().find(|sample| sample.name == "sign-in-wrong").expect("a page");
    let fields = found(r#"<input id="(?:login|password)"([^>]*)>"#, &wrong.html);
    assert_eq!(fields.len(), 2);
    for field in fields {
        assert!(field.contains("aria-invalid=\"true\" aria-describedby=\"trouble\""), "{field}");
    }
}

#[test]
fn the_band_has_a_way_out_on_every_page_that_has_it() {
    for name in ["my-page-acting", "my-page-refused"] {
        let samples = Samples::plain().all();
        let page = samples.iter().find(|sample| sample.name == name).expect(name);
        let bands = found(r#"(?s)<section class="band"(.*?)</section>"#, &page.html);
        assert_eq!(bands.len(), 1, "{name}");
        assert!(bands[0].contains(&format!("action=\"{}\"", path::STOP)), "{name}");
        assert!(bands[0].contains("bob@example.com"), "{name}");
    }
}

#[test]
fn assets_are_served_by_the_names_that_pages_use() {
    every(|Sample { name, html }| {
        for address in found(r#"(?:src|href)="(/\.pomerium/assets/[^"]*)""#, html) {
            let asset = asset(&address).unwrap_or_else(|| panic!("{name}: no {address}"));
            assert!(!asset.bytes.is_empty());
        }
    });
    assert_eq!(asset("/.pomerium/assets/style.css"), None);
    assert_eq!(asset("/.pomerium/assets/../secret"), None);
}

#[test]
fn style_and_script_load_nothing_and_make_no_markup() {
    let samples = Samples::plain().all();
    for address in found(r#"(?:src|href)="(/\.pomerium/assets/[^"]*)""#, &samples[0].html) {
        let text = String::from_utf8(asset(&address).expect("an asset").bytes.to_vec());
        let text = text.expect("UTF-8");
        let words =
            ["url(", "@import", "@font-face", "innerHTML", "outerHTML", "document.write", "eval("];
        for word in words {
            assert!(!text.contains(word), "{address}: {word}");
        }
    }
}

#[test]
fn pages_are_kept_to_themselves() {
    let headers = security_headers(&[]);
    let value = |name: &str| {
        let found = headers.iter().find(|(header, _)| header == name);
        found.expect(name).1.to_str().expect("ASCII").to_owned()
    };
    assert!(value("content-security-policy").starts_with("default-src 'none'; "));
    assert_eq!(value("x-content-type-options"), "nosniff");
    assert_eq!(value("cross-origin-opener-policy"), "same-origin");
    assert_eq!(value("cross-origin-resource-policy"), "same-origin");
    assert_eq!(value("cache-control"), "no-store");
    // With `no-referrer`, a form would be sent with `Origin: null` and refused.
    assert_eq!(value("referrer-policy"), "same-origin");
}
