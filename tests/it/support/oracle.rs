//! What a policy means, read from its draft and said again in the plainest way: no compiling, no
//! indexes, copies everywhere. Shares with Lictor only the values of claims and their equality.

use super::askings::{Asked, Shown, Who, blob, world};
use super::policies::{CLOCKS, CriterionDraft, DAYS, Draft, GroupDraft};
use lictor::identity::{Caller, ClaimValue, Device, Enrolment, Identity, Person};
use lictor::policy::{DenyReason, Effect, Operator, Reason, Reasons, Verdict};
use lictor::ssh::PublicKey;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What came of a criterion, a group, or all groups of one effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub holds: bool,
    pub reasons: Reasons,
    pub device: Option<String>,
}

/// Both effects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub allow: Found,
    pub deny: Found,
}

impl Answer {
    pub fn verdicts(&self) -> (Verdict, Verdict) {
        let verdict = |found: &Found| Verdict { holds: found.holds, reasons: found.reasons };
        (verdict(&self.allow), verdict(&self.deny))
    }
}

/// How letters of addresses are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mail {
    Exact,
    Folded,
}

/// Joins what members say: true if one is, or if all are; with what those say that are as the whole.
pub fn joined(members: &[Found], all: bool) -> Found {
    let mut holding = members.iter().map(|member| member.holds);
    let holds = !members.is_empty() && if all { holding.all(|h| h) } else { holding.any(|h| h) };
    let speaking: Vec<&Found> = members.iter().filter(|member| member.holds == holds).collect();
    let reasons =
        speaking.iter().fold(Reasons::NONE, |reasons, member| reasons.union(member.reasons));
    let device = speaking.iter().filter_map(|member| member.device.clone()).max();
    Found { holds, reasons, device }
}

/// A group whose criteria hold or not, each with its reason.
pub fn group(operator: Operator, criteria: Vec<Found>) -> Found {
    let inverted = matches!(operator, Operator::Not | Operator::Nor);
    let members: Vec<Found> = criteria
        .into_iter()
        .map(|found| Found { holds: found.holds != inverted, ..found })
        .collect();
    joined(&members, matches!(operator, Operator::And | Operator::Not))
}

/// What the drafts say, all taken as one policy.
pub fn answer(drafts: &[&Draft], asked: &Asked, who: &Who, mail: Mail) -> Answer {
    let of = |effect: Effect| {
        let rules = drafts.iter().flat_map(|draft| &draft.rules);
        let groups = rules.filter(|rule| rule.effect == effect).flat_map(|rule| &rule.groups);
        let told = groups.filter(|group| !group.criteria.is_empty());
        let found: Vec<Found> =
            told.map(|written| group_of(written, effect, asked, who, mail)).collect();
        joined(&found, false)
    };
    Answer { allow: of(Effect::Allow), deny: of(Effect::Deny) }
}

fn group_of(written: &GroupDraft, effect: Effect, asked: &Asked, who: &Who, mail: Mail) -> Found {
    let inverted = matches!(written.operator, Operator::Not | Operator::Nor);
    // What is repeated counts in the reading that leads to a refusal.
    let every = (effect == Effect::Allow) != inverted;
    let oracle = Oracle { asked, identity: who.identity(), every, mail };
    let found = written.criteria.iter().map(|criterion| oracle.criterion(criterion)).collect();
    group(written.operator, found)
}

