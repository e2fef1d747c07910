//! Tool calls through a real Envoy: the bootstrap that `lictor envoy config` makes sends every body
//! along, and what was not sent along, or not whole, lets nobody in.

use crate::support::config::{load, load_problems};
use crate::support::gates::{free_address, loopback};
use crate::support::process::{Setup, authorization, configuration, get};
use http::Request;
use lictor::config::GrpcAddress;
use lictor::demo::{DEMO_HOST, Reply, exchange_body};
use lictor::envoy_config::{Options, bootstrap};
use serde_json::{Value, json};
use std::convert::Infallible;
use std::net::SocketAddr;
use tonic::body::Body;
use tonic::client::GrpcService;
use tonic::transport::{Channel, Endpoint};

const LIMIT: usize = 8192;
/// A host where two tools are open to everybody, and nothing else is.
const OPEN_HOST: &str = "open.localhost";
/// A host whose limit is the highest there is.
const LARGE_HOST: &str = "large.localhost";
const HIGHEST: usize = 3 * 1024 * 1024;
/// A host without such a server.
const PLAIN_HOST: &str = "plain.localhost";

const ROUTES: &str = "\
routes:
- id: tools
  from: https://httpbin.localhost
  to: http://UPSTREAM
  mcp: {server: {max_request_bytes: 8192}}
  policy:
    allow: {and: [{domain: example.com}]}
    deny: {or: [{mcp_tool: {starts_with: admin_}}]}
- id: open
  from: https://open.localhost
  to: http://UPSTREAM
  mcp: {server: {}}
  policy: {allow: {and: [{mcp_tool: {in: [read, list]}}]}}
- id: large
  from: https://large.localhost
  to: http://UPSTREAM
  mcp: {server: {max_request_bytes: 3145728}}
  allow_public_unauthenticated_access: true
- id: plain
  from: https://plain.localhost
  to: http://UPSTREAM
  allow_public_unauthenticated_access: true
";

/// Ways of sending bodies along.
#[derive(Clone, Copy, Debug)]
struct Gates {
    /// As generated.
    whole: SocketAddr,
    /// As text, in which Envoy replaces what is none.
    text: SocketAddr,
    /// Told to the routes only.
    by_route: SocketAddr,
    /// What is too long is cut.
    partial: SocketAddr,
    /// Longer bodies than are read, and what is not decided is let in.
    open: SocketAddr,
    /// No bodies at all; and WebSockets, as on other routes.
    none: SocketAddr,
}

fn add_listeners(document: &mut Value) -> Gates {
    let mut add = |name: &str, edit: fn(&mut Value)| {
        let listeners = &mut document["static_resources"]["listeners"];
        let mut listener = listeners[0].clone();
        let at = free_address();
        listener["name"] = json!(name);
        listener["address"]["socket_address"]["port_value"] = json!(at.port());
        edit(&mut listener["filter_chains"][0]["filters"][0]["typed_config"]);
        listeners.as_array_mut().expect("listeners").push(listener);
        at
    };
    Gates {
        whole: add("whole", |_| ()),
        text: add("text", |manager| {
            each_with_body(manager, &|members| {
                members["with_request_body"]["pack_as_bytes"] = json!(false);
            });
        }),
        by_route: add("by route", |manager| {
            let filter = &mut manager["http_filters"][0]["typed_config"];
            filter.as_object_mut().expect("a filter").remove("with_request_body").expect("there");
        }),
        partial: add("partial", |manager| {
            each_with_body(manager, &|members| {
                members["with_request_body"]["allow_partial_message"] = json!(true);
            });
        }),
        open: add("open", |manager| {
            manager["http_filters"][0]["typed_config"]["failure_mode_allow"] = json!(true);
            each_with_body(manager, &|members| {
                members["with_request_body"]["max_request_bytes"] = json!(16 << 20);
            });
        }),
        none: add("none", |manager| {
            each_with_body(manager, &|members| {
                members.as_object_mut().expect("an object").remove("with_request_body");
            });
            for host in manager["route_config"]["virtual_hosts"].as_array_mut().expect("hosts") {
                for route in host["routes"].as_array_mut().expect("routes") {
                    route["route"]["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]);
                }
            }
        }),
    }
}

/// Edits whatever says `with_request_body`.
fn each_with_body(value: &mut Value, edit: &dyn Fn(&mut Value)) {
    if value.get("with_request_body").is_some() {
        edit(value);
    }
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_with_body(item, edit)),
        Value::Object(members) => members.values_mut().for_each(|item| each_with_body(item, edit)),
        _ => {}
    }
}

