//! Settings about client certificates: whom to trust, what else to ask, and what follows.

use super::keys::{self, MTLS_KEYS};
use super::source::value_or_file;
use crate::advice::Advice;
use crate::certificate::{
    AuthorityError, ClientAuthority, Demands, NameKind, NamePattern, Revocations,
};
use crate::document::{Entry, Node, Place, Problem, Problems, Section, Value, nearest};
use crate::route::Route;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How client certificates are judged where a route has no CA of its own.
#[derive(Debug, Default)]
pub struct CertificateSettings {
    pub authority: Option<Arc<ClientAuthority>>,
    pub enforcement: Enforcement,
}

/// What follows when a client shows no good certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforcement {
    /// What the policies say.
    Policy,
    /// Every route refuses.
    #[default]
    PolicyWithDefaultDeny,
    /// The same here; Envoy is to refuse the connection.
    RejectConnection,
}

/// The settings, and what reading the CA of a route takes.
#[derive(Debug, Default)]
pub(super) struct ReadCertificates {
    pub(super) settings: CertificateSettings,
    /// The files that were named.
    pub(super) files: Vec<PathBuf>,
    base: PathBuf,
    demands: Demands,
    /// Where the revocation lists came from.
    lists: Option<Place>,
    /// Positions of the revocation lists that a trusted CA issued.
    used_lists: BTreeSet<usize>,
}

/// A key that holds PEM, and its problems.
struct Pem {
    key: &'static str,
    code: &'static str,
}

const CA: Pem = Pem { key: "ca", code: "bad_client_ca" };
const CRL: Pem = Pem { key: "crl", code: "bad_client_crl" };
const ROUTE_CA: Pem = Pem { key: "tls_downstream_client_ca", code: "bad_client_ca" };

impl ReadCertificates {
    /// Reads `downstream_mtls`.
    pub(super) fn read(section: &Section<'_>, base: &Path, problems: &mut Problems) -> Self {
        let mut read = Self { base: base.to_owned(), ..Self::default() };
        let node = section.node("downstream_mtls");
        let Some(inner) = node.and_then(|node| Section::open(node, "downstream_mtls", problems))
        else {
            return read;
        };
        keys::check(&inner, MTLS_KEYS, problems);
        read.settings.enforcement = enforcement(&inner, problems);
        read.demands.names = names(&inner, problems).into();
        if let Some(depth) = inner.integer("max_verify_depth", problems) {
            read.demands.max_depth =
                (depth > 0).then(|| usize::try_from(depth).unwrap_or(usize::MAX));
        }
        let lists = read.pem(&inner, &CRL, problems);
        if let Some((lists, place)) = lists {
            match Revocations::from_pem(&lists) {
                Ok(lists) => read.demands.revocations = Arc::new(lists),
                Err(error) => problems.push(unusable(&inner, &CRL, &place, error)),
            }
            read.lists = Some(place);
        }
        read.settings.authority = read.authority(&inner, &CA, problems);
        read
    }

    /// Whom a route trusts: its own CA, else the global one.
    pub(super) fn of_route(
        &mut self,
        section: &Section<'_>,
        problems: &mut Problems,
    ) -> Option<Arc<ClientAuthority>> {
        let own = self.authority(section, &ROUTE_CA, problems);
        own.or_else(|| self.settings.authority.clone())
    }

    /// Says so if `downstream_mtls` asks for something and nobody is trusted.
    pub(super) fn tell_idle(
        &self,
        section: &Section<'_>,
        routes: &[Route],
        problems: &mut Problems,
    ) {
        let Some(entry) = section.entry("downstream_mtls") else {
            return;
        };
        let unused =
            (0..self.demands.revocations.len()).find(|list| !self.used_lists.contains(list));
        if let (Some(list), Some(place)) = (unused, &self.lists) {
            let message = format!(
                "revocation list {} is not by a CA that is trusted here, so it revokes nothing",
                list + 1
            );
            problems.notice(Advice::IdleRevocationList, place, message);
        }
        let trusts = |route: &Route| route.authority.is_some();
        if self.settings.authority.is_none() && !routes.iter().any(trusts) {
            problems.notice(
                Advice::NoClientCa,
                &entry.place,
                "no client certificate is judged: neither `downstream_mtls` nor a route names a CA",
            );
        }
    }

    fn authority(
        &mut self,
        section: &Section<'_>,
        pem: &Pem,
        problems: &mut Problems,
    ) -> Option<Arc<ClientAuthority>> {
        let (bundle, place) = self.pem(section, pem, problems)?;
        match ClientAuthority::new(&bundle, self.demands.clone()) {
            Ok(authority) => {
                self.used_lists.extend(authority.lists());
                Some(Arc::new(authority))
            }
            Err(error @ AuthorityError::ListSignature(_)) => {
                let place = self.lists.as_ref().unwrap_or(&place);
                let message = format!("`downstream_mtls.crl` cannot be used: {error}");
                let problem = Problem::new(CRL.code, place, message);
                problems.push(problem.help(error.help()));
                None
            }
            Err(error) => {
                problems.push(unusable(section, pem, &place, error));
                None
            }
        }
    }

