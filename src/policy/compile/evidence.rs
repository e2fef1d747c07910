//! Criteria about what comes from elsewhere: client certificates and external records.

use super::Compiler;
use super::matchers::{claim_value, listed};
use crate::document::{Entry, Node, Number, Value};
use crate::policy::criterion::{CertificateMatch, Comparison, RecordQuestion, RecordTest};
use crate::policy::matcher::{Case, StringMatch, StringTest};
use crate::ssh::{KeyError, PublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::HashSet;

const CERTIFICATE_KEYS: [&str; 5] = ["fingerprint", "san_dns", "san_email", "san_uri", "spki_hash"];
const RECORD_KEYS: [&str; 16] = [
    "<",
    "<=",
    "=",
    ">",
    ">=",
    "contains",
    "ends_with",
    "exists",
    "field",
    "has",
    "in",
    "is",
    "not",
    "not_in",
    "starts_with",
    "type",
];
const COMPARISONS: [(&str, Comparison); 5] = [
    ("<", Comparison::Less),
    ("<=", Comparison::AtMost),
    ("=", Comparison::Equal),
    (">=", Comparison::AtLeast),
    (">", Comparison::Greater),
];

/// How one hash of a certificate is written.
struct HashForm {
    code: &'static str,
    what: &'static str,
    help: &'static str,
    read: fn(&str) -> Option<[u8; 32]>,
}

const FINGERPRINT: HashForm = HashForm {
    code: "bad_fingerprint",
    what: "the SHA-256 fingerprint of a certificate",
    help: "write 64 lower-case hexadecimal digits, or 32 upper-case pairs with colons, as \
        `openssl x509 -noout -fingerprint -sha256` prints them",
    read: fingerprint,
};
const SPKI_HASH: HashForm = HashForm {
    code: "bad_spki_hash",
    what: "the SHA-256 of a public key in base64",
    help: "write it as `openssl x509 -noout -pubkey | openssl pkey -pubin -outform der | openssl \
        dgst -sha256 -binary | base64` prints it",
    read: spki_hash,
};

impl Compiler<'_> {
    pub(super) fn certificate(&mut self, data: &Node) -> Option<CertificateMatch> {
        let example = "{san_dns: laptop.example.com}";
        let entries = self.members(data, "client_certificate", example, &CERTIFICATE_KEYS)?;
        let mut wanted = CertificateMatch::default();
        let mut sound = true;
        for entry in entries {
            let node = &entry.node;
            sound &= match entry.key.as_str() {
                "fingerprint" => put(&mut wanted.fingerprints, self.hashes(entry, &FINGERPRINT)),
                "spki_hash" => put(&mut wanted.spki_hashes, self.hashes(entry, &SPKI_HASH)),
                "san_dns" => put(&mut wanted.dns, self.names(node)),
                "san_email" => put(&mut wanted.emails, self.names(node)),
                _ => put(&mut wanted.uris, self.names(node)),
            };
        }
        sound.then_some(wanted)
    }

    fn names(&mut self, node: &Node) -> Option<StringMatch> {
        self.string_match(node, Case::Exact)
    }

    fn hashes(&mut self, entry: &Entry, form: &HashForm) -> Option<HashSet<[u8; 32]>> {
        let hashes: Vec<_> =
            listed(&entry.node).iter().map(|item| self.hash(entry, item, form)).collect();
        hashes.into_iter().collect()
    }

    fn hash(&mut self, entry: &Entry, item: &Node, form: &HashForm) -> Option<[u8; 32]> {
        let Value::Text(text) = &item.value else {
            let message = format!("`{}` needs text, not {}", entry.key, item.value.kind());
            self.problem("data_type", &item.place, message, form.help);
            return None;
        };
        let hash = (form.read)(text);
        if hash.is_none() {
            let message = format!("`{text}` is not {}", form.what);
            self.problem(form.code, &item.place, message, form.help);
        }
        hash
    }

    pub(super) fn record(&mut self, data: &Node) -> Option<RecordQuestion> {
        let example = "{type: example.com/geoip, field: country, is: AT}";
        let entries = self.members(data, "record", example, &RECORD_KEYS)?;
        let named = |name: &str| entries.iter().find(|entry| entry.key == name);
        let record_type = self.record_text(data, named("type"), "type", example);
        let tests = self.record_tests(entries);
        let field = match (named("field"), tests.as_deref()) {
            (None, None | Some([])) => Some(None),
            (field, _) => self.record_text(data, field, "field", example).map(Some),
        };
        let exists = named("exists").map(|entry| self.yes_or_no(entry));
        if named("exists").is_none() && tests.as_ref().is_some_and(Vec::is_empty) {
            let help = format!("write `record: {example}`, or `exists: true`");
            self.problem("missing_field", &data.place, "`record` asks nothing", help);
            return None;
        }
        let exists = exists.map_or(Some(None), |exists| exists.map(Some))?;
        Some(RecordQuestion { record_type: record_type?, field: field?, exists, tests: tests? })
    }

    fn record_text(
        &mut self,
        data: &Node,
        entry: Option<&Entry>,
        name: &str,
        example: &str,
    ) -> Option<String> {
        let help = format!("write `record: {example}`");
        let Some(entry) = entry else {
            let message = format!("`record` names no `{name}`");
            self.problem("missing_field", &data.place, message, help);
            return None;
        };
        if let Value::Text(text) = &entry.node.value {
            return Some(text.clone());
        }
        let message = format!("`{name}` needs text, not {}", entry.node.value.kind());
        self.problem("data_type", &entry.node.place, message, help);
        None
    }

    fn record_tests(&mut self, entries: &[Entry]) -> Option<Vec<RecordTest>> {
        let plain = ["type", "field", "exists"];
        let tests: Vec<_> = entries
            .iter()
            .filter(|entry| !plain.contains(&entry.key.as_str()))
            .map(|entry| self.record_test(entry))
            .collect();
        tests.into_iter().collect()
    }

    fn record_test(&mut self, entry: &Entry) -> Option<RecordTest> {
        if let Some((_, comparison)) = COMPARISONS.iter().find(|(sign, _)| *sign == entry.key) {
            return self.number(entry).map(|number| RecordTest::Number(*comparison, number));
        }
        match entry.key.as_str() {
            "has" => Some(RecordTest::Has(claim_value(&entry.node))),
            "is" => Some(RecordTest::Text(StringTest::Is(claim_value(&entry.node)))),
            "not" => Some(RecordTest::Text(StringTest::Not(claim_value(&entry.node)))),
            _ => self.string_test(entry, Case::Exact).map(RecordTest::Text),
        }
    }

    fn number(&mut self, entry: &Entry) -> Option<Number> {
        if let Value::Number(number) = &entry.node.value {
            return Some(*number);
        }
        let message = format!("`{}` needs a number, not {}", entry.key, entry.node.value.kind());
        let help = "write the number without quotes";
        self.problem("type_mismatch", &entry.node.place, message, help);
        None
    }
}

