//! Comma-separated values (RFC 4180) that a spreadsheet takes as text.

/// A record of cells, with its end of line.
pub(crate) fn record(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().map(|text| cell(&text)).collect();
    cells.join(",") + "\r\n"
}

/// SECURITY: what a spreadsheet would take as a formula gets a leading quote, after which it is text.
fn cell(text: &str) -> String {
    let obeyed = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let text = if obeyed { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\r', '\n', '\t', ';', '\'']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{cell, record};

    #[test]
    fn cells_are_told_apart() {
        assert_eq!(record(["a", "", "b c"].map(str::to_owned)), "a,,b c\r\n");
        assert_eq!(cell("a,b"), "\"a,b\"");
        assert_eq!(cell("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(cell("two\r\nlines"), "\"two\r\nlines\"");
    }

    #[test]
    fn no_cell_is_a_formula() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"] {
            let shown = cell(formula);
            assert!(shown.trim_start_matches('"').starts_with('\''), "{shown:?}");
        }
        assert_eq!(cell("a=1"), "a=1");
        let broken_out = cell("\",=cmd|' /C calc'!A0,\"");
        assert_eq!(broken_out, "\"\"\",=cmd|' /C calc'!A0,\"\"\"");
    }
}