/// Why the request is refused; `None` if it is allowed.
pub fn refusal(answer: &Answer, asked: &Asked, who: &Who) -> Option<DenyReason> {
    let Answer { allow, deny } = answer;
    let seen = |reason| allow.reasons.contains(reason) || deny.reasons.contains(reason);
    if deny.holds
        && (deny.reasons.contains(Reason::ClientCertificateRequired)
            || deny.reasons.contains(Reason::InvalidClientCertificate))
    {
        return Some(DenyReason::ClientCertificate);
    }
    if seen(Reason::UserUnauthenticated) {
        return Some(match &who.0 {
            Caller::Refused(_) => DenyReason::ImpersonationNotPermitted,
            Caller::Anonymous(error) => DenyReason::Unauthenticated(error.clone()),
            Caller::Identified(_) => DenyReason::Forbidden,
        });
    }
    let registering = ["/.pomerium/webauthn", "/.pomerium/device-enrolled"].contains(&asked.path);
    if seen(Reason::DeviceUnauthenticated) && !registering {
        let kind = allow.device.clone().max(deny.device.clone());
        return Some(DenyReason::DeviceUnauthenticated(kind.unwrap_or("any".to_owned())));
    }
    let by = |found: &Found| match found.reasons.contains(Reason::DeviceUnauthorized) {
        true => DenyReason::DeviceUnauthorized,
        false => DenyReason::Forbidden,
    };
    match (deny.holds, allow.holds) {
        (true, _) => Some(by(deny)),
        (false, true) => None,
        (false, false) => Some(by(allow)),
    }
}

struct Oracle<'a> {
    asked: &'a Asked,
    identity: Option<&'a Identity>,
    every: bool,
    mail: Mail,
}

fn found(holds: bool, yes: Reason, no: Reason) -> Found {
    Found { holds, reasons: Reasons::of(if holds { yes } else { no }), device: None }
}

fn nobody() -> Found {
    found(false, Reason::Accept, Reason::UserUnauthenticated)
}

