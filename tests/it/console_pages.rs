//! The console as it is served: who may sit there, what forms do, and what they give back.

use crate::support::console::{
    CONSOLE, GLOBAL, account_of, at, between, furnish, give, make, make_namespace, token_of,
};
use crate::support::house::{House, PASSWORD, Seen, hidden};
use lictor::demo::exchange;
use regex::Regex;
use url::Url;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_made_and_its_token_is_shown_once() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let overview = root.go(CONSOLE).await;
    assert_eq!(overview.status(), 200, "{overview:?}");
    let page = root.go(&at("accounts/new")).await;
    let key = hidden(page.body(), "key");
    let fields =
        [("kind", "unique"), ("name", "build-bot"), ("expiry", "90d"), ("key", key.as_str())];
    let made = root.submit(&page, "/console/accounts/new", &fields).await;
    assert_eq!(made.status(), 200, "{made:?}");
    assert_eq!(made.reply().header("cache-control"), Some("no-store"));
    assert_eq!(made.reply().header("pragma"), Some("no-cache"));
    let token = token_of(&made);
    assert_eq!(token.split('.').count(), 3, "{token}");
    assert_eq!(made.body().matches(&token).count(), 1, "once on its page");
    let id = account_of(&made);

    // The same form again, as a reload sends it: nothing is made, nothing shown.
    let again = root.submit(&page, "/console/accounts/new", &fields).await;
    assert!(again.body().contains("already displayed"), "{again:?}");
    assert!(!again.body().contains(&token));
    for path in ["", "/token", "/edit", "/delete"] {
        let page = root.go(&at(&format!("accounts/{id}{path}"))).await;
        assert_eq!(page.status(), 200, "{path}: {page:?}");
        assert!(!page.body().contains(&token), "{path}");
        assert!(page.body().contains("build-bot"), "{path}");
    }
    let list = root.go(&at("accounts")).await;
    assert!(list.body().contains("1–1 of 1"), "{list:?}");
    for entry in house.activity().await {
        assert!(!format!("{entry:?}").contains(&token), "the log tells no token");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_is_sent_twice_rotates_once() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let first = make(&mut root, "ci").await;
    let id = account_of(&first);
    house.later(5);
    let page = root.go(&at(&format!("accounts/{id}"))).await;
    let after = hidden(page.body(), "after");
    let action = format!("/console/accounts/{id}/token");
    let fields = [("after", after.as_str()), ("overlap", "1h")];
    let rotated = root.submit(&page, &action, &fields).await;
    assert_eq!(rotated.status(), 200, "{rotated:?}");
    assert_ne!(token_of(&rotated), token_of(&first));
    assert!(rotated.body().contains("stay good until"), "{rotated:?}");
    let again = root.submit(&page, &action, &fields).await;
    assert!(again.body().contains("already displayed"), "{again:?}");
    house.later(5);
    let page = root.go(&at(&format!("accounts/{id}"))).await;
    assert_eq!(page.body().matches("ends in <code>").count(), 2, "{page:?}");
    assert!(page.body().contains("Ending"), "{page:?}");

    // One more beside them, and one revoked.
    let after = hidden(page.body(), "after");
    let fields = [("after", after.as_str()), ("overlap", "beside")];
    token_of(&root.submit(&page, &action, &fields).await);
    let question = root.go(&at(&format!("accounts/{id}/revoke?credential={after}"))).await;
    assert!(question.body().contains("Revoke this credential?"), "{question:?}");
    let action = format!("/console/accounts/{id}/revoke");
    let page = root.submit(&question, &action, &[("credential", after.as_str())]).await;
    assert!(page.body().contains("It is revoked.") && page.body().contains("Revoked"), "{page:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_is_given_back_with_what_is_wrong() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let page = root.go(&at("accounts/new")).await;
    let fields = [
        ("kind", "unique"),
        ("name", "build bot"),
        ("description", "Nightly builds"),
        ("expiry", "custom"),
        ("until", "2001-01-01T00:00"),
    ];
    let wrong = root.submit(&page, "/console/accounts/new", &fields).await;
    assert_eq!(wrong.status(), 400);
    let body = wrong.body();
    assert!(body.contains("<title>Error: "), "{body}");
    for kept in ["value=\"build bot\"", "value=\"Nightly builds\"", "value=\"2001-01-01T00:00\""] {
        assert!(body.contains(kept), "{kept}: {body}");
    }
    for field in ["name", "until"] {
        assert!(body.contains(&format!("href=\"#{field}\"")), "{field}: {body}");
        assert!(body.contains(&format!("id=\"{field}-error\"")), "{field}");
    }
    make(&mut root, "taken").await;
    let page = root.go(&at("accounts/new")).await;
    let fields = [("kind", "unique"), ("name", "taken"), ("expiry", "90d"), ("key", "other")];
    let wrong = root.submit(&page, "/console/accounts/new", &fields).await;
    assert_eq!(wrong.status(), 400);
    assert!(wrong.body().contains("There is one of this name already."), "{wrong:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn acting_as_a_person_takes_a_fresh_sign_in() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    house.later(400);
    let page = root.go(&at("accounts/new?kind=impersonated&user=bob@corp.test")).await;
    assert!(page.body().contains("u-bob"), "whom it means: {page:?}");
    let fields = [
        ("kind", "impersonated"),
        ("user", "bob@corp.test"),
        ("description", "for reports"),
        ("expiry", "7d"),
        ("key", "one"),
    ];
    let stale = root.submit(&page, "/console/accounts/new", &fields).await;
    assert_eq!(stale.status(), 400);
    assert!(stale.body().contains("value=\"for reports\""), "{stale:?}");
    let again = Regex::new(r#"href="([^"]*/\.pomerium/sign_in[^"]*)""#).expect("a pattern");
    let link = again.captures(stale.body()).expect("a way to sign in")[1].replace("&#38;", "&");
    let form = root.go(&link).await;
    let back = root.log_in(&form, "root@corp.test", PASSWORD).await;
    assert_eq!(back.url().path(), "/console/accounts/new", "{back:?}");
    assert!(back.body().contains("value=\"for reports\""), "{back:?}");
    let made = root.submit(&back, "/console/accounts/new", &fields).await;
    assert_eq!(made.status(), 200, "{made:?}");
    let id = account_of(&made);
    let page = root.go(&at(&format!("accounts/{id}"))).await;
    assert!(page.body().contains("u-bob") && page.body().contains("Impersonated"), "{page:?}");
    let person = root.go(&at("user?id=u-bob")).await;
    assert!(person.body().contains(&id), "{person:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_console_where_people_sign_in_and_nowhere_else() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    root.go("http://any.localhost/").await;
    let cookie = root.cookie("any.localhost", "_pomerium").expect("a cookie");
    let cookie = format!("Cookie: _pomerium={cookie}");
    for path in ["/console/", "/console/people?q=b", "/console/accounts/new"] {
        let asked = format!("GET {path} HTTP/1.1");
        let lines = [asked.as_str(), "Host: any.localhost", cookie.as_str()];
        let reply = exchange(house.http, &lines).await.expect("an answer");
        assert_eq!(reply.status, 404, "{path}: {reply:?}");
    }
    // A stranger is led to sign in, and back.
    let mut stranger = house.browser();
    let form = stranger.go(&at("accounts?state=expired")).await;
    assert!(form.body().contains("name=\"password\""), "{form:?}");
    let back = stranger.log_in(&form, "root@corp.test", PASSWORD).await;
    assert_eq!(back.url().as_str(), at("accounts?state=expired"));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_page_leads_those_with_a_role_to_the_console() {
    let house = House::open().await;
    let (mut root, mut alice) =
        (house.signed_in("root@corp.test").await, house.signed_in("alice@corp.test").await);
    let leads = |seen: &Seen| {
        assert_eq!(seen.status(), 200, "{seen:?}");
        seen.body().contains("<a href=\"/console/\"")
    };
    assert!(leads(&root.my_page().await));
    assert!(!leads(&alice.my_page().await), "no role, no way");
    let design = make_namespace(&mut root, GLOBAL, "Design").await;
    give(&mut root, &design, ("group", "Engineers"), "viewer").await;
    assert!(leads(&alice.my_page().await), "any role, by a group too");
    // Acting as somebody else changes nothing: the console is entered in one's own name.
    assert!(leads(&root.act_as("bob@corp.test", "").await));
    assert!(leads(&root.stop_acting().await));
    // There is no console on hosts that are protected, and so no way there.
    root.go("http://any.localhost/").await;
    assert!(!leads(&root.go("http://any.localhost/.pomerium/").await));
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_role_is_told_which_it_takes() {
    let house = House::open().await;
    let mut alice = house.signed_in("alice@corp.test").await;
    for page in ["", "accounts", "accounts/new", "people?q=b", "user?id=u-bob", "activity"] {
        let seen = alice.go(&at(page)).await;
        assert_eq!(seen.status(), 403, "{page}: {seen:?}");
        assert!(seen.body().contains("viewer") && seen.body().contains("u-alice"), "{page}");
        assert!(!seen.body().contains("u-bob"), "{page}");
    }
    let url = Url::parse(&at("accounts/new")).expect("a URL");
    let seen = alice.request("POST", &url, Some("csrf=x&name=a")).await;
    assert_eq!(seen.status(), 403);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_looks_and_sees_nothing_of_what_is_beside() {
    let house = House::open().await;
    let (mut root, mut alice) =
        (house.signed_in("root@corp.test").await, house.signed_in("alice@corp.test").await);
    let design = make_namespace(&mut root, GLOBAL, "Design").await;
    let sales = make_namespace(&mut root, GLOBAL, "Sales").await;
    root.go(&at(&format!("accounts?ns={sales}"))).await;
    let secret = account_of(&make(&mut root, "till").await);
    assert_eq!(give(&mut root, &design, ("user", "alice@corp.test"), "viewer").await.status(), 200);

    let seen = alice.go(CONSOLE).await;
    assert_eq!(seen.status(), 200, "{seen:?}");
    assert!(seen.body().contains("Global / Design"), "{seen:?}");
    assert!(!seen.body().contains("Sales"), "{seen:?}");
    assert!(!seen.body().contains("Create service account"), "{seen:?}");
    for page in [
        format!("accounts/{secret}"),
        format!("accounts/{secret}/token"),
        format!("namespaces/{sales}"),
        format!("namespaces/new?parent={sales}"),
        "accounts/sa_00000000000000000000000000000000".to_owned(),
        "accounts/nonsense".to_owned(),
        "policy?id=pol_00000000000000000000000000000000".to_owned(),
    ] {
        let seen = alice.go(&at(&page)).await;
        assert_eq!(seen.status(), 404, "{page}: {seen:?}");
    }
    let seen = alice.go(&at("accounts/new")).await;
    assert_eq!(seen.status(), 403);
    assert!(seen.body().contains("This takes the role manager"), "{seen:?}");
    let token = hidden(seen.body(), "csrf");
    let fields = |namespace| {
        [("kind", "unique"), ("name", "mine"), ("expiry", "90d"), ("namespace", namespace)]
    };
    let new = "/console/accounts/new";
    let seen = alice.submit_with(&seen, new, &token, &fields(&design)).await;
    assert_eq!(seen.status(), 403, "{seen:?}");
    // A namespace that cannot be seen is no namespace.
    let seen = alice.submit_with(&seen, new, &token, &fields(&sales)).await;
    assert_eq!(seen.status(), 404, "{seen:?}");
    let seen = alice.go(&at(&format!("accounts?ns={sales}"))).await;
    assert!(!seen.body().contains("till"), "{seen:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_switched_off_and_on_and_deleted_by_name() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let id = account_of(&make(&mut root, "ci").await);
    let page = root.go(&at(&format!("accounts/{id}"))).await;
    let path = |verb: &str| format!("/console/accounts/{id}/{verb}");
    let off = root.submit(&page, &path("disable"), &[]).await;
    assert!(off.body().contains("Undo") && off.body().contains("Disabled"), "{off:?}");
    let on = root.submit(&off, &path("enable"), &[]).await;
    assert!(on.body().contains("It is enabled."), "{on:?}");
    let question = root.go(&at(&format!("accounts/{id}/delete"))).await;
    let version = hidden(question.body(), "version");
    let fields = |typed| [("typed", typed), ("version", version.as_str())];
    let wrong = root.submit(&question, &path("delete"), &fields("cI")).await;
    assert_eq!(wrong.status(), 400);
    assert!(wrong.body().contains("This is not its name."), "{wrong:?}");
    let gone = root.submit(&question, &path("delete"), &fields("ci")).await;
    assert!(gone.body().contains("It is deleted."), "{gone:?}");
    assert_eq!(root.go(&at(&format!("accounts/{id}"))).await.status(), 404);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_accounts_are_switched_off_and_deleted_at_once() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let ids = [account_of(&make(&mut root, "a").await), account_of(&make(&mut root, "b").await)];
    let list = root.go(&at("accounts")).await;
    let picks = ids.each_ref().map(|id| format!("pick-{id}"));
    let some = [(picks[0].as_str(), "on"), (picks[1].as_str(), "on")];
    let act = |verb| [some[0], some[1], ("do", verb)];
    let off = root.submit(&list, "/console/accounts/some", &act("disable")).await;
    assert_eq!(off.body().matches("state open\">Disabled").count(), 2, "{off:?}");
    let question = root.submit(&list, "/console/accounts/some", &act("delete")).await;
    assert!(question.body().contains("Delete 2 service accounts?"), "{question:?}");
    let sure = [some[0], some[1], ("do", "delete"), ("sure", "on")];
    let gone = root.submit(&question, "/console/accounts/some", &sure).await;
    assert!(gone.body().contains("There is none here yet"), "{gone:?}");
    let nothing = root.submit(&list, "/console/accounts/some", &[("do", "delete")]).await;
    assert_eq!(nothing.status(), 400, "{nothing:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_change_the_same_are_told() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let id = account_of(&make(&mut root, "ci").await);
    let path = format!("/console/accounts/{id}/edit");
    let form = root.go(&at(&format!("accounts/{id}/edit"))).await;
    let version = hidden(form.body(), "version");
    fn fields<'a>(text: &'a str, version: &'a str) -> [(&'a str, &'a str); 3] {
        [("description", text), ("expiry", "keep"), ("version", version)]
    }
    let saved = root.submit(&form, &path, &fields("mine", &version)).await;
    assert!(saved.body().contains("The changes are saved."), "{saved:?}");
    let refused = root.submit(&form, &path, &fields("yours", &version)).await;
    assert_eq!(refused.status(), 400);
    assert!(refused.body().contains("Somebody else changed it meanwhile."), "{refused:?}");
    assert!(refused.body().contains("value=\"yours\""), "{refused:?}");
    let version = hidden(refused.body(), "version");
    let saved = root.submit(&refused, &path, &fields("yours", &version)).await;
    assert!(saved.body().contains("yours"), "{saved:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_are_made_moved_and_deleted() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let design = make_namespace(&mut root, GLOBAL, "Design").await;
    let web = make_namespace(&mut root, &design, "Web").await;
    let sales = make_namespace(&mut root, GLOBAL, "Sales").await;
    root.go(&at(&format!("accounts?ns={design}"))).await;
    make(&mut root, "build-bot").await;
    let tree = root.go(&at("namespaces")).await;
    assert!(tree.body().contains("data-level=\"2\""), "{tree:?}");

    let preview = root.go(&at(&format!("namespaces/{web}/move?to={sales}"))).await;
    assert_eq!(preview.status(), 200, "{preview:?}");
    assert!(preview.body().contains("1 account</span> of Global / Design"), "{preview:?}");
    let version = hidden(preview.body(), "version");
    let fields = [("to", sales.as_str()), ("version", version.as_str())];
    let moved = root.submit(&preview, &format!("/console/namespaces/{web}/move"), &fields).await;
    assert!(moved.body().contains("Global / Sales / Web"), "{moved:?}");
    // Not below itself.
    let ring = root.go(&at(&format!("namespaces/{sales}/move?to={web}"))).await;
    assert!(ring.body().contains("cannot be moved") || ring.status() >= 400, "{ring:?}");

    let question = root.go(&at(&format!("namespaces/{sales}/delete"))).await;
    assert!(question.body().contains("cannot be deleted while"), "{question:?}");
    let question = root.go(&at(&format!("namespaces/{design}/delete"))).await;
    assert!(question.body().contains("build-bot"), "{question:?}");
    let action = format!("/console/namespaces/{design}/delete");
    let refused = root.submit(&question, &action, &[("typed", "Design")]).await;
    assert_eq!(refused.status(), 409, "{refused:?}");
    let gone = root.submit(&question, &action, &[("typed", "Design"), ("all", "on")]).await;
    assert!(gone.body().contains("It is deleted."), "{gone:?}");
    assert_eq!(root.go(&at(&format!("namespaces/{design}"))).await.status(), 404);
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_are_given_and_taken_away() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let web = make_namespace(&mut root, GLOBAL, "Web").await;
    let given = give(&mut root, &web, ("group", "Engineers"), "manager").await;
    assert!(given.body().contains("g-eng"), "{given:?}");
    let permission = hidden(given.body(), "permission");
    let action = format!("/console/namespaces/{web}/remove-role");
    let taken = root.submit(&given, &action, &[("permission", permission.as_str())]).await;
    assert!(taken.body().contains("The role is taken away."), "{taken:?}");
    house.later(400);
    let stale = give(&mut root, &web, ("user", "u-bob"), "admin").await;
    assert_eq!(stale.status(), 400);
    assert!(stale.body().contains("Sign in again"), "{stale:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_are_written_as_rows_and_as_text() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let new = "/console/policies/new";
    let page = root.go(&at("policies/new?for=build-bot")).await;
    assert!(page.body().contains("value=\"build-bot\""), "{page:?}");
    let with = |verb| {
        [
            ("view", "builder"),
            ("effect-0", "allow"),
            ("criterion-0", "user"),
            ("operator-0", "is"),
            ("value-0", "build-bot"),
            ("effect-1", "deny"),
            ("criterion-1", "http_method"),
            ("operator-1", "in"),
            ("value-1", "DELETE, PATCH"),
            ("name", "builds"),
            ("do", verb),
        ]
    };
    let more = root.submit(&page, new, &with("add")).await;
    assert!(more.body().contains("id=\"criterion-2\""), "{more:?}");
    let less = root.submit(&page, new, &with("remove-0")).await;
    assert!(!less.body().contains("id=\"criterion-1\""), "{less:?}");
    let text = root.submit(&page, new, &with("text")).await;
    assert!(text.body().contains("  - user: {is: &#34;build-bot&#34;}"), "{text:?}");
    assert!(text.body().contains("value=\"builds\""), "{text:?}");
    let written = |text, verb| [("view", "text"), ("text", text), ("name", "x"), ("do", verb)];
    let shown = written("allow:\n  or:\n  - user: {is: a}\n", "builder");
    let shown = root.submit(&page, new, &shown).await;
    assert!(shown.body().contains("id=\"criterion-0\""), "{shown:?}");
    let odd = written("allow: {and: [{user: a}, {email: b}]}", "builder");
    let kept = root.submit(&page, new, &odd).await;
    assert!(kept.body().contains("Only as text"), "{kept:?}");

    let wrong = written("allow:\n  or:\n  - usr: a\n", "save");
    let refused = root.submit(&page, new, &wrong).await;
    assert_eq!(refused.status(), 400);
    assert!(refused.body().contains("Line 3, column 5:"), "{refused:?}");
    assert!(refused.body().contains("unknown criterion <code>usr</code>"), "{refused:?}");
    let checked = root.submit(&page, "/console/policies/check", &wrong).await;
    let problems: serde_json::Value = serde_json::from_str(checked.body()).expect("JSON");
    assert_eq!(problems["problems"][0]["line"], 3, "{problems}");
    let checked = root.submit(&page, "/console/policies/check", &with("check")).await;
    assert_eq!(checked.body(), r#"{"problems":[]}"#);

    let saved = root.submit(&page, new, &with("save")).await;
    assert!(saved.body().contains("It is created."), "{saved:?}");
    let id = saved.url().query_pairs().next().expect("an id").1.into_owned();
    let edit = root.go(&at(&format!("policy/edit?id={id}&for=other-bot"))).await;
    assert!(edit.body().contains("value=\"other-bot\""), "{edit:?}");
    assert!(edit.body().contains("value=\"DELETE, PATCH\""), "{edit:?}");
    let gone = root.go(&at(&format!("policy/delete?id={id}"))).await;
    let gone = root.submit(&gone, &format!("/console/policy/delete?id={id}"), &[]).await;
    assert!(gone.body().contains("It is deleted."), "{gone:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_is_given_is_not_deleted_by_the_way() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let pages = furnish(&mut root, str::to_owned).await.pages();
    let delete = pages.iter().find(|page| page.contains("policy/delete")).expect("a page");
    let question = root.go(delete).await;
    assert!(question.body().contains("Remove it from its route"), "{question:?}");
    let action = delete.strip_prefix("http://auth.localhost").expect("a path").to_owned();
    let refused = root.submit(&question, &action, &[]).await;
    assert_eq!(refused.status(), 409, "{refused:?}");
    let gone = root.submit(&question, &action, &[("all", "on")]).await;
    assert!(gone.body().contains("It is deleted."), "{gone:?}");
    // Routes of the file: only what is given to them.
    let form = root.go(&at("route/edit?id=eng")).await;
    assert!(!form.body().contains("name=\"from\""), "{form:?}");
    let url = Url::parse(&at("route/delete?id=eng")).expect("a URL");
    let csrf = hidden(form.body(), "csrf");
    let refused = root.request("POST", &url, Some(&format!("csrf={csrf}"))).await;
    assert_eq!(refused.status(), 403, "{refused:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_looked_up_by_those_with_a_role() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    make(&mut root, "bob-bot").await;
    let found = root.go(&at("people?q=bob&accounts=on")).await;
    let found: serde_json::Value = serde_json::from_str(found.body()).expect("JSON");
    let people = found["people"].as_array().expect("people").iter();
    let ids: Vec<&str> = people.map(|one| one["id"].as_str().expect("an id")).collect();
    assert_eq!(ids, ["u-bob", "bob-bot"], "{found}");
    let found = root.go(&at("people?q=eng")).await;
    assert!(found.body().contains("g-eng"), "{found:?}");
    assert_eq!(found.reply().header("cache-control"), Some("no-store"));
    let page = root.go(&at("search?q=u-bob")).await;
    assert!(page.body().contains("/console/user?id=u-bob"), "{page:?}");

    let question = root.go(&at("user/block?id=u-bob")).await;
    let action = "/console/user/block?id=u-bob";
    let blocked = root.submit(&question, action, &[("reason", "has left")]).await;
    assert!(blocked.body().contains("They are blocked"), "{blocked:?}");
    assert!(blocked.body().contains("has left"), "{blocked:?}");
    let free = root.submit(&blocked, "/console/user/unblock?id=u-bob", &[]).await;
    assert!(free.body().contains("They are unblocked."), "{free:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_asked_about_stands_nowhere() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let token = token_of(&make(&mut root, "ci").await);
    let page = root.go(&at("simulator")).await;
    let fields = [("who", "token"), ("token", token.as_str()), ("url", "http://any.localhost/")];
    let seen = root.submit(&page, "/console/simulator", &fields).await;
    assert!(!seen.body().contains(&token), "{seen:?}");
    assert_eq!(seen.url().query(), None);
    // A token in an address is not looked at.
    let asked = format!("simulator?who=token&token={token}&url=http://any.localhost/");
    let seen = root.go(&at(&asked)).await;
    assert!(!seen.body().contains(&token), "{seen:?}");
    let wrong = root.go(&at("simulator?who=user&user=&method=GET&url=&ip=x")).await;
    assert_eq!(wrong.status(), 400);
    for field in ["user", "url", "ip"] {
        assert!(wrong.body().contains(&format!("id=\"{field}-error\"")), "{field}: {wrong:?}");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_answered_is_told_with_the_way_there() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    let id = account_of(&make(&mut root, "ci").await);
    let page = root.go(&at(&format!("accounts/{id}"))).await;
    assert!(page.body().contains("Where it can go"), "{page:?}");
    let link = Regex::new(r#"href="(/console/simulator\?who=account[^"]*any\.localhost[^"]*)""#);
    let link = link.expect("a pattern");
    let link = link.captures(page.body()).expect("a link")[1].replace("&#38;", "&");
    let allowed = root.go(&format!("http://auth.localhost{link}")).await;
    assert!(allowed.body().contains("verdict allow\">ALLOW"), "{allowed:?}");
    assert!(allowed.body().contains("aria-current=\"step\""), "{allowed:?}");
    let denied =
        root.go(&at("simulator?who=user&user=alice@corp.test&url=http://fin.localhost/")).await;
    assert!(denied.body().contains("verdict deny\">DENY"), "{denied:?}");
    assert!(
        denied.body().contains("user-unauthorized") || denied.body().contains("email-unauthorized"),
        "{denied:?}"
    );
    assert!(denied.body().contains("curl &#39;http://fin.localhost/&#39;"), "{denied:?}");
    let nobody = root.go(&at("simulator?who=anonymous&method=GET&url=http://fin.localhost/")).await;
    assert!(nobody.body().contains("verdict deny"), "{nobody:?}");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn administration_is_in_ones_own_name() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    root.act_as("bob@corp.test", "").await;
    let page = root.go(CONSOLE).await;
    assert_eq!(page.status(), 200, "{page:?}");
    assert!(page.body().contains("class=\"band\""), "{page:?}");
    make(&mut root, "ci").await;
    let entries = house.activity().await;
    let made = entries.iter().find(|entry| entry.event.verb.name() == "create").expect("an entry");
    assert_eq!(made.event.actor.user, "u-root");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_filtered_and_told_entry_by_entry() {
    let house = House::open().await;
    let mut root = house.signed_in("root@corp.test").await;
    furnish(&mut root, str::to_owned).await;
    let all = root.go(&at(&format!("activity?ns={GLOBAL}"))).await;
    assert!(all.body().contains("Verified"), "{all:?}");
    let some = root.go(&at("activity?kind=policy&verb=create")).await;
    assert!(some.body().contains("builds") && !some.body().contains("build-bot"), "{some:?}");
    let number = between(some.body(), "href=\"/console/activity/", "\"").to_owned();
    let entry = root.go(&at(&format!("activity/{number}"))).await;
    assert!(entry.body().contains("class=\"added\""), "{entry:?}");
    assert!(entry.body().contains("root@corp.test"), "{entry:?}");
    let none = root.go(&at("activity?until=2001-01-01")).await;
    assert!(none.body().contains("There is nothing like this."), "{none:?}");
    assert_eq!(root.go(&at("activity/999999")).await.status(), 404);
    assert_eq!(root.go(&at("activity/x")).await.status(), 404);
    house.close().await;
}
