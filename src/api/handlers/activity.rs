//! What was done.

use super::{Handlers, ids, instant, told, word};
use crate::activity::{Deed, EntityKind, Entry, Outcome, Verb, Who};
use crate::admin::{ActivityWanted, Actor, AdminError, What};
use crate::api::error::ApiError;
use crate::api::message as m;
use crate::api::page::Page;
use crate::people::Moment;

impl Handlers {
    pub async fn list_activity(
        &self,
        by: &Actor,
        request: m::ListActivityRequest,
        _at: Moment<'_>,
    ) -> Result<m::ListActivityResponse, ApiError> {
        let page = Page::of(&request)?;
        let which = wanted(request, &page)?;
        let found = self.admin.entries(by, &which).await?;
        let last = found.last().map(|entry| entry.number);
        // Number 1 is the first there can be.
        let more = found.len() >= page.limit && last.is_some_and(|last| last > 1);
        let next_cursor = last.filter(|_| more).map(|last| page.cursor(last)).unwrap_or_default();
        Ok(m::ListActivityResponse { entries: found.into_iter().map(entry).collect(), next_cursor })
    }

    pub async fn get_activity_entry(
        &self,
        by: &Actor,
        request: m::GetActivityEntryRequest,
        _at: Moment<'_>,
    ) -> Result<m::ActivityDetail, ApiError> {
        let id = ids::named("id", &request.id)?;
        let number = id.parse().map_err(|_| AdminError::NotFound(What::Entry))?;
        let found = self.admin.entry(by, number).await?;
        let text = |number: Option<u64>| number.map(|number| number.to_string());
        Ok(m::ActivityDetail {
            entry: Some(entry(found.entry)),
            previous_id: text(found.previous).unwrap_or_default(),
            next_id: text(found.next).unwrap_or_default(),
        })
    }
}

fn wanted(request: m::ListActivityRequest, page: &Page) -> Result<ActivityWanted, ApiError> {
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    Ok(ActivityWanted {
        namespace: ids::namespace_or_all("namespace", &request.namespace)?,
        recursive: request.recursive.unwrap_or(true),
        who: some(request.who),
        verb: word("verb", &request.verb, Verb::parse)?,
        entity: word("entity_type", &request.entity_type, EntityKind::parse)?,
        entity_id: some(request.entity_id),
        outcome: word("outcome", &request.outcome, Outcome::parse)?,
        from: instant("from", request.from)?,
        until: instant("until", request.until)?,
        before: Some(page.from).filter(|&from| from > 0),
        limit: page.limit,
    })
}

fn who(who: Who) -> m::Who {
    m::Who { user_id: who.user, email: who.email, groups: who.groups }
}

/// An entry as messages tell of it.
pub(super) fn entry(entry: Entry) -> m::ActivityEntry {
    let event = entry.event;
    let origin = m::Origin {
        address: event.origin.address,
        request_id: event.origin.request_id,
        user_agent: event.origin.user_agent,
    };
    m::ActivityEntry {
        id: entry.number.to_string(),
        at: told(event.at),
        verb: event.verb.name().to_owned(),
        actor: Some(who(event.actor)),
        subject: event.subject.map(who),
        session_id: event.session.map(|id| id.to_string()).unwrap_or_default(),
        reason: event.reason,
        detail: event.detail,
        origin: Some(origin),
        deed: event.deed.map(|told| deed(*told)),
        hash: entry.hash,
    }
}

fn deed(deed: Deed) -> m::Deed {
    m::Deed {
        actor_kind: deed.by.name().to_owned(),
        credential_id: deed.credential.map(|id| id.to_string()).unwrap_or_default(),
        entity_type: deed.entity.name().to_owned(),
        entity_id: deed.id,
        entity_name: deed.name,
        namespace_id: deed.namespace.map(|id| id.to_string()).unwrap_or_default(),
        outcome: deed.outcome.name().to_owned(),
        before: deed.before,
        after: deed.after,
    }
}

#[cfg(test)]
mod tests {
    use crate::activity::{ActorKind, EntityKind};
    use crate::api::descriptor::descriptors;

    #[test]
    fn comments_name_every_word() {
        let told = |message: &str, field: &str, word: &str| {
            let comment = &descriptors().message(message).field(field).expect("a field").comment;
            assert!(comment.contains(&format!("`{word}`")), "{message}.{field}: {word}");
        };
        for kind in EntityKind::ALL {
            told("ListActivityRequest", "entity_type", kind.name());
            told("Deed", "entity_type", kind.name());
        }
        for kind in ActorKind::ALL {
            told("Deed", "actor_kind", kind.name());
            told("WhoAmIResponse", "actor_kind", kind.name());
        }
    }
}
