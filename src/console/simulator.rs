//! The simulator: what would be answered, and why.

use super::form::instant;
use super::refusal::mistakes;
use super::{Answer, Refusal, Seat};
use crate::admin::{AccountsWanted, Principal, Simulation, Step, Supposed};
use crate::id::ServiceAccountId;
use crate::pages::console::{
    Mistake, Mistakes, SimulationShown, SimulatorForm, SimulatorPage, StepShown, path,
};
use crate::secret::Secret;
use crate::web::{Form, page};
use axum::http::StatusCode;
use axum::response::Response;
use std::net::IpAddr;
use std::sync::Arc;

/// `GET`: asks for an account, a person or nobody; the address says everything.
pub(super) async fn show(seat: Arc<Seat>) -> Answer {
    let or = |text: String, usual: &str| if text.is_empty() { usual.to_owned() } else { text };
    // SECURITY: a token is asked about by `POST`; an address that says it holds one is not listened to.
    let who = Some(seat.parameter("who")).filter(|who| who != "token").unwrap_or_default();
    let form = SimulatorForm {
        who: or(who, "account"),
        account: seat.parameter("account"),
        user: seat.parameter("user"),
        method: or(seat.parameter("method"), "GET"),
        url: seat.parameter("url"),
        ip: seat.parameter("ip"),
        time: seat.parameter("time"),
        groups: seat.parameter("groups"),
    };
    // Links lead here with whom and where, or with one of them, to be filled in.
    let complete = !form.url.is_empty()
        && match form.who.as_str() {
            "account" => !form.account.is_empty(),
            "user" => !form.user.is_empty(),
            _ => true,
        };
    let asked = seat.visit.parameter("method").is_some();
    if !complete && !asked {
        return Ok(simulator(&seat, (form, Mistakes::default()), None, StatusCode::OK));
    }
    match supposed(&seat, &form).await? {
        Ok(supposed) => answered(&seat, form, supposed).await,
        Err(wrong) => Ok(simulator(&seat, (form, wrong), None, StatusCode::BAD_REQUEST)),
    }
}

/// `POST`: asks with a token, which stands in no address. SECURITY: it is looked at and forgotten.
pub(super) async fn with_token(seat: Arc<Seat>, posted: Form) -> Answer {
    let form = SimulatorForm {
        who: "token".to_owned(),
        method: "GET".to_owned(),
        url: posted.text("url").trim().to_owned(),
        ..SimulatorForm::default()
    };
    let token = posted.text("token").trim();
    let mut wrong = Mistakes::default();
    if token.is_empty() {
        wrong.0.push(mistake("token", "Paste a token."));
    }
    if form.url.is_empty() {
        wrong.0.push(mistake("token-url", "Write a whole address."));
    }
    if !wrong.0.is_empty() {
        return Ok(simulator(&seat, (form, wrong), None, StatusCode::BAD_REQUEST));
    }
    let supposed = Supposed {
        principal: Principal::Token(Secret::new(bare(token).to_owned())),
        method: form.method.clone(),
        url: form.url.clone(),
        headers: Vec::new(),
        source_ip: None,
        time: None,
        groups: None,
    };
    answered(&seat, form, supposed).await
}

/// A token as it stands in a header, without what stands before it there.
fn bare(token: &str) -> &str {
    let token = token.strip_prefix("Bearer ").unwrap_or(token).trim_start();
    let token = token.strip_prefix("Pomerium-").unwrap_or(token);
    token.strip_prefix("Pomerium ").unwrap_or(token).trim()
}

fn mistake(field: &str, message: &str) -> Mistake {
    Mistake { field: field.to_owned(), message: message.to_owned() }
}

async fn supposed(
    seat: &Seat,
    form: &SimulatorForm,
) -> Result<Result<Supposed, Mistakes>, Refusal> {
    let mut wrong = Mistakes::default();
    let principal = match form.who.as_str() {
        "account" => match account(seat, &form.account).await? {
            Some(id) => Some(Principal::Account(id)),
            None => {
                wrong.0.push(mistake("account", "No service account is called so."));
                None
            }
        },
        "user" if form.user.is_empty() => {
            wrong.0.push(mistake("user", "Write who sends it."));
            None
        }
        "user" => {
            let person = seat.person_called(&form.user).await?;
            Some(Principal::User(person.map_or_else(|| form.user.clone(), |person| person.id)))
        }
        _ => Some(Principal::Anonymous),
    };
    if form.url.is_empty() {
        wrong.0.push(mistake("url", "Write a whole address."));
    }
    let source_ip = optional(&form.ip, |text| text.parse::<IpAddr>().ok());
    if source_ip.is_err() {
        wrong.0.push(mistake("ip", "This is no IP address."));
    }
    let time = optional(&form.time, instant);
    if time.is_err() {
        wrong.0.push(mistake("time", "Write a date and a time, or nothing."));
    }
    let groups = form.groups.split(',').map(str::trim).filter(|group| !group.is_empty());
    let groups: Vec<String> = groups.map(str::to_owned).collect();
    Ok(match principal.filter(|_| wrong.0.is_empty()) {
        None => Err(wrong),
        Some(principal) => Ok(Supposed {
            groups: (form.who == "user" && !groups.is_empty()).then_some(groups),
            principal,
            method: form.method.clone(),
            url: form.url.clone(),
            headers: Vec::new(),
            source_ip: source_ip.ok().flatten(),
            time: time.ok().flatten(),
        }),
    })
}

