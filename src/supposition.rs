//! A question put by hand: who is supposed to ask, for what, and under which circumstances. Answered
//! by the authorizer itself, so that an explanation, a test and a comparison say what a check would.

mod read;

pub use read::{CASE_KEYS, read, read_who};

use crate::authorizer::{Answer, Authorizer, Supposed, Unavailable};
use crate::identity::{
    Caller, Claims, Device, Directory, Identity, ImpersonationRules, Person, Session, Source,
    person_called,
};
use crate::policy::{Explanation, SshFacts};
use crate::record::DataSources;
use crate::request::{Body, Headers, Kind, Request};
use crate::state::{Settings, Snapshot};
use crate::time::Timestamp;
use std::net::IpAddr;
use std::sync::Arc;

/// Who is supposed to ask.
#[derive(Clone, Debug, Default)]
pub enum Who {
    #[default]
    Nobody,
    /// Whoever this token speaks for; it is verified as any other.
    Token(String),
    Somebody(Box<Somebody>),
}

/// A person or machine, told by hand. What is not told comes from the directory, if it knows the
/// e-mail address.
#[derive(Clone, Debug, Default)]
pub struct Somebody {
    pub email: String,
    pub user: Option<String>,
    pub groups: Option<Vec<String>>,
    pub claims: Claims,
    pub service_account: bool,
    /// The e-mail address of somebody who acts as this person.
    pub impersonated_by: Option<String>,
    pub devices: Vec<Device>,
}

/// One question.
#[derive(Debug, Default)]
pub struct Supposition {
    pub who: Who,
    pub method: String,
    pub url: AskedUrl,
    pub headers: Vec<(String, String)>,
    pub ip: Option<IpAddr>,
    pub sni: String,
    pub principal: Option<String>,
    /// PEM.
    pub certificate: Option<String>,
    pub body: Option<String>,
    /// The route Envoy names.
    pub route_id: Option<String>,
    pub records: Option<DataSources>,
    pub ssh: Option<SshFacts>,
    pub now: Timestamp,
}

/// What is asked for, taken apart as Envoy does: the path stays as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedUrl {
    pub scheme: String,
    /// With the port, if there is one.
    pub host: String,
    pub path: String,
    pub query: Option<String>,
}

impl AskedUrl {
    /// Reads `https://host[:port]/path?query`; without a scheme it is `https`. `None` without a host.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("https", text));
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, rest) = rest.split_at_checked(end)?;
        let (path, query) = match rest.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (rest, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        let (scheme, host, path) = (scheme.to_owned(), host.to_owned(), path.to_owned());
        (!host.is_empty()).then_some(Self { scheme, host, path, query })
    }
}

impl Supposition {
    /// Asks it.
    ///
    /// # Errors
    /// [`Unavailable`] if nothing could be decided.
    pub fn ask(
        self,
        authorizer: &Authorizer,
        snapshot: &Snapshot,
    ) -> Result<(Answer, Explanation), Unavailable> {
        let request = self.request(&snapshot.settings);
        let rules = &snapshot.settings.impersonation;
        let caller = self.who.caller(&snapshot.directory, rules);
        let supposed = Supposed { caller, machine: None, records: self.records, ssh: self.ssh };
        authorizer.explain(snapshot, &request, &supposed, self.now)
    }

    /// The request as it would be decoded.
    pub(crate) fn request(&self, settings: &Settings) -> Request {
        let connect = self.method == "CONNECT" && self.url.path == "/";
        let (kind, path) =
            if connect { (Kind::Connect, "") } else { (Kind::Http, self.url.path.as_str()) };
        let body = self.body.as_ref().map(|body| Body::Whole(body.clone().into_bytes()));
        let lines = self.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
        let token = match &self.who {
            Who::Token(token) => {
                Some(("authorization".to_owned(), format!("Bearer Pomerium-{token}")))
            }
            Who::Nobody | Who::Somebody(_) => None,
        };
        let lines = lines.chain(token).map(|(name, value)| (name, value.into_bytes()));
        Request {
            kind,
            method: self.method.clone(),
            scheme: self.url.scheme.clone(),
            raw_host: self.url.host.clone(),
            raw_path: path.to_owned(),
            query: self.url.query.clone(),
            target: settings.target(&self.url.host, path, kind),
            headers: Headers::from_lines(lines),
            body: body.unwrap_or_default(),
            source_ip: self.ip,
            sni: self.sni.clone(),
            certificate: self.certificate.clone(),
            principal: self.principal.clone(),
            route_id: self.route_id.clone(),
            ..Request::unknown()
        }
    }
}

impl Who {
    /// Whom a check would find; `None` if a token has to be verified first.
    pub fn caller(&self, directory: &Directory, rules: &ImpersonationRules) -> Option<Caller> {
        match self {
            Self::Nobody => Some(Caller::Anonymous(None)),
            Self::Token(_) => None,
            Self::Somebody(somebody) => {
                let identity = Arc::new(somebody.identity(directory));
                let service = identity.session.is_service;
                let permitted =
                    identity.actor.as_ref().is_none_or(|actor| rules.permits(actor, service));
                Some(if permitted {
                    Caller::Identified(identity)
                } else {
                    Caller::Refused(identity)
                })
            }
        }
    }
}

impl Somebody {
    /// A person as the directory knows them.
    pub fn called(email: &str) -> Self {
        Self { email: email.to_owned(), ..Self::default() }
    }

    pub fn identity(&self, directory: &Directory) -> Identity {
        let named = |email: &str| person_called(email, None, directory);
        let session = Session {
            id: String::new(),
            source: Source::Cookie,
            is_service: self.service_account,
            usable_until: Timestamp::from_unix(i64::MAX),
            devices: self.devices.iter().cloned().collect(),
        };
        let actor = self.impersonated_by.as_deref().map(named);
        Identity { subject: self.person(directory), actor, session }
    }

    fn person(&self, directory: &Directory) -> Person {
        let mut person = person_called(&self.email, self.groups.clone(), directory);
        if let Some(user) = &self.user {
            person.user.clone_from(user);
            person.subject.clone_from(user);
        }
        let mut claims = person.claims.as_map().clone();
        claims.extend(self.claims.as_map().clone());
        Person { claims: Claims::new(claims), ..person }
    }
}
