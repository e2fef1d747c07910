//! Whom a session speaks for: the person who signed in, or whom they act as. Judged again at every
//! request, by the rules and the directory of that moment.

use super::{Account, Impersonation, SessionRecord};
use crate::identity::{
    Caller, Claims, Directory, Identity, ImpersonationRules, Person, Session, Source, Surroundings,
    Target, TokenError, VerifiedHandle, describe, member_of, person_called,
};
use crate::time::Timestamp;
use std::sync::Arc;

/// Whom a handle of `record` speaks for at `now`.
///
/// # Errors
/// The session is over, or the handle was made for somebody else.
pub fn identify(
    record: &SessionRecord,
    (handle, source): (&VerifiedHandle, Source),
    around: Surroundings<'_>,
    now: Timestamp,
) -> Result<Caller, TokenError> {
    let Surroundings { rules, directory, blocked } = around;
    if !record.is_live(now) {
        return Err(TokenError::RecordExpired(record.expires));
    }
    if blocked.contains(&record.account.user) {
        return Err(TokenError::PersonBlocked);
    }
    if handle.user().is_some_and(|user| user != record.account.user) {
        return Err(TokenError::RecordMismatch);
    }
    let holder = record.account.person(directory);
    let session = Session {
        id: record.id.as_str().to_owned(),
        source,
        is_service: false,
        usable_until: record.expires,
        devices: Arc::default(),
    };
    let acting = record.impersonation.as_ref().map(|asked| (asked, asked.ends(rules)));
    let Some((asked, ends)) = acting.filter(|(_, ends)| now < *ends) else {
        return Ok(Caller::Identified(Arc::new(Identity {
            subject: holder,
            actor: None,
            session,
        })));
    };
    let permitted = asked.is_permitted(&holder, rules, directory);
    let session = Session { usable_until: record.expires.min(ends), ..session };
    let subject = asked.person(directory);
    let permitted = permitted && !blocked.contains(&subject.user);
    let identity = Arc::new(Identity { subject, actor: Some(holder), session });
    Ok(if permitted { Caller::Identified(identity) } else { Caller::Refused(identity) })
}

impl Account {
    /// The person, as the directory knows them; where it does not, as the provider does.
    pub fn person(&self, directory: &Directory) -> Person {
        let listed = directory.by_id(&self.user).or_else(|| directory.by_email(&self.email));
        let groups = listed.map(|user| user.group_ids.clone()).or_else(|| self.groups.clone());
        Person {
            subject: self.user.clone(),
            user: self.user.clone(),
            email: self.email.clone(),
            name: self.name.clone(),
            group_names: directory.names_of(groups.as_deref().unwrap_or_default()),
            groups,
            claims: self.claims.clone(),
        }
    }
}

impl Impersonation {
    /// The instant from which it is over, whatever was asked for.
    pub fn ends(&self, rules: &ImpersonationRules) -> Timestamp {
        self.until.min(self.started.plus(rules.longest()))
    }

    /// Whether `holder` may do this now.
    pub fn is_permitted(
        &self,
        holder: &Person,
        rules: &ImpersonationRules,
        directory: &Directory,
    ) -> bool {
        let known = self.known.as_ref();
        let target = Target {
            email: self.email.as_deref(),
            groups: self.groups.as_deref(),
            known: known
                .map(|account| (&*account.user, account.groups.as_deref().unwrap_or_default())),
        };
        rules.permits(holder, false)
            && !(rules.require_reason && self.reason.is_empty())
            && rules.permits_target(holder, &target, directory)
    }

    /// Whom the request is judged as. Nothing of the holder goes in.
    pub fn person(&self, directory: &Directory) -> Person {
        let Some(email) = &self.email else {
            return member_of(self.groups.clone().unwrap_or_default(), directory);
        };
        let listed = person_called(email, self.groups.clone(), directory);
        let Some(known) = &self.known else {
            return listed;
        };
        let person = match directory.by_email(email) {
            None => self.unlisted(known, directory),
            // Somebody else had the address then.
            Some(user) if user.id != known.user => return listed,
            Some(_) => listed,
        };
        let described = describe(person);
        let mut claims = known.claims.as_map().clone();
        for own in ["sub", "user", "email", "name", "groups"] {
            claims.remove(own);
        }
        claims.extend(described.claims.as_map().clone());
        Person { claims: Claims::new(claims), ..described }
    }

    /// Somebody whom only sign-ins know.
    fn unlisted(&self, known: &Account, directory: &Directory) -> Person {
        let groups = self.groups.clone().or_else(|| known.person(directory).groups);
        Person {
            subject: known.user.clone(),
            user: known.user.clone(),
            email: known.email.clone(),
            name: known.name.clone(),
            group_names: directory.names_of(groups.as_deref().unwrap_or_default()),
            groups,
            claims: Claims::default(),
        }
    }
}
