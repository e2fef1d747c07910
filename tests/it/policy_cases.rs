//! The policy language, case by case: `tests/cases/policy.yaml`, or the file that
//! `LICTOR_POLICY_CASES` names.

use crate::support::check::encode;
use crate::support::config::{load_problems, snapshot_of};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lictor::assertion::HeaderPlan;
use lictor::authorizer::{Answer, Outcome, Record, Refusal};
use lictor::certificate::PeerCertificate;
use lictor::document::{Problems, load_json, load_yaml};
use lictor::identity::{
    Caller, ClaimValue, Claims, Credentials, Device, Enrolment, Identity, Person, Session, Source,
};
use lictor::policy::{
    CertificateFacts, Decision, DenyReason, Evaluation, Facts, Language, McpCall, Policy, SshFacts,
    compile, evaluate,
};
use lictor::record::DataSources;
use lictor::request::{Headers, Host, Kind, Path, Request, Target, percent_decoded};
use lictor::ssh::PresentedKey;
use lictor::time::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/policy.yaml");

fn cases() -> Value {
    let file = std::env::var("LICTOR_POLICY_CASES").unwrap_or_else(|_| SHIPPED.to_owned());
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|error| panic!("cannot read {file}: {error}"));
    let yaml: serde_yaml::Value =
        serde_yaml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
    serde_json::to_value(yaml).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn list<'v>(cases: &'v Value, name: &str) -> &'v [Value] {
    cases.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn report(failures: &[String], total: usize) {
    assert!(
        failures.is_empty(),
        "{} of {total} cases fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn policy_cases() {
    let all = cases();
    let rows = list(&all, "cases");
    assert!(!rows.is_empty(), "the file has no cases");
    let base = all.get("base_facts").cloned().unwrap_or_else(|| json!({}));
    let failures: Vec<String> = rows.iter().filter_map(|row| failure(row, &base, &all)).collect();
    report(&failures, rows.len());
}

#[test]
fn route_match_cases() {
    let all = cases();
    let rows = list(&all, "route_match_cases");
    let failures: Vec<String> = rows.iter().filter_map(route_failure).collect();
    report(&failures, rows.len());
}

#[test]
fn flatten_cases() {
    let all = cases();
    for row in list(&all, "flatten_cases") {
        let flat = Claims::flatten(claim_map(&row["raw"]));
        assert_eq!(flat, Claims::new(claim_map(&row["flat"])), "{}", row["id"]);
    }
}

fn failure(row: &Value, base: &Value, all: &Value) -> Option<String> {
    let mut facts = base.clone();
    merge(&mut facts, row.get("facts").unwrap_or(&Value::Null));
    let got = match policies(row) {
        Err(code) => json!({ "load_error": code }),
        Ok(policies) => outcome(policies, &facts, all),
    };
    let expected = &row["expect"];
    let differs = expected.as_object()?.iter().any(|(name, value)| got.get(name) != Some(value));
    differs.then(|| format!("{}: expected {expected}, got {got}", row["id"]))
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (_, Value::Null) => {}
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                match into.get_mut(name) {
                    Some(old) if old.is_object() && value.is_object() => merge(old, value),
                    _ => drop(into.insert(name.clone(), value.clone())),
                }
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// The policies of a case, or the code with which they are refused.
fn policies(row: &Value) -> Result<Vec<Arc<Policy>>, String> {
    if let Some(route) = row.get("route") {
        return route_policies(route);
    }
    let document = match (row.get("ppl"), row.get("json")) {
        (Some(text), _) => load_yaml(text.as_str().expect("text"), "policy"),
        (None, Some(text)) => load_json(text.as_str().expect("text"), "policy"),
        (None, None) => panic!("{} has no policy", row["id"]),
    };
    let document = document.map_err(|error| error.code.to_owned())?;
    let mut problems = Problems::default();
    // Pomerium's language alone, unless a row says that it needs more.
    let extensions = row.get("extensions") == Some(&json!(true));
    let language = Language { extensions, ..Language::TEXT };
    let policy = compile(&document, language, &mut problems);
    match problems.into_parts().0.first() {
        Some(problem) => Err(problem.code.to_owned()),
        None => Ok(vec![Arc::new(policy)]),
    }
}

fn route_policies(route: &Value) -> Result<Vec<Arc<Policy>>, String> {
    let mut route = route.clone();
    let fields = route.as_object_mut().expect("a map");
    fields.insert("from".to_owned(), json!("https://app.example.com"));
    if let Some(text) = fields.get("policy").and_then(Value::as_str) {
        let policy: serde_yaml::Value = serde_yaml::from_str(text).expect("yaml");
        fields.insert("policy".to_owned(), serde_json::to_value(policy).expect("json"));
    }
    let config = json!({ "routes": [route] }).to_string();
    match load_problems(&config).first() {
        Some(problem) => Err(problem.code.to_owned()),
        None => Ok(snapshot_of(&config).table().routes().next().expect("a route").policies.clone()),
    }
}

fn outcome(mut policies: Vec<Arc<Policy>>, facts: &Value, all: &Value) -> Value {
    if facts["default_client_cert_rule"] == json!(true) {
        policies.push(Arc::new(Policy::client_certificate_required()));
    }
    let identity = identity(facts);
    let request = request(facts);
    let http = &facts["http"];
    let path = match http.get("raw_path").and_then(Value::as_str) {
        Some(raw) => percent_decoded(raw).unwrap_or_default(),
        None => http["path"].as_str().expect("path").to_owned(),
    };
    let now: jiff::Timestamp = facts["now"].as_str().expect("now").parse().expect("an instant");
    let now = Timestamp::from_unix(now.as_second());
    let calls = calls(&facts["mcp"]);
    let leaf = leaf(facts, all);
    let records = records(&facts["records"]);
    let ssh = ssh(&facts["ssh"]);
    let asked = Facts {
        path: &path,
        mcp: &calls,
        certificate: CertificateFacts {
            presented: facts["client_cert"]["presented"] == json!(true),
            valid: facts["client_cert"]["valid"] == json!(true),
            vouched: true,
            leaf: leaf.as_ref(),
        },
        records: Some(&records),
        ssh: ssh.as_ref(),
        sni: facts["sni"].as_str().unwrap_or_default(),
        principal: facts["principal"].as_str(),
        ..Facts::new(&request, identity.as_deref(), now)
    };
    let caller = identity.clone().map_or(Caller::Anonymous(None), Caller::Identified);
    let evaluation = evaluate(policies.iter().map(AsRef::as_ref), &asked, caller);
    let names = |verdict: lictor::policy::Verdict| verdict.reasons.names().collect::<Vec<_>>();
    let (allow, deny) = (evaluation.allow, evaluation.deny);
    let (outcome, status) = answer(&request, evaluation);
    json!({
        "allow": allow.holds, "allow_reasons": names(allow),
        "deny": deny.holds, "deny_reasons": names(deny),
        "outcome": outcome, "status": status,
    })
}

fn answer(request: &Request, evaluation: Evaluation) -> (&'static str, u16) {
    let snapshot = snapshot_of("authenticate_service_url: https://authenticate.example.com");
    let (name, outcome) = match evaluation.decision {
        Decision::Allow(_) => ("allow", Outcome::Admit(HeaderPlan::default())),
        Decision::Deny(denial) => {
            let name = match &denial.reason {
                DenyReason::Unauthenticated(_) => "login",
                DenyReason::ClientCertificate => "client_cert",
                DenyReason::NoRoute => "not_found",
                DenyReason::DeviceUnauthenticated(_) => "device_enroll",
                DenyReason::DeviceUnauthorized => "device_denied",
                _ => "forbidden",
            };
            let credentials = Credentials::find(request, "_pomerium");
            let refusal = Refusal {
                reason: denial.reason,
                token_outside_cookie: credentials.sent_outside_cookie(),
                clear_cookie: false,
                cookie_chunks: 0,
                show_details: false,
                mcp: None,
            };
            (name, Outcome::Refuse(refusal))
        }
    };
    let answer = Answer { outcome, record: Record::default() };
    (name, encode(request, &answer, &snapshot.settings, Timestamp::from_unix(0)).1)
}

/// Who is behind `session_id`, with their devices.
fn identity(facts: &Value) -> Option<Arc<Identity>> {
    let subject = person(facts)?;
    let id = facts["session_id"].as_str()?;
    let session = Session {
        id: String::new(),
        source: Source::Cookie,
        is_service: facts["service_accounts"].get(id).is_some(),
        usable_until: Timestamp::from_unix(i64::MAX),
        devices: devices(facts, id),
    };
    Some(Arc::new(Identity { subject, actor: None, session }))
}

fn devices(facts: &Value, session: &str) -> Arc<[Device]> {
    let listed = facts["sessions"][session]["device_credentials"].as_array();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let device = |listed: &Value| {
        let record = &facts["device_credentials"][&text(&listed["id"])];
        let enrolment = facts["device_enrollments"].get(text(&record["enrollment_id"]));
        Device {
            id: text(&listed["id"]),
            kind: text(&listed["type_id"]),
            enrolment: enrolment.map(|record| match record.get("approved_by") {
                Some(_) => Enrolment::Approved,
                None => Enrolment::Waiting,
            }),
        }
    };
    listed.into_iter().flatten().map(device).collect()
}

/// The certificate that `client_cert.leaf` names.
fn leaf(facts: &Value, all: &Value) -> Option<PeerCertificate> {
    let name = facts["client_cert"]["leaf"].as_str()?;
    let pem = all["fixtures"]["certs"][name]["pem"].as_str().expect("a certificate");
    Some(PeerCertificate::from_pem(pem).expect("a certificate"))
}

fn ssh(connection: &Value) -> Option<SshFacts> {
    let blob = connection["publickey"].as_str().map(|text| STANDARD.decode(text).expect("base64"));
    connection.as_object().map(|_| SshFacts {
        username: connection["username"].as_str().unwrap_or_default().to_owned(),
        key: blob.map(|blob| PresentedKey::read(&blob)),
    })
}

fn records(records: &Value) -> DataSources {
    let records = records.as_object().into_iter().flatten();
    DataSources::fixed(
        records
            .map(|(name, record)| (name.clone(), lictor::record::Record::new(claim_map(record))))
            .collect(),
    )
}

fn calls(call: &Value) -> Vec<McpCall> {
    let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
    let one = McpCall { method: text("method"), tool: text("tool"), id: "null".to_owned() };
    if call.is_object() { vec![one] } else { Vec::new() }
}

fn request(facts: &Value) -> Request {
    let http = &facts["http"];
    let text = |name: &str| http[name].as_str().unwrap_or_default().to_owned();
    let headers = http["headers"].as_object().cloned().unwrap_or_default();
    let lines = headers
        .into_iter()
        .map(|(name, value)| (name, value.as_str().unwrap_or_default().as_bytes().to_vec()));
    let query = text("raw_query");
    Request {
        kind: Kind::Http,
        method: text("method"),
        raw_host: text("host"),
        raw_path: text("path"),
        query: (!query.is_empty()).then_some(query),
        headers: Headers::from_lines(lines),
        source_ip: text("ip").parse().ok(),
        ..Request::unknown()
    }
}

/// The person behind `session_id`: a service account, a session, or the session it stands in for.
fn person(facts: &Value) -> Option<Person> {
    let id = facts["session_id"].as_str()?;
    let account = facts["service_accounts"].get(id);
    let mut session = account.or_else(|| facts["sessions"].get(id))?;
    if let Some(target) = session.get("impersonate_session_id").and_then(Value::as_str) {
        session = facts["sessions"].get(target)?;
    }
    if session.get("expired") == Some(&json!(true)) {
        return None;
    }
    let user_id = session.get("user_id").and_then(Value::as_str).unwrap_or_default();
    let user = facts["users"].get(user_id).cloned().unwrap_or_default();
    let known = facts["directory_users"].get(user_id);
    let mail =
        |record: &Value| record.get("email").and_then(Value::as_str).unwrap_or_default().to_owned();
    let email = known.map(mail).filter(|email| !email.is_empty()).unwrap_or_else(|| mail(&user));
    let mut claims = session.get("claims").cloned().unwrap_or_else(|| json!({}));
    merge(&mut claims, user.get("claims").unwrap_or(&Value::Null));
    let groups = known.map(|record| {
        let ids = record.get("group_ids").and_then(Value::as_array).cloned().unwrap_or_default();
        ids.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    });
    Some(Person {
        subject: user_id.to_owned(),
        user: user_id.to_owned(),
        email,
        groups,
        claims: Claims::new(claim_map(&claims)),
        ..Person::default()
    })
}

fn claim_map(value: &Value) -> BTreeMap<String, ClaimValue> {
    match ClaimValue::from_json(value.to_string().as_bytes()).expect("json") {
        ClaimValue::Map(members) => members,
        other => panic!("not a map: {other:?}"),
    }
}

fn route_failure(row: &Value) -> Option<String> {
    let any_port = row.get("any_port").and_then(Value::as_bool).unwrap_or(true);
    let mut config = Map::new();
    config.insert("routes".to_owned(), row["routes"].clone());
    config.insert("runtime_flags".to_owned(), json!({ "match_any_incoming_port": any_port }));
    let snapshot = snapshot_of(&Value::Object(config).to_string());
    let method = row.get("method").and_then(Value::as_str).unwrap_or("GET");
    let kind = if method == "CONNECT" { Kind::Connect } else { Kind::Http };
    let text = |name: &str| row[name].as_str().expect("text");
    let target = Host::parse(text("host")).ok().zip(Path::parse(text("path")).ok());
    let found = target.and_then(|(host, path)| {
        let target = Target { host, path };
        snapshot.table().find(kind, &target).map(|route| route.id.to_string())
    });
    let expected = row["expect"].as_u64().map(|index| format!("route-{}", index + 1));
    (found != expected).then(|| format!("{}: expected {expected:?}, got {found:?}", row["id"]))
}
