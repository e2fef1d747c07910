//! A program that calls the admin API by HTTP.

use lictor::demo::{Reply, exchange_body};
use serde_json::Value;
use std::net::SocketAddr;

/// Who calls, and where.
#[derive(Clone, Debug)]
pub struct Caller {
    at: SocketAddr,
    host: String,
    lines: Vec<String>,
}

impl Caller {
    /// Shows nothing.
    pub fn nobody(at: SocketAddr) -> Self {
        Self { at, host: "auth.localhost".to_owned(), lines: Vec::new() }
    }

    /// Shows a token, or the bootstrap secret.
    pub fn bearer(at: SocketAddr, token: &str) -> Self {
        Self::nobody(at).with(&format!("authorization: Bearer {token}"))
    }

    /// The same with a header more.
    pub fn with(&self, line: &str) -> Self {
        let mut caller = self.clone();
        caller.lines.push(line.to_owned());
        caller
    }

    /// The same at another host.
    pub fn of_host(&self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.call("GET", path, None).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path, None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, Some(("application/json", &body.to_string()))).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.call("PATCH", path, Some(("application/merge-patch+json", &body.to_string()))).await
    }

    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let form =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.call("POST", path, Some(("application/x-www-form-urlencoded", &form))).await
    }

    pub async fn call(&self, method: &str, path: &str, body: Option<(&str, &str)>) -> Reply {
        let path = if path.starts_with("/oauth2") || path.starts_with("/openapi") {
            path.to_owned()
        } else {
            format!("/api/v1{path}")
        };
        let mut head = vec![format!("{method} {path} HTTP/1.1"), format!("host: {}", self.host)];
        head.push("x-forwarded-for: 192.0.2.9".to_owned());
        head.push("x-request-id: r-9".to_owned());
        head.extend(self.lines.iter().cloned());
        if let Some((kind, body)) = body {
            head.push(format!("content-type: {kind}"));
            head.push(format!("content-length: {}", body.len()));
        }
        let lines: Vec<&str> = head.iter().map(String::as_str).collect();
        let body = body.map(|(_, body)| body).unwrap_or_default();
        exchange_body(self.at, &lines, body.as_bytes()).await.expect("an answer")
    }
}

/// The pointers of a problem.
pub fn pointers(reply: &Reply) -> Vec<String> {
    let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|error| error["pointer"].as_str().expect("text").to_owned()).collect()
}

/// The code of a problem, with its status.
pub fn refusal(reply: &Reply) -> (u16, String) {
    assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{reply:?}");
    let told = reply.json();
    assert_eq!(told["status"], reply.status, "{reply:?}");
    (reply.status, told["code"].as_str().expect("a code").to_owned())
}