/// What may be left out.
fn optional<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, ()> {
    if text.is_empty() { Ok(None) } else { read(text).map(Some).ok_or(()) }
}

/// The account with this id or user id.
async fn account(seat: &Seat, text: &str) -> Result<Option<ServiceAccountId>, Refusal> {
    if let Some(id) = ServiceAccountId::parse(text) {
        return Ok(Some(id));
    }
    if text.is_empty() {
        return Ok(None);
    }
    let which = AccountsWanted {
        recursive: true,
        user: Some(text.to_owned()),
        limit: 2,
        ..AccountsWanted::default()
    };
    let found = seat.admin.accounts(&seat.actor, &which, seat.now()).await?.views;
    Ok(match found.as_slice() {
        [one] => Some(one.record.id.clone()),
        _ => None,
    })
}

async fn answered(seat: &Seat, form: SimulatorForm, supposed: Supposed) -> Answer {
    match seat.admin.simulate(&seat.actor, supposed, seat.now()).await {
        Ok(simulation) => {
            let answer = shown(&form, simulation);
            Ok(simulator(seat, (form, Mistakes::default()), Some(answer), StatusCode::OK))
        }
        Err(error) => {
            let names = [("source_ip", "ip"), ("principal", ""), ("token", "token")];
            let wrong = mistakes(error, &names)?;
            Ok(simulator(seat, (form, wrong), None, StatusCode::BAD_REQUEST))
        }
    }
}

fn simulator(
    seat: &Seat,
    (form, mistakes): (SimulatorForm, Mistakes),
    answer: Option<SimulationShown>,
    status: StatusCode,
) -> Response {
    let shown = SimulatorPage { frame: seat.frame(), form, answer, mistakes };
    page(status, shown.render())
}

fn shown(form: &SimulatorForm, simulation: Simulation) -> SimulationShown {
    let step = |step: Step| StepShown {
        depth: step.depth,
        what: step.what,
        outcome: step.outcome,
        detail: step.detail,
        decisive: step.decisive,
    };
    SimulationShown {
        allowed: simulation.allowed,
        reason: simulation.reason,
        status: simulation.status,
        route: simulation.route.unwrap_or_default(),
        namespace: simulation.namespace_path,
        steps: simulation.steps.into_iter().map(step).collect(),
        set_headers: simulation.set_headers,
        removed_headers: simulation.removed_headers,
        curl: curl(form),
        link: if form.who == "token" { String::new() } else { link(form) },
    }
}

fn link(form: &SimulatorForm) -> String {
    path::with(
        path::SIMULATOR,
        [
            ("who", form.who.as_str()),
            ("account", if form.who == "account" { &form.account } else { "" }),
            ("user", if form.who == "user" { &form.user } else { "" }),
            ("method", &form.method),
            ("url", &form.url),
            ("ip", &form.ip),
            ("time", &form.time),
            ("groups", if form.who == "user" { &form.groups } else { "" }),
        ],
    )
}

/// The same request, for a shell. The token stays a variable.
fn curl(form: &SimulatorForm) -> String {
    let token = match form.who.as_str() {
        "account" | "token" => " -H \"Authorization: Bearer Pomerium-$LICTOR_TOKEN\"",
        _ => "",
    };
    let method = if form.method == "GET" { String::new() } else { format!(" -X {}", form.method) };
    format!("curl{method}{token} {}", quoted(&form.url))
}

/// In single quotes, so that a shell takes it as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::{bare, curl};
    use crate::pages::console::SimulatorForm;

    #[test]
    fn tokens_are_taken_as_they_are_pasted() {
        for text in ["a.b.c", "Bearer Pomerium-a.b.c", "Pomerium a.b.c", "Bearer a.b.c"] {
            assert_eq!(bare(text), "a.b.c", "{text}");
        }
    }

    #[test]
    fn a_shell_runs_nothing_of_an_address() {
        let form = SimulatorForm {
            who: "anonymous".to_owned(),
            method: "POST".to_owned(),
            url: "https://x/'; rm -rf $HOME `id` '".to_owned(),
            ..SimulatorForm::default()
        };
        let expected = r"curl -X POST 'https://x/'\''; rm -rf $HOME `id` '\'''";
        assert_eq!(curl(&form), expected);
    }
}