impl Compiler<'_> {
    pub(super) fn ssh_keys(
        &mut self,
        data: &Node,
        read: fn(&str) -> Result<PublicKey, KeyError>,
    ) -> Option<Vec<PublicKey>> {
        let keys: Vec<_> = listed(data).iter().map(|item| self.ssh_key(item, read)).collect();
        keys.into_iter().collect()
    }

    fn ssh_key(
        &mut self,
        item: &Node,
        read: fn(&str) -> Result<PublicKey, KeyError>,
    ) -> Option<PublicKey> {
        let Value::Text(text) = &item.value else {
            let message = format!("a key must be text, not {}", item.value.kind());
            self.problem("data_type", &item.place, message, KeyError::HELP);
            return None;
        };
        read(text)
            .map_err(|error| {
                let message = format!("this is no SSH key: {error}");
                self.problem("bad_ssh_key", &item.place, message, KeyError::HELP);
            })
            .ok()
    }

    pub(super) fn claim_name(&mut self, entry: &Entry) -> Option<String> {
        if let Value::Text(text) = &entry.node.value {
            return Some(text.clone());
        }
        let message = format!("`{}` needs a claim, not {}", entry.key, entry.node.value.kind());
        let help = format!("write `{}: NAME`", entry.key);
        self.problem("data_type", &entry.node.place, message, help);
        None
    }
}

/// Puts what could be read; whether it could.
fn put<T>(slot: &mut Option<T>, read: Option<T>) -> bool {
    let sound = read.is_some();
    *slot = read;
    sound
}

/// 64 lower-case digits, or 32 upper-case pairs with colons.
fn fingerprint(text: &str) -> Option<[u8; 32]> {
    if !text.contains(':') {
        return hash_of_hex(text).filter(|_| !text.bytes().any(|byte| byte.is_ascii_uppercase()));
    }
    let pairs = text.split(':').all(|pair| pair.len() == 2);
    let upper = !text.bytes().any(|byte| byte.is_ascii_lowercase());
    hash_of_hex(&text.replace(':', "")).filter(|_| pairs && upper)
}

fn hash_of_hex(digits: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let bytes = digits.as_bytes();
    if bytes.len() != 64 || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(bytes.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

fn spki_hash(text: &str) -> Option<[u8; 32]> {
    STANDARD.decode(text).ok()?.try_into().ok()
}
