//! The headers of a request, names in lower case, in the order received.

use std::borrow::Cow;

/// A header list. Envoy gives it either as one value per line, or as a map in which repeated
/// headers are joined by `,` (`joined`).
#[derive(Clone, Debug, Default)]
pub struct Headers {
    /// All names and values, one after the other: a request has dozens, and one place for each would be
    /// most of the work of reading it.
    text: Vec<u8>,
    lines: Vec<Line>,
    joined: bool,
}

/// Where a name ends and its value begins, and where that ends, in the text.
#[derive(Clone, Copy, Debug)]
struct Line {
    start: usize,
    middle: usize,
    end: usize,
}

impl Headers {
    /// From one entry per header line. Names are folded to lower case; pseudo-headers are dropped.
    pub fn from_lines<N: AsRef<str>, V: AsRef<[u8]>>(
        lines: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut headers = Self::default();
        for (name, value) in lines {
            headers.add(name.as_ref().as_bytes(), value.as_ref());
        }
        headers
    }

    /// From a map in which repeated headers were joined by `,`.
    pub fn from_joined<N: AsRef<str>, V: AsRef<[u8]>>(
        entries: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut headers = Self { joined: true, ..Self::from_lines(entries) };
        let Self { text, lines, .. } = &mut headers;
        lines.sort_by(|one, other| one.whole(text).cmp(&other.whole(text)));
        headers
    }

    /// With room for so many lines and bytes.
    pub fn with_capacity(lines: usize, bytes: usize) -> Self {
        Self { text: Vec::with_capacity(bytes), lines: Vec::with_capacity(lines), joined: false }
    }

    /// Adds a line, unless it is a pseudo-header or has no name.
    pub fn add(&mut self, name: &[u8], value: &[u8]) {
        if name.is_empty() || name.starts_with(b":") {
            return;
        }
        let start = self.text.len();
        self.text.extend_from_slice(name);
        if let Some(name) = self.text.get_mut(start..) {
            name.make_ascii_lowercase();
        }
        let middle = self.text.len();
        self.text.extend_from_slice(value);
        self.lines.push(Line { start, middle, end: self.text.len() });
    }

    /// Whether repeated headers may stand in one value, separated by `,`.
    pub fn are_joined(&self) -> bool {
        self.joined
    }

    fn lines(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.lines.iter().map(|line| line.whole(&self.text))
    }

    /// Every value of `name` (lower case), in order.
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.lines.iter().filter(|line| line.is_of(name, &self.text)).map(|line| {
            let (_, value) = line.whole(&self.text);
            value
        })
    }

    /// The first value of `name` (lower case).
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        let line = self.lines.iter().find(|line| line.is_of(name, &self.text))?;
        let (_, value) = line.whole(&self.text);
        Some(value)
    }

    /// The first value of `name`, if it is UTF-8.
    pub fn first_text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.first(name)?).ok()
    }

    /// All values of `name` as one text: repeated lines joined by `,`, as RFC 9110 §5.3 reads them.
    pub fn combined(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut lines = self.lines.iter().filter(|line| line.is_of(name, &self.text));
        let first = text(lines.next()?.whole(&self.text).1);
        Some(lines.fold(first, |joined, line| joined + "," + text(line.whole(&self.text).1)))
    }

    /// The names received, each once per line.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines().map(|(name, _)| std::str::from_utf8(name).unwrap_or_default())
    }
}

/// The text in `bytes`, with a mark for what is none.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    // Several times as fast as reading on beyond a mark, which is hardly ever needed.
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

impl Line {
    /// Most names are told apart by their length.
    #[inline]
    fn is_of(&self, name: &str, text: &[u8]) -> bool {
        self.middle - self.start == name.len()
            && text.get(self.start..self.middle) == Some(name.as_bytes())
    }

    fn whole<'t>(&self, text: &'t [u8]) -> (&'t [u8], &'t [u8]) {
        let part = |from, to| text.get(from..to).unwrap_or_default();
        (part(self.start, self.middle), part(self.middle, self.end))
    }
}
