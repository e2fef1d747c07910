//! Every page, filled with what could stand in it.

use lictor::activity::Verb;
use lictor::pages::{
    Acting, ActivityPage, ActivityRow, Band, Claim, ConfirmPage, Confirmation, DecidingRule, Frame,
    Group, ImpersonationErrors, ImpersonationForm, Integrity, Message, MessagePage, Navigation,
    OnwardPage, Paging, Person, PersonPage, PreviewPage, PreviewRow, RefusalPage, Session,
    SessionRow, SessionsPage, SignInPage, SignInTrouble, SignedOutPage, Target, Verdict,
};
use lictor::time::Timestamp;
use std::time::Duration;

/// 22 Nov 2025, 10:34:02 UTC
pub const NOW: Timestamp = Timestamp::from_unix(1_763_807_642);

/// Makes a text of a sample what it should be, such as hostile.
#[derive(Clone, Copy, Debug)]
pub struct Samples(pub fn(&str) -> String);

/// A page by its name.
#[derive(Debug)]
pub struct Sample {
    pub name: String,
    pub html: String,
}

impl Samples {
    /// As they are.
    pub fn plain() -> Self {
        Self(str::to_owned)
    }

    pub fn all(self) -> Vec<Sample> {
        let mut all = vec![
            self.sample("sign-in", self.sign_in(None).render()),
            self.sample("my-page", self.person_page(Navigation::Person).render()),
            self.sample("my-page-admin", self.administrator().render()),
            self.sample("my-page-acting", self.acting().render()),
            self.sample("my-page-ending", self.ending().render()),
            self.sample("my-page-refused", self.refused().render()),
            self.sample("my-page-errors", self.errors().render()),
            self.sample("preview", self.preview().render()),
            self.sample("preview-empty", PreviewPage { rows: vec![], ..self.preview() }.render()),
            self.sample("sessions", self.sessions().render()),
            self.sample("sessions-empty", self.no_sessions().render()),
            self.sample("activity", self.activity(Integrity::Verified(214)).render()),
            self.sample("activity-broken", self.activity(Integrity::Broken(199)).render()),
            self.sample("activity-empty", self.no_activity().render()),
            self.sample("signed-out", self.signed_out().render()),
            self.sample("onward", self.onward().render()),
            self.sample("refusal", self.refusal()),
        ];
        let troubles = [
            ("incomplete", SignInTrouble::Incomplete),
            ("wrong", SignInTrouble::Wrong),
            ("wait", SignInTrouble::Wait(NOW.plus(Duration::from_secs(32)))),
            ("stale", SignInTrouble::Stale),
        ];
        all.extend(troubles.map(|(name, trouble)| {
            self.sample(&format!("sign-in-{name}"), self.sign_in(Some(trouble)).render())
        }));
        all.extend(self.questions().map(|(name, question)| {
            let back = "/.pomerium/".to_owned();
            let page = ConfirmPage { frame: self.frame(Navigation::Person), question, back };
            self.sample(&format!("confirm-{name}"), page.render())
        }));
        all.extend(Message::ALL.map(|message| {
            self.sample(&format!("message-{}", message.status()), self.message(message).render())
                .counted(message)
        }));
        all
    }

    pub fn sample(self, name: &str, html: String) -> Sample {
        Sample { name: name.to_owned(), html }
    }

    pub fn text(self, text: &str) -> String {
        (self.0)(text)
    }

    pub fn frame(self, navigation: Navigation) -> Frame {
        let nobody = navigation == Navigation::Nobody;
        Frame {
            now: NOW,
            signed_in_as: if nobody { String::new() } else { self.text("ann@example.com") },
            band: None,
            navigation,
            csrf: self.text("c5rf-0123456789abcdef"),
            console: navigation == Navigation::Administrator,
            shell: None,
        }
    }

    fn band(self) -> Acting {
        Acting {
            target: Target { email: self.text("bob@example.com"), groups: vec![] },
            reason: self.text("Invoice 4711 is stuck"),
            until: NOW.plus(Duration::from_secs(41 * 60 + 12)),
        }
    }

    fn groups(self) -> Vec<Group> {
        vec![
            Group { id: self.text("g-finance"), name: self.text("Finance") },
            Group { id: self.text("g-all"), name: String::new() },
        ]
    }

    pub fn sign_in(self, trouble: Option<SignInTrouble>) -> SignInPage {
        SignInPage {
            frame: self.frame(Navigation::Nobody),
            action: self.text("/.pomerium/sign_in?pomerium_signature=abc&pomerium_expiry=1"),
            destination: self.text("httpbin.int.example.com/anything/reports?year=2025"),
            login: if trouble.is_some() { self.text("ann") } else { String::new() },
            trouble,
        }
    }

