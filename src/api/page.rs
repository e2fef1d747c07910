//! Lists in parts: how many, and where the next part begins.

use super::error::{ApiError, Violation};
use super::message as m;
use crate::hex::hex;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use prost::Message;

/// The part that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// Where it begins: a number of things to leave out, or the last number that was given.
    pub(super) from: u64,
    pub(super) limit: usize,
    /// Stands for the question, so that a cursor of one cannot be used with another.
    question: String,
}

const USUAL: u32 = 50;
const MOST: u32 = 200;
const QUESTION_BYTES: usize = 6;

/// A request for a part of a list.
pub(super) trait Paged: Message + Clone {
    /// `limit` and `cursor`.
    fn part(&mut self) -> (&mut u32, &mut String);
}

macro_rules! paged {
    ($($name:ident),* $(,)?) => {
        $(impl Paged for m::$name {
            fn part(&mut self) -> (&mut u32, &mut String) {
                (&mut self.limit, &mut self.cursor)
            }
        })*
    };
}

paged! {
    ListServiceAccountsRequest, ListDestinationsRequest, ListCredentialsRequest,
    ListNamespacesRequest, ListNamespaceResourcesRequest, ListPermissionsRequest,
    ListPoliciesRequest, ListRoutesRequest, ListActivityRequest,
}

impl Page {
    /// # Errors
    /// A limit or a cursor that is none.
    pub(super) fn of(request: &impl Paged) -> Result<Self, ApiError> {
        let mut request = request.clone();
        let (limit, cursor) = request.part();
        let (limit, cursor) = (std::mem::take(limit), std::mem::take(cursor));
        let hash = digest(&SHA256, &request.encode_to_vec());
        let question = hex(hash.as_ref().get(..QUESTION_BYTES).unwrap_or_default());
        let limit = limited(limit, USUAL, MOST)?;
        let from = if cursor.is_empty() {
            0
        } else {
            let wrong = || Violation::new("cursor", "give the `next_cursor` of the same question");
            read(&cursor, &question).ok_or_else(wrong)?
        };
        Ok(Self { from, limit, question })
    }

    /// The cursor of a part that begins there.
    pub(super) fn cursor(&self, from: u64) -> String {
        URL_SAFE_NO_PAD.encode(format!("{from}.{}", self.question))
    }

    pub(super) fn offset(&self) -> usize {
        usize::try_from(self.from).unwrap_or(usize::MAX)
    }

    /// The cursor after a part with `given` things, of `total`; empty after the last.
    pub(super) fn next(&self, given: usize, total: u64) -> String {
        let end = self.from.saturating_add(given as u64);
        if given == 0 || end >= total { String::new() } else { self.cursor(end) }
    }

    /// This part of a whole list, the cursor after it, and how many there are.
    pub(super) fn cut<T>(&self, whole: Vec<T>) -> (Vec<T>, String, u32) {
        let total = whole.len() as u64;
        let part: Vec<T> = whole.into_iter().skip(self.offset()).take(self.limit).collect();
        let next = self.next(part.len(), total);
        (part, next, small(total))
    }
}

/// A limit of at most `most`; `usual` if none is said.
///
/// # Errors
/// It is too high.
pub(super) fn limited(limit: u32, usual: u32, most: u32) -> Result<usize, ApiError> {
    let limit = if limit == 0 { usual } else { limit };
    if limit > most {
        return Err(ApiError::field("limit", format!("ask for at most {most}")));
    }
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

/// A count of ours as messages say it.
pub(super) fn small(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn read(cursor: &str, question: &str) -> Option<u64> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (from, asked) = text.split_once('.')?;
    from.parse().ok().filter(|_| asked == question)
}

#[cfg(test)]
mod tests {
    use super::Page;
    use crate::api::message::ListRoutesRequest;

    fn asked(q: &str, limit: u32, cursor: &str) -> ListRoutesRequest {
        ListRoutesRequest { limit, ..asked_for(q, cursor) }
    }

    fn asked_for(q: &str, cursor: &str) -> ListRoutesRequest {
        ListRoutesRequest { q: q.to_owned(), cursor: cursor.to_owned(), ..Default::default() }
    }

    #[test]
    fn parts_make_the_whole() {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = Page::of(&asked("x", 3, &cursor)).expect("a part");
            let (part, next, total) = page.cut((0..7).collect());
            assert!(part.len() <= 3 && total == 7);
            seen.extend(part);
            if next.is_empty() {
                break;
            }
            cursor = next;
        }
        assert_eq!(seen, (0..7).collect::<Vec<_>>());
        let page = Page::of(&asked("x", 7, "")).expect("a part");
        assert_eq!(page.cut((0..7).collect::<Vec<_>>()).1, "", "no empty part at the end");
    }

    #[test]
    fn a_cursor_goes_with_its_question() {
        let (_, cursor, _) = Page::of(&asked("x", 3, "")).expect("a part").cut(vec![0; 9]);
        assert!(Page::of(&asked("x", 5, &cursor)).is_ok(), "with another limit");
        for cursor in [cursor.as_str(), "x", "MQ", "-1", "MTgwMDA.", "☂"] {
            let error = Page::of(&asked("y", 3, cursor)).expect_err(cursor);
            assert_eq!(error.violations[0].field, "cursor");
        }
    }

    #[test]
    fn limits() {
        assert_eq!(Page::of(&asked("", 0, "")).expect("a part").limit, 50);
        assert_eq!(Page::of(&asked("", 200, "")).expect("a part").limit, 200);
        assert_eq!(
            Page::of(&asked("", 201, "")).expect_err("too many").violations[0].field,
            "limit"
        );
    }
}