impl Oracle<'_> {
    fn criterion(&self, criterion: &CriterionDraft) -> Found {
        use Reason as R;
        let (name, path) = criterion.name.split_once('/').unwrap_or((&criterion.name, ""));
        let data = &criterion.data;
        let asked = self.asked;
        let exact = |text: &str| text_holds(data, text, Mail::Exact);
        match name {
            "accept" => found(true, R::Accept, R::Accept),
            "reject" => found(false, R::Reject, R::Reject),
            "cors_preflight" => found(asked.cors_preflight, R::CorsRequest, R::NonCorsRequest),
            "http_method" => found(exact(asked.method), R::HttpMethodOk, R::HttpMethodUnauthorized),
            "http_path" => found(exact(asked.path), R::HttpPathOk, R::HttpPathUnauthorized),
            "http_header" => {
                found(self.header(path, data), R::HttpHeaderOk, R::HttpHeaderUnauthorized)
            }
            "http_query" => found(self.query(path, data), R::HttpQueryOk, R::HttpQueryUnauthorized),
            "mcp_tool" => self.tool(data),
            "source_ip" => found(self.address(data), R::SourceIpOk, R::SourceIpUnauthorized),
            "source_principal" => found(
                asked.principal.is_some_and(exact),
                R::SourcePrincipalOk,
                R::SourcePrincipalUnauthorized,
            ),
            "spiffe_id" => {
                let id = asked.principal.filter(|id| id.starts_with("spiffe://"));
                found(id.is_some_and(exact), R::SpiffeIdOk, R::SpiffeIdUnauthorized)
            }
            "sni" => found(exact(asked.sni), R::SniOk, R::SniUnauthorized),
            "client_certificate" => found(
                self.certificate(data),
                R::ClientCertificateOk,
                R::ClientCertificateUnauthorized,
            ),
            "invalid_client_certificate" => match asked.certificate {
                (_, true, _) => found(false, R::Accept, R::ValidClientCertificate),
                (true, ..) => found(true, R::InvalidClientCertificate, R::Accept),
                (false, ..) => found(true, R::ClientCertificateRequired, R::Accept),
            },
            "record" => found(self.record(data), R::RecordOk, R::RecordUnauthorized),
            "ssh_username" => {
                found(exact(self.ssh_user()), R::SshUsernameOk, R::SshUsernameUnauthorized)
            }
            "ssh_publickey" | "ssh_ca" => {
                found(self.ssh_key(name, data), R::SshPublickeyOk, R::SshPublickeyUnauthorized)
            }
            "date" => found(self.date(data), R::DateOk, R::DateUnauthorized),
            "day_of_week" => found(self.weekday(data), R::DayOfWeekOk, R::DayOfWeekUnauthorized),
            "time_of_day" => found(self.clock(data), R::TimeOfDayOk, R::TimeOfDayUnauthorized),
            _ => match self.identity {
                None => nobody(),
                Some(identity) => self.of_somebody(name, path, data, identity),
            },
        }
    }

    fn of_somebody(&self, name: &str, path: &str, data: &ClaimValue, identity: &Identity) -> Found {
        use Reason as R;
        let person = &identity.subject;
        let mailed = |text: &str| text_holds(data, text, self.mail);
        let yes = data == &ClaimValue::Bool(true);
        match name {
            "authenticated_user" => {
                let groups = person.groups.as_ref().is_some_and(|groups| !groups.is_empty());
                let somebody = !person.user.is_empty() || !person.email.is_empty() || groups;
                found(somebody, R::UserOk, R::UserUnauthorized)
            }
            "user" => {
                let holds = !person.user.is_empty() && text_holds(data, &person.user, Mail::Exact);
                found(holds, R::UserOk, R::UserUnauthorized)
            }
            "email" => found(mailed(&person.email), R::EmailOk, R::EmailUnauthorized),
            "domain" => {
                let parts: Vec<&str> = person.email.split('@').collect();
                let holds =
                    matches!(parts[..], [local, domain] if !local.is_empty() && mailed(domain));
                found(holds, R::DomainOk, R::DomainUnauthorized)
            }
            "groups" => {
                let ids =
                    |groups: &Vec<String>| groups.iter().cloned().map(ClaimValue::Text).collect();
                let groups: Option<Vec<ClaimValue>> = person.groups.as_ref().map(ids);
                let holds = groups.is_some_and(|groups| list_holds(data, &groups));
                found(holds, R::GroupsOk, R::GroupsUnauthorized)
            }
            "claim" => {
                found(list_holds(data, &claim(person, path)), R::ClaimOk, R::ClaimUnauthorized)
            }
            "impersonated" => {
                let acted = identity.actor.is_some();
                let (holds, reason) = (acted == yes, [R::NotImpersonated, R::Impersonated]);
                found(holds, reason[usize::from(acted)], reason[usize::from(acted)])
            }
            "service_account" => {
                let service = identity.session.is_service;
                let reason = [R::NotServiceAccount, R::ServiceAccount][usize::from(service)];
                found(service == yes, reason, reason)
            }
            "device" => device(data, &identity.session.devices),
            "ssh_username_matches_email" => {
                let user = self.ssh_user();
                let local = person.email.split('@').next().unwrap_or_default();
                let holds = !user.is_empty() && user == local;
                found(holds, R::SshUsernameOk, R::SshUsernameUnauthorized)
            }
            "ssh_username_matches_claim" => {
                let user = ClaimValue::Text(self.ssh_user().to_owned());
                let path = data.as_text().expect("a claim");
                let holds = !self.ssh_user().is_empty() && claim(person, path).contains(&user);
                found(holds, R::SshUsernameOk, R::SshUsernameUnauthorized)
            }
            other => panic!("`{other}` is unknown here"),
        }
    }

    fn over(&self, readings: &[bool]) -> bool {
        if self.every { readings.iter().all(|holds| *holds) } else { readings.contains(&true) }
    }

    fn header(&self, name: &str, data: &ClaimValue) -> bool {
        let lines = self.asked.headers.iter().filter(|(other, _)| name.eq_ignore_ascii_case(other));
        let texts: Vec<Option<String>> =
            lines.map(|(_, value)| String::from_utf8(value.clone()).ok()).collect();
        self.texts(texts.iter().map(Option::as_deref).collect(), data)
    }

    fn query(&self, name: &str, data: &ClaimValue) -> bool {
        let named = self.asked.query.iter().filter(|(other, _)| match *other {
            "%71" => name == "q",
            other => name == other,
        });
        let texts = named.map(|(_, value)| match *value {
            "%61" => Some("a"),
            "+" => Some(" "),
            "-" => Some(""),
            "%" | "%ff" => None,
            plain => Some(plain),
        });
        self.texts(texts.collect(), data)
    }

    /// What is no text counts as whatever leads to a refusal.
    fn texts(&self, mut texts: Vec<Option<&str>>, data: &ClaimValue) -> bool {
        if texts.is_empty() {
            texts.push(Some(""));
        }
        let holds = |text: &Option<&str>| match text {
            Some(text) => text_holds(data, text, Mail::Exact),
            None => !self.every,
        };
        self.over(&texts.iter().map(holds).collect::<Vec<bool>>())
    }

    fn tool(&self, data: &ClaimValue) -> Found {
        let calls = &self.asked.calls;
        if !calls.iter().any(|call| call.method == "tools/call") {
            return found(false, Reason::Accept, Reason::McpNotAToolCall);
        }
        let holds: Vec<bool> = calls
            .iter()
            .map(|call| call.method == "tools/call" && text_holds(data, &call.tool, Mail::Exact))
            .collect();
        found(self.over(&holds), Reason::McpToolMatch, Reason::McpToolNoMatch)
    }

    fn address(&self, data: &ClaimValue) -> bool {
        let bits = |address: IpAddr| match address {
            IpAddr::V4(v4) => u128::from(v4.to_ipv6_mapped()),
            IpAddr::V6(v6) => u128::from(v6),
        };
        let is_v4 = |bits: u128| bits >> 32 == 0xffff;
        let Some(address) = self.asked.source_ip.map(bits) else { return false };
        several(data).iter().any(|range| {
            let text = range.as_text().expect("a range");
            let (base, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
            let base: IpAddr = base.parse().expect("an address");
            let whole = if base.is_ipv4() { 32 } else { 128 };
            let length: u32 = length.map_or(whole, |length| length.parse().expect("a length"));
            let kept = length + (128 - whole);
            let mask = if kept == 0 { 0 } else { u128::MAX << (128 - kept) };
            // Addresses of the fourth version are no part of the sixth.
            let same = is_v4(bits(base)) == is_v4(address);
            same && bits(base) & mask == address & mask
        })
    }

    fn certificate(&self, data: &ClaimValue) -> bool {
        let Some(index) = self.asked.certificate.2 else { return false };
        let leaf = &world().leaves[index];
        let ClaimValue::Map(wanted) = data else { panic!("no map: {data:?}") };
        wanted.iter().all(|(key, data)| match key.as_str() {
            "fingerprint" => {
                several(data).iter().any(|hash| hash.as_text() == Some(&leaf.fingerprint))
            }
            "spki_hash" => several(data).iter().any(|hash| hash.as_text() == Some(&leaf.spki_hash)),
            "san_dns" => some_holds(data, leaf.certificate.dns_names()),
            "san_email" => some_holds(data, leaf.certificate.emails()),
            "san_uri" => some_holds(data, leaf.certificate.uris()),
            other => panic!("`{other}` is unknown here"),
        })
    }

    fn record(&self, data: &ClaimValue) -> bool {
        let ClaimValue::Map(asks) = data else { panic!("no map: {data:?}") };
        let kind = asks["type"].as_text().expect("a type");
        let records = self.asked.records.map(|index| &world().records[index].0);
        let record = records.and_then(|records| records.get(kind));
        let field = asks.get("field").map(|field| field.as_text().expect("a field"));
        let value = record.and_then(|record| field_of(record, field?));
        asks.iter().all(|(name, operand)| match name.as_str() {
            "type" | "field" => true,
            "exists" => {
                let there = if field.is_some() { value.is_some() } else { record.is_some() };
                operand == &ClaimValue::Bool(there)
            }
            sign @ ("<" | "<=" | "=" | ">=" | ">") => compared(value, operand, sign),
            "has" => matches!(value, Some(ClaimValue::List(items)) if items.contains(operand)),
            "is" => value == Some(operand),
            "not" => value.is_some_and(|value| value != operand),
            other => match value {
                None => false,
                Some(ClaimValue::Text(text)) => text_test(other, operand, text, Mail::Exact),
                Some(_) => other == "not_in",
            },
        })
    }

    fn ssh_user(&self) -> &str {
        self.asked.ssh.as_ref().map_or("", |ssh| &ssh.username)
    }

    fn ssh_key(&self, name: &str, data: &ClaimValue) -> bool {
        let key = self.asked.ssh.as_ref().and_then(|ssh| ssh.key.as_ref());
        several(data).iter().any(|line| {
            let line = line.as_text().expect("a line");
            let authority = || PublicKey::parse_ca(line).expect("a key");
            key.is_some_and(|key| match name {
                "ssh_publickey" => key.blob() == blob(line),
                _ => key.is_signed_by(&authority(), self.ssh_user(), self.asked.now()),
            })
        })
    }

    fn date(&self, data: &ClaimValue) -> bool {
        let ClaimValue::Map(bounds) = data else { panic!("no map: {data:?}") };
        let shown = &self.asked.at().utc;
        let now = format!("{}T{}", shown.date, shown.clock);
        bounds.iter().all(|(name, bound)| {
            let bound = bound.as_text().expect("a date").trim_end_matches('Z');
            let bound =
                if bound.len() == 10 { format!("{bound}T00:00:00") } else { bound.to_owned() };
            if name == "after" { now > bound } else { now < bound }
        })
    }

    fn shown_in(&self, zone: Option<&ClaimValue>) -> &Shown {
        match zone.and_then(ClaimValue::as_text) {
            Some("Europe/Vienna") => &self.asked.at().vienna,
            _ => &self.asked.at().utc,
        }
    }

    fn weekday(&self, data: &ClaimValue) -> bool {
        let (days, zone) = match data {
            ClaimValue::Map(asks) => (&asks["is"], asks.get("timezone")),
            plain => (plain, None),
        };
        let (_, days) = DAYS.iter().find(|(day, _)| days.as_text() == Some(day)).expect("days");
        days.as_bytes()[self.shown_in(zone).weekday] == b'1'
    }

    fn clock(&self, data: &ClaimValue) -> bool {
        let ClaimValue::Map(asks) = data else { panic!("no map: {data:?}") };
        let now = self.shown_in(asks.get("timezone")).clock;
        let bound = |name: &str| {
            let written = asks.get(name)?.as_text()?;
            CLOCKS.iter().find(|(clock, _)| *clock == written).map(|(_, clock)| *clock)
        };
        bound("after").is_none_or(|after| now > after)
            && bound("before").is_none_or(|before| now < before)
    }
}

