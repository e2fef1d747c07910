use super::{load_json, load_yaml};
use crate::document::{Node, Value};

fn show(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".into(),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => format!("{text:?}"),
        Value::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(",")),
        Value::Map(entries) => {
            let shown = entries.iter().map(|entry| format!("{}:{}", entry.key, show(&entry.node)));
            format!("{{{}}}", shown.collect::<Vec<_>>().join(","))
        }
    }
}

#[track_caller]
fn check(yaml: &str, expected: &str) {
    assert_eq!(show(&load_yaml(yaml, "t").expect("loads")), expected, "{yaml}");
}

#[track_caller]
fn refuse(yaml: &str, code: &str, place: &str) {
    let error = load_yaml(yaml, "t").expect_err(yaml);
    assert_eq!((error.code, error.place.to_string().as_str()), (code, place), "{yaml}: {error}");
}

#[test]
fn scalars() {
    check(
        "[yes, on, 'true', true, null, ~, 17:00, 2020-01-02]",
        r#"["yes","on","true",true,null,null,"17:00","2020-01-02T00:00:00Z"]"#,
    );
    check(
        "[7, -7, 0x10, 0o17, 017, 1.5, 1e3, 08x, 1.2.3.4, 99999999999999999999, 08, 1_000, -0x10]",
        r#"[7,-7,16,15,15,1.5,1000,"08x","1.2.3.4",99999999999999999999,8,1000,-16]"#,
    );
    check("a: !!str 5", r#"{a:"5"}"#);
    check("a: \"2020-01-02\"", r#"{a:"2020-01-02"}"#);
}

#[test]
fn anchors_aliases_and_merge_keys() {
    check("a: &x {b: 1}\nc: *x", "{a:{b:1},c:{b:1}}");
    check("a: &x {b: 1, d: 2}\nc:\n  <<: *x\n  b: 3", "{a:{b:1,d:2},c:{b:3,d:2}}");
}

#[test]
fn refused_with_code_and_place() {
    refuse("", "empty_document", "t:1:1");
    refuse("\n", "empty_document", "t:1:1");
    refuse("a: 1\n---\nb: 2", "multiple_documents", "t:2:1");
    refuse("a: 1\na: 2", "yaml_duplicate_key", "t:2:1");
    refuse("5: a", "yaml_non_string_key", "t:1:1");
    refuse("? [a]\n: b", "yaml_non_string_key", "t:1:3");
    refuse("a: .inf", "yaml_syntax", "t:1:4");
    refuse("a: [1", "yaml_syntax", "t:2:1");
}

#[test]
fn an_alias_bomb_is_refused() {
    let level = |level: usize| {
        let row = vec![format!("*a{}", level - 1); 10].join(",");
        format!("a{level}: &a{level} [{row}]\n")
    };
    let bomb: String = (1..9).map(level).collect();
    let bomb = format!("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n{bomb}");
    let error = load_yaml(&bomb, "t").expect_err("bomb");
    assert!(error.message.contains("aliases expand"), "{error}");
    assert!(load_yaml(&"[".repeat(5000), "t").is_err());
}

#[test]
fn signs_twice_and_aliases_of_aliases_are_no_way_in() {
    check("a: -0x-8000000000000000", r#"{a:"-0x-8000000000000000"}"#);
    check("a: --5", r#"{a:"--5"}"#);
    let link = |n: usize| format!("a{n}: &a{n} [[[[[[[[[[*a{}]]]]]]]]]]\n", n - 1);
    let chain: String = (1..20).map(link).collect();
    let error = load_yaml(&format!("a0: &a0 x\n{chain}"), "t").expect_err("deep");
    assert!(error.message.contains("64 deep"), "{error}");
}

#[test]
fn json() {
    assert_eq!(
        show(&load_json("{\"a\":1,\"a\":[2.5,null]}", "t").expect("loads")),
        "{a:[2.5,null]}"
    );
    assert_eq!(load_json("{\"a\":", "t").expect_err("short").code, "json_syntax");
    assert_eq!(load_json("{} {}", "t").expect_err("two").code, "json_syntax");
}
