//! The path specifier of a route. Exactly one is used; matching is on the path as sent, without
//! the query, case-sensitive.

use crate::pattern::{Pattern, PatternError};
use std::fmt;

/// How a route matches paths.
#[derive(Clone, Debug)]
pub enum PathMatch {
    Any,
    /// Textual, as Envoy's `prefix`: `/api` matches `/apiary`.
    Prefix(String),
    /// By segments, as Envoy's `path_separated_prefix`: `/api` matches `/api` and `/api/…`.
    SeparatedPrefix(String),
    Exact(String),
    /// RE2 syntax, the whole path.
    Regex(Pattern),
}

/// Why a text is not a path specifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathMatchError {
    #[error("`{0}` does not begin with `/`")]
    Relative(String),
    #[error("`{0}` ends with `/` or holds `?` or `#`")]
    NotSeparated(String),
    #[error(transparent)]
    Regex(#[from] PatternError),
}

impl PathMatchError {
    pub fn help(&self) -> &'static str {
        match self {
            Self::Relative(_) => "begin it with `/`",
            Self::NotSeparated(_) => "begin it with `/`, and end it without",
            Self::Regex(error) => error.help(),
        }
    }
}

impl PathMatch {
    /// # Errors
    /// A prefix that does not begin with `/`.
    pub fn prefix(text: &str) -> Result<Self, PathMatchError> {
        if text == "/" { Ok(Self::Any) } else { absolute(text).map(Self::Prefix) }
    }

    /// # Errors
    /// A prefix that is relative, or that Envoy would refuse here.
    pub fn separated_prefix(text: &str) -> Result<Self, PathMatchError> {
        if text.ends_with('/') || text.contains(['?', '#']) {
            return Err(PathMatchError::NotSeparated(text.to_owned()));
        }
        absolute(text).map(Self::SeparatedPrefix)
    }

    /// # Errors
    /// A path that does not begin with `/`.
    pub fn exact(text: &str) -> Result<Self, PathMatchError> {
        absolute(text).map(Self::Exact)
    }

    /// # Errors
    /// What is not a regular expression, or one that would grow too large.
    pub fn regex(text: &str) -> Result<Self, PathMatchError> {
        Ok(Self::Regex(Pattern::one(text)?))
    }

    pub fn matches(&self, path: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Self::SeparatedPrefix(prefix) => path
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
            Self::Exact(exact) => path == exact,
            Self::Regex(pattern) => pattern.matches(path),
        }
    }
}

/// The key of the configuration and its value.
impl fmt::Display for PathMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any path"),
            Self::Prefix(prefix) => write!(f, "prefix `{prefix}`"),
            Self::SeparatedPrefix(prefix) => write!(f, "path_separated_prefix `{prefix}`"),
            Self::Exact(path) => write!(f, "path `{path}`"),
            Self::Regex(pattern) => write!(f, "regex `{pattern}`"),
        }
    }
}

fn absolute(text: &str) -> Result<String, PathMatchError> {
    if text.starts_with('/') {
        Ok(text.to_owned())
    } else {
        Err(PathMatchError::Relative(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::PathMatch;

    #[test]
    fn paths() {
        let regex = PathMatch::regex("^/v2/(items|carts)/[0-9]+$").expect("regex");
        assert!(regex.matches("/v2/items/12") && !regex.matches("/v2/items/12x"));
        let open = PathMatch::regex("/a|/b").expect("regex");
        assert!(open.matches("/b") && !open.matches("/a/b") && !open.matches("/bc"));
        let prefix = PathMatch::prefix("/v1").expect("prefix");
        assert!(prefix.matches("/v1x") && prefix.matches("/v1/x") && !prefix.matches("/V1"));
        let separated = PathMatch::separated_prefix("/v1").expect("prefix");
        assert!(
            separated.matches("/v1") && separated.matches("/v1/x") && !separated.matches("/v1x")
        );
        assert!(PathMatch::prefix("v1").is_err());
        assert!(PathMatch::regex("(").is_err());
        assert!(PathMatch::regex("a)|(b").is_err());
    }
}
