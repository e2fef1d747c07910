//! The rules of acting as somebody else: who may, as whom, and for how long.

use super::Person;
use super::directory::Directory;
use super::verify::SessionClaims;
use std::collections::BTreeSet;
use std::time::Duration;

/// How long somebody may act as somebody else unless `impersonation.max_duration` says.
const DEFAULT_DURATION: Duration = Duration::from_hours(1);

/// Who may act as somebody else.
#[derive(Clone, Debug, Default)]
pub struct ImpersonationRules {
    /// `enable_user_impersonation`
    pub enabled: bool,
    /// `administrators`, lower-cased.
    pub administrators: BTreeSet<String>,
    /// `service_account_impersonation`
    pub service: ServiceImpersonation,
    /// `impersonation.max_duration`: the longest life of a token that acts as somebody else.
    pub max_duration: Option<Duration>,
    /// `impersonation.require_reason`: a token gives none, so none may act as somebody else.
    pub require_reason: bool,
    /// `impersonation.deny`: nobody acts as these.
    pub deny: Targets,
    /// `impersonation.allow`: who may act as whom; `None` if every administrator may act as anybody.
    pub allow: Option<Vec<AllowRule>>,
}

/// People and groups that rules are about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Targets {
    /// User ids, and e-mail addresses in lower case.
    pub users: BTreeSet<String>,
    /// Domains of e-mail addresses, in lower case.
    pub domains: BTreeSet<String>,
    /// Group ids.
    pub groups: BTreeSet<String>,
}

/// What it depends on whom a credential speaks for, besides its record.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    pub rules: &'a ImpersonationRules,
    pub directory: &'a Directory,
    /// User ids of people who are blocked.
    pub blocked: &'a BTreeSet<String>,
}

/// One permission to act as somebody else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowRule {
    /// E-mail addresses in lower case, or user ids; `None` for everybody who may act as others at all.
    pub by: Option<BTreeSet<String>>,
    pub of: Targets,
}

/// Whom somebody asks to act as.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    pub email: Option<&'a str>,
    /// Groups that were asked for by name.
    pub groups: Option<&'a [String]>,
    /// What is known of the person besides the directory: user id and groups.
    pub known: Option<(&'a str, &'a [String])>,
}

/// Which service tokens may act as somebody else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServiceImpersonation {
    /// All: whoever minted one could have minted the target's token.
    #[default]
    Allow,
    /// Those whose own e-mail address is an administrator's.
    Administrators,
    None,
}

impl ImpersonationRules {
    /// Administrators are compared with ASCII case folded.
    pub fn is_administrator(&self, person: &Person) -> bool {
        !person.email.is_empty() && self.administrators.contains(&person.email.to_ascii_lowercase())
    }

    /// Whether somebody may act as others at all, apart from what one token says.
    pub fn permits(&self, actor: &Person, service: bool) -> bool {
        let administrator = self.is_administrator(actor);
        self.enabled
            && match (service, self.service) {
                (false, _) | (true, ServiceImpersonation::Administrators) => administrator,
                (true, ServiceImpersonation::Allow) => true,
                (true, ServiceImpersonation::None) => false,
            }
    }

    /// How long somebody who signed in may act as somebody else at most.
    pub fn longest(&self) -> Duration {
        self.max_duration.unwrap_or(DEFAULT_DURATION)
    }

    /// Whether a token may ask for it.
    pub(super) fn permits_token(&self, actor: &Person, claims: &SessionClaims) -> bool {
        self.permits(actor, claims.is_service)
            && !self.require_reason
            && self.max_duration.is_none_or(|max| lives_at_most(claims, max))
    }

    /// Whether `actor` may act as this one in particular. Groups of a person are those that are known
    /// of them, never those that were asked for. Everything that is known counts against it; for it, of
    /// people whom the directory knows, only what the directory says. The name of a denied group is
    /// denied too, because upstreams are told names.
    pub fn permits_target(
        &self,
        actor: &Person,
        target: &Target<'_>,
        directory: &Directory,
    ) -> bool {
        let known = |counts: Counts| {
            target.email.map(|email| Names::of(email, target.known, directory, counts))
        };
        let (person, all) = (known(Counts::Directory), known(Counts::All));
        let asked = target.groups.unwrap_or_default();
        let denied_names = directory.names_of(self.deny.groups.iter());
        let is_denied = |group: &String| {
            self.deny.groups.contains(group) || denied_names.values().any(|name| name == group)
        };
        let denied = all.as_ref().is_some_and(|person| person.is_any_of(&self.deny))
            || asked.iter().any(is_denied);
        let allowed = |rule: &AllowRule| {
            rule.is_for(actor)
                && person.as_ref().is_none_or(|person| person.is_any_of(&rule.of))
                && asked.iter().all(|group| rule.of.groups.contains(group))
        };
        !denied && self.allow.as_ref().is_none_or(|rules| rules.iter().any(allowed))
    }
}

impl AllowRule {
    fn is_for(&self, actor: &Person) -> bool {
        let named = |by: &BTreeSet<String>| {
            by.contains(&actor.user)
                || (!actor.email.is_empty() && by.contains(&actor.email.to_ascii_lowercase()))
        };
        self.by.as_ref().is_none_or(named)
    }
}

/// Whose word counts for a person.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Counts {
    All,
    /// The directory's, where it knows the person.
    Directory,
}

/// Every name by which a person is known.
struct Names<'a> {
    email: String,
    users: Vec<&'a str>,
    groups: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn of(
        email: &str,
        known: Option<(&'a str, &'a [String])>,
        directory: &'a Directory,
        counts: Counts,
    ) -> Self {
        let listed = directory.by_email(email);
        let listed = listed.map(|user| (user.id.as_str(), user.group_ids.as_slice()));
        let known = known.filter(|_| counts == Counts::All || listed.is_none());
        let both = || listed.into_iter().chain(known);
        Self {
            email: email.to_ascii_lowercase(),
            users: both().map(|(user, _)| user).collect(),
            groups: both().flat_map(|(_, groups)| groups).map(String::as_str).collect(),
        }
    }

    fn is_any_of(&self, targets: &Targets) -> bool {
        let domain = self.email.rsplit_once('@').map(|(_, domain)| domain);
        targets.users.contains(&self.email)
            || self.users.iter().any(|user| targets.users.contains(*user))
            || domain.is_some_and(|domain| targets.domains.contains(domain))
            || self.groups.iter().any(|group| targets.groups.contains(*group))
    }
}

/// A token that does not say when it was issued could have any age.
fn lives_at_most(claims: &SessionClaims, max: Duration) -> bool {
    claims.issued.is_some_and(|issued| claims.expires <= issued.plus(max))
}

#[cfg(test)]
mod tests;
