//! The headers of a request, names in lower case, in the order received.

/// A header list. Envoy gives it either as one value per line, or as a map in which repeated
/// headers are joined by `,` (`joined`).
#[derive(Clone, Debug, Default)]
pub struct Headers {
    lines: Vec<(String, Vec<u8>)>,
    joined: bool,
}

impl Headers {
    /// From one entry per header line. Names are folded to lower case; pseudo-headers are dropped.
    pub fn from_lines(lines: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        Self { lines: fold(lines), joined: false }
    }

    /// From a map in which repeated headers were joined by `,`.
    pub fn from_joined(entries: impl IntoIterator<Item = (String, Vec<u8>)>) -> Self {
        let mut lines = fold(entries);
        lines.sort();
        Self { lines, joined: true }
    }

    /// Whether repeated headers may stand in one value, separated by `,`.
    pub fn are_joined(&self) -> bool {
        self.joined
    }

    /// Every value of `name` (lower case), in order.
    pub fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
        self.lines.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_slice())
    }

    /// The first value of `name` (lower case).
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.lines.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_slice())
    }

    /// The first value of `name`, if it is UTF-8.
    pub fn first_text(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.first(name)?).ok()
    }

    /// All values of `name` as one text: repeated lines joined by `,`, as RFC 9110 §5.3 reads them.
    pub fn combined(&self, name: &str) -> Option<String> {
        let mut values = self.all(name).map(String::from_utf8_lossy);
        let first = values.next()?.into_owned();
        Some(values.fold(first, |text, value| text + "," + &value))
    }

    /// The names received, each once per line.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|(name, _)| name.as_str())
    }
}

fn fold(lines: impl IntoIterator<Item = (String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let named = lines.into_iter().filter(|(name, _)| !name.is_empty() && !name.starts_with(':'));
    let folded = named.map(|(mut name, value)| {
        name.make_ascii_lowercase();
        (name, value)
    });
    folded.collect()
}
