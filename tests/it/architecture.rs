//! The house keeps its shape: modules use only what stands above them in `lib.rs`, floors 0 and 1
//! neither wait nor look at the clock, and rooms use only the crates that are theirs.

use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The modules in the order of `lib.rs`, each with the floor its comment names.
fn modules() -> Vec<(String, usize)> {
    let mut floor = 0;
    let mut modules = Vec::new();
    for line in read(&Path::new(ROOT).join("src/lib.rs")).lines() {
        if let Some(rest) = line.strip_prefix("// floor ") {
            floor = rest[..1].parse().expect("a floor");
        }
        let name = line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod "));
        if let Some(name) = name {
            modules.push((name.trim_end_matches(';').to_owned(), floor));
        }
    }
    assert!(modules.len() > 15, "the list of modules was not found");
    modules
}

/// Every source file of a module, tests left out.
fn files(module: &str) -> Vec<PathBuf> {
    let mut found = vec![Path::new(ROOT).join(format!("src/{module}.rs"))];
    let mut folders = vec![Path::new(ROOT).join(format!("src/{module}"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs")
                && path.file_name().is_some_and(|name| name != "tests.rs")
            {
                found.push(path);
            }
        }
    }
    found
}

/// Production lines: what stands before the tests of a file, comments left out.
fn production(path: &Path) -> String {
    let text = read(path);
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_module_uses_only_what_stands_above_it() {
    let modules = modules();
    let uses = regex::Regex::new(r"crate::([a-z_]+)").expect("a pattern");
    let mut wrong = Vec::new();
    for (position, (module, _)) in modules.iter().enumerate() {
        for file in files(module) {
            for found in uses.captures_iter(&production(&file)) {
                let used = modules.iter().position(|(name, _)| name == &found[1]);
                if used.is_some_and(|used| used > position) {
                    wrong.push(format!(
                        "{} uses {}, which stands below",
                        file.display(),
                        &found[1]
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn words_and_decisions_neither_wait_nor_look_at_the_clock() {
    let forbidden = [
        "async fn",
        ".await",
        "tokio::",
        "tonic::",
        "axum::",
        "tracing::",
        "Instant::",
        "SystemTime",
        "std::fs",
        "std::env",
        "HashMap::new().iter",
    ];
    let mut wrong = Vec::new();
    for (module, _) in modules().into_iter().filter(|(_, floor)| *floor <= 1) {
        for file in files(&module) {
            let code = production(&file);
            wrong.extend(
                forbidden
                    .iter()
                    .filter(|word| code.contains(**word))
                    .map(|word| format!("{} has {word}", file.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_stay_in_their_rooms() {
    let rooms: &[(&str, &[&str])] = &[
        ("tonic::", &["ext_authz", "api", "app", "cli"]),
        ("tonic_types::", &["api"]),
        ("prost_types::", &["api"]),
        ("pbjson::", &["api"]),
        ("envoy_types::", &["ext_authz"]),
        ("axum::", &["web", "console", "api", "app", "demo"]),
        ("saphyr_parser::", &["document"]),
        ("regex_automata::", &["pattern"]),
        ("regex_syntax::", &["pattern"]),
        ("regex::", &[]),
        ("jsonwebtoken::", &["cli", "demo"]),
        ("anyhow::", &["app", "demo", "cli"]),
        ("arc_swap::", &["state", "authorizer"]),
        ("hyper::", &["ext_authz"]),
        ("hyper_util::", &["ext_authz"]),
        ("http_body_util::", &["ext_authz"]),
        ("notify::", &["app"]),
        ("prefix_trie::", &["address"]),
        ("webpki::", &["certificate"]),
        ("x509_parser::", &["certificate"]),
        ("argon2::", &["provider"]),
        ("openidconnect::", &["provider"]),
        ("reqwest::", &["provider"]),
        ("rusqlite::", &["store"]),
        ("tokio_postgres::", &["store"]),
        ("deadpool_postgres::", &["store"]),
        ("refinery::", &["store"]),
        ("tracing_appender::", &["telemetry"]),
    ];
    let mut wrong = Vec::new();
    for (module, _) in modules() {
        for file in files(&module) {
            let code = production(&file);
            for (word, allowed) in rooms {
                if code.contains(word) && !allowed.contains(&module.as_str()) {
                    wrong.push(format!("{} uses {word}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_grant_and_a_verified_token_are_made_in_one_place() {
    let mut made = Vec::new();
    for (module, _) in modules() {
        for file in files(&module) {
            let code = production(&file);
            for proof in ["Grant {", "VerifiedToken {"] {
                let makes = code.lines().filter(|line| {
                    line.contains(proof) && !line.contains("struct ") && !line.contains("impl ")
                });
                made.extend(makes.map(|_| {
                    format!("{proof} in {}", file.strip_prefix(ROOT).expect("inside").display())
                }));
            }
        }
    }
    made.sort();
    assert_eq!(
        made,
        ["Grant { in src/policy/evaluate.rs", "VerifiedToken { in src/identity/verify.rs"]
    );
}

#[test]
fn code_zero_is_written_in_one_place() {
    let code = production(&Path::new(ROOT).join("src/ext_authz/encode.rs"));
    assert_eq!(code.matches("(OK, ").count(), 1, "the one arm that allows");
    for (module, _) in modules() {
        for file in files(&module) {
            let code = production(&file);
            assert!(
                !code.contains("CheckResponse::default()") && !code.contains("CheckResponse::new("),
                "{}",
                file.display()
            );
        }
    }
}

#[test]
fn files_and_their_names() {
    let mut wrong = Vec::new();
    for (module, _) in modules() {
        for file in files(&module) {
            let text = read(&file);
            let lines = production(&file).lines().count();
            // A table may be long, a muddle may not.
            let table = file.ends_with("config/keys.rs");
            if lines > 400 && !table {
                wrong.push(format!("{} has {lines} lines", file.display()));
            }
            if !text.starts_with("//!") && !text.starts_with("#![doc") {
                wrong.push(format!("{} does not say what it is", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
