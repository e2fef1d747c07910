use super::{LIMIT, Pattern, PatternError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn pattern(text: &str) -> Pattern {
    Pattern::one(text).expect(text)
}

fn check(text: &str, matched: &[&str], others: &[&str]) {
    let pattern = pattern(text);
    for one in matched {
        assert!(pattern.matches(one), "`{text}` on `{one}`");
    }
    for other in others {
        assert!(!pattern.matches(other), "`{text}` on `{other}`");
    }
}

fn reason(text: &str) -> String {
    match Pattern::one(text) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("`{text}` is a pattern"),
    }
}

#[test]
fn from_the_first_character_to_the_last() {
    check("abc", &["abc"], &["", "ab", "abcd", "xabc", "abc\n", "\nabc"]);
    check("^abc$", &["abc"], &["abcd", "abc\n"]);
    check("a^b|a$b", &[], &["ab", "a", "b"]);
    check("a|ab|abc", &["a", "ab", "abc"], &["abcd", ""]);
    check("/a|/b", &["/a", "/b"], &["/a/b", "/a|/b", "/ab"]);
    check("^a|b$", &["a", "b"], &["ax", "xb"]);
    check("a*?", &["", "aaaa"], &["aab"]);
    check("a.*c", &["ac", "abcabc"], &["abca"]);
    check("x|", &["x", ""], &["xx"]);
}

#[test]
fn the_empty_pattern_is_the_empty_text() {
    for empty in ["", "()", "^$", "(?:)", "(?i)", "a{0}"] {
        check(empty, &[""], &["a", "\n", " "]);
    }
}

#[test]
fn lines() {
    check("a.b", &["axb"], &["a\nb"]);
    check("(?s)a.b", &["axb", "a\nb"], &[]);
    check("(?m)^a$", &["a"], &["a\n", "a\na", "b\na"]);
    check("(?m)a$\n^b", &["a\nb"], &["ab"]);
    check("[^/]+", &["a", "a\nb"], &["a/b", ""]);
}

#[test]
fn in_either_case_of_ascii() {
    let check = |text: &str, matched: &[&str], others: &[&str]| {
        let pattern = Pattern::any_folded_of(&[text]).expect(text);
        for one in matched {
            assert!(pattern.matches(one), "`{text}` on `{one}`");
        }
        for other in others {
            assert!(!pattern.matches(other), "`{text}` on `{other}`");
        }
    };
    check("boss@Kite", &["BOSS@KITE", "boss@kite"], &["bo\u{17f}s@kite", "boss@\u{212a}ite"]);
    check("[k-m]", &["k", "L"], &["\u{212a}", "n", "J"]);
    check("[K-M]+", &["kLm"], &["\u{212a}"]);
    check("[^k]", &["\u{212a}", "j"], &["k", "K"]);
    check("[^a-zX_]", &["-"], &["A", "z", "x", "_"]);
    check("[A-z]", &["a", "Z", "^"], &["{", "@"]);
    check("[[:upper:]][[:^lower:]]", &["a1", "A1"], &["aa", "aA"]);
    check("\u{e9}(A|b?)+", &["\u{e9}aB"], &["\u{c9}a"]);
    check(r"\x41\w\p{Lu}", &["a_X"], &["b_X", "a_x"]);
    check("(?i)\u{e9}k", &["\u{c9}\u{212a}"], &["ek"]);
}

#[test]
fn as_re2_reads_them() {
    check(r"\w+", &["a_Z9"], &["\u{e9}", "\u{430}", "a-b"]);
    check(r"\d+", &["059"], &["\u{663}", "1a"]);
    check(r"\s", &[" ", "\t"], &["\u{a0}", "x"]);
    check(r"\W", &["-", "\u{e9}"], &["a", "_"]);
    check(r"[^\d/]+", &["a\u{663}"], &["a1", "/"]);
    check(r"[\w-]{1,63}", &["a", "a-b_c", &"x".repeat(63)], &["", "a.b", &"x".repeat(64)]);
    check(r"[\D]", &["a"], &["1", "aa"]);
    check(r"/v1\b.*", &["/v1", "/v1/x", "/v1-x"], &["/v1x", "/v1_"]);
    check(r"a\Bb", &["ab"], &["a", "b"]);
    check("caf.", &["caf\u{e9}", "cafe"], &["caf\u{e9}\u{e9}", "caf"]);
    check(r"\p{Greek}+", &["\u{3b1}\u{3b2}"], &["a"]);
    check("(?i)Stra\u{df}e", &["STRA\u{1e9e}E"], &["strasse"]);
}

