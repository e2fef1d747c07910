//! Acting as somebody else, from the form to the record; and ending it.

use super::permit::{Administrator, NotPermitted};
use super::{Moment, People, Update, Updated};
use crate::activity::{Event, Verb};
use crate::id::SessionId;
use crate::identity::{Directory, ImpersonationRules};
use crate::session::{Account, Impersonation, SessionRecord};
use crate::store::StoreError;
use std::time::Duration;

/// Whom somebody wants to act as, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// An e-mail address or a user id; empty for nobody in particular.
    pub person: String,
    /// Separated by commas; empty for those of the person.
    pub groups: String,
    pub reason: String,
    /// `None` for as long as may be.
    pub duration: Option<Duration>,
}

/// Something typed that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// `person`, `groups`, `reason` or `duration`.
    pub field: &'static str,
    pub message: String,
}

/// What came of it.
#[derive(Debug)]
pub enum Acted {
    /// In force.
    Started(Box<SessionRecord>),
    /// Nothing was asked for, so nobody acts as anybody.
    Cleared,
    Invalid(Vec<FieldProblem>),
    Refused(NotPermitted),
    /// The session is gone.
    Gone,
}

/// By whom, and by which rules.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    pub rules: &'a ImpersonationRules,
    pub directory: &'a Directory,
}

const MAX_REASON: usize = 500;
const MAX_GROUPS: usize = 100;
/// How many people are looked at who are called by an address.
const LOOKED_AT: usize = 1000;
/// The longest name of a person or group, in bytes (an e-mail address has at most 254, RFC 5321).
const MAX_NAME: usize = 254;

/// Group ids separated by commas; blanks around them and empty parts do not count.
pub fn parse_groups(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}

impl Wanted {
    /// Whether anybody is asked for.
    pub fn is_nobody(&self) -> bool {
        self.person.trim().is_empty() && parse_groups(&self.groups).is_empty()
    }

    /// What it would be, beginning now.
    ///
    /// # Errors
    /// Everything that cannot be taken as it was typed.
    pub fn parse(
        &self,
        judged: Judged<'_>,
        now: crate::time::Timestamp,
    ) -> Result<Impersonation, Vec<FieldProblem>> {
        let rules = judged.rules;
        let mut problems = Vec::new();
        let mut problem = |field, message: &str| {
            problems.push(FieldProblem { field, message: message.to_owned() });
        };
        let person = self.person.trim();
        let groups = parse_groups(&self.groups);
        let printable = |text: &str| text.len() <= MAX_NAME && !text.chars().any(char::is_control);
        let by_id = judged.directory.by_id(person).map(|user| user.email.as_str());
        let email = by_id.unwrap_or(person);
        if person.is_empty() && groups.is_empty() {
            problem("person", "name a person, or groups");
        }
        if !person.is_empty() && !is_address(email) {
            problem("person", "nobody is known by this user id; write an e-mail address");
        }
        if groups.len() > MAX_GROUPS || !groups.iter().all(|group| printable(group)) {
            problem("groups", "write up to 100 group ids, separated by commas");
        }
        if let Some((name, ids)) = named_group(&groups, judged.directory) {
            problem("groups", &format!("`{name}` is the name of a group; write its id, `{ids}`"));
        }
        let reason = self.reason.trim();
        if reason.is_empty() && rules.require_reason {
            problem("reason", "say why; a reason is required");
        }
        if reason.chars().count() > MAX_REASON {
            problem("reason", "write at most 500 characters");
        }
        let duration = self.duration.unwrap_or(rules.longest());
        if duration.is_zero() || duration > rules.longest() {
            problem("duration", "choose one of the durations offered");
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Impersonation {
            email: (!person.is_empty()).then(|| email.to_owned()),
            groups: (!groups.is_empty()).then_some(groups),
            reason: reason.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
            started: now,
            until: now.plus(duration),
            known: None,
        })
    }
}

/// A group that was typed by its name, with the ids it could mean.
fn named_group<'g>(groups: &'g [String], directory: &Directory) -> Option<(&'g str, String)> {
    let (ids, called) = (directory.group_ids(), directory.groups_by_name());
    let typed = groups.iter().map(String::as_str);
    let name =
        typed.into_iter().find(|group| !ids.contains(group) && called.contains_key(group))?;
    Some((name, called.get(name)?.join("` or `")))
}

