//! Why a sign-in at an OpenID provider did not come off. The person hears little; the log hears what
//! an operator needs, and never a token, a code or a secret.

use crate::provider::http::HttpError;

/// What went wrong, each with details for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    #[error("the provider cannot be asked: {0}")]
    Unreachable(String),
    #[error("the provider and the configuration do not fit: {0}")]
    Misfit(String),
    #[error("the provider declined: {0}")]
    Declined(String),
    #[error("the provider did not take the code: {0}")]
    CodeRefused(String),
    #[error("the answer is not from the provider that was asked: {0}")]
    WrongIssuer(String),
    #[error("a token of the provider cannot be accepted: {0}")]
    BadToken(String),
    #[error("what the provider says of the person cannot be accepted: {0}")]
    BadProfile(String),
}

impl SignInError {
    /// What a provider sent instead of a code: the parameters `error` and `error_description`
    /// (RFC 6749 §4.1.2.1). Both come from the browser, so nothing in them is believed.
    pub fn answered(error: &str, description: &str) -> Self {
        let detail = remark(error, description, &[]);
        match error {
            "access_denied"
            | "login_required"
            | "consent_required"
            | "interaction_required"
            | "account_selection_required" => Self::Declined(detail),
            "temporarily_unavailable" | "server_error" => Self::Unreachable(detail),
            _ => Self::Misfit(detail),
        }
    }

    /// The stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "provider_unreachable",
            Self::Misfit(_) => "provider_misfit",
            Self::Declined(_) => "provider_declined",
            Self::CodeRefused(_) => "code_refused",
            Self::WrongIssuer(_) => "wrong_issuer",
            Self::BadToken(_) => "bad_token",
            Self::BadProfile(_) => "bad_profile",
        }
    }

    /// What the person may be told.
    pub fn told(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "the identity provider does not answer; try again in a while",
            Self::Misfit(_) => "sign-in is not set up right; tell whoever runs this site",
            Self::Declined(_) => "the identity provider did not let you in",
            Self::CodeRefused(_) => "this sign-in is over; begin again",
            Self::WrongIssuer(_) | Self::BadToken(_) | Self::BadProfile(_) => {
                "the answer of the identity provider cannot be accepted"
            }
        }
    }
}

impl From<HttpError> for SignInError {
    fn from(error: HttpError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// Why a session could not be confirmed at its provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// The provider says that it is over.
    #[error("the provider says no: {0}")]
    Refused(String),
    /// The answer cannot be believed: of somebody else, or not signed as it should be.
    #[error("the provider's answer cannot be accepted: {0}")]
    Unbelievable(String),
    /// Nothing was learnt; worth asking again.
    #[error("the provider cannot be asked: {0}")]
    Unreachable(String),
}

impl RefreshError {
    /// The stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "refresh_refused",
            Self::Unbelievable(_) => "refresh_unbelievable",
            Self::Unreachable(_) => "provider_unreachable",
        }
    }

    /// Whether the session must end.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused(_) | Self::Unbelievable(_) => true,
            Self::Unreachable(_) => false,
        }
    }
}

impl From<SignInError> for RefreshError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Unreachable(detail) | SignInError::Misfit(detail) => {
                Self::Unreachable(detail)
            }
            SignInError::Declined(detail) | SignInError::CodeRefused(detail) => {
                Self::Refused(detail)
            }
            SignInError::WrongIssuer(detail)
            | SignInError::BadToken(detail)
            | SignInError::BadProfile(detail) => Self::Unbelievable(detail),
        }
    }
}

/// What somebody else wrote, made fit for a log: one short line in which none of `secrets` stands.
pub(super) fn remark(error: &str, description: &str, secrets: &[&str]) -> String {
    const MAX_CHARS: usize = 200;
    let text = match (error, description) {
        ("", description) => description.to_owned(),
        (error, "") => format!("`{error}`"),
        (error, description) => format!("`{error}`: {description}"),
    };
    let hidden = secrets
        .iter()
        .filter(|secret| !secret.is_empty())
        .fold(text, |text, secret| text.replace(secret, "…"));
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    hidden.chars().map(plain).take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::{SignInError, remark};

    #[test]
    fn remarks_are_short_and_hold_no_secret() {
        assert_eq!(remark("bad", "code s3cret\nis old", &["s3cret", ""]), "`bad`: code … is old");
        assert_eq!(remark("", &"x".repeat(999), &[]).len(), 200);
    }

    #[test]
    fn what_a_provider_sends_instead_of_a_code() {
        for (error, code) in [
            ("access_denied", "provider_declined"),
            ("server_error", "provider_unreachable"),
            ("invalid_scope", "provider_misfit"),
            ("<script>", "provider_misfit"),
            ("", "provider_misfit"),
        ] {
            assert_eq!(SignInError::answered(error, "why").code(), code, "{error}");
        }
    }
}
