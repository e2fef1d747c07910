//! Somebody with a browser, by plain HTTP: keeps cookies, follows redirects as far as they are told to,
//! and fills in forms. Hosts below `localhost` are this machine, as for browsers.

use reqwest::redirect::Policy;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use url::Url;

/// A browser.
#[derive(Debug, Default)]
pub struct Visitor {
    /// By host: browsers keep cookies by host, whatever the port.
    cookies: BTreeMap<String, BTreeMap<String, String>>,
    /// Whom to trust, in PEM; without one, the CAs of the machine.
    ca: Option<String>,
}

/// What a browser shows.
#[derive(Clone, Debug)]
pub struct Page {
    pub url: Url,
    pub status: u16,
    /// Where it leads, if it is a redirect.
    pub location: Option<Url>,
    /// Lines of `set-cookie`.
    pub cookies: Vec<String>,
    pub body: String,
}

impl Visitor {
    /// Somebody whose browser trusts this CA alone.
    pub fn trusting(ca: Option<String>) -> Self {
        Self { ca, ..Self::default() }
    }

    /// Asks once.
    pub async fn get(&mut self, url: &Url) -> Page {
        self.ask(url, None).await
    }

    /// Sends a form.
    pub async fn post(&mut self, url: &Url, form: &[(&str, &str)]) -> Page {
        self.ask(url, Some(form)).await
    }

    /// Follows redirects until there is none, or until one leads to `end`.
    pub async fn follow(&mut self, mut page: Page, end: &str) -> Page {
        for _ in 0..20 {
            match page.location.clone().or_else(|| page.leads_on()) {
                Some(next) if !next.as_str().starts_with(end) => page = self.get(&next).await,
                _ => return page,
            }
        }
        panic!("redirects without end: {}", page.url);
    }

    /// Sends the form of a page with these fields besides the hidden ones.
    pub async fn submit(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let action = regex::Regex::new(r#"<form[^>]*action="([^"]*)""#).expect("a pattern");
        let hidden = regex::Regex::new(r#"<input type="hidden" name="([^"]*)" value="([^"]*)""#);
        let target = match action.captures(&page.body) {
            Some(found) => {
                page.url.join(&found[1].replace("&amp;", "&").replace("&#38;", "&")).expect("a URL")
            }
            None => page.url.clone(),
        };
        let hidden = hidden.expect("a pattern");
        let mut all: Vec<(&str, &str)> = fields.to_vec();
        for found in hidden.captures_iter(&page.body) {
            all.push((
                found.get(1).expect("a name").as_str(),
                found.get(2).expect("a value").as_str(),
            ));
        }
        self.post(&target, &all).await
    }

    async fn ask(&mut self, url: &Url, form: Option<&[(&str, &str)]>) -> Page {
        let host = url.host_str().expect("a host").to_owned();
        let port = url.port_or_known_default().expect("a port");
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .resolve(&host, SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let ca = self.ca.as_ref().map(|pem| reqwest::Certificate::from_pem(pem.as_bytes()));
        let client = match ca {
            Some(ca) => client.tls_certs_only([ca.expect("a certificate")]),
            None => client,
        };
        let client = client.build().expect("a client");
        let mut request = match form {
            None => client.get(url.clone()),
            Some(form) => {
                let body = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(form)
                    .finish();
                let request = client.post(url.clone()).body(body);
                request
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("origin", url.origin().ascii_serialization())
                    .header("sec-fetch-site", "same-origin")
            }
        };
        let jar = self.cookies.entry(host).or_default();
        if !jar.is_empty() {
            let pairs: Vec<String> =
                jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", pairs.join("; "));
        }
        let answer = request.header("accept", "text/html").send().await.expect("an answer");
        let cookies = answer.headers().get_all("set-cookie").iter();
        let cookies: Vec<String> =
            cookies.map(|line| line.to_str().expect("text").to_owned()).collect();
        cookies.iter().for_each(|line| keep(jar, line));
        let location = answer.headers().get("location").map(|to| to.to_str().expect("text"));
        let location = location.map(|to| url.join(to).expect("a URL"));
        let status = answer.status().as_u16();
        let body = answer.text().await.expect("a body");
        Page { url: url.clone(), status, location, cookies, body }
    }
}

impl Page {
    /// Where a page leads by itself, as one does after a form.
    pub fn leads_on(&self) -> Option<Url> {
        let (_, rest) = self.body.split_once("http-equiv=\"refresh\" content=\"0;url=")?;
        let (target, _) = rest.split_once('"')?;
        self.url.join(&target.replace("&#38;", "&")).ok()
    }
}

/// Keeps a cookie, or forgets one that has expired.
fn keep(jar: &mut BTreeMap<String, String>, line: &str) {
    let (pair, rest) = line.split_once(';').unwrap_or((line, ""));
    let (name, value) = pair.split_once('=').expect("a cookie");
    let rest = rest.to_ascii_lowercase();
    if value.is_empty() || rest.contains("expires=thu, 01 jan 1970") || rest.contains("max-age=0") {
        jar.remove(name);
    } else {
        jar.insert(name.to_owned(), value.to_owned());
    }
}
