//! Which fields a change is about, and which version it is based on.

use super::descriptor::descriptors;
use super::error::{ApiError, Violation};
use super::wire::FieldMask;
use crate::namespace::Made;

/// The fields to change.
#[derive(Clone, Debug)]
pub(super) struct Mask(Option<Vec<String>>);

impl Mask {
    /// Reads the mask of a change of `message`, of which `editable` can be changed.
    ///
    /// # Errors
    /// Every field that it names and that cannot be changed, or is not there.
    pub(super) fn read(
        mask: Option<&FieldMask>,
        message: &str,
        editable: &[&str],
    ) -> Result<Self, ApiError> {
        let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else {
            return Ok(Self(None));
        };
        let known = descriptors().message(message);
        let mut wrong = Vec::new();
        for path in mask.paths.iter().filter(|path| *path != ALL) {
            match known.field(path) {
                None => wrong.push(Violation::new(path, "there is no such field")),
                Some(_) if !editable.contains(&path.as_str()) => {
                    wrong.push(Violation::new(path, "this cannot be changed"));
                }
                Some(_) => {}
            }
        }
        if !wrong.is_empty() {
            return Err(ApiError::invalid(wrong));
        }
        let all = mask.paths.iter().any(|path| path == ALL);
        let paths = if all {
            editable.iter().map(|&path| path.to_owned()).collect()
        } else {
            mask.paths.clone()
        };
        Ok(Self(Some(paths)))
    }

    /// Whether a field is to be changed; without a mask that is what is `there`.
    pub(super) fn names(&self, field: &str, there: impl Into<bool>) -> bool {
        match &self.0 {
            Some(paths) => paths.iter().any(|path| path == field),
            None => there.into(),
        }
    }

    /// Whether the fields were named, or are those that are there.
    pub(super) fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// A text to be changed: empty if it is named and absent.
    pub(super) fn text(&self, field: &str, value: Option<String>) -> Option<String> {
        self.names(field, value.is_some()).then(|| value.unwrap_or_default())
    }

    /// The same of a text that is absent when it is empty.
    pub(super) fn filled(&self, field: &str, value: String) -> Option<String> {
        self.text(field, Some(value).filter(|value| !value.is_empty() || self.is_given()))
    }

    /// A flag to be changed: false if it is named and absent.
    pub(super) fn flag(&self, field: &str, value: Option<bool>) -> Option<bool> {
        self.names(field, value.is_some()).then(|| value.unwrap_or_default())
    }
}

const ALL: &str = "*";

/// A version as clients see it; empty for what is not kept in the store, and so has none.
pub(super) fn etag(made: Made, version: u64) -> String {
    if made == Made::Here { version.to_string() } else { String::new() }
}

/// The version that a client names; `None` for whichever there is.
///
/// # Errors
/// There is no such version.
pub(super) fn expected(etag: &str) -> Result<Option<u64>, ApiError> {
    match etag {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| ApiError::changed()),
    }
}

/// Of what cannot be changed: it must be as it is, or not be there.
pub(super) fn unchanged(field: &str, given: &str, is: &str) -> Result<(), Violation> {
    let same = given.is_empty() || given == is;
    same.then_some(()).ok_or_else(|| Violation::new(field, "this cannot be changed"))
}

#[cfg(test)]
mod tests {
    use super::{Mask, expected};
    use crate::api::error::ErrorKind;
    use crate::api::wire::FieldMask;

    const EDITABLE: [&str; 2] = ["description", "expires_at"];

    fn read(paths: &[&str]) -> Result<Mask, super::ApiError> {
        let paths = paths.iter().map(|&path| path.to_owned()).collect();
        Mask::read(Some(&FieldMask { paths }), "ServiceAccount", &EDITABLE)
    }

    #[test]
    fn named_fields_are_changed_and_cleared() {
        let mask = read(&["description"]).expect("a mask");
        assert!(mask.names("description", false) && !mask.names("expires_at", true));
        assert_eq!(mask.text("description", None), Some(String::new()));
        assert_eq!(mask.text("expires_at", Some("x".to_owned())), None);
        let all = read(&["*"]).expect("a mask");
        assert!(all.names("description", false) && all.names("expires_at", false));
    }

    #[test]
    fn without_a_mask_what_is_there_is_changed() {
        for mask in [None, Some(FieldMask::default())] {
            let mask = Mask::read(mask.as_ref(), "ServiceAccount", &EDITABLE).expect("a mask");
            assert!(mask.names("expires_at", true) && !mask.names("expires_at", false));
            assert_eq!(mask.text("description", None), None);
            assert_eq!(mask.filled("name", String::new()), None);
            assert_eq!(mask.flag("enforced", Some(false)), Some(false));
        }
    }

    #[test]
    fn what_cannot_be_changed_is_refused_by_name() {
        let error = read(&["description", "name", "id", "modified_at", "salary"]).expect_err("no");
        let told: Vec<_> = error.violations.iter().map(|found| found.field.as_str()).collect();
        assert_eq!(told, ["name", "id", "modified_at", "salary"]);
        assert!(read(&["*", "id"]).is_err());
    }

    #[test]
    fn versions() {
        assert_eq!(expected("").expect("any"), None);
        assert_eq!(expected("7").expect("one"), Some(7));
        for text in ["\"7\"", "W/7", "x", "-7", " 7"] {
            assert_eq!(expected(text).expect_err(text).kind, ErrorKind::Changed);
        }
    }
}