    fn ann(self) -> Person {
        let claim = |name: &str, values: &[&str]| Claim {
            name: self.text(name),
            values: values.iter().map(|value| self.text(value)).collect(),
        };
        Person {
            user_id: self.text("00u1a2b3c4d5e6f7g8h9"),
            email: self.text("ann@example.com"),
            name: self.text("Ann Archer"),
            groups: vec![Group { id: self.text("g-admins"), name: self.text("Administrators") }],
            claims: vec![
                claim("department", &["Operations"]),
                claim("email_verified", &["true"]),
                claim("roles", &["on-call", "release"]),
                claim("https://example.com/claims/office", &["Building 7, third floor"]),
            ],
        }
    }

    fn bob(self) -> Person {
        Person {
            user_id: self.text("00u9z8y7x6w5v4u3t2s1"),
            email: self.text("bob@example.com"),
            name: self.text("Bob Baker"),
            groups: self.groups(),
            claims: vec![],
        }
    }

    fn session(self) -> Session {
        Session {
            id: self.text("ses_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            opened: NOW.minus(Duration::from_secs(7_500)),
            expires: NOW.plus(Duration::from_secs(43_000)),
            provider: self.text("accounts.example.com"),
        }
    }

    pub fn person_page(self, navigation: Navigation) -> PersonPage {
        PersonPage {
            frame: self.frame(navigation),
            person: self.ann(),
            acting_as: None,
            session: self.session(),
            impersonation: None,
            notice: String::new(),
        }
    }

    fn form(self) -> ImpersonationForm {
        ImpersonationForm { max_duration: Duration::from_hours(1), ..Default::default() }
    }

    pub fn administrator(self) -> PersonPage {
        let page = self.person_page(Navigation::Administrator);
        let notice = self.text("You act as yourself again.");
        PersonPage { impersonation: Some(self.form()), notice, ..page }
    }

    pub fn acting(self) -> PersonPage {
        let mut page = self.administrator();
        page.frame.band = Some(Band::Acting(self.band()));
        page.acting_as = Some(self.bob());
        page.notice = String::new();
        page
    }

    fn ending(self) -> PersonPage {
        let mut page = self.acting();
        let until = NOW.plus(Duration::from_secs(2));
        page.frame.band = Some(Band::Acting(Acting { until, ..self.band() }));
        page
    }

    fn refused(self) -> PersonPage {
        let mut page = self.person_page(Navigation::Person);
        let target = Target { email: self.text("bob@example.com"), groups: self.groups() };
        let why = self.text("You are not an administrator any more.");
        page.frame.band = Some(Band::Refused { target, why });
        page
    }

    fn errors(self) -> PersonPage {
        let errors = ImpersonationErrors {
            email: self.text("“bob” is not an e-mail address."),
            groups: self.text("“a b” is not a group id."),
            reason: self.text("A reason is needed."),
            duration: self.text("One hour is the longest."),
            general: self.text("You may not act as this person."),
        };
        let form = ImpersonationForm {
            email: self.text("bob"),
            groups: self.text("a b"),
            reason: self.text("because"),
            reason_required: true,
            duration: self.text("30m0s"),
            errors,
            ..self.form()
        };
        PersonPage { impersonation: Some(form), ..self.person_page(Navigation::Administrator) }
    }

    pub fn preview(self) -> PreviewPage {
        let row = |route: &str, place: &str, verdict, rule: [&str; 3], why: &str| {
            let filled = |text: &str| if text.is_empty() { String::new() } else { self.text(text) };
            PreviewRow {
                route: self.text(route),
                place: self.text(place),
                verdict,
                rule: DecidingRule {
                    policy: filled(rule[0]),
                    text: filled(rule[1]),
                    place: filled(rule[2]),
                },
                why: filled(why),
            }
        };
        let rows = vec![
            row(
                "reports",
                "reports.int.example.com/",
                Verdict::Allowed,
                ["finance", "groups: { has: g-finance }", "lictor.yaml:41"],
                "",
            ),
            row(
                "payroll",
                "payroll.int.example.com/exports/",
                Verdict::Denied,
                ["payroll", "deny: http_method: { is: DELETE }", "policies/payroll.yaml:112"],
                "",
            ),
            row(
                "httpbin",
                "httpbin.int.example.com/",
                Verdict::Denied,
                ["", "", ""],
                "No rule allows it.",
            ),
            row(
                "status",
                "status.example.com/",
                Verdict::SignIn,
                ["devices", "device: { type: any }", "lictor.yaml:77"],
                "",
            ),
        ];
        let form = ImpersonationForm {
            email: self.text("bob@example.com"),
            groups: self.text("g-finance, g-all"),
            reason: self.text("Invoice 4711 is stuck"),
            duration: self.text("30m0s"),
            ..self.form()
        };
        PreviewPage {
            frame: self.frame(Navigation::Administrator),
            target: Target { email: self.text("bob@example.com"), groups: self.groups() },
            identity: self.bob(),
            remark: self.text("The directory knows this person."),
            rows,
            form,
        }
    }

    fn row(self, called: &str, acting: Option<Acting>) -> SessionRow {
        SessionRow {
            id: self.text("ses_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
            user_id: self.text("00u1a2b3c4d5e6f7g8h9"),
            email: self.text(called),
            name: self.text("Ann Archer"),
            provider: self.text("accounts.example.com"),
            opened: NOW.minus(Duration::from_secs(7_500)),
            expires: NOW.plus(Duration::from_secs(43_000)),
            address: self.text("2001:db8:85a3::8a2e:370:7334"),
            acting,
            own: true,
        }
    }

    fn sessions(self) -> SessionsPage {
        let mut rows = vec![
            self.row("ann@example.com", Some(self.band())),
            self.row("christopher.montgomery-longname@subsidiary.example.com", None),
        ];
        rows[1].own = false;
        rows[1].address = String::new();
        SessionsPage {
            frame: self.frame(Navigation::Administrator),
            rows,
            person: self.text("ann@example.com"),
            impersonating: true,
            paging: Paging { offset: 50, size: 50, more: true },
            notice: self.text("The session of carol@example.com has ended."),
        }
    }

    fn no_sessions(self) -> SessionsPage {
        SessionsPage {
            rows: vec![],
            person: String::new(),
            impersonating: false,
            paging: Paging::default(),
            notice: String::new(),
            ..self.sessions()
        }
    }

    fn activity(self, integrity: Integrity) -> ActivityPage {
        let rows = Verb::ALL.into_iter().zip(0..).map(|(verb, number)| ActivityRow {
            number: 214 - number,
            at: NOW.minus(Duration::from_secs(number * number * 613)),
            verb,
            actor: if verb == Verb::SignInFailed {
                String::new()
            } else {
                self.text("ann@example.com")
            },
            actor_id: self.text("00u1a2b3c4d5e6f7g8h9"),
            subject: verb.name().starts_with("imp").then(|| self.band().target),
            reason: if verb == Verb::ImpersonationStart {
                self.band().reason
            } else {
                String::new()
            },
            detail: if verb == Verb::ImpersonationRefused {
                self.text("not an administrator")
            } else {
                String::new()
            },
            address: self.text("192.0.2.17"),
            request_id: self.text("7f0b2c1e-4d5a-4b6c-8d9e-0f1a2b3c4d5e"),
            session: self.text("ses_0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
        });
        ActivityPage {
            frame: self.frame(Navigation::Administrator),
            rows: rows.collect(),
            who: self.text("ann@example.com"),
            before: Some(215),
            more: true,
            integrity,
        }
    }

    fn no_activity(self) -> ActivityPage {
        ActivityPage {
            rows: vec![],
            who: String::new(),
            before: None,
            more: false,
            ..self.activity(Integrity::Unchecked)
        }
    }

    fn questions(self) -> [(&'static str, Confirmation); 4] {
        let row = self.row("ann@example.com", Some(self.band()));
        let program = Confirmation::Program {
            action: self.text("/.pomerium/sign_in?pomerium_signature=abc"),
            receiver: self.text("http://127.0.0.1:8123"),
            host: self.text("httpbin.int.example.com"),
        };
        let return_to = self.text("https://httpbin.int.example.com/");
        [
            ("sign-out", Confirmation::SignOut { return_to }),
            ("end-session", Confirmation::EndSession(row.clone())),
            ("stop", Confirmation::StopImpersonation(row)),
            ("program", program),
        ]
    }

    fn message(self, message: Message) -> MessagePage {
        MessagePage {
            frame: self.frame(Navigation::Person),
            message,
            request_id: self.text("7f0b2c1e-4d5a-4b6c-8d9e-0f1a2b3c4d5e"),
            detail: self.text("access_denied: the user is not assigned to this application"),
            again: self.text("https://httpbin.int.example.com/anything"),
        }
    }

    fn signed_out(self) -> SignedOutPage {
        SignedOutPage {
            frame: self.frame(Navigation::Nobody),
            sign_in: self.text("https://httpbin.int.example.com/.pomerium/"),
            provider: self.text("accounts.example.com"),
        }
    }

    fn onward(self) -> OnwardPage {
        self.onward_to("https://httpbin.int.example.com/anything?a=b&c=d")
    }

    pub fn onward_to(self, target: &str) -> OnwardPage {
        OnwardPage {
            frame: self.frame(Navigation::Nobody),
            target: self.text(target),
            host: self.text("httpbin.int.example.com"),
        }
    }

    fn refusal(self) -> String {
        let (title, sentence) =
            (self.text("Forbidden"), self.text("You do not have access to this."));
        let (person, acting) = (self.text("ann@example.com"), self.text("bob@example.com"));
        let request = self.text("7f0b2c1e-4d5a-4b6c-8d9e-0f1a2b3c4d5e");
        let reason = self.text("groups-unauthorized");
        let page = RefusalPage {
            status: 403,
            title: &title,
            sentence: &sentence,
            person: &person,
            acting_as: &acting,
            request_id: &request,
            reasons: vec![&reason],
        };
        page.render()
    }
}

impl Sample {
    /// Several messages share a status.
    fn counted(mut self, message: Message) -> Self {
        self.name = format!("{}-{message:?}", self.name).to_lowercase();
        self
    }
}
