//! The little language of `set_request_headers`: `$$`, `$a.b`, `${ a.b["c"] }`.

/// What a value may refer to.
pub trait Lookup {
    /// The value of a reference such as `["pomerium", "jwt"]`; `None` if there is none.
    fn value(&self, path: &[String]) -> Option<String>;
}

/// A header value with references, parsed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Reference(Vec<String>),
}

impl Template {
    /// Parses a value. What does not parse as a reference stays as it is.
    pub fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            literal.push_str(before);
            if let Some(tail) = after.strip_prefix('$') {
                literal.push('$');
                rest = tail;
            } else if let Some((path, tail)) = reference(after) {
                parts.push(Part::Text(std::mem::take(&mut literal)));
                parts.push(Part::Reference(path));
                rest = tail;
            } else {
                literal.push('$');
                rest = after;
            }
        }
        literal.push_str(rest);
        parts.push(Part::Text(literal));
        parts.retain(|part| !matches!(part, Part::Text(text) if text.is_empty()));
        Self(parts)
    }

    /// The value with every reference replaced; an unknown one by nothing. Not expanded again.
    pub fn expand(&self, lookup: &impl Lookup) -> String {
        let parts = self.0.iter().map(|part| match part {
            Part::Text(text) => text.clone(),
            Part::Reference(path) => lookup.value(path).unwrap_or_default(),
        });
        parts.collect()
    }
}

fn reference(after_dollar: &str) -> Option<(Vec<String>, &str)> {
    match after_dollar.strip_prefix('{') {
        Some(inner) => braced(inner),
        None => bare(after_dollar),
    }
}

fn bare(text: &str) -> Option<(Vec<String>, &str)> {
    let (first, mut rest) = identifier(text)?;
    let mut path = vec![first.to_owned()];
    while let Some((name, tail)) = rest.strip_prefix('.').and_then(identifier) {
        path.push(name.to_owned());
        rest = tail;
    }
    Some((path, rest))
}

fn braced(text: &str) -> Option<(Vec<String>, &str)> {
    let (first, rest) = identifier(skip_blanks(text))?;
    let mut path = vec![first.to_owned()];
    let mut rest = skip_blanks(rest);
    loop {
        if let Some(tail) = rest.strip_prefix('}') {
            return Some((path, tail));
        }
        let (name, tail) = match rest.strip_prefix('.') {
            Some(tail) => {
                identifier(skip_blanks(tail)).map(|(name, tail)| (name.to_owned(), tail))?
            }
            None => quoted(rest.strip_prefix('[')?)?,
        };
        path.push(name);
        rest = skip_blanks(tail);
    }
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let text = skip_blanks(text).strip_prefix('"')?;
    let mut name = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '\\' => name.push(chars.next()?.1),
            '"' => {
                let rest = text.get(index + 1..)?;
                return Some((name, skip_blanks(rest).strip_prefix(']')?));
            }
            _ => name.push(c),
        }
    }
    None
}

fn identifier(text: &str) -> Option<(&str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn skip_blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::{Lookup, Template};

    struct Echo;

    impl Lookup for Echo {
        fn value(&self, path: &[String]) -> Option<String> {
            (path.first().map(String::as_str) == Some("pomerium"))
                .then(|| format!("<{}>", path.join("|")))
        }
    }

    #[test]
    fn references() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Template::parse(text).expand(&Echo), expected, "{text}");
        };
        check("plain", "plain");
        check("a$$b", "a$b");
        check("Bearer $pomerium.jwt", "Bearer <pomerium|jwt>");
        check("$pomerium.jwt.", "<pomerium|jwt>.");
        check("${ pomerium . request.headers [\"X-A\"] }!", "<pomerium|request|headers|X-A>!");
        check("${pomerium[\"a\\\"b\"]}", "<pomerium|a\"b>");
        check("${pomerium", "${pomerium");
        check("cost: $5 or $", "cost:  or $");
        check("$unknown.x|", "|");
    }
}
