//! A browser by plain HTTP: keeps the cookies of each host, follows where it is led, fills in forms.

use super::http::{Reply, exchange_body};
use crate::pages::CSRF_FIELD;
use anyhow::{Context, anyhow};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use url::{Url, form_urlencoded};

/// A browser whose every host is behind one Envoy.
#[derive(Debug)]
pub struct Browser {
    gateway: SocketAddr,
    jars: BTreeMap<String, BTreeMap<String, String>>,
    trail: Vec<String>,
}

/// Where a browser has come to.
#[derive(Debug)]
pub struct Page {
    pub url: Url,
    pub reply: Reply,
}

/// How far a browser lets itself be led.
const MAX_HOPS: usize = 12;

impl Browser {
    pub fn new(gateway: SocketAddr) -> Self {
        Self { gateway, jars: BTreeMap::new(), trail: Vec::new() }
    }

    /// Every request since this was last asked: method, host and path.
    pub fn trail(&mut self) -> Vec<String> {
        std::mem::take(&mut self.trail)
    }

    /// The value of a cookie that a host has set.
    pub fn cookie(&self, host: &str, name: &str) -> Option<&str> {
        self.jars.get(host)?.get(name).map(String::as_str)
    }

    /// Goes to an address, and on to wherever it leads.
    ///
    /// # Errors
    /// No answer, or no end.
    pub async fn open(&mut self, address: &str) -> Result<Page, anyhow::Error> {
        let page = self.ask(address.parse()?, None).await?;
        self.follow(page).await
    }

    /// Sends the form of a page whose `action` begins so, and goes on to wherever that leads.
    ///
    /// # Errors
    /// There is no such form; no answer, or no end.
    pub async fn submit(
        &mut self,
        page: &Page,
        action: &str,
        fields: &[(&str, &str)],
    ) -> Result<Page, anyhow::Error> {
        let start = format!("action=\"{action}");
        let (_, form) = page.reply.body.split_once(&start).with_context(|| {
            format!("there is no form for `{action}` at {} ({})", page.url, page.reply.status)
        })?;
        let rest = until_quote(form);
        let token = form.split_once(&format!("name=\"{CSRF_FIELD}\" value=\""));
        let token = token.map(|(_, value)| until_quote(value)).unwrap_or_default();
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.append_pair(CSRF_FIELD, &token).extend_pairs(fields);
        let to = page.url.join(&format!("{action}{rest}"))?;
        let page = self.ask(to, Some(&body.finish())).await?;
        self.follow(page).await
    }

    async fn follow(&mut self, mut page: Page) -> Result<Page, anyhow::Error> {
        for _ in 0..MAX_HOPS {
            match page.leads_to() {
                Some(next) => page = self.ask(page.url.join(&next)?, None).await?,
                None => return Ok(page),
            }
        }
        Err(anyhow!("redirects without end, last to {}", page.url))
    }

    async fn ask(&mut self, url: Url, form: Option<&str>) -> Result<Page, anyhow::Error> {
        let method = if form.is_some() { "POST" } else { "GET" };
        let host = authority(&url);
        self.trail.push(format!("{method} {host}{}", url.path()));
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let mut head = vec![
            format!("{method} {}{query} HTTP/1.1", url.path()),
            format!("Host: {host}"),
            "Accept: text/html".to_owned(),
        ];
        let jar = self.jars.entry(host).or_default();
        if !jar.is_empty() {
            let pairs: Vec<String> =
                jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            head.push(format!("Cookie: {}", pairs.join("; ")));
        }
        if let Some(form) = form {
            head.push("Content-Type: application/x-www-form-urlencoded".to_owned());
            head.push(format!("Content-Length: {}", form.len()));
            head.push(format!("Origin: {}", url.origin().ascii_serialization()));
            head.push("Sec-Fetch-Site: same-origin".to_owned());
        }
        let lines: Vec<&str> = head.iter().map(String::as_str).collect();
        let body = form.unwrap_or_default().as_bytes();
        let reply = exchange_body(self.gateway, &lines, body).await?;
        for (_, line) in reply.headers.iter().filter(|(name, _)| name == "set-cookie") {
            keep(jar, line);
        }
        Ok(Page { url, reply })
    }
}

impl Page {
    /// Where it leads by itself: by a redirect, or as a page that leads on.
    fn leads_to(&self) -> Option<String> {
        let redirect = (300..400).contains(&self.reply.status);
        if let Some(location) = self.reply.header("location").filter(|_| redirect) {
            return Some(location.to_owned());
        }
        let (_, rest) = self.reply.body.split_once("http-equiv=\"refresh\" content=\"0;url=")?;
        Some(until_quote(rest))
    }
}

/// Keeps a cookie of the host itself, or forgets one.
fn keep(jar: &mut BTreeMap<String, String>, line: &str) {
    let (pair, attributes) = line.split_once(';').unwrap_or((line, ""));
    let Some((name, value)) = pair.split_once('=').filter(|_| !attributes.contains("Domain="))
    else {
        return;
    };
    if attributes.contains("Max-Age=0") {
        jar.remove(name);
    } else {
        jar.insert(name.to_owned(), value.to_owned());
    }
}

/// What stands before the end of an attribute.
fn until_quote(text: &str) -> String {
    let (value, _) = text.split_once('"').unwrap_or((text, ""));
    value.replace("&#38;", "&")
}

fn authority(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}
