//! The error page a person sees, filled from what was refused.

use crate::authorizer::{Record, Refusal};
use crate::identity::{Identity, Person};
use crate::pages::RefusalPage;
use crate::policy::DenyReason;
use crate::request::Request;

pub(super) fn render(
    status: u16,
    title: &str,
    sentence: &str,
    request: &Request,
    refusal: &Refusal,
    record: &Record,
) -> String {
    let somebody = !matches!(refusal.reason, DenyReason::Unauthenticated(_));
    let identity = record.identity.as_deref().filter(|_| somebody);
    let name = |person: &Person| {
        if person.email.is_empty() { person.user.clone() } else { person.email.clone() }
    };
    let acting = identity.filter(|identity| identity.actor.is_some()).map(|identity| {
        let subject = name(&identity.subject);
        if subject.is_empty() { identity.subject.group_ids().join(", ") } else { subject }
    });
    let details = refusal
        .show_details
        .then(|| record.allow.reasons.union(record.deny.reasons).names().collect());
    let page = RefusalPage {
        status,
        title,
        sentence,
        person: &identity.map(Identity::holder).map(name).unwrap_or_default(),
        acting_as: &acting.unwrap_or_default(),
        request_id: request.id.as_str(),
        reasons: details.unwrap_or_default(),
    };
    page.render()
}
