//! Finding people and groups by what somebody begins to type.

use super::index::{Fit, fit_of, folded};
use super::{GroupView, UserView};
use crate::admin::{Actor, Admin, AdminError};

/// The most that are given at once.
const MOST: usize = 20;
/// The longest text that is looked for, in characters.
const TEXT: usize = 254;

impl Admin {
    /// Exact id first, then exact e-mail address, then beginnings of address and words of the name, then
    /// anything that holds `text`; with how many there are. Case and diacritics do not count. For everybody
    /// with a role anywhere. At most 20. Of those whom only sign-ins know, as many are counted as are
    /// looked at.
    ///
    /// # Errors
    /// `by` has no role; the store does not answer.
    pub async fn search_users(
        &self,
        by: &Actor,
        text: &str,
        limit: usize,
    ) -> Result<(Vec<UserView>, u64), AdminError> {
        let world = self.world();
        world.permit_anywhere(by)?;
        let most = limit.clamp(1, MOST);
        let Some(text) = looked_for(text) else { return Ok((Vec::new(), 0)) };
        let letters = folded(text);
        let index = self.known.of(&world.snapshot.directory).await;
        let (listed, total) = index.people(&letters, most);
        let listed = listed.into_iter();
        let listed = listed.filter_map(|(fit, id)| Some((fit, world.user_view(id, None)?)));
        let mut found: Vec<(Fit, UserView)> = listed.collect();
        let mut total = total;
        for known in self.store().search_people(text, MOST).await? {
            let account = &known.account;
            let listed = world.directory().has_id(&account.user)
                || (!account.email.is_empty()
                    && world.directory().by_email(&account.email).is_some());
            let parts = [&account.user, &account.email, &account.name].map(|part| folded(part));
            let fit = fit_of(&letters, parts.iter().map(String::as_str));
            if let Some(fit) = fit.filter(|_| !listed) {
                total += 1;
                found.extend(world.user_view(&account.user, Some(&known)).map(|it| (fit, it)));
            }
        }
        let key = |(fit, view): &(Fit, UserView)| (*fit, folded(&view.email), view.id.clone());
        found.sort_by_cached_key(key);
        let views = found.into_iter().take(most).map(|(_, view)| view);
        Ok((views.collect(), u64::try_from(total).unwrap_or(u64::MAX)))
    }

    /// By id and name, as [`Admin::search_users`].
    ///
    /// # Errors
    /// `by` has no role.
    pub async fn search_groups(
        &self,
        by: &Actor,
        text: &str,
        limit: usize,
    ) -> Result<(Vec<GroupView>, u64), AdminError> {
        let world = self.world();
        world.permit_anywhere(by)?;
        let Some(text) = looked_for(text) else { return Ok((Vec::new(), 0)) };
        let index = self.known.of(&world.snapshot.directory).await;
        let (found, total) = index.groups(&folded(text), limit.clamp(1, MOST));
        let views = found.into_iter().map(|(id, name)| {
            let (id, name) = (id.clone(), name.clone());
            GroupView { id, name }
        });
        Ok((views.collect(), u64::try_from(total).unwrap_or(u64::MAX)))
    }
}

/// `None` for what nobody can be found by.
fn looked_for(text: &str) -> Option<&str> {
    let text = text.trim();
    let fits = text.chars().count() <= TEXT && !text.chars().any(char::is_control);
    (fits && !folded(text).is_empty()).then_some(text)
}