    /// The PEM under a key or in the file it names, and where it stands.
    fn pem(
        &mut self,
        section: &Section<'_>,
        pem: &Pem,
        problems: &mut Problems,
    ) -> Option<(String, Place)> {
        let file_key = format!("{}_file", pem.key);
        for key in [pem.key, &file_key] {
            if let Some(entry) = section.entry(key).filter(|entry| entry.node.is_null()) {
                let message = format!("`{}` has no value", section.full_name(key));
                let problem = Problem::new("wrong_type", &entry.place, message);
                problems.push(problem.help("give it one, or remove the key"));
            }
        }
        if let Some(Value::Text(file)) = section.node(&file_key).map(|node| &node.value) {
            self.files.push(self.base.join(file));
            if section.node(pem.key).is_some() {
                let name = section.full_name(pem.key);
                let message = format!("`{name}` and `{name}_file` are both given");
                let place = section.place_of(&file_key);
                problems.push(Problem::new("given_twice", place, message).help("keep one of them"));
                return None;
            }
            return value_or_file(section, pem.key, &self.base, problems);
        }
        let (text, place) = value_or_file(section, pem.key, &self.base, problems)?;
        let text: String = text.split_ascii_whitespace().collect();
        let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        if decoded.is_none() {
            let message = format!("`{}` is not base64 of PEM", section.full_name(pem.key));
            let help = format!("encode the file with `base64 -w0`, or name it by `{file_key}`");
            problems.push(Problem::new(pem.code, &place, message).help(help));
        }
        Some((decoded?, place))
    }
}

fn unusable(section: &Section<'_>, pem: &Pem, place: &Place, error: AuthorityError) -> Problem {
    let message = format!("`{}` cannot be used: {error}", section.full_name(pem.key));
    Problem::new(pem.code, place, message).help(error.help())
}

fn enforcement(section: &Section<'_>, problems: &mut Problems) -> Enforcement {
    match section.text("enforcement", problems) {
        None | Some("policy_with_default_deny") => Enforcement::PolicyWithDefaultDeny,
        Some("policy") => Enforcement::Policy,
        Some("reject_connection") => Enforcement::RejectConnection,
        Some(other) => {
            let place = section.place_of("enforcement");
            let message = format!("`downstream_mtls.enforcement` cannot be `{other}`");
            problems.push(
                Problem::new("bad_value", place, message)
                    .help("use `policy_with_default_deny`, `policy` or `reject_connection`"),
            );
            Enforcement::default()
        }
    }
}

fn names(section: &Section<'_>, problems: &mut Problems) -> Vec<NamePattern> {
    let Some(node) = section.node("match_subject_alt_names") else {
        return Vec::new();
    };
    let Value::List(items) = &node.value else {
        problems.push(not_patterns(node));
        return Vec::new();
    };
    items.iter().filter_map(|item| pattern(item, problems)).collect()
}

const NAME_HELP: &str = "write each as `- dns: '.*\\.example\\.com'`, with dns, email, ip_address, uri or user_principal_name";

fn not_patterns(node: &Node) -> Problem {
    let message = format!(
        "`downstream_mtls.match_subject_alt_names` must be a list of single patterns, not {}",
        node.value.kind()
    );
    Problem::new("wrong_type", &node.place, message).help(NAME_HELP)
}

fn pattern(item: &Node, problems: &mut Problems) -> Option<NamePattern> {
    let Some([Entry { key, place, node }]) = item.entries() else {
        problems.push(not_patterns(item));
        return None;
    };
    let Some((_, kind)) = NameKind::ALL.iter().find(|(name, _)| name == key) else {
        let known = NameKind::ALL.map(|(name, _)| name);
        let help = nearest(key, &known)
            .map_or_else(|| NAME_HELP.to_owned(), |name| format!("did you mean `{name}`?"));
        let message = format!("certificates have no names of the kind `{key}`");
        problems.push(Problem::new("unknown_key", place, message).help(help));
        return None;
    };
    let Value::Text(text) = &node.value else {
        let message = format!("`{key}` must be a regular expression, not {}", node.value.kind());
        problems.push(Problem::new("wrong_type", &node.place, message).help("put it in quotes"));
        return None;
    };
    NamePattern::new(*kind, text)
        .map_err(|error| {
            let problem = Problem::new("bad_value", &node.place, format!("`{key}`: {error}"));
            problems.push(problem.help(
                "write a regular expression as RE2 does, without look-around or back-references",
            ));
        })
        .ok()
}