#[test]
fn what_other_engines_would_read_differently() {
    for text in ["[a[b]]", "[[a]]", "[^[:alpha:][b]]"] {
        assert!(reason(text).ends_with("a set holds `[`; write it as `\\[`"), "{}", reason(text));
    }
    for text in ["[a-z&&[^b]]", "[a-z--b]", "[a~~b]"] {
        assert!(reason(text).contains("a set holds `&&`"), "{}", reason(text));
    }
    for text in [r"\<a", r"a\>", r"a\b{end}", r"\b{start-half}a"] {
        assert!(reason(text).contains("only `\\b` and `\\B`"), "{}", reason(text));
    }
    check(r"[\[\]&\-~]+", &["[]", "&&", "--"], &["a"]);
    check("[[:alpha:]-]", &["a", "-"], &["\u{e9}"]);
}

#[test]
fn no_pattern() {
    let is = |text: &str, why: &str| {
        assert_eq!(reason(text), format!("`{text}` is not a regular expression: {why}"));
    };
    is("a)|(b", "unopened group");
    is("(", "unclosed group");
    is("[a", "unclosed character class");
    is("a(?=b)", "look-around, including look-ahead and look-behind, is not supported");
    is("(?<!a)b", "look-around, including look-ahead and look-behind, is not supported");
    is(r"(a)\1", "backreferences are not supported");
    is("*", "repetition operator missing expression");
    is(r"\p{Nonsense}", "Unicode property not found");
    is(r"(?-u:\xFF)", "pattern can match invalid UTF-8");
    assert!(Pattern::one(&"(".repeat(100_000)).is_err());
    assert!(Pattern::one(&format!("{}a{}", "(".repeat(300), ")".repeat(300))).is_err());
    assert!(Pattern::one("(?x) a # a comment").expect("a pattern").matches("a"));
}

#[test]
fn a_message_is_one_short_line() {
    let text = format!("(\n{}", "x".repeat(5000));
    let said = reason(&text);
    assert!(said.len() < 200 && !said.contains('\n'), "{said}");
    assert!(said.starts_with("`( xxx") && said.contains("x…` is not"), "{said}");
}

#[test]
fn patterns_that_make_other_engines_slow() {
    let many = "a".repeat(100_000);
    for text in
        ["(a+)+$", "(a|a)*", "(a|b)*", "(a*)*b?", "(.*)(.*)(.*)(.*)", "(a|b|ab)*", "(a?){50}a*"]
    {
        let pattern = pattern(text);
        assert!(pattern.matches(&many), "{text}");
        assert!(!pattern.matches(&format!("{many}\n")), "{text}");
    }
    check("(a|b)*abb", &["abb", "aababb"], &["ab", "abba"]);
}

#[test]
fn too_large() {
    for text in [r"\p{L}{200}", "(a|b)*a(a|b){20}", "(((a{100}){100}){100})", r"(\pL{9}\pN{9}){99}"]
    {
        let error = Pattern::one(text).expect_err(text);
        assert_eq!(error, PatternError::TooLarge { pattern: text.to_owned() });
        assert!(error.help().starts_with("write it shorter: "));
        let automata = Pattern::one("a").expect("a pattern").automata;
        assert!(automata.iter().all(|automaton| automaton.table.memory_usage() < LIMIT));
    }
    check(r"\w{200}", &[&"w".repeat(200)], &[&"w".repeat(199)]);
    check("(){1000000000}", &[""], &["a"]);
}

