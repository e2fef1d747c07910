//! Why something was not done, and the page that says so.

use super::Seat;
use crate::admin::{AdminError, What};
use crate::pages::console::{Mistake, Mistakes, TroublePage, path};
use crate::web::{Trouble, page, sentence};
use axum::http::StatusCode;
use axum::response::Response;

/// Why not.
#[derive(Debug)]
pub(super) enum Refusal {
    Admin(AdminError),
    /// What pages of ours say without a console.
    Web(Trouble),
}

impl From<AdminError> for Refusal {
    fn from(error: AdminError) -> Self {
        Self::Admin(error)
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        Self::Web(trouble)
    }
}

/// What a page of trouble says.
struct Told {
    status: StatusCode,
    title: String,
    sentence: String,
    way: (String, String),
}

impl Refusal {
    /// There is no such thing, or it is not to be seen.
    pub(super) fn no(what: What) -> Self {
        Self::Admin(AdminError::NotFound(what))
    }

    pub(super) fn into_page(self, seat: &Seat) -> Response {
        let error = match self {
            Self::Web(trouble) => return seat.visit.trouble(trouble),
            Self::Admin(error) => error,
        };
        let Told { status, title, sentence, way } = told(&error, seat);
        let overview = ("To the overview".to_owned(), path::CONSOLE.to_owned());
        let shown = TroublePage {
            frame: seat.frame(),
            status: status.as_u16(),
            title,
            sentence,
            ways: vec![way, overview],
            request_id: seat.visit.origin.request_id.clone(),
        };
        page(status, shown.render())
    }
}

fn told(error: &AdminError, seat: &Seat) -> Told {
    let told = |status, title: &str, words: String, label: &str, address: String| Told {
        status,
        title: title.to_owned(),
        sentence: words,
        way: (label.to_owned(), address),
    };
    let here = here(seat);
    match error {
        AdminError::Invalid(errors) => {
            let all: Vec<String> = errors.iter().map(|error| sentence(&error.message)).collect();
            told(StatusCode::BAD_REQUEST, "This cannot be taken", all.join(" "), "Go back", here)
        }
        AdminError::NotFound(what) => {
            let title = format!("There is no such {}", name(*what));
            let words = "It was deleted, or it is in a namespace where you have no role.";
            told(StatusCode::NOT_FOUND, &title, words.to_owned(), "To the list", list(seat))
        }
        AdminError::Forbidden { role, place } => {
            let title = format!("This takes the role {}", role.name());
            let words = format!("You do not have it {place}. An admin there can give it to you.");
            told(StatusCode::FORBIDDEN, &title, words, "Go back", here)
        }
        AdminError::Refused(why) => {
            told(StatusCode::FORBIDDEN, "This is not allowed", sentence(why), "Go back", here)
        }
        AdminError::Taken(field) => {
            let words = format!("There is one with this {field} already.");
            told(StatusCode::CONFLICT, "This is taken", words, "Go back", here)
        }
        AdminError::InUse(why) => {
            let title = "Something stands in the way";
            told(StatusCode::CONFLICT, title, sentence(why), "Go back", here)
        }
        AdminError::Changed => {
            let words =
                "Nothing was done. Look at what it is now, and do it again if you still want to.";
            let title = "Somebody else changed it";
            told(StatusCode::CONFLICT, title, words.to_owned(), "Load it again", here)
        }
        AdminError::NotFresh => {
            let words = "This takes a sign-in of the last five minutes. Nothing was done.";
            let title = "Sign in again";
            let way = seat.sign_in_again(&here);
            told(StatusCode::FORBIDDEN, title, words.to_owned(), "Sign in again", way)
        }
        AdminError::Unavailable(error) => {
            tracing::error!(%error, "a page of the console could not be answered");
            let words = "The store does not answer. Try again in a minute.";
            let title = "This does not work right now";
            told(StatusCode::SERVICE_UNAVAILABLE, title, words.to_owned(), "Try again", here)
        }
    }
}

/// The page one is on, or for the address of a form the page it stands on.
fn here(seat: &Seat) -> String {
    let url = &seat.visit.url;
    let known = ["new", "edit", "delete", "move"];
    let last = url.path().rsplit('/').next().unwrap_or_default();
    let path = if seat.is_asking() || known.contains(&last) {
        url.path()
    } else {
        url.path().rsplit_once('/').map_or(path::CONSOLE, |(before, _)| before)
    };
    // SECURITY: a token that somebody wrote into an address is not handed on.
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(name, _)| name != "token")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    path::with(path, pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

fn list(seat: &Seat) -> String {
    let shell = seat.frame().shell;
    shell.map_or_else(|| path::CONSOLE.to_owned(), |shell| shell.list().to_owned())
}

fn name(what: What) -> &'static str {
    match what {
        What::User => "person",
        What::Namespace
        | What::Permission
        | What::ServiceAccount
        | What::Credential
        | What::Policy
        | What::Route
        | What::Entry => what.name(),
    }
}

/// What is wrong with a form, beside its fields. `names` says what a field is called there, if it is
/// called otherwise; by nothing, if it is not there at all.
///
/// # Errors
/// It is not the form that is wrong.
pub(super) fn mistakes(error: AdminError, names: &[(&str, &str)]) -> Result<Mistakes, Refusal> {
    let field = |field: &str| {
        let found = names.iter().find(|(name, _)| *name == field);
        found.map_or(field, |(_, called)| called).to_owned()
    };
    let one = |field: String, message: String| Mistakes(vec![Mistake { field, message }]);
    Ok(match error {
        AdminError::Invalid(errors) => {
            let mistake = |error: crate::admin::FieldError| Mistake {
                field: field(error.field),
                message: sentence(&error.message),
            };
            Mistakes(errors.into_iter().map(mistake).collect())
        }
        AdminError::Taken(name) => one(field(name), "There is one of this name already.".into()),
        AdminError::Refused(why) | AdminError::InUse(why) => one(String::new(), sentence(&why)),
        AdminError::Changed => one(
            String::new(),
            "Somebody else changed it meanwhile. Save again to put yours in its place.".into(),
        ),
        AdminError::NotFresh => one(
            String::new(),
            "Sign in again to do this: it takes a sign-in of the last five minutes.".into(),
        ),
        error @ (AdminError::NotFound(_)
        | AdminError::Forbidden { .. }
        | AdminError::Unavailable(_)) => return Err(error.into()),
    })
}