/// A call of a tool, `length` bytes long at least.
fn call(id: &Value, tool: &str, length: usize) -> String {
    let filler = "x".repeat(length);
    let params = json!({ "name": tool, "arguments": { "filler": filler } });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params }).to_string()
}

// --- settings

/// Each problem of a route that says this of `mcp`.
fn problems(mcp: &str) -> String {
    let text = format!("routes:\n- from: https://a.test\n  mcp: {mcp}\n");
    let problems = load_problems(&text);
    let told: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let folder = |text: &str| text.split_once("lictor.yaml").map(|(_, rest)| rest.to_owned());
    told.iter().filter_map(|text| folder(text)).collect::<Vec<_>>().join("\n")
}

#[test]
fn bad_settings() {
    for (mcp, expected) in [
        ("{server: {}}", ""),
        ("{server: }", ""),
        ("{client: {}}", ""),
        ("{server: {path: /mcp, upstream_oauth2: {client_id: x}}}", ""),
        ("{}", ":3:8: `routes[0].mcp` says nothing (write `mcp: {server: {}}`, or remove it)"),
        (
            "server",
            ":3:8: `routes[0].mcp` must be a map, not text (write `key: value` below it, or `{key: value}`)",
        ),
        ("{sever: {}}", ":3:9: unknown key `routes[0].mcp.sever` (did you mean `server`?)"),
        (
            "{server: {max_request_byte: 1}}",
            ":3:18: unknown key `routes[0].mcp.server.max_request_byte` (did you mean `max_request_bytes`?)",
        ),
        (
            "{server: {max_request_bytes: 0}}",
            ":3:37: `routes[0].mcp.server.max_request_bytes` must be from 1 to 3145728 (leave it out for 65536: tool calls are small)",
        ),
        (
            "{server: {max_request_bytes: 4294967297}}",
            ":3:37: `routes[0].mcp.server.max_request_bytes` must be from 1 to 3145728 (leave it out for 65536: tool calls are small)",
        ),
    ] {
        assert_eq!(problems(mcp), expected, "{mcp}");
    }
}

#[test]
fn a_policy_about_calls_that_nobody_reads_is_told() {
    let told = |route: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        let text = format!(
            "policies: {{tools: {{deny: {{or: [{{mcp_tool: x}}]}}}}}}\nroutes:\n- {{from: 'https://a.test', {route}}}\n"
        );
        let config = load(&text, folder.path()).expect("loads");
        let advice = config.advice(&lictor::identity::Directory::default());
        let unread = advice.iter().filter(|notice| notice.advice.code() == "mcp-without-server");
        unread.count()
    };
    assert_eq!(told("policy: {deny: {or: [{mcp_tool: x}]}}"), 1);
    assert_eq!(told("policies: [tools]"), 1);
    assert_eq!(told("policies: [tools], mcp: {client: {}}"), 1);
    assert_eq!(told("policies: [tools], mcp: {server: {}}"), 0);
    assert_eq!(told("policy: {allow: {or: [{accept: true}]}}"), 0);
}

/// Nothing is held back for nobody.
#[test]
fn without_such_a_route_no_body_is_sent_along() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "routes:\n- {from: 'https://a.test', to: 'http://b.test', policies: []}\n";
    let config = load(text, folder.path()).expect("loads");
    let grpc = GrpcAddress::Tcp(loopback(1));
    let options = Options { listen: loopback(2), admin: None, grpc, http: loopback(3) };
    let (document, _) = bootstrap(&config, &options);
    assert!(!document.to_string().contains("request_body"), "{document}");
}