fn several(data: &ClaimValue) -> Vec<ClaimValue> {
    match data {
        ClaimValue::List(items) => items.clone(),
        one => vec![one.clone()],
    }
}

fn text_holds(data: &ClaimValue, text: &str, mail: Mail) -> bool {
    match data {
        ClaimValue::Map(tests) => {
            tests.iter().all(|(name, operand)| text_test(name, operand, text, mail))
        }
        plain => text_test("is", plain, text, mail),
    }
}

/// Every test holds for some name.
fn some_holds(data: &ClaimValue, names: &[String]) -> bool {
    let some = |test: &str, operand: &ClaimValue| {
        names.iter().any(|name| text_test(test, operand, name, Mail::Exact))
    };
    match data {
        ClaimValue::Map(tests) => tests.iter().all(|(test, operand)| some(test, operand)),
        plain => some("is", plain),
    }
}

fn text_test(name: &str, operand: &ClaimValue, text: &str, mail: Mail) -> bool {
    let read = |text: &str| match mail {
        Mail::Exact => text.to_owned(),
        Mail::Folded => text.to_ascii_lowercase(),
    };
    let text = read(text);
    let equal = |operand: &ClaimValue| operand.as_text().is_some_and(|other| read(other) == text);
    let part = || read(operand.as_text().expect("text"));
    match name {
        "is" => equal(operand),
        "not" => !equal(operand),
        "contains" => text.contains(&part()),
        "starts_with" => text.starts_with(&part()),
        "ends_with" => text.ends_with(&part()),
        "in" => several(operand).iter().any(equal),
        "not_in" => !several(operand).iter().any(equal),
        "matches" => several(operand).iter().any(|pattern| {
            let pattern = read(pattern.as_text().expect("a pattern"));
            whole_matches(&pattern, &text)
        }),
        other => panic!("`{other}` is unknown here"),
    }
}

