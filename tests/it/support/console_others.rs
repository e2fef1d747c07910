//! Pages of the console besides those of accounts, filled with what could stand in them.

use super::console_samples::ago;
use super::page_samples::{Sample, Samples};
use lictor::activity::{EntityKind, Outcome, Verb};
use lictor::admin::StepOutcome;
use lictor::namespace::{Made, Role};
use lictor::pages::console::{
    Change, Choice, DiffLine, EntryPage, FoundPage, LogFilter, LogPage, Mistakes,
    MoveNamespacePage, MoveShown, NamespaceForm, NamespaceFormPage, NamespacePage, NamespaceRow,
    NamespacesPage, NoRolePage, Notice, PoliciesPage, PolicyBody, PolicyChoice, PolicyEditorPage,
    PolicyForm, PolicyMentioned, PolicyPage, PolicyRow, ProblemShown, QuestionPage, RoleForm,
    RoleRow, RouteChoice, RouteForm, RouteFormPage, RoutePage, RouteRow, RouteSettings, RoutesPage,
    RuleRow, Section, SimulationShown, SimulatorForm, SimulatorPage, StepShown, Thing, TroublePage,
    UserPage, UserRow, UsersPage,
};
use lictor::pages::{Group, Integrity, Navigation};
use lictor::service_account::AccountState;

const DAY: u64 = 86_400;
const POLICY: &str = "allow:\n  or:\n  - user: {is: build-bot}\n  - groups: {has: g-eng}\n";

impl Samples {
    pub fn other_samples(self) -> Vec<Sample> {
        let mut all = self.namespace_samples();
        all.extend(self.policy_samples());
        all.extend(self.route_samples());
        all.extend(self.simulator_samples());
        all.extend(self.log_samples());
        all.extend(self.user_samples());
        all.extend(self.question_samples());
        all
    }

    fn namespace(self, name: &str, depth: usize) -> NamespaceRow {
        NamespaceRow {
            id: self.text("21c19dba-4f0e-4a6b-9d7e-0a1b2c3d4e5f"),
            name: self.text(name),
            depth,
            role: Some(Role::Admin),
            role_from: self.text("Global"),
            accounts: 12,
            routes: 4,
            policies: 0,
            in_file: false,
        }
    }

    fn namespaces(self) -> NamespacesPage {
        let mut rows = vec![
            self.namespace("Global", 0),
            self.namespace("Design", 1),
            self.namespace("Print", 2),
            self.namespace("Web", 2),
            self.namespace("Staging", 3),
            self.namespace("Sales", 1),
        ];
        rows[0].role = None;
        rows[1].role_from = String::new();
        rows[5].role = Some(Role::Viewer);
        rows[5].in_file = true;
        NamespacesPage {
            frame: self.shell(Section::Namespaces, Role::Admin),
            notice: Notice::default(),
            rows,
        }
    }

