//! Whoever sits at the console: a person who signed in on this host, in person, with a role somewhere.

use super::{Answer, Refusal};
use crate::admin::{Actor, Admin};
use crate::id::NamespaceId;
use crate::namespace::{NamespaceRecord, Role, Tree};
use crate::pages::Frame;
use crate::pages::Message;
use crate::pages::console::{Branch, NoRolePage, Notice, Section, Shell, path};
use crate::people::Moment;
use crate::secret::Secret;
use crate::sign_in::{Goal, SignInWish, sign_in_link};
use crate::time::Timestamp;
use crate::web::{Form, Site, Trouble, Visit, Visitor, actor, frame, has_role, page, redirect};
use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Somebody at the console, and what they ask for.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) visit: Visit,
    pub(super) admin: Admin,
    pub(super) actor: Actor,
    pub(super) section: Section,
    /// The namespace that is looked at.
    pub(super) namespace: NamespaceId,
    frame: Frame,
    secret: Secret<String>,
    path: BTreeMap<String, String>,
    method: Method,
}

/// Keeps the namespace that was looked at last.
const COOKIE_NAME: &str = "lictor_namespace";

impl FromRequestParts<Arc<Site>> for Seat {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        site: &Arc<Site>,
    ) -> Result<Self, Self::Rejection> {
        let visit = Visit::from_request_parts(parts, site).await?;
        let named = RawPathParams::from_request_parts(parts, site).await;
        let path = named.into_iter().flat_map(|named| {
            let pairs: Vec<(String, String)> =
                named.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            pairs
        });
        let path = path.collect();
        Self::take(visit, &parts.method, path).await
    }
}

impl Seat {
    async fn take(
        visit: Visit,
        method: &Method,
        path: BTreeMap<String, String>,
    ) -> Result<Self, Response> {
        let visitor = match Self::admitted(&visit).await {
            Ok(visitor) => visitor,
            Err(trouble) => return Err(visit.trouble(trouble)),
        };
        let Ok(used) = visitor.in_person().cloned() else {
            return Err(to_sign_in(&visit, method));
        };
        let actor = actor(&visit, &used);
        let frame = frame(&visit, &visitor);
        if !has_role(&visit, &actor) {
            let shown = NoRolePage { frame, user_id: actor.who().user.clone() };
            return Err(page(StatusCode::FORBIDDEN, shown.render()));
        }
        let namespace = looked_at(&visit, &actor);
        let admin = match visit.desk() {
            Ok(desk) => desk.admin.clone(),
            Err(trouble) => return Err(visit.trouble(trouble)),
        };
        let section = section_of(visit.url.path());
        let secret = Secret::new(used.secret.expose().clone());
        let mut seat = Self {
            visit,
            admin,
            actor,
            section,
            namespace,
            frame,
            secret,
            path,
            method: method.clone(),
        };
        seat.frame.shell = Some(Box::new(seat.shell()));
        Ok(seat)
    }

    /// SECURITY: there is no console on hosts that Envoy protects, where pages of others could send forms.
    async fn admitted(visit: &Visit) -> Result<Visitor, Trouble> {
        if !visit.is_authenticate_host() {
            return Err(Trouble::of(Message::NotFound));
        }
        visit.sign_in()?;
        visit.desk()?;
        visit.visitor().await
    }

    fn shell(&self) -> Shell {
        let tree = self.tree();
        let roles = tree.roles(self.actor.reach());
        let seen = tree.seen_by(self.actor.reach());
        let lines: BTreeSet<&NamespaceId> = seen.iter().flat_map(|id| tree.line(id)).collect();
        let on_the_way = |record: &&NamespaceRecord| lines.contains(&record.id);
        let branch = |record: &NamespaceRecord| Branch {
            id: record.id.to_string(),
            name: record.name.to_string(),
            path: tree.path(&record.id),
            depth: tree.line(&record.id).len().saturating_sub(1),
            role: roles.role(&record.id),
        };
        Shell {
            section: self.section,
            sections: Section::ALL.to_vec(),
            namespace: tree.get(&self.namespace).map(branch).unwrap_or_default(),
            tree: tree.in_order().into_iter().filter(on_the_way).map(branch).collect(),
            user_id: self.actor.who().user.clone(),
            sought: String::new(),
        }
    }

    pub(super) fn frame(&self) -> Frame {
        self.frame.clone()
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.visit.snapshot.catalog.tree
    }

    pub(super) fn now(&self) -> Timestamp {
        self.visit.now
    }

