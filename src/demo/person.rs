//! The walk of a person in a browser: signing in, being oneself, acting as somebody else, signing out.

use super::browser::{Browser, Page};
use super::stand::{DEMO_HOST, Stand};
use super::step::{BOB, ROOT, Step, published_keys};
use crate::pages::path;
use serde_json::Value;

/// What the page first asked for is called; the query has to survive the sign-in.
const FIRST: &str = "/headers?first=asked";

/// A browser of root's, and what it has seen.
struct Walk<'s> {
    browser: Browser,
    site: String,
    sign_in: String,
    keys: &'s Value,
    steps: Vec<Step>,
}

/// Signs root in by the form, acts as bob and stops, and signs out, as a browser does.
///
/// # Errors
/// A request that gets no answer, or a page that lacks a form.
pub async fn walk_in_browser(stand: &Stand, password: &str) -> Result<Vec<Step>, anyhow::Error> {
    let keys = published_keys(stand).await?;
    let mut walk = Walk {
        browser: Browser::new(stand.gateway),
        site: format!("http://{DEMO_HOST}:{}", stand.gateway.port()),
        sign_in: stand.sign_in_page(),
        keys: &keys,
        steps: Vec::new(),
    };
    walk.signs_in(password).await?;
    walk.acts_as_bob().await?;
    walk.stops().await?;
    walk.signs_out().await?;
    Ok(walk.steps)
}

impl Walk<'_> {
    async fn signs_in(&mut self, password: &str) -> Result<(), anyhow::Error> {
        let wanted = format!("{}{FIRST}", self.site);
        let form = self.browser.open(&wanted).await?;
        let asked = form.url.as_str().starts_with(&self.sign_in);
        let fields = [("login", ROOT), ("password", password)];
        let landed = self.browser.submit(&form, "/.pomerium/sign_in", &fields).await?;
        let there = landed.url.as_str() == wanted;
        let step = self.step("an administrator signs in by the form", landed);
        step.judge_person(ROOT, None);
        step.expect(asked, "the sign-in page is somewhere else");
        step.expect(there, "it does not land on the page first asked for");
        Ok(())
    }

    async fn acts_as_bob(&mut self) -> Result<(), anyhow::Error> {
        let page = self.my_page().await?;
        let shown = page.reply.body.contains("u-root");
        let fields = [("email", BOB), ("groups", ""), ("reason", "to see it work")];
        let page = self.browser.submit(&page, path::IMPERSONATE, &fields).await?;
        let band = page.reply.body.contains("You are acting as");
        let step = self.step("and acts as bob, from a page of their own", page);
        step.expect_status(200);
        step.expect(shown, "the page does not show the user id");
        step.expect(band, "the page does not say as whom one acts");
        let page = self.browser.open(&format!("{}/headers", self.site)).await?;
        self.step("the same browser, on the page it had before", page)
            .judge_person(BOB, Some(ROOT));
        Ok(())
    }

    async fn stops(&mut self) -> Result<(), anyhow::Error> {
        let page = self.my_page().await?;
        self.browser.submit(&page, path::STOP, &[]).await?;
        let page = self.browser.open(&format!("{}/headers", self.site)).await?;
        self.step("after Stop, themselves again", page).judge_person(ROOT, None);
        Ok(())
    }

    async fn signs_out(&mut self) -> Result<(), anyhow::Error> {
        let page = self.my_page().await?;
        self.browser.submit(&page, path::SIGN_OUT, &[]).await?;
        let page = self.browser.open(&format!("{}/headers", self.site)).await?;
        let asked = page.url.as_str().starts_with(&self.sign_in);
        let step = self.step("after signing out, the sign-in page", page);
        step.expect_status(200);
        step.expect(asked, "nobody is asked to sign in");
        Ok(())
    }

    async fn my_page(&mut self) -> Result<Page, anyhow::Error> {
        self.browser.open(&format!("{}{}", self.site, path::PERSON)).await
    }

    /// Everything since the last step, as one.
    fn step(&mut self, title: &'static str, page: Page) -> &mut Step {
        let request = self.browser.trail().join("\n   ");
        self.steps.push_mut(Step::new(title, request, page.reply, self.keys))
    }
}