fn whole_matches(pattern: &str, text: &str) -> bool {
    use std::cell::RefCell;
    thread_local!(static READ: RefCell<BTreeMap<String, regex::Regex>> = RefCell::default());
    READ.with_borrow_mut(|read| {
        let regex = read.entry(pattern.to_owned()).or_insert_with(|| {
            regex::Regex::new(&format!(r"\A(?:{pattern})\z")).expect("a pattern")
        });
        regex.is_match(text)
    })
}

fn list_holds(data: &ClaimValue, values: &[ClaimValue]) -> bool {
    match data {
        ClaimValue::Map(tests) => tests.iter().all(|(name, operand)| match name.as_str() {
            "has" => values.contains(operand),
            "is" => values.len() == 1 && values.contains(operand),
            "exclude" => !values.contains(operand),
            other => panic!("`{other}` is unknown here"),
        }),
        plain => values.contains(plain),
    }
}

/// The values that a path finds among claims.
fn claim(person: &Person, path: &str) -> Vec<ClaimValue> {
    let claims = person.claims.as_map();
    let found = claims.get(path).cloned().or_else(|| {
        let path = path.replace('.', "/");
        let segments: Vec<&str> = path.split('/').collect();
        let walked = (2..=5).contains(&segments.len());
        let mut value = walked.then(|| ClaimValue::Map(claims.clone()))?;
        for segment in segments {
            let ClaimValue::Map(members) = value else { return None };
            value = members.get(segment)?.clone();
        }
        Some(value)
    });
    match found {
        Some(ClaimValue::List(items)) => items,
        Some(ClaimValue::Map(members)) => members.into_values().collect(),
        _ => Vec::new(),
    }
}