    pub(super) fn moment(&self) -> Moment<'_> {
        self.visit.moment()
    }

    /// What they may do there.
    pub(super) fn role(&self, namespace: &NamespaceId) -> Option<Role> {
        self.actor.role(self.tree(), namespace)
    }

    /// Whether they have at least this role in the namespace that is looked at.
    pub(super) fn is(&self, role: Role) -> bool {
        self.role(&self.namespace) >= Some(role)
    }

    /// Whether they are an admin of Global.
    pub(super) fn is_global_admin(&self) -> bool {
        self.role(&NamespaceId::global()) == Some(Role::Admin)
    }

    /// Whether a page is asked for, and nothing done.
    pub(super) fn is_asking(&self) -> bool {
        self.method == Method::GET || self.method == Method::HEAD
    }

    /// A part of the path.
    pub(super) fn part(&self, name: &str) -> &str {
        self.path.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A parameter, without blanks at its ends, or the empty text.
    pub(super) fn parameter(&self, name: &str) -> String {
        self.visit.parameter(name).unwrap_or_default().trim().to_owned()
    }

    /// What was just done, as the address says.
    pub(super) fn notice(&self) -> Notice {
        let text = match self.parameter("done").as_str() {
            "saved" => "The changes are saved.",
            "created" => "It is created.",
            "deleted" => "It is deleted.",
            "disabled" => "It is disabled: its credentials open nothing.",
            "enabled" => "It is enabled.",
            "revoked" => "It is revoked.",
            "given" => "The role is given.",
            "taken" => "The role is taken away.",
            "moved" => "It is moved.",
            "blocked" => "They are blocked, and signed out everywhere.",
            "unblocked" => "They are unblocked.",
            _ => "",
        };
        Notice { text: text.to_owned(), undo: None }
    }

    /// Whether lists show namespaces below, too.
    pub(super) fn is_recursive(&self) -> bool {
        self.parameter("only") != "here"
    }

    /// Reads a form that a page of this session has sent.
    pub(super) fn form(&self, body: &[u8]) -> Result<Form, Refusal> {
        Ok(self.visit.form(body, self.secret.expose())?)
    }

    /// Where to sign in again, and be led back to this page of the console.
    pub(super) fn sign_in_again(&self, back: &str) -> String {
        let goal = Goal::Console { path: back.to_owned(), sign_in: SignInWish::Anew };
        let sign_in = self.visit.sign_in();
        sign_in.map(|it| sign_in_link(&goal, it, self.now()).to_string()).unwrap_or_default()
    }

    /// An answer, or the page that says why there is none. The namespace is remembered.
    pub(super) fn answer(&self, answer: Answer) -> Response {
        let mut response = answer.unwrap_or_else(|refusal| refusal.into_page(self));
        let asked = self.visit.parameter("ns");
        if asked.is_some_and(|asked| asked == self.namespace.as_str()) {
            let secure = if self.visit.url.scheme() == "https" { "; Secure" } else { "" };
            let cookie = format!(
                "{COOKIE_NAME}={}; Path={}; HttpOnly; SameSite=Lax{secure}",
                self.namespace,
                path::CONSOLE
            );
            if let Ok(cookie) = HeaderValue::from_str(&cookie) {
                response.headers_mut().append(SET_COOKIE, cookie);
            }
        }
        response
    }
}

/// Whoever is not signed in is led to sign in and back; what was sent is not sent again.
fn to_sign_in(visit: &Visit, method: &Method) -> Response {
    let asking = *method == Method::GET || *method == Method::HEAD;
    let Ok(sign_in) = visit.sign_in() else {
        return visit.trouble(Trouble::of(Message::NotFound));
    };
    let query = visit.url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let wanted = format!("{}{query}", visit.url.path());
    let path = if asking { wanted } else { path::CONSOLE.to_owned() };
    let link = sign_in_link(&Goal::Console { path, sign_in: SignInWish::Once }, sign_in, visit.now);
    if asking {
        return redirect(StatusCode::FOUND, link.as_str());
    }
    visit.trouble(Trouble { again: link.to_string(), ..Trouble::of(Message::SignInNeeded) })
}

/// The namespace asked for, else the one remembered, else the first with a role.
fn looked_at(visit: &Visit, actor: &Actor) -> NamespaceId {
    let tree = &visit.snapshot.catalog.tree;
    let roles = tree.roles(actor.reach());
    let asked = visit.parameter("ns").or_else(|| remembered(visit));
    let asked = asked.and_then(|asked| NamespaceId::parse(&asked));
    let asked = asked.filter(|asked| roles.role(asked).is_some());
    asked.unwrap_or_else(|| {
        let mut all = tree.in_order().into_iter();
        let first = all.find(|record| roles.role(&record.id).is_some());
        first.map_or_else(NamespaceId::global, |record| record.id.clone())
    })
}

fn remembered(visit: &Visit) -> Option<String> {
    let lines = visit.headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|one| one.split_once('='));
    let found = cookies.find(|(name, _)| name.trim() == COOKIE_NAME);
    found.map(|(_, value)| value.trim().to_owned())
}

fn section_of(path: &str) -> Section {
    let below = path.strip_prefix(path::CONSOLE).unwrap_or_default();
    match below.split('/').next().unwrap_or_default() {
        "" => Section::Overview,
        "accounts" => Section::Accounts,
        "namespaces" => Section::Namespaces,
        "policies" | "policy" => Section::Policies,
        "routes" | "route" => Section::Routes,
        "simulator" => Section::Simulator,
        "activity" => Section::Activity,
        "users" | "user" => Section::Users,
        _ => Section::Elsewhere,
    }
}