/// Something before one `@` and something after it, without blanks.
fn is_address(text: &str) -> bool {
    let parts = text.split_once('@');
    let whole = parts.is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    whole && text.len() <= MAX_NAME && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

impl People {
    /// Lets the holder of a session act as somebody else, in place of whomever they act as now.
    ///
    /// # Errors
    /// The store does not answer; then nothing has changed.
    pub async fn act_as(
        &self,
        id: &SessionId,
        by: &Administrator,
        wanted: &Wanted,
        judged: Judged<'_>,
        at: Moment<'_>,
    ) -> Result<Acted, StoreError> {
        if !judged.rules.enabled {
            return self.refuse(id, by, wanted, NotPermitted::TurnedOff, at).await;
        }
        if wanted.is_nobody() {
            self.stop(id, None, at).await?;
            return Ok(Acted::Cleared);
        }
        let mut asked = match wanted.parse(judged, at.now) {
            Ok(asked) => asked,
            Err(problems) => return Ok(Acted::Invalid(problems)),
        };
        asked.known = self.known(asked.email.as_deref()).await?;
        if !asked.is_permitted(by.person(), judged.rules, judged.directory) {
            return self.refuse(id, by, wanted, NotPermitted::Target, at).await;
        }
        let updated = self.update(id, |record| {
            let ended = at.impersonation_end(record, "replaced");
            let until = asked.until.min(record.expires);
            let asked = Impersonation { until, ..asked.clone() };
            let started = Event {
                subject: Some(asked.who()),
                reason: asked.reason.clone(),
                ..at.of_session(Verb::ImpersonationStart, record)
            };
            let record = SessionRecord { impersonation: Some(asked), ..record.clone() };
            let events = ended.into_iter().chain([started]).collect();
            Ok::<_, std::convert::Infallible>(Some(Update { record, events }))
        });
        let Ok(updated) = updated.await?;
        Ok(match updated {
            Updated::Done(record) => Acted::Started(record),
            Updated::Nothing | Updated::Gone => Acted::Gone,
        })
    }

    /// What sign-ins tell of whoever has this address, by the latest of them.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn known(&self, email: Option<&str>) -> Result<Option<Account>, StoreError> {
        let Some(email) = email else {
            return Ok(None);
        };
        let found = self.store().search_people(email, LOOKED_AT).await?;
        let same =
            found.into_iter().filter(|person| person.account.email.eq_ignore_ascii_case(email));
        Ok(same.max_by_key(|person| person.last_sign_in).map(|person| person.account))
    }

    async fn refuse(
        &self,
        id: &SessionId,
        by: &Administrator,
        wanted: &Wanted,
        why: NotPermitted,
        at: Moment<'_>,
    ) -> Result<Acted, StoreError> {
        let event = refusal(wanted, why, at.event(Verb::ImpersonationRefused, by.who()));
        self.note(Event { session: Some(id.clone()), ..event }).await?;
        Ok(Acted::Refused(why))
    }

    /// Writes down that somebody asked for it who may not.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn note_refused(
        &self,
        event: Event,
        wanted: &Wanted,
        why: NotPermitted,
    ) -> Result<(), StoreError> {
        self.note(refusal(wanted, why, event)).await
    }

    /// Ends acting as somebody else: by the holder, or `by` an administrator. Says whether anybody did.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn stop(
        &self,
        id: &SessionId,
        by: Option<&Administrator>,
        at: Moment<'_>,
    ) -> Result<bool, StoreError> {
        let updated = self.update(id, |record| {
            let Some(asked) = &record.impersonation else {
                return Ok::<_, std::convert::Infallible>(None);
            };
            let stopped = Event {
                actor: by.map_or_else(|| record.who(), Administrator::who),
                subject: Some(asked.who()),
                reason: asked.reason.clone(),
                detail: by.map(|_| record.who().email).unwrap_or_default(),
                ..at.of_session(Verb::ImpersonationStop, record)
            };
            let over = at.impersonation_end(record, "").filter(|_| asked.until <= at.now);
            let record = SessionRecord { impersonation: None, ..record.clone() };
            Ok(Some(Update { record, events: vec![over.unwrap_or(stopped)] }))
        });
        let Ok(updated) = updated.await?;
        Ok(matches!(updated, Updated::Done(_)))
    }
}

fn refusal(wanted: &Wanted, why: NotPermitted, event: Event) -> Event {
    let clean = |text: &str, most: usize| {
        text.trim().chars().filter(|c| !c.is_control()).take(most).collect::<String>()
    };
    let groups = parse_groups(&wanted.groups).into_iter().take(MAX_GROUPS);
    let subject = crate::activity::Who {
        email: clean(&wanted.person, MAX_NAME),
        groups: groups.map(|group| clean(&group, MAX_NAME)).collect(),
        ..crate::activity::Who::default()
    };
    Event {
        subject: Some(subject),
        reason: clean(&wanted.reason, MAX_REASON),
        detail: why.code().to_owned(),
        ..event
    }
}