// --- through Envoy

struct Stand {
    setup: Setup,
    gates: Gates,
    bob: String,
}

impl Stand {
    async fn start() -> Self {
        let text = configuration(&free_address().to_string(), ROUTES);
        let folder = tempfile::tempdir().expect("a folder");
        let mut gates = None;
        let mut setup =
            Setup::serve(folder, &[text], |document| gates = Some(add_listeners(document))).await;
        let gates = gates.expect("listeners");
        for at in [gates.whole, gates.text, gates.by_route, gates.partial, gates.open, gates.none] {
            setup.envoy.ready(at).await.expect("Envoy listens");
        }
        Self { setup, gates, bob: authorization() }
    }

    async fn send(&self, at: SocketAddr, host: &str, lines: &[&str], body: &[u8]) -> Reply {
        let host = format!("host: {host}");
        let head = ["POST /mcp HTTP/1.1", &host, "accept: application/json, text/event-stream"];
        let head: Vec<&str> = head.into_iter().chain(lines.iter().copied()).collect();
        exchange_body(at, &head, body).await.expect("an answer")
    }

    /// As a client does.
    async fn post(&self, at: SocketAddr, host: &str, lines: &[&str], body: &[u8]) -> Reply {
        let length = format!("content-length: {}", body.len());
        let lines = [&["content-type: application/json", length.as_str()], lines].concat();
        self.send(at, host, &lines, body).await
    }

    /// As a client that is bob does.
    async fn call(&self, at: SocketAddr, body: &str) -> Reply {
        self.post(at, DEMO_HOST, &[&self.bob], body.as_bytes()).await
    }

    /// How many requests reach the upstream while this is asked.
    async fn reached(&self, asked: impl Future<Output = Reply>) -> (Reply, usize) {
        let before = self.setup.upstream.served();
        let reply = asked.await;
        (reply, self.setup.upstream.served() - before)
    }

    /// Refused with 400, and the log says why.
    async fn expect_malformed(&self, at: SocketAddr, body: &[u8], why: &str) {
        let lines = [self.bob.as_str()];
        let (reply, reached) = self.reached(self.post(at, DEMO_HOST, &lines, body)).await;
        assert_eq!((reply.status, reached), (400, 0), "{why}: {reply:?}");
        let line = self.setup.servers[0].line_about(DEMO_HOST, "/mcp");
        assert_eq!(line["reason"], "malformed-request", "{line}");
        assert_eq!(line["route-id"], "tools", "{line}");
        assert!(line["malformed"].as_str().is_some_and(|text| text.contains(why)), "{line}");
    }