fn field_of<'r>(record: &'r BTreeMap<String, ClaimValue>, path: &str) -> Option<&'r ClaimValue> {
    if let Some(value) = record.get(path) {
        return Some(value);
    }
    let (mut members, mut value) = (record, None);
    let segments: Vec<&str> = path.split('.').collect();
    for (index, segment) in segments.iter().enumerate() {
        value = Some(members.get(*segment)?);
        match value {
            Some(ClaimValue::Map(inner)) => members = inner,
            _ if index + 1 < segments.len() => return None,
            _ => {}
        }
    }
    value
}

/// Small numbers only.
fn compared(value: Option<&ClaimValue>, operand: &ClaimValue, sign: &str) -> bool {
    let number = |value: &ClaimValue| match value {
        ClaimValue::Number(number) => number.to_string().parse::<f64>().ok(),
        _ => None,
    };
    let (Some(found), Some(wanted)) = (value.and_then(number), number(operand)) else {
        return false;
    };
    match sign {
        "<" => found < wanted,
        "<=" => found <= wanted,
        "=" => found == wanted,
        ">=" => found >= wanted,
        _ => found > wanted,
    }
}

fn device(data: &ClaimValue, devices: &[Device]) -> Found {
    let ClaimValue::Map(asks) = data else { panic!("no map: {data:?}") };
    let kind = asks.get("type").and_then(ClaimValue::as_text);
    let device = devices.iter().find(|device| device.kind == kind.unwrap_or("any"));
    let truthy = |value: &ClaimValue| match value {
        ClaimValue::Null => false,
        ClaimValue::Bool(value) => *value,
        ClaimValue::Number(number) => number.to_string().parse::<f64>() != Ok(0.0),
        ClaimValue::Text(text) => !text.is_empty(),
        ClaimValue::List(_) | ClaimValue::Map(_) => true,
    };
    let enrolment = device.and_then(|device| device.enrolment);
    let is = asks.get("is").and_then(ClaimValue::as_text);
    let holds = (kind.is_none() || device.is_some())
        && is.is_none_or(|id| device.is_some_and(|device| device.id == id))
        && asks
            .get("approved")
            .is_none_or(|wanted| truthy(wanted) == (enrolment == Some(Enrolment::Approved)));
    let no = match enrolment {
        Some(_) => Reason::DeviceUnauthorized,
        None => Reason::DeviceUnauthenticated,
    };
    let device = Some(kind.unwrap_or("any").to_owned());
    Found { device, ..found(holds, Reason::DeviceOk, no) }
}