    fn role(self, name: &str, from: &str) -> RoleRow {
        RoleRow {
            id: self.text("perm_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            subject: self.text("00u9z8y7x6w5v4u3t2s1"),
            name: if name.is_empty() { String::new() } else { self.text(name) },
            email: String::new(),
            known: !name.is_empty(),
            role: Role::Manager,
            from: if from.is_empty() { String::new() } else { self.text(from) },
            from_id: self.text("9d8dbd2c-8cce-4e66-9c1f-c490b4a07243"),
        }
    }

    fn namespace_page(self) -> NamespacePage {
        NamespacePage {
            frame: self.shell(Section::Namespaces, Role::Admin),
            notice: Notice::default(),
            row: self.namespace("Design", 1),
            path: self.text("Global / Design"),
            description: self.text("Everything of the design team"),
            made: Made::Here,
            created: ago(300 * DAY),
            lifetime: vec![self.text("live at most 366 days"), self.text("must expire")],
            children: vec![self.namespace("Print", 2), self.namespace("Web", 2)],
            users: vec![self.role("Bob Baker", ""), self.role("", ""), self.role("Ann", "Global")],
            groups: vec![self.role("Engineers", "")],
            given: RoleForm::default(),
            mistakes: Mistakes::default(),
            sign_in_again: String::new(),
        }
    }

    fn namespace_page_refused(self) -> NamespacePage {
        NamespacePage {
            given: RoleForm { subject: self.text("dora"), group: true, role: Some(Role::Admin) },
            mistakes: self.mistakes(&[("subject", "Nobody is known by this.")]),
            sign_in_again: self.text("/.pomerium/sign_in?pomerium_signature=abc"),
            groups: vec![],
            ..self.namespace_page()
        }
    }

    fn namespace_form(self) -> NamespaceFormPage {
        NamespaceFormPage {
            frame: self.shell(Section::Namespaces, Role::Admin),
            id: String::new(),
            parent_id: self.text("21c19dba-4f0e-4a6b-9d7e-0a1b2c3d4e5f"),
            parent: self.text("Global / Design"),
            form: NamespaceForm {
                name: self.text("Web/Shop"),
                description: self.text("The shop"),
                longest: self.text("90"),
                required: "yes".into(),
                key: self.text("5f0a6c1e"),
                version: String::new(),
            },
            administers: true,
            mistakes: self.mistakes(&[("name", "Use letters, digits, spaces and `.`, `_`, `-`.")]),
        }
    }

    fn move_page(self, obstacles: &[&str]) -> MoveNamespacePage {
        let choice = |value: &str, label: &str, chosen| Choice {
            value: self.text(value),
            label: self.text(label),
            chosen,
        };
        let shown = MoveShown {
            to: self.text("sales"),
            path: self.text("Global / Sales"),
            lose: vec![(self.text("Global / Design"), 12)],
            gain: vec![(self.text("Global / Sales"), 1)],
            enforced_lost: vec![self.text("Only from the office")],
            enforced_gained: vec![self.text("Never on Sundays")],
            routes: 4,
            obstacles: obstacles.iter().map(|one| self.text(one)).collect(),
        };
        MoveNamespacePage {
            frame: self.shell(Section::Namespaces, Role::Admin),
            id: self.text("web"),
            name: self.text("Web"),
            path: self.text("Global / Design / Web"),
            targets: vec![
                choice("global", "Global", false),
                choice("sales", "Global / Sales", true),
            ],
            version: 3,
            preview: Some(shown),
            mistakes: Mistakes::default(),
        }
    }

    fn namespace_samples(self) -> Vec<Sample> {
        let obstacle =
            "the route `web` uses the policy `design only`, which is not to be had there";
        vec![
            self.sample("namespaces", self.namespaces().render()),
            self.sample("namespace", self.namespace_page().render()),
            self.sample("namespace-refused", self.namespace_page_refused().render()),
            self.sample("namespace-form", self.namespace_form().render()),
            self.sample("namespace-move", self.move_page(&[]).render()),
            self.sample("namespace-move-refused", self.move_page(&[obstacle]).render()),
        ]
    }

    fn policy(self, name: &str) -> PolicyRow {
        PolicyRow {
            id: self.text("pol_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            name: self.text(name),
            description: self.text("Whoever builds at night"),
            namespace: self.text("Global / Design"),
            enforced: false,
            routes: 41,
            modified: Some(ago(3 * DAY)),
            modified_by: self.text("ann@example.com"),
            in_file: false,
            broken: String::new(),
        }
    }

    fn policies(self) -> PoliciesPage {
        let mut rows = vec![self.policy("nightly builds"), self.policy("exports")];
        rows.push(PolicyRow {
            in_file: true,
            modified: None,
            enforced: true,
            ..self.policy("office hours")
        });
        rows[1].broken = self.text("unknown criterion `usr`");
        PoliciesPage {
            frame: self.shell(Section::Policies, Role::Manager),
            notice: Notice::default(),
            rows,
            text: String::new(),
            recursive: true,
            manages: true,
            for_user: String::new(),
        }
    }

    fn policy_page(self) -> PolicyPage {
        PolicyPage {
            frame: self.shell(Section::Policies, Role::Manager),
            notice: Notice::default(),
            row: PolicyRow {
                broken: self.text("unknown criterion `usr`"),
                ..self.policy("nightly builds")
            },
            explanation: self.text("Only machines that build may come in."),
            remediation: self.text("Ask the platform team."),
            text: self.text(POLICY),
            routes: vec![self.text("web"), self.text("builds")],
            manages: true,
        }
    }

    fn rule(self, criterion: &str, operator: &str, value: &str) -> RuleRow {
        RuleRow {
            deny: false,
            criterion: criterion.to_owned(),
            of: String::new(),
            operator: operator.to_owned(),
            value: self.text(value),
            wrong: String::new(),
        }
    }

    fn editor(self) -> PolicyEditorPage {
        let mut rows = vec![
            self.rule("user", "is", "build-bot@21c19dba.pomerium"),
            self.rule("groups", "has", "g-eng"),
            self.rule("claim", "has", "ops"),
            self.rule("authenticated_user", "is", ""),
            self.rule("http_method", "in", "DELETE, PATCH"),
        ];
        rows[2].of = self.text("department");
        rows[2].wrong = self.text("write at least one value");
        rows[4].deny = true;
        let route = |id: &str, chosen| RouteChoice {
            id: self.text(id),
            from: self.text("https://web.example.com"),
            namespace: self.text("Global / Design / Web"),
            chosen,
        };
        PolicyEditorPage {
            frame: self.shell(Section::Policies, Role::Admin),
            id: String::new(),
            namespace_id: self.text("21c19dba-4f0e-4a6b-9d7e-0a1b2c3d4e5f"),
            namespace: self.text("Global / Design"),
            form: PolicyForm {
                name: self.text("nightly builds"),
                description: self.text("Whoever builds at night"),
                explanation: self.text("Only machines that build may come in."),
                remediation: self.text("Ask the platform team."),
                enforced: false,
                key: self.text("5f0a6c1e"),
                version: String::new(),
            },
            body: PolicyBody::Builder(rows),
            problems: vec![],
            good: true,
            routes: vec![route("web", true), route("builds", false)],
            reach: 41,
            administers: true,
            mistakes: Mistakes::default(),
        }
    }

    fn editor_text(self) -> PolicyEditorPage {
        PolicyEditorPage {
            body: PolicyBody::Text {
                text: self.text(POLICY),
                why: self.text("it has rules of several criteria, which rows cannot show."),
            },
            problems: vec![ProblemShown {
                line: 3,
                column: 5,
                message: self.text("unknown criterion `usr`"),
                help: self.text("did you mean `user`?"),
            }],
            good: false,
            administers: false,
            form: PolicyForm { enforced: true, ..self.editor().form },
            mistakes: self
                .mistakes(&[("name", "This name is taken."), ("text", "It does not compile.")]),
            ..self.editor()
        }
    }

    fn policy_samples(self) -> Vec<Sample> {
        let adding = PoliciesPage { for_user: self.text("build-bot"), ..self.policies() };
        let none = PoliciesPage { rows: vec![], ..self.policies() };
        vec![
            self.sample("policies", self.policies().render()),
            self.sample("policies-adding", adding.render()),
            self.sample("policies-empty", none.render()),
            self.sample("policy", self.policy_page().render()),
            self.sample("policy-editor", self.editor().render()),
            self.sample("policy-editor-text", self.editor_text().render()),
        ]
    }

    fn route(self, id: &str) -> RouteRow {
        RouteRow {
            id: self.text(id),
            from: self.text(&format!("https://{id}.example.com")),
            path: self.text("prefix: /api/"),
            namespace: self.text("Global / Design / Web"),
            description: self.text("The site"),
            policies: 3,
            in_file: false,
            overlaps: vec![],
        }
    }

    fn mentioned(self, name: &str) -> PolicyMentioned {
        PolicyMentioned {
            id: self.text(name),
            name: self.text(name),
            namespace: self.text("Global"),
            enforced: false,
            in_file: false,
        }
    }

    fn route_samples(self) -> Vec<Sample> {
        let mut rows = vec![self.route("web"), self.route("builds"), self.route("old")];
        rows[1].overlaps = vec![self.text("web")];
        rows[1].path = String::new();
        rows[2].policies = 0;
        rows[2].in_file = true;
        let routes = RoutesPage {
            frame: self.shell(Section::Routes, Role::Manager),
            notice: Notice::default(),
            rows: rows.clone(),
            text: String::new(),
            recursive: true,
            manages: true,
        };
        let enforced = PolicyMentioned { enforced: true, ..self.mentioned("office hours") };
        let page = RoutePage {
            frame: self.shell(Section::Routes, Role::Manager),
            notice: Notice::default(),
            row: rows[1].clone(),
            policies: vec![enforced.clone(), self.mentioned("nightly builds")],
            own_policy: true,
            settings: RouteSettings { pass_identity_headers: true, show_error_details: false },
            modified: Some(ago(DAY)),
            modified_by: self.text("ann@example.com"),
            manages: true,
        };
        let choice = |value: &str, label: &str| Choice {
            value: self.text(value),
            label: self.text(label),
            chosen: false,
        };
        let form = RouteFormPage {
            frame: self.shell(Section::Routes, Role::Manager),
            id: String::new(),
            in_file: false,
            form: RouteForm {
                id: self.text("Web"),
                description: self.text("The site"),
                from: self.text("web.example.com"),
                kind: "prefix".into(),
                path: self.text("api"),
                identity: true,
                details: false,
                key: self.text("5f0a6c1e"),
                version: String::new(),
            },
            namespaces: vec![
                choice("design", "Global / Design"),
                choice("web", "Global / Design / Web"),
            ],
            policies: vec![PolicyChoice { policy: self.mentioned("nightly builds"), chosen: true }],
            enforced: vec![enforced],
            mistakes: self.mistakes(&[
                ("from", "Write it as `https://web.example.com`."),
                ("path", "Begin with `/`."),
            ]),
        };
        let of_file = RouteFormPage {
            id: self.text("old"),
            in_file: true,
            mistakes: Mistakes::default(),
            ..form.clone()
        };
        vec![
            self.sample("routes", routes.render()),
            self.sample("route", page.render()),
            self.sample("route-form", form.render()),
            self.sample("route-form-file", of_file.render()),
        ]
    }

    fn simulation(self, allowed: bool) -> SimulationShown {
        let step = |depth, what: &str, outcome, detail: &str| StepShown {
            depth,
            what: self.text(what),
            outcome,
            detail: if detail.is_empty() { String::new() } else { self.text(detail) },
            decisive: false,
        };
        let mut steps = vec![
            step(0, "credential", StepOutcome::Pass, "cred_0f1e2d3c, good until 20 Feb 2026"),
            step(0, "account", StepOutcome::Pass, "build-bot, active"),
            step(
                0,
                "namespace",
                StepOutcome::Pass,
                "Global / Design contains Global / Design / Web",
            ),
            step(0, "policy office hours (enforced)", StepOutcome::Neutral, ""),
            step(1, "deny/or", StepOutcome::Fail, ""),
            step(2, "time_of_day after 20:00", StepOutcome::Fail, "it is 10:34"),
            step(0, "policy nightly builds", StepOutcome::Pass, ""),
            step(1, "allow/or", StepOutcome::Pass, ""),
            step(2, "user is build-bot", StepOutcome::Pass, "user is build-bot"),
        ];
        steps[8].decisive = true;
        SimulationShown {
            allowed,
            reason: self.text("user-unauthorized"),
            status: 403,
            route: self.text("web"),
            namespace: self.text("Global / Design / Web"),
            steps,
            set_headers: vec![(self.text("x-pomerium-claim-email"), self.text("bob@example.com"))],
            removed_headers: vec![self.text("authorization")],
            curl: self.text("curl -X GET 'https://web.example.com/'"),
            link: self.text("/console/simulator?who=account"),
        }
    }

    fn simulator_samples(self) -> Vec<Sample> {
        let page = |answer| SimulatorPage {
            frame: self.shell(Section::Simulator, Role::Viewer),
            form: SimulatorForm {
                who: "account".into(),
                account: self.text("sa_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
                user: String::new(),
                method: "GET".into(),
                url: self.text("https://web.example.com/"),
                ip: self.text("192.0.2.17"),
                time: String::new(),
                groups: String::new(),
            },
            answer,
            mistakes: Mistakes::default(),
        };
        let wrong = SimulatorPage {
            mistakes: self.mistakes(&[("url", "Write a whole address."), ("ip", "This is none.")]),
            ..page(None)
        };
        vec![
            self.sample("simulator-wrong", wrong.render()),
            self.sample("simulator-allow", page(Some(self.simulation(true))).render()),
            self.sample("simulator-deny", page(Some(self.simulation(false))).render()),
        ]
    }

    fn log_samples(self) -> Vec<Sample> {
        let log = LogPage {
            frame: self.shell(Section::Activity, Role::Admin),
            rows: self.entries(),
            which: LogFilter {
                who: self.text("ann@example.com"),
                verb: Some(Verb::Create),
                kind: Some(EntityKind::ServiceAccount),
                thing: String::new(),
                outcome: Some(Outcome::Done),
                from: "2025-11-01".into(),
                until: String::new(),
                recursive: true,
                before: Some(230),
            },
            more: true,
            integrity: Some(Integrity::Verified(229)),
        };
        let none = LogPage {
            rows: vec![],
            which: LogFilter { recursive: true, ..LogFilter::default() },
            more: false,
            integrity: None,
            ..log.clone()
        };
        let line = |change, text: &str| DiffLine { change, text: self.text(text) };
        let entry = EntryPage {
            frame: self.shell(Section::Activity, Role::Admin),
            entry: self.entries()[2].clone(),
            actor_id: self.text("00u1a2b3c4d5e6f7g8h9"),
            subject: self.text("bob@example.com"),
            reason: self.text("Invoice 4711 is stuck"),
            thing: self.text("pol_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            credential: self.text("cred_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            session: self.text("ses_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            address: self.text("192.0.2.17"),
            user_agent: self.text("Mozilla/5.0 (X11; Linux x86_64)"),
            request_id: self.text("7f0b2c1e-4d5a-4b6c-8d9e-0f1a2b3c4d5e"),
            diff: vec![
                line(Change::Same, "description: \"nightly\""),
                line(Change::Removed, "expires_at: \"2025-12-01T00:00:00Z\""),
                line(Change::Added, "expires_at: \"2026-02-01T00:00:00Z\""),
            ],
            previous: Some(210),
            next: Some(225),
        };
        vec![
            self.sample("log", log.render()),
            self.sample("log-empty", none.render()),
            self.sample("entry", entry.render()),
        ]
    }

    fn user(self, name: &str) -> UserRow {
        UserRow {
            id: self.text("00u9z8y7x6w5v4u3t2s1"),
            name: self.text(name),
            email: self.text("bob@example.com"),
            source: self.text("directory"),
            blocked: false,
        }
    }

    fn user_samples(self) -> Vec<Sample> {
        let blocked = UserRow { blocked: true, ..self.user("Bob Baker") };
        let users = UsersPage {
            frame: self.shell(Section::Users, Role::Admin),
            text: self.text("b"),
            rows: vec![self.user("Bert Brown"), blocked.clone()],
            total: 31,
        };
        let nobody = UsersPage { text: String::new(), rows: vec![], ..users.clone() };
        let page = UserPage {
            frame: self.shell(Section::Users, Role::Admin),
            notice: Notice::default(),
            row: blocked,
            groups: vec![Group { id: self.text("g-fin"), name: self.text("Finance") }],
            last_sign_in: Some(ago(DAY)),
            blocked: Some((ago(3600), self.text("ann@example.com"), self.text("Left the company"))),
            roles: vec![(self.text("Global / Design"), Role::Manager)],
            accounts: vec![self.account("Bob Baker", AccountState::Suspended)],
            may_block: true,
            may_revoke: true,
        };
        let found = FoundPage {
            frame: self.shell(Section::Elsewhere, Role::Admin),
            text: self.text("b"),
            accounts: vec![self.account("build-bot", AccountState::Active)],
            namespaces: vec![(self.text("Global / Brand"), "/console/namespaces/brand".into())],
            policies: vec![(self.text("nightly builds"), "/console/policy?id=x".into())],
            routes: vec![],
            people: vec![self.user("Bob Baker")],
        };
        vec![
            self.sample("users", users.render()),
            self.sample("users-empty", nobody.render()),
            self.sample("user", page.render()),
            self.sample("found", found.render()),
        ]
    }

    fn question_samples(self) -> Vec<Sample> {
        let question = QuestionPage {
            frame: self.shell(Section::Accounts, Role::Admin),
            title: self.text("Delete build-bot?"),
            consequences: vec![
                self.text("Its credentials end at once, and it cannot be brought back."),
            ],
            things: vec![Thing {
                kind: self.text("policy"),
                name: self.text("nightly builds"),
                href: self.text("/console/policy?id=x"),
            }],
            heading: self.text("Policies that name it, and then name nobody"),
            along: Some((self.text("along"), self.text("Take it from its 3 routes"))),
            typed: self.text("build-bot"),
            asks_reason: true,
            hidden: vec![(self.text("version"), self.text("7"))],
            action: self.text("/console/accounts/sa_0f/delete"),
            button: self.text("Delete build-bot"),
            back: self.text("/console/accounts/sa_0f"),
            mistakes: self.mistakes(&[("typed", "This is not its name.")]),
        };
        let trouble = TroublePage {
            frame: self.shell(Section::Accounts, Role::Viewer),
            status: 403,
            title: self.text("This takes the role manager"),
            sentence: self.text("You are a viewer in Global / Design. To create service accounts takes the role manager there."),
            ways: vec![
                (self.text("Back"), self.text("/console/accounts")),
                (self.text("Overview"), self.text("/console/")),
            ],
            request_id: self.text("7f0b2c1e-4d5a-4b6c-8d9e-0f1a2b3c4d5e"),
        };
        let no_role = NoRolePage {
            frame: self.frame(Navigation::Person),
            user_id: self.text("00u1a2b3c4d5e6f7g8h9"),
        };
        vec![
            self.sample("question", question.render()),
            self.sample("trouble", trouble.render()),
            self.sample("no-role", no_role.render()),
        ]
    }
}