    /// Refused as a tool call is.
    async fn expect_tool_refused(&self, asked: impl Future<Output = Reply>, id: &Value) {
        let (reply, reached) = self.reached(asked).await;
        assert_eq!((reply.status, reached), (200, 0), "{reply:?}");
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let answer = reply.json();
        assert_eq!(answer["jsonrpc"], "2.0", "{reply:?}");
        assert_eq!(answer["error"]["code"], -32602, "{reply:?}");
        assert_eq!(&answer["id"], id, "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tool_calls_are_judged_by_their_bodies() {
    let stand = Stand::start().await;
    allowed_tools(&stand).await;
    refused_tools(&stand).await;
    bodies_with_two_readings(&stand).await;
    whatever_type_it_claims(&stand).await;
    bodies_that_stay_behind(&stand).await;
    bodies_that_are_too_long(&stand).await;
    bodies_that_are_not_read(&stand).await;
    nobody(&stand).await;
    other_routes(&stand).await;
    stand.setup.stop().await;
}

async fn allowed_tools(stand: &Stand) {
    let gates = stand.gates;
    for at in [gates.whole, gates.text, gates.by_route, gates.partial] {
        for length in [0, LIMIT - 200] {
            let body = call(&json!(1), "read", length);
            let reply = stand.call(at, &body).await;
            assert_eq!(reply.status, 200, "{reply:?}");
            let seen = reply.json();
            assert_eq!(seen["body"], body, "all of it");
            assert_eq!(seen["headers"]["content-length"], body.len().to_string());
            assert!(seen["headers"]["x-pomerium-jwt-assertion"].is_string());
            assert!(seen["headers"].get("x-envoy-auth-partial-body").is_none());
        }
    }
    let open = stand.post(gates.whole, OPEN_HOST, &[], call(&json!(1), "list", 0).as_bytes()).await;
    assert_eq!(open.json()["method"], "POST", "{open:?}");
    let stream = get(gates.whole, "/mcp", &[&stand.bob]).await;
    assert_eq!(stream.json()["method"], "GET", "{stream:?}");
}

async fn refused_tools(stand: &Stand) {
    let gates = stand.gates;
    for at in [gates.whole, gates.text, gates.by_route, gates.partial] {
        for id in [json!(7), json!("a \"b\" \u{e9}"), json!(9_007_199_254_740_993_u64), json!(null)]
        {
            let body = call(&id, "admin_drop", 0);
            stand.expect_tool_refused(stand.call(at, &body), &id).await;
        }
        let (read, drop) = (call(&json!(1), "read", 0), call(&json!(2), "admin_drop", 0));
        let start = r#"{"jsonrpc":"2.0","id":0,"method":"initialize"}"#;
        for (batch, id) in [
            (format!("[{read},{drop}]"), 1),
            (format!("[{start},{drop},{read}]"), 2),
            (format!(" [ {drop} ] "), 2),
        ] {
            stand.expect_tool_refused(stand.call(at, &batch), &json!(id)).await;
        }
        let batch = format!("[{start},{read}]");
        assert_eq!(stand.call(at, &batch).await.json()["body"], batch);
    }
    // One that may only call two tools may not hide another thing beside them.
    let (read, drop) = (call(&json!(1), "read", 0), call(&json!(2), "drop", 0));
    let beside = format!("[{read},{drop}]");
    let asked = stand.post(gates.whole, OPEN_HOST, &[], beside.as_bytes());
    stand.expect_tool_refused(asked, &json!(1)).await;
    let start = br#"{"jsonrpc":"2.0","id":0,"method":"initialize"}"#;
    assert_eq!(stand.post(gates.whole, OPEN_HOST, &[], start).await.status, 403);
}

async fn bodies_with_two_readings(stand: &Stand) {
    let at = stand.gates.whole;
    let repeated = "not JSON, or repeats a member";
    for body in [
        r#"{"method":"tools/call","params":{"name":"admin_drop","name":"read"}}"#,
        r#"{"method":"tools/call","params":{"name":"read"},"params":{"name":"admin_drop"}}"#,
        r#"{"method":"initialize","m\u0065thod":"tools/call","params":{"name":"admin_drop"}}"#,
        r#"{"method":"initialize"}{"method":"tools/call","params":{"name":"admin_drop"}}"#,
        "{\"method\":\"initialize\"}\n{\"method\":\"tools/call\",\"params\":{\"name\":\"admin_drop\"}}",
        "\u{feff}{\"method\":\"tools/call\",\"params\":{\"name\":\"admin_drop\"}}",
        "not JSON",
    ] {
        stand.expect_malformed(at, body.as_bytes(), repeated).await;
    }
    let other_case = r#"{"method":"tools/call","params":{"name":"read","Name":"admin_drop"}}"#;
    stand.expect_malformed(at, other_case.as_bytes(), "whose name others read").await;
    let unnamed = r#"{"method":"tools/call","params":["admin_drop"]}"#;
    stand.expect_malformed(at, unnamed.as_bytes(), "without naming it").await;
    let utf16: Vec<u8> =
        call(&json!(1), "admin_drop", 0).encode_utf16().flat_map(u16::to_le_bytes).collect();
    stand.expect_malformed(at, &utf16, repeated).await;
    // What is no text: the bytes are refused; as text, Envoy has put something else in their place.
    let broken = b"{\"method\":\"tools/call\",\"params\":{\"name\":\"admin\xff_drop\"}}";
    stand.expect_malformed(at, broken, repeated).await;
    for at in [stand.gates.text, stand.gates.by_route] {
        stand.expect_malformed(at, broken, "came as text").await;
        let greeting = call(&json!(1), "say", 0).replace("{\"filler", "{\"text\":\"Hi!\",\"filler");
        assert_eq!(stand.call(at, &greeting).await.json()["body"], greeting);
    }
}

async fn whatever_type_it_claims(stand: &Stand) {
    let body = call(&json!(1), "admin_drop", 0);
    let length = format!("content-length: {}", body.len());
    for claimed in [
        "content-type: text/plain",
        "content-type: application/x-www-form-urlencoded",
        "content-type: application/grpc",
        "content-type: application/json; charset=utf-16",
        "content-encoding: gzip",
        "x-http-method-override: GET",
    ] {
        let lines = [claimed, &length, &stand.bob];
        let asked = stand.send(stand.gates.whole, DEMO_HOST, &lines, body.as_bytes());
        let (reply, reached) = stand.reached(asked).await;
        assert_eq!(reached, 0, "{claimed}: {reply:?}");
        assert!(reply.json()["error"]["code"] == -32602 || claimed.contains("grpc"), "{reply:?}");
    }
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let lines = ["transfer-encoding: chunked", &stand.bob];
    let asked = stand.send(stand.gates.whole, DEMO_HOST, &lines, chunks.as_bytes());
    stand.expect_tool_refused(asked, &json!(1)).await;
}

/// With an Envoy that sends no bodies, nothing gets in that could have one.
async fn bodies_that_stay_behind(stand: &Stand) {
    let at = stand.gates.none;
    let body = call(&json!(1), "admin_drop", 0);
    let why = "its body was not sent along whole: set `with_request_body`";
    stand.expect_malformed(at, body.as_bytes(), why).await;
    stand.expect_malformed(at, call(&json!(1), "read", 0).as_bytes(), why).await;
    let chunks = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let lines = ["transfer-encoding: chunked", &stand.bob];
    let chunked = stand.send(at, DEMO_HOST, &lines, chunks.as_bytes());
    let socket = [
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
        &stand.bob,
    ];
    for (reply, reached) in [
        stand.reached(chunked).await,
        stand.reached(unannounced(at, &stand.bob, body.clone())).await,
        stand.reached(get(at, "/mcp", &socket)).await,
        stand.reached(stand.post(at, OPEN_HOST, &[], b"")).await,
    ] {
        assert_eq!((reply.status, reached), (400, 0), "{reply:?}");
    }
    // The same over HTTP/2, where Envoy sends bodies along.
    let (reply, reached) = stand.reached(unannounced(stand.gates.whole, &stand.bob, body)).await;
    assert_eq!((reply.status, reached), (200, 0), "{reply:?}");
    assert!(reply.body.contains("-32602"), "{reply:?}");
}

/// Over HTTP/2, a body that no header announces.
async fn unannounced(at: SocketAddr, authorization: &str, body: String) -> Reply {
    let endpoint = Endpoint::from_shared(format!("http://{at}")).expect("an address");
    let endpoint = endpoint.origin(format!("http://{DEMO_HOST}").parse().expect("an origin"));
    let mut channel: Channel = endpoint.connect().await.expect("a connection");
    let (name, value) = authorization.split_once(": ").expect("a header");
    let parts = tokio_stream::once(Ok::<_, Infallible>(body));
    let request = Request::post("/mcp")
        .header(name, value)
        .header("accept", "application/json")
        .body(Body::new(axum::body::Body::from_stream(parts)))
        .expect("a request");
    std::future::poll_fn(|context| GrpcService::<Body>::poll_ready(&mut channel, context))
        .await
        .expect("a connection");
    let response = GrpcService::call(&mut channel, request).await.expect("an answer");
    let status = response.status().as_u16();
    let body = axum::body::Body::new(response.into_body());
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a body");
    let body = String::from_utf8_lossy(&body).into_owned();
    Reply { status, body, ..Reply::default() }
}

async fn bodies_that_are_too_long(stand: &Stand) {
    let gates = stand.gates;
    let long = call(&json!(1), "read", 2 * LIMIT);
    for at in [gates.whole, gates.text, gates.by_route] {
        let (reply, reached) = stand.reached(stand.call(at, &long)).await;
        assert_eq!((reply.status, reached), (413, 0), "{reply:?}");
    }
    stand.expect_malformed(gates.partial, long.as_bytes(), "not sent along whole").await;
    // A whole message, and another behind the cut.
    let first = r#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#;
    let second = call(&json!(2), "admin_drop", 0);
    let padded = format!("{first}{}{second}", " ".repeat(LIMIT - first.len()));
    stand.expect_malformed(gates.partial, padded.as_bytes(), "not sent along whole").await;
    // The other route has its own limit.
    let body = call(&json!(1), "read", 4 * LIMIT);
    let reply = stand.post(gates.whole, OPEN_HOST, &[], body.as_bytes()).await;
    assert_eq!(reply.json()["body"], body);
    let shortest = call(&json!(1), "read", 0).len();
    for (length, through) in [(HIGHEST, 1), (HIGHEST + 1, 0)] {
        let body = call(&json!(1), "read", length - shortest);
        let asked = stand.post(gates.whole, LARGE_HOST, &[], body.as_bytes());
        let (reply, reached) = stand.reached(asked).await;
        assert_eq!((reached, reply.status == 413), (through, through == 0), "{length}");
    }
}

/// Where an error of gRPC would let in, what is too long to be read is refused by an answer.
async fn bodies_that_are_not_read(stand: &Stand) {
    let body = "x".repeat(6 << 20);
    for _ in 0..3 {
        let asked = stand.post(stand.gates.open, LARGE_HOST, &[], body.as_bytes());
        let (reply, reached) = stand.reached(asked).await;
        assert_eq!((reply.status, reached), (413, 0), "{reply:?}");
        assert_eq!(reply.body, "Content Too Large: request-too-large");
    }
    let (reply, reached) =
        stand.reached(stand.post(stand.gates.open, LARGE_HOST, &[], b"{}")).await;
    assert_eq!((reply.status, reached), (200, 1), "{reply:?}");
}

/// A program is not sent to a page where people sign in.
async fn nobody(stand: &Stand) {
    let body = call(&json!(1), "read", 0);
    for lines in [&[][..], &["accept: text/html"], &["cookie: _pomerium=nonsense"]] {
        let asked = stand.post(stand.gates.whole, DEMO_HOST, lines, body.as_bytes());
        let (reply, reached) = stand.reached(asked).await;
        assert_eq!((reply.status, reached), (401, 0), "{reply:?}");
        assert!(reply.header("location").is_none(), "{reply:?}");
        assert!(reply.header("www-authenticate").is_some(), "{reply:?}");
    }
    let stream = get(stand.gates.whole, "/mcp", &[]).await;
    assert_eq!((stream.status, stream.header("location")), (401, None));
}

/// What is not judged by bodies is neither held back for them nor bounded.
async fn other_routes(stand: &Stand) {
    let long = "x".repeat(60_000);
    let reply = stand.post(stand.gates.whole, PLAIN_HOST, &[], long.as_bytes()).await;
    assert_eq!(reply.json()["body"], long);
    let very_long = "x".repeat(200_000);
    let host = format!("host: {DEMO_HOST}");
    for target in ["/.pomerium/", "/.well-known/pomerium"] {
        let first = format!("POST {target} HTTP/1.1");
        let length = format!("content-length: {}", very_long.len());
        let head = [first.as_str(), &host, &length];
        let reply = exchange_body(stand.gates.whole, &head, very_long.as_bytes()).await;
        assert!(reply.as_ref().is_ok_and(|reply| reply.status != 413), "{target} {reply:?}");
    }
}
