//! What each criterion may hold: its name and data → the question.

use super::{Compiler, Names, criterion_names};
use crate::advice::Advice;
use crate::document::{Entry, Node, Number, Value};
use crate::policy::criterion::{
    CertificateQuestion, EXTENSIONS, PeerQuestion, PersonQuestion, Question, RequestQuestion,
    SessionQuestion, SshQuestion, TimeQuestion,
};
use crate::policy::device::DeviceMatch;
use crate::policy::matcher::{Case, StringMatch};
use crate::ssh::PublicKey;
use http::HeaderName;
use std::sync::Arc;

const DEVICE_KEYS: [&str; 3] = ["approved", "is", "type"];

impl Compiler<'_> {
    /// The question a criterion asks; `None` if it is wrong, which has been told.
    #[expect(clippy::too_many_lines, reason = "a table: one arm a criterion")]
    pub(super) fn question(&mut self, entry: &Entry) -> Option<Question> {
        let (written, path) = entry.key.split_once('/').unwrap_or((&entry.key, ""));
        let name = self.language.read(written);
        if !self.language.extensions && EXTENSIONS.contains(&name.as_str()) {
            self.not_pomeriums(entry, "criterion");
            return None;
        }
        let data = &entry.node;
        let mail = self.language.mail_case();
        Some(match name.as_str() {
            "accept" | "reject" | "authenticated_user" | "cors_preflight" => {
                self.without_data(&name, entry)
            }
            "user" => person(PersonQuestion::User, self.string_match(data, Case::Exact)?),
            "email" => person(PersonQuestion::Email, self.string_match(data, mail)?),
            "domain" => person(PersonQuestion::Domain, self.string_match(data, mail)?),
            "groups" => Question::Person(PersonQuestion::Groups(self.list_match(data)?)),
            "claim" => {
                self.notice_claim_path(entry, path);
                let values = self.list_match(data)?;
                Question::Person(PersonQuestion::Claim { path: path.to_owned(), values })
            }
            "impersonated" => {
                Question::Session(SessionQuestion::Impersonated(self.yes_or_no(entry)?))
            }
            "service_account" => {
                Question::Session(SessionQuestion::ServiceAccount(self.yes_or_no(entry)?))
            }
            "device" => Question::Session(SessionQuestion::Device(self.device(data)?)),
            "http_method" => request(RequestQuestion::Method, self.exact(data)?),
            "http_path" => request(RequestQuestion::Path, self.exact(data)?),
            "http_header" => {
                let name = self.header_name(entry, path);
                let value = self.exact(data)?;
                Question::Request(RequestQuestion::Header { name: name?, value })
            }
            "http_query" => {
                let name = self.parameter_name(entry, path);
                let value = self.exact(data)?;
                Question::Request(RequestQuestion::Query { name: name?, value })
            }
            "mcp_tool" => request(RequestQuestion::McpTool, self.exact(data)?),
            "client_certificate" => {
                let wanted = self.certificate(data)?;
                Question::Certificate(CertificateQuestion::Is(wanted))
            }
            "invalid_client_certificate" => Question::Certificate(CertificateQuestion::Invalid),
            "record" => Question::Record(self.record(data)?),
            "source_ip" => Question::Peer(PeerQuestion::SourceIp(self.addresses(data)?)),
            "source_principal" => peer(PeerQuestion::SourcePrincipal, self.exact(data)?),
            "spiffe_id" => peer(PeerQuestion::SpiffeId, self.exact(data)?),
            "sni" => peer(PeerQuestion::Sni, self.exact(data)?),
            "ssh_username" => Question::Ssh(SshQuestion::Username(self.exact(data)?)),
            "ssh_username_matches_email" => Question::Ssh(SshQuestion::UsernameMatchesEmail),
            "ssh_username_matches_claim" => {
                Question::Ssh(SshQuestion::UsernameMatchesClaim(self.claim_name(entry)?))
            }
            "ssh_publickey" => {
                let keys = self.ssh_keys(data, PublicKey::parse)?;
                let blobs = keys.iter().map(|key| key.blob().into()).collect();
                Question::Ssh(SshQuestion::Key(blobs))
            }
            "ssh_ca" => {
                Question::Ssh(SshQuestion::Authority(self.ssh_keys(data, PublicKey::parse_ca)?))
            }
            "date" => Question::Time(TimeQuestion::Date(self.date_range(data)?)),
            "day_of_week" => Question::Time(TimeQuestion::DayOfWeek(self.weekdays(data)?)),
            "time_of_day" => Question::Time(TimeQuestion::TimeOfDay(self.clock_range(data)?)),
            _ => {
                self.unknown_criterion(entry, written);
                return None;
            }
        })
    }

    fn exact(&mut self, data: &Node) -> Option<StringMatch> {
        self.string_match(data, Case::Exact)
    }

    fn without_data(&mut self, name: &str, entry: &Entry) -> Question {
        if matches!(entry.node.value, Value::Bool(false)) {
            let message =
                format!("what stands behind `{name}` is ignored, so `false` changes nothing");
            let help = "remove the criterion";
            self.tell(Advice::IgnoredFalse, &entry.node.place, message, help);
        }
        match name {
            "accept" => Question::Always(true),
            "reject" => Question::Always(false),
            "authenticated_user" => Question::Person(PersonQuestion::Somebody),
            _ => Question::Request(RequestQuestion::CorsPreflight),
        }
    }

    fn unknown_criterion(&mut self, entry: &Entry, written: &str) {
        let lower = self.language.read(written);
        let message = format!("unknown criterion `{written}`");
        match lower.as_str() {
            "pomerium_routes" => self.problem(
                "unknown_criterion",
                &entry.place,
                message,
                "remove it: pages under `/.pomerium/` are judged by Lictor itself and need no rule",
            ),
            "and" | "or" | "not" | "nor" => self.problem(
                "unknown_criterion",
                &entry.place,
                message,
                "operators do not nest; write a further rule, or one group beside the other",
            ),
            _ => {
                let named = Entry { key: written.to_owned(), ..entry.clone() };
                self.unknown("unknown_criterion", &named, "criterion", criterion_names());
            }
        }
    }

    /// The problem of something that only Lictor knows.
    pub(super) fn not_pomeriums(&mut self, entry: &Entry, what: &str) {
        let code = match what {
            "action" => "unknown_action",
            "criterion" => "unknown_criterion",
            _ => "unknown_matcher",
        };
        let message = format!("unknown {what} `{}`: it is one of Lictor's own", entry.key);
        let help = "remove it, or turn `strict_pomerium` off";
        self.problem(code, &entry.place, message, help);
    }

    fn notice_claim_path(&mut self, entry: &Entry, path: &str) {
        if path.is_empty() {
            let message = "`claim` without a name finds nothing";
            self.tell(Advice::ClaimWithoutName, &entry.place, message, "write `claim/NAME`");
        }
        let upper = path.bytes().any(|byte| byte.is_ascii_uppercase());
        if upper && self.language.names == Names::AnyCase {
            let message = format!(
                "the claim path `{path}` is compared as written; Pomerium lower-cases it in a configuration file"
            );
            let help = "expect it to match here where it did not match there";
            self.tell(Advice::UpperCaseClaimPath, &entry.place, message, help);
        }
        if path.contains('/') && !path.contains('.') && !path.contains("//") {
            let message = "nested claims are stored under names joined with dots";
            let help = format!("write `claim/{}`", path.replace('/', "."));
            self.tell(Advice::SlashClaimPath, &entry.place, message, help);
        }
    }

    pub(super) fn yes_or_no(&mut self, entry: &Entry) -> Option<bool> {
        if let Value::Bool(value) = entry.node.value {
            return Some(value);
        }
        let message =
            format!("`{}` must be true or false, not {}", entry.key, entry.node.value.kind());
        let help = format!("write `{}: true`", entry.key);
        self.problem("data_type", &entry.node.place, message, help);
        None
    }

    /// A header that a policy may look at. Those Lictor removes say nothing: any client can send them.
    fn header_name(&mut self, entry: &Entry, name: &str) -> Option<String> {
        let Ok(header) = name.parse::<HeaderName>() else {
            let message = format!("`{name}` is not the name of a header");
            let help = "write it as `http_header/x-tenant: VALUE`";
            self.problem("bad_header", &entry.place, message, help);
            return None;
        };
        if header == http::header::HOST {
            let help = "match the host in the `from` of a route";
            self.problem("bad_header", &entry.place, "`host` is not among the headers", help);
            return None;
        }
        if header.as_str().starts_with("x-pomerium-") {
            let message = format!("`{name}` is removed from every request: any client can send it");
            let help = "ask about the person with `email`, `groups` or `claim/NAME`";
            self.problem("bad_header", &entry.place, message, help);
            return None;
        }
        Some(header.as_str().to_owned())
    }

    fn parameter_name(&mut self, entry: &Entry, name: &str) -> Option<String> {
        if name.is_empty() {
            let help = "write it as `http_query/tenant: VALUE`";
            self.problem("missing_field", &entry.place, "`http_query` names no parameter", help);
            return None;
        }
        Some(name.to_owned())
    }

    fn device(&mut self, data: &Node) -> Option<DeviceMatch> {
        let entries = self.members(data, "device", "{type: any}", &DEVICE_KEYS)?;
        let named = |name: &str| entries.iter().find(|entry| entry.key == name);
        let kind = named("type").map(|entry| self.device_text(entry));
        let id = named("is").map(|entry| self.device_text(entry));
        let (present, kind) = (kind.is_some(), kind.unwrap_or(Some("any".to_owned()))?);
        let id = id.map_or(Some(None), |id| id.map(Some))?;
        let approved = named("approved").map(|entry| truthy(&entry.node.value));
        Some(DeviceMatch { kind: Arc::from(kind), present, id, approved })
    }

    fn device_text(&mut self, entry: &Entry) -> Option<String> {
        if let Value::Text(text) = &entry.node.value {
            return Some(text.clone());
        }
        let message = format!("`{}` needs text, not {}", entry.key, entry.node.value.kind());
        self.problem("data_type", &entry.node.place, message, "put it in quotes");
        None
    }
}

fn person(of: fn(StringMatch) -> PersonQuestion, text: StringMatch) -> Question {
    Question::Person(of(text))
}

fn request(of: fn(StringMatch) -> RequestQuestion, text: StringMatch) -> Question {
    Question::Request(of(text))
}

fn peer(of: fn(StringMatch) -> PeerQuestion, text: StringMatch) -> Question {
    Question::Peer(of(text))
}

/// Whether a value counts as yes where JavaScript's rule is used.
fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => *number != Number::Integer(0),
        Value::Text(text) => !text.is_empty(),
        Value::List(_) | Value::Map(_) => true,
    }
}
