//! How people call a namespace.

use std::fmt;
use unicode_normalization::UnicodeNormalization as _;

/// The name of a namespace: 1 to 63 letters, digits, spaces and `._-` of any script, in Unicode's
/// normalisation form C, with a letter or digit at either end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceName(String);

/// Why a text is no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamespaceNameError {
    #[error("write a name")]
    Empty,
    #[error("write at most 63 characters")]
    TooLong,
    #[error("use letters, digits, spaces and `.`, `_`, `-` only")]
    Character,
    #[error("begin and end with a letter or digit")]
    Edge,
}

const LONGEST: usize = 63;

impl NamespaceName {
    /// # Errors
    /// The first rule broken.
    pub fn parse(text: &str) -> Result<Self, NamespaceNameError> {
        let name: String = text.nfc().collect();
        let inner = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-');
        if name.is_empty() {
            return Err(NamespaceNameError::Empty);
        }
        if name.chars().count() > LONGEST {
            return Err(NamespaceNameError::TooLong);
        }
        if !name.chars().all(inner) {
            return Err(NamespaceNameError::Character);
        }
        if !name.starts_with(char::is_alphanumeric) || !name.ends_with(char::is_alphanumeric) {
            return Err(NamespaceNameError::Edge);
        }
        Ok(Self(name))
    }

    /// The name of the root.
    pub fn global() -> Self {
        Self("Global".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it is compared with its neighbours.
    pub fn folded(&self) -> String {
        self.0.to_lowercase().nfc().collect()
    }
}

impl fmt::Display for NamespaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{NamespaceName, NamespaceNameError};

    #[test]
    fn names_of_any_script() {
        for good in ["Design", "web-2", "Vertrieb Süd", "設計", "a", &"x".repeat(63)] {
            assert_eq!(NamespaceName::parse(good).expect("a name").as_str(), good);
        }
        let decomposed = NamespaceName::parse("Su\u{308}d").expect("a name");
        assert_eq!(decomposed.folded(), NamespaceName::parse("SÜD").expect("a name").folded());
    }

    #[test]
    fn what_is_no_name() {
        use NamespaceNameError::{Character, Edge, Empty, TooLong};
        let long = "x".repeat(64);
        let wrong = [
            ("", Empty),
            (" ", Edge),
            ("a ", Edge),
            (".a", Edge),
            (long.as_str(), TooLong),
            ("a/b", Character),
            ("a\nb", Character),
            ("a\u{202e}b", Character),
            ("a@b", Character),
            ("<b>", Character),
            ("🦊", Character),
        ];
        for (text, why) in wrong {
            assert_eq!(NamespaceName::parse(text), Err(why), "{text:?}");
        }
    }
}