#[test]
fn several() {
    let hosts = Pattern::any_of(&["a+", "b|bc", "^c$"]).expect("patterns");
    for text in ["a", "aa", "b", "bc", "c"] {
        assert!(hosts.matches(text), "{text}");
    }
    for text in ["", "ab", "ac", "cc", "a+", "abc"] {
        assert!(!hosts.matches(text), "{text}");
    }
    assert_eq!((hosts.texts().len(), hosts.to_string().as_str()), (3, "a+|b|bc|^c$"));
    assert!(!Pattern::any_of(&[]).expect("nothing").matches(""));
    let one_of_each = Pattern::any_of(&["(?i)a", "b"]).expect("patterns");
    assert!(one_of_each.matches("A") && !one_of_each.matches("B"), "flags end with their text");
    let error = Pattern::any_of(&["a", "b)", "(c"]).expect_err("the second");
    assert!(error.to_string().starts_with("`b)`"), "{error}");
    assert!(Pattern::any_of(&["a)|(b", "c"]).is_err() && Pattern::any_of(&["(a", "b)"]).is_err());
}

#[test]
fn several_that_are_too_large_together() {
    let texts: Vec<String> = (0..24).map(|n| format!(".*{}x.*", char::from(b'a' + n))).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let pattern = Pattern::any_of(&texts).expect("patterns");
    assert_eq!(pattern.automata.len(), 24);
    assert!(pattern.matches("--cx--") && pattern.matches("xx ax") && !pattern.matches("xc zx"));
    let error = Pattern::any_of(&["a", r"\p{L}{200}"]).expect_err("too large");
    assert_eq!(error, PatternError::TooLarge { pattern: r"\p{L}{200}".to_owned() });
}

#[test]
fn equality_is_that_of_the_texts() {
    assert_eq!(pattern("a"), pattern("a"));
    assert_ne!(pattern("a|b"), Pattern::any_of(&["a", "b"]).expect("patterns"));
    assert_eq!(format!("{:?}", pattern("a")), r#"Pattern(["a"])"#);
}

/// Expressions over `a`, `b`, `é`, the new line and the anchors.
fn expression() -> impl Strategy<Value = String> {
    let leaf = select(
        &["a", "b", "\u{e9}", ".", "[^a]", "[ab]", "^", "$", "", r"\n", "(?s).", "(?-u:\\b)"][..],
    );
    leaf.prop_map(str::to_owned).prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|parts| parts.concat()),
            vec(inner.clone(), 1..4).prop_map(|parts| format!("({})", parts.join("|"))),
            (inner.clone(), select(&["*", "+?", "?", "{2}", "{0,2}"][..]))
                .prop_map(|(part, times)| format!("(?:{part}){times}")),
            inner.prop_map(|part| format!("(?m:{part})")),
        ]
    })
}

proptest! {
    /// As the `regex` crate, given the whole text.
    #[test]
    fn agrees_with_another_engine(one in expression(), two in expression(), text in "[ab\u{e9}\n]{0,6}") {
        let theirs = |text: &str, pattern: &str| {
            regex::Regex::new(&format!("^(?:{pattern})$")).expect("a pattern").is_match(text)
        };
        prop_assert_eq!(pattern(&one).matches(&text), theirs(&text, &one));
        // Among several, a dot is a line break too.
        let theirs = |text: &str, pattern: &str| theirs(text, &format!("(?s:{pattern})"));
        let both = Pattern::any_of(&[&one, &two]).expect("patterns").matches(&text);
        prop_assert_eq!(both, theirs(&text, &one) || theirs(&text, &two));
    }
}

#[test]
fn everything() {
    for text in
        [".*", "^.*$", "(.*)", "(?s).*", "(?i).*", ".*.*", "a|.*", "[^\\n]*", "(.)*", "((?:.*))$"]
    {
        assert!(Pattern::one(text).expect(text).is_everything(), "{text}");
    }
    assert!(Pattern::any_of(&["a", ".*"]).expect("patterns").is_everything());
    assert!(!Pattern::any_of(&[]).expect("none").is_everything());
    for text in [
        "", "^", "^$", ".+", ".", ".*a", "a.*", "[a-z]*", ".{0,9}", "[^a]*", "\\b.*", "(?m)^.*$",
        ".*^", "$.*", "^$",
    ] {
        assert!(!Pattern::one(text).expect(text).is_everything(), "{text}");
    }
    let proof = proptest::string::string_regex("[^\\n]{0,9}").expect("a strategy");
    proptest::proptest!(|(text in proof)| {
        proptest::prop_assert!(Pattern::one("(?i)^(.*)$").expect("a pattern").matches(&text));
    });
}
