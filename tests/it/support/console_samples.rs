//! Every page of the console, filled with what could stand in it.

use super::page_samples::{NOW, Sample, Samples};
use lictor::activity::{ActorKind, EntityKind, Outcome, Verb};
use lictor::namespace::Role;
use lictor::pages::console::{
    AccountEditPage, AccountForm, AccountPage, AccountRow, AccountsPage, AlreadyShownPage, Branch,
    Choice, CredentialRow, DenialRow, DestinationRow, Entry, Expiries, Mistake, Mistakes,
    NewAccountPage, Notice, OverviewPage, Pager, PersonShown, PolicyMentioned, RouteUse, Section,
    Shell, TokenClaim, TokenPage, Undo, Usage, UsageDay,
};
use lictor::pages::{Frame, Navigation};
use lictor::secret::Secret;
use lictor::service_account::{AccountState, CredentialState};
use lictor::store::{AccountTally, Filter, SortKey, Sorted};
use lictor::time::Timestamp;
use std::time::Duration;

const DAY: u64 = 86_400;

pub fn ago(seconds: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(seconds))
}

pub fn ahead(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

impl Samples {
    /// Every page there is.
    pub fn everything(self) -> Vec<Sample> {
        let mut all = self.all();
        all.extend(self.console());
        all
    }

    /// Every page of the console.
    pub fn console(self) -> Vec<Sample> {
        let mut all = self.account_samples();
        all.extend(self.other_samples());
        all.push(self.sample("overview", self.overview().render()));
        all.push(self.sample("overview-empty", self.empty_overview().render()));
        all
    }

    pub fn shell(self, section: Section, role: Role) -> Frame {
        let branch = |id: &str, name: &str, path: &str, depth| Branch {
            id: self.text(id),
            name: self.text(name),
            path: self.text(path),
            depth,
            role: Some(role),
        };
        let mut tree = vec![
            branch("global", "Global", "Global", 0),
            branch("design", "Design", "Global / Design", 1),
            branch("web", "Web", "Global / Design / Web", 2),
            branch("sales", "Sales", "Global / Sales", 1),
        ];
        tree[0].role = None;
        let shell = Shell {
            section,
            sections: Section::ALL.to_vec(),
            namespace: tree[1].clone(),
            tree,
            user_id: self.text("00u1a2b3c4d5e6f7g8h9"),
            sought: String::new(),
        };
        Frame { shell: Some(Box::new(shell)), ..self.frame(Navigation::Administrator) }
    }

    pub fn mistakes(self, mistakes: &[(&str, &str)]) -> Mistakes {
        let mistake = |(field, message): &(&str, &str)| Mistake {
            field: (*field).to_owned(),
            message: self.text(message),
        };
        Mistakes(mistakes.iter().map(mistake).collect())
    }

    pub fn entries(self) -> Vec<Entry> {
        let entry = |number, verb, kind, name: &str| Entry {
            number,
            at: ago((230 - number) * (230 - number) * 31),
            verb,
            outcome: Outcome::Done,
            actor: self.text("ann@example.com"),
            by: Some(ActorKind::Person),
            kind: Some(kind),
            name: if name.is_empty() { String::new() } else { self.text(name) },
            link: "/console/accounts/sa_0f1e2d3c4b5a69788796a5b4c3d2e1f0".to_owned(),
            namespace: self.text("Global / Design"),
            detail: String::new(),
        };
        let mut all = vec![
            entry(229, Verb::RotateCredential, EntityKind::ServiceAccount, "build-bot"),
            entry(221, Verb::Create, EntityKind::ServiceAccount, "build-bot"),
            entry(220, Verb::Create, EntityKind::Policy, "nightly builds"),
            entry(217, Verb::GrantRole, EntityKind::Permission, "carol@example.com"),
            entry(214, Verb::Disable, EntityKind::ServiceAccount, "old-importer"),
            entry(201, Verb::SignIn, EntityKind::User, ""),
        ];
        all[1].by = Some(ActorKind::ServiceAccount);
        all[2].outcome = Outcome::Denied;
        all[2].detail = self.text("takes the role `manager` in Global / Design");
        all[4].link = String::new();
        all[5].kind = None;
        all[5].by = None;
        all[5].namespace = String::new();
        all
    }

    fn overview(self) -> OverviewPage {
        OverviewPage {
            frame: self.shell(Section::Overview, Role::Admin),
            accounts: AccountTally {
                all: 2310,
                active: 2204,
                expiring: 3,
                never_used: 41,
                stale: 17,
                expired: 96,
                disabled: 10,
            },
            people: 1204,
            broken: vec![(self.text("pol_0f1e2d3c4b5a69788796a5b4c3d2e1f0"), self.text("exports"))],
            entries: self.entries(),
            manages: true,
        }
    }

    fn empty_overview(self) -> OverviewPage {
        OverviewPage {
            frame: self.shell(Section::Overview, Role::Viewer),
            accounts: AccountTally::default(),
            people: 0,
            broken: vec![],
            entries: vec![],
            manages: false,
        }
    }

    pub fn account(self, name: &str, state: AccountState) -> AccountRow {
        AccountRow {
            id: self.text("sa_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            name: self.text(name),
            user_id: self.text(&format!("{name}@21c19dba-4f0e-4a6b-9d7e-0a1b2c3d4e5f.pomerium")),
            impersonating: false,
            person: String::new(),
            namespace_id: self.text("21c19dba-4f0e-4a6b-9d7e-0a1b2c3d4e5f"),
            namespace: self.text("Global / Design"),
            description: self.text("Nightly builds; ask the platform team"),
            issued: ago(40 * DAY),
            used: Some(ago(140)),
            expires: Some(ahead(50 * DAY)),
            state,
            manages: true,
            restricts: true,
        }
    }

    fn accounts(self) -> AccountsPage {
        let mut rows = vec![
            self.account("build-bot", AccountState::Active),
            self.account("release.2025", AccountState::Expiring),
            self.account("old-importer", AccountState::Disabled),
            self.account("exports", AccountState::Expired),
            self.account("Bob Baker", AccountState::Suspended),
        ];
        rows[1].expires = Some(ahead(3 * DAY));
        rows[1].description = String::new();
        rows[2].used = None;
        rows[2].expires = None;
        rows[3].expires = Some(ago(2 * DAY));
        rows[3].namespace = self.text("Global / Design / Web");
        rows[4].impersonating = true;
        rows[4].user_id = self.text("00u9z8y7x6w5v4u3t2s1");
        rows[4].person = self.text("Bob Baker · bob@example.com");
        rows[4].manages = false;
        rows[4].restricts = false;
        AccountsPage {
            frame: self.shell(Section::Accounts, Role::Manager),
            notice: Notice {
                text: self.text("old-importer is disabled."),
                undo: Some(Undo {
                    action: "/console/accounts/sa_0f1e2d3c4b5a69788796a5b4c3d2e1f0/enable".into(),
                    label: "Undo".into(),
                }),
            },
            rows,
            pager: Pager {
                offset: 50,
                size: 50,
                total: 2310,
                address: "/console/accounts?q=b".into(),
            },
            text: self.text("bot"),
            impersonating: None,
            filter: None,
            recursive: true,
            sorted: Some(Sorted { key: SortKey::Used, descending: true }),
            manages: true,
        }
    }

    fn account_samples(self) -> Vec<Sample> {
        let accounts = self.accounts();
        let none = AccountsPage {
            rows: vec![],
            notice: Notice::default(),
            text: String::new(),
            sorted: None,
            pager: Pager::default(),
            ..accounts.clone()
        };
        let unmatched = AccountsPage { filter: Some(Filter::Stale), ..none.clone() };
        vec![
            self.sample("accounts", accounts.render()),
            self.sample("accounts-empty", none.render()),
            self.sample("accounts-unmatched", unmatched.render()),
            self.sample("account-new", self.new_account().render()),
            self.sample("account-new-errors", self.new_account_errors().render()),
            self.sample("account-new-again", self.new_account_again().render()),
            self.sample("account-token", self.token().render()),
            self.sample("account-rotated", self.rotated().render()),
            self.sample("account-already-shown", self.already_shown().render()),
            self.sample("account", self.account_page().render()),
            self.sample("account-impersonated", self.impersonated_page().render()),
            self.sample("account-edit", self.edit_account().render()),
        ]
    }

    fn expiries(self, chosen: &str) -> Expiries {
        let preset = |value: &str, label: &str| Choice {
            value: value.to_owned(),
            label: label.to_owned(),
            chosen: value == chosen,
        };
        Expiries {
            presets: vec![
                preset("1h", "in an hour"),
                preset("7d", "in 7 days"),
                preset("30d", "in 30 days"),
                preset("90d", "in 90 days"),
            ],
            never: true,
            latest: None,
        }
    }

    fn new_account(self) -> NewAccountPage {
        NewAccountPage {
            frame: self.shell(Section::Accounts, Role::Admin),
            namespace_id: self.text("21c19dba-4f0e-4a6b-9d7e-0a1b2c3d4e5f"),
            namespace: self.text("Global / Design"),
            below: 3,
            suffix: self.text("@21c19dba-4f0e-4a6b-9d7e-0a1b2c3d4e5f.pomerium"),
            form: AccountForm {
                expiry: "90d".into(),
                key: self.text("5f0a6c1e"),
                ..AccountForm::default()
            },
            expiries: self.expiries("90d"),
            may_impersonate: true,
            person: None,
            offers_unknown: false,
            sign_in_again: String::new(),
            mistakes: Mistakes::default(),
        }
    }

    fn new_account_errors(self) -> NewAccountPage {
        let form = AccountForm {
            impersonating: true,
            name: self.text("build bot"),
            user: self.text("bob"),
            description: self.text("For Bob’s reports"),
            expiry: "custom".into(),
            until: "2025-11-21T10:00".into(),
            ..self.new_account().form
        };
        let mut expiries = self.expiries("custom");
        expiries.latest = Some(ahead(366 * DAY));
        expiries.never = false;
        NewAccountPage {
            form,
            expiries,
            offers_unknown: true,
            mistakes: self.mistakes(&[
                ("user", "Nobody is known by this. Choose somebody from the list."),
                ("until", "This is in the past."),
            ]),
            ..self.new_account()
        }
    }

    fn new_account_again(self) -> NewAccountPage {
        let form = AccountForm {
            impersonating: true,
            user: self.text("00u9z8y7x6w5v4u3t2s1"),
            ..self.new_account().form
        };
        NewAccountPage {
            form,
            person: Some(PersonShown {
                id: self.text("00u9z8y7x6w5v4u3t2s1"),
                name: self.text("Bob Baker"),
                email: self.text("bob@example.com"),
                source: self.text("directory"),
            }),
            sign_in_again: self.text("/.pomerium/sign_in?pomerium_signature=abc"),
            mistakes: self
                .mistakes(&[("", "Sign in again to do this: you signed in too long ago.")]),
            ..self.new_account()
        }
    }

    pub fn token(self) -> TokenPage {
        let claim = |name, value: &str, meaning: &str| TokenClaim {
            name,
            value: self.text(value),
            meaning: self.text(meaning),
        };
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE3NzE1ODM2NDIsImlhdCI6MTc2MzgwNzY0MiwianRpIjoiUlhoaGJYQnNaU0J6WldOeVpYUWciLCJuYmYiOjE3NjM4MDc2NDIsInNpZCI6InNhXzBmMWUyZDNjIiwic3ViIjoiYnVpbGQtYm90In0.c2lnbmF0dXJlLW9mLXRoZS1zYW1wbGU";
        TokenPage {
            frame: self.shell(Section::Accounts, Role::Manager),
            account_id: self.text("sa_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            account: self.text("build-bot"),
            user_id: self.text("build-bot@21c19dba-4f0e-4a6b-9d7e-0a1b2c3d4e5f.pomerium"),
            namespace_id: self.text("21c19dba-4f0e-4a6b-9d7e-0a1b2c3d4e5f"),
            namespace: self.text("Global / Design"),
            token: Secret::new(self.text(token)),
            credential: self.text("cred_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            expires: Some(ahead(90 * DAY)),
            claims: vec![
                claim("sub", "build-bot@21c19dba.pomerium", "the user id that policies name"),
                claim("sid", "sa_0f1e2d3c4b5a69788796a5b4c3d2e1f0", "the account"),
                claim("iat", "1763807642", "issued 22 Nov 2025, 10:34:02 UTC"),
                claim("exp", "1771583642", "expires 20 Feb 2026, 10:34:02 UTC"),
                claim("jti", "•••", "the secret; only a hash of it is kept here"),
            ],
            mentions: vec![],
            manages: true,
            example: self.text("https://web.example.com/"),
            others_until: None,
            new: true,
        }
    }

    fn rotated(self) -> TokenPage {
        TokenPage {
            mentions: vec![self.text("nightly builds"), self.text("exports")],
            others_until: Some(ahead(DAY)),
            new: false,
            ..self.token()
        }
    }

    fn already_shown(self) -> AlreadyShownPage {
        AlreadyShownPage {
            frame: self.shell(Section::Accounts, Role::Manager),
            account_id: self.text("sa_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            account: self.text("build-bot"),
            issued: Some(ago(70)),
            manages: true,
        }
    }

    fn credential(self, id: &str, state: CredentialState) -> CredentialRow {
        CredentialRow {
            id: self.text(id),
            hint: self.text("c2ln"),
            issued: ago(DAY),
            issued_by: self.text("ann@example.com"),
            expires: Some(ahead(89 * DAY)),
            superseded: None,
            revoked: None,
            used: Some(ago(140)),
            address: self.text("2001:db8:85a3::8a2e:370:7334"),
            route: self.text("web"),
            state,
        }
    }

    fn usage(self) -> Usage {
        let day = |nth: u64| UsageDay {
            day: format!("{} Nov", nth % 30 + 1),
            allowed: if nth.is_multiple_of(7) { 0 } else { 90 + nth * 37 % 160 },
            denied: if nth.is_multiple_of(9) { 12 } else { 0 },
        };
        Usage {
            days: (0..30).map(day).collect(),
            routes: vec![
                RouteUse { route: self.text("web"), allowed: 4021, denied: 12, last: ago(140) },
                RouteUse { route: String::new(), allowed: 0, denied: 3, last: ago(2 * DAY) },
            ],
            denials: vec![
                DenialRow {
                    reason: self.text("user-unauthorized"),
                    route: self.text("payroll"),
                    count: 12,
                    last: ago(3 * DAY),
                },
                DenialRow {
                    reason: self.text("no-route"),
                    route: String::new(),
                    count: 3,
                    last: ago(2 * DAY),
                },
            ],
        }
    }

    fn destinations(self) -> Vec<DestinationRow> {
        let row = |route: &str, allowed, reason: &str| DestinationRow {
            route: self.text(route),
            from: self.text(&format!("https://{route}.example.com")),
            namespace: self.text("Global / Design / Web"),
            allowed,
            reason: if allowed { String::new() } else { self.text(reason) },
        };
        vec![row("web", true, ""), row("payroll", false, "user-unauthorized")]
    }

    fn account_page(self) -> AccountPage {
        let mut credentials = vec![
            self.credential("cred_0f1e2d3c4b5a69788796a5b4c3d2e1f0", CredentialState::Active),
            self.credential("cred_1f1e2d3c4b5a69788796a5b4c3d2e1f0", CredentialState::Ending),
            self.credential("cred_2f1e2d3c4b5a69788796a5b4c3d2e1f0", CredentialState::Revoked),
        ];
        credentials[1].superseded = Some(ahead(15 * 3600));
        credentials[2].revoked = Some(ago(DAY));
        credentials[2].used = None;
        credentials[2].expires = None;
        AccountPage {
            frame: self.shell(Section::Accounts, Role::Manager),
            notice: Notice { text: self.text("The changes are saved."), undo: None },
            account: self.account("build-bot", AccountState::Active),
            created_by: self.text("ann@example.com"),
            modified: ago(DAY),
            originator: self.text("terraform"),
            disabled: None,
            suspended: String::new(),
            version: 7,
            credentials,
            usage: self.usage(),
            destinations: self.destinations(),
            mentions: vec![
                PolicyMentioned {
                    id: self.text("pol_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
                    name: self.text("nightly builds"),
                    namespace: self.text("Global / Design"),
                    enforced: true,
                    in_file: false,
                },
                PolicyMentioned {
                    id: self.text("machines"),
                    name: self.text("machines"),
                    namespace: self.text("Global"),
                    enforced: false,
                    in_file: true,
                },
            ],
            entries: self.entries(),
        }
    }

    fn impersonated_page(self) -> AccountPage {
        let account = AccountRow {
            impersonating: true,
            user_id: self.text("00u9z8y7x6w5v4u3t2s1"),
            person: self.text("Bob Baker · bob@example.com"),
            used: None,
            expires: None,
            description: String::new(),
            manages: false,
            restricts: false,
            ..self.account("Bob Baker", AccountState::Suspended)
        };
        AccountPage {
            frame: self.shell(Section::Accounts, Role::Viewer),
            notice: Notice::default(),
            account,
            suspended: self.text("The directory does not know this person any more."),
            originator: String::new(),
            credentials: vec![],
            usage: Usage { days: vec![UsageDay::default(); 30], ..Usage::default() },
            destinations: vec![],
            mentions: vec![],
            entries: vec![],
            ..self.account_page()
        }
    }

    fn edit_account(self) -> AccountEditPage {
        AccountEditPage {
            frame: self.shell(Section::Accounts, Role::Manager),
            id: self.text("sa_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            name: self.text("build-bot"),
            user_id: self.text("build-bot@21c19dba-4f0e-4a6b-9d7e-0a1b2c3d4e5f.pomerium"),
            namespace: self.text("Global / Design"),
            impersonating: false,
            version: 7,
            expires: Some(ahead(50 * DAY)),
            form: AccountForm {
                description: self.text("Nightly builds; ask the platform team"),
                expiry: "keep".into(),
                ..AccountForm::default()
            },
            expiries: self.expiries(""),
            mistakes: self.mistakes(&[("description", "Write at most 500 characters.")]),
        }
    }
}
