//! What the pages under `docs/` say is true: every example in them is run, every criterion and every
//! reason has its place in them, and every link leads somewhere.
//!
//! A fenced block is known by its language. `yaml` is a file of policy tests (`cases`), a configuration
//! (`routes`) or a policy (`allow`, `deny`), and is run, checked or compiled; `exit=3` says that it is
//! refused, `exit=4` that a test fails. `console` is a session: each line after `$ ` is run by a shell,
//! and what follows is what it prints, `…` standing for anything. `sh` names commands that are not run,
//! but exist. `text` is a grammar. With `file=NAME` a block is first put where those after it on the page
//! find it, and may then be of any kind. Every other block fails.

use crate::support::command::lictor;
use crate::support::config::SECRET;
use lictor::config::{GLOBAL_KEYS, ROUTE_KEYS};
use lictor::document::{Node, Problems, load_json, load_yaml};
use lictor::policy::{EXTENSIONS, Language, Reason, compile, criterion_names};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const CRITERIA: &str = "docs/policy/criteria";

// --- pages

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A page, by its path from the root.
struct Page {
    path: PathBuf,
    text: String,
}

impl Page {
    fn read(path: PathBuf) -> Self {
        let text = std::fs::read_to_string(root().join(&path));
        Self { text: text.unwrap_or_else(|error| panic!("{}: {error}", path.display())), path }
    }

    fn blocks(&self) -> Vec<Block<'_>> {
        let mut blocks = Vec::new();
        let mut open: Option<Block<'_>> = None;
        for (index, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), &mut open) {
                (Some(info), None) => {
                    open = Some(Block { page: self, line: index + 1, info, body: String::new() });
                }
                (Some(""), Some(_)) => blocks.extend(open.take()),
                (Some(_), Some(block)) => panic!("{}: a block within a block", block.place()),
                (None, Some(block)) => block.body += &format!("{line}\n"),
                (None, None) => {
                    let hidden = line.trim_start().starts_with("```") || line.starts_with("~~~");
                    assert!(!hidden, "{}:{}: a fence begins a line", self.name(), index + 1);
                }
            }
        }
        assert!(open.is_none(), "{}: a block has no end", self.name());
        blocks
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn is_of_a_criterion(&self) -> bool {
        self.path.starts_with(CRITERIA) && !self.path.ends_with("README.md")
    }

    /// The lines outside of blocks.
    fn prose(&self) -> String {
        let mut within = false;
        let lines = self.text.lines().filter(|line| {
            let fence = line.starts_with("```");
            within ^= fence;
            !within && !fence
        });
        lines.map(|line| format!("{line}\n")).collect()
    }
}

/// Every page under `docs/`.
fn pages() -> Vec<Page> {
    let mut pages = Vec::new();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|kind| kind != "svg") {
                assert!(path.extension().is_some_and(|kind| kind == "md"), "{}", path.display());
                pages.push(Page::read(path.strip_prefix(root()).expect("inside").to_owned()));
            }
        }
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(pages.len() > criterion_names().len(), "only {} pages were found", pages.len());
    pages
}

/// A fenced block.
struct Block<'p> {
    page: &'p Page,
    line: usize,
    info: &'p str,
    body: String,
}

/// What a block of YAML holds.
enum Shape {
    Cases,
    Configuration,
    Policy(Node),
    Other,
}

impl Block<'_> {
    fn place(&self) -> String {
        format!("{}:{}", self.page.name(), self.line)
    }

    fn language(&self) -> &str {
        self.info.split(' ').next().unwrap_or_default()
    }

    fn file(&self) -> Option<&str> {
        self.info.split(' ').find_map(|word| word.strip_prefix("file="))
    }

    /// The exit code with which the command that it is for ends.
    fn exit(&self) -> i32 {
        let code = self.info.split(' ').find_map(|word| word.strip_prefix("exit="));
        code.map_or(0, |code| code.parse().expect("a number"))
    }

    fn shape(&self) -> Shape {
        let node = load_yaml(&self.body, &self.place()).expect("a document");
        let has = |name: &str| node.get(name).is_some();
        match () {
            () if has("cases") => Shape::Cases,
            () if has("routes") => Shape::Configuration,
            () if ["allow", "deny", "mode"].into_iter().any(has) => Shape::Policy(node),
            () if self.body.starts_with("- allow:") => Shape::Policy(node),
            () => Shape::Other,
        }
    }
}

// --- examples

/// Where the examples of one page are run.
struct Stage(tempfile::TempDir);

impl Stage {
    fn run(&self, arguments: &[&str], block: &Block<'_>) {
        let ran = lictor(self.0.path(), arguments, &[("SHARED_SECRET", SECRET)], "");
        let said = format!("{}{}\n{}", ran.stdout, ran.stderr, block.body);
        assert_eq!(ran.code, block.exit(), "{}\n{said}", block.place());
    }

    fn write(&self, name: &str, block: &Block<'_>) {
        let yaml = block.language() == "yaml";
        let titled = block.body.starts_with(&format!("# {name}\n"));
        assert!(titled || !yaml, "{}: begin the file with `# {name}`", block.place());
        std::fs::write(self.0.path().join(name), &block.body).expect("writes");
    }

    fn yaml(&self, block: &Block<'_>) {
        let file = block.file().unwrap_or("example.yaml");
        std::fs::write(self.0.path().join(file), &block.body).expect("writes");
        match block.shape() {
            Shape::Cases if block.page.is_of_a_criterion() => {
                self.run(&["policy", "test", "--require-coverage", file], block);
            }
            Shape::Cases => self.run(&["policy", "test", file], block),
            Shape::Configuration => self.run(&["config", "check", file], block),
            Shape::Policy(node) => {
                let mut problems = Problems::default();
                compile(&node, Language::TEXT, &mut problems);
                let (problems, notices) = problems.into_parts();
                assert_eq!(problems.is_empty(), block.exit() == 0, "{}", block.place());
                assert!(notices.is_empty(), "{}: {notices:?}", block.place());
            }
            Shape::Other => {
                assert!(block.file().is_some(), "{}: YAML of no known shape", block.place());
            }
        }
    }

    /// Runs the commands of a session in one shell, and compares what each prints.
    fn console(&self, block: &Block<'_>) {
        let steps = steps(block);
        let mark = "\u{1e}\n";
        let step = |(command, _): &(String, String)| {
            format!("(exit $status)\n{command}\nstatus=$?\nprintf '{mark}'\n")
        };
        let script: String = steps.iter().map(step).collect();
        let binaries = Path::new(env!("CARGO_BIN_EXE_lictor")).parent().expect("a folder");
        let child = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\nstatus=0\n{script}")])
            .current_dir(self.0.path())
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", binaries.display()))
            .env("SHARED_SECRET", SECRET)
            .stdin(Stdio::null())
            .output()
            .expect("a shell");
        let said = String::from_utf8(child.stdout).expect("text");
        let said: Vec<&str> = said.split(mark).collect();
        assert_eq!(said.len(), steps.len() + 1, "{}: {said:?}", block.place());
        for ((command, expected), said) in steps.iter().zip(said) {
            let place = block.place();
            assert!(fits(expected, said), "{place}\n$ {command}\n{said}\nthe page has\n{expected}");
        }
    }
}

/// The commands of a session, and what each prints.
fn steps(block: &Block<'_>) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String)> = Vec::new();
    let mut lines = block.body.lines();
    while let Some(line) = lines.next() {
        if let Some(first) = line.strip_prefix("$ ") {
            let mut command = first.to_owned();
            while command.ends_with('\\') {
                command += &format!("\n{}", lines.next().expect("the rest of a command"));
            }
            steps.push((command, String::new()));
        } else {
            let step = steps.last_mut();
            let (_, output) = step.unwrap_or_else(|| panic!("{}: no `$ `", block.place()));
            *output += &format!("{line}\n");
        }
    }
    let about = |(command, _): &(String, String)| command.contains("lictor ");
    assert!(steps.iter().any(about), "{}: no command of Lictor's", block.place());
    steps
}

/// Whether `said` is `expected`, in which `…` stands for anything on a line, and a line of it for any
/// lines.
fn fits(expected: &str, said: &str) -> bool {
    let lines = expected.trim_end().lines().map(|line| match line {
        "…" => "(?:.*\n)*".to_owned(),
        line => regex::escape(line).replace('…', ".*") + "\n",
    });
    let pattern = format!("^{}$", lines.collect::<String>());
    let said: String = said.trim_end().lines().map(|line| format!("{line}\n")).collect();
    regex::Regex::new(&pattern).expect("a pattern").is_match(&said)
}

/// Every command is one of Lictor's with flags it has, one of cargo or git, or a script of ours.
fn assert_commands_exist(block: &Block<'_>) {
    let text = block.body.replace("\\\n", " ");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with("# ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["cargo", "bench" | "build" | "run" | "test", ..] | ["git", ..] => {}
            ["lictor", words @ ..] => assert_is_known(words, block),
            [script, ..] => assert!(root().join(script).is_file(), "{}: {line}", block.place()),
            [] => {}
        }
    }
}

fn assert_is_known(words: &[&str], block: &Block<'_>) {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    let plain = |word: &&&str| word.bytes().all(letter) && !word.starts_with('-');
    let mut asked: Vec<&str> = words.iter().take_while(plain).copied().collect();
    asked.push("--help");
    let help = lictor(root(), &asked, &[], "");
    assert_eq!(help.code, 0, "{}: {asked:?}", block.place());
    for flag in words.iter().filter(|word| word.starts_with("--")) {
        let flag = flag.split('=').next().unwrap_or_default();
        assert!(help.stdout.contains(flag), "{}: {asked:?} has no {flag}", block.place());
    }
}

#[test]
fn every_example_is_run() {
    for page in pages() {
        let stage = Stage(tempfile::tempdir().expect("a folder"));
        for block in page.blocks() {
            if let Some(name) = block.file() {
                stage.write(name, &block);
            }
            match (block.language(), block.file()) {
                ("yaml", _) => stage.yaml(&block),
                ("console", None) => stage.console(&block),
                ("sh", None) => assert_commands_exist(&block),
                ("json", Some(_)) => drop(load_json(&block.body, &block.place()).expect("JSON")),
                // Run by `api_docs`, which has a server for it.
                ("curl", None) => assert!(page.path.ends_with("admin-api.md"), "{}", block.place()),
                ("pem", Some(_)) | ("text", None) => {}
                (language, _) => panic!("{}: a block of `{language}`", block.place()),
            }
        }
        assert_files_are_used(&page);
    }
}

/// A file is there for something: a later block names it.
fn assert_files_are_used(page: &Page) {
    let blocks = page.blocks();
    for (index, block) in blocks.iter().enumerate() {
        let Some(name) = block.file() else { continue };
        let used = blocks.iter().skip(index + 1).any(|later| later.body.contains(name));
        let speaks = block.language() == "yaml" && !matches!(block.shape(), Shape::Other);
        assert!(used || speaks, "{}: nothing uses `{name}`", block.place());
    }
}

#[test]
fn a_session_is_compared() {
    for (expected, said, fit) in [
        ("a\n", "a\n", true),
        ("a\n", "b\n", false),
        ("", "", true),
        ("", "a\n", false),
        ("key …, then\n", "key 7f, then\n", true),
        ("key …, then\n", "key 7f\n, then\n", false),
        ("a\n…\nd\n", "a\nb\nc\nd\n", true),
        ("a\n…\n", "a\n", true),
        ("…\nd\n", "a\n", false),
    ] {
        assert_eq!(fits(expected, said), fit, "{expected:?} {said:?}");
    }
}

// --- criteria

fn pages_of_criteria() -> BTreeMap<String, Page> {
    let pages = pages().into_iter().filter(Page::is_of_a_criterion);
    let stem = |page: &Page| page.path.file_stem().map(|stem| stem.display().to_string());
    pages.map(|page| (stem(&page).expect("a name"), page)).collect()
}

#[test]
fn every_criterion_has_its_page() {
    let pages = pages_of_criteria();
    let have: Vec<&str> = pages.keys().map(String::as_str).collect();
    assert_eq!(have, criterion_names());
    let index = Page::read(PathBuf::from(CRITERIA).join("README.md"));
    let mut rows = index.text.lines().filter(|line| line.starts_with("| [`"));
    for name in criterion_names() {
        let row = rows.next().unwrap_or_default();
        assert!(row.starts_with(&format!("| [`{name}`]({name}.md) | ")), "{name}: {row}");
        let page = &pages[*name];
        let title = format!("# `{name}`");
        assert!(page.text.starts_with(&title), "{}: begin with {title}", page.name());
        let extension = EXTENSIONS.contains(name);
        for text in [row, &page.prose()] {
            assert_eq!(text.contains("Lictor's own"), extension, "{}: {text}", page.name());
        }
    }
    assert_eq!(rows.next(), None);
}

#[test]
fn every_page_of_a_criterion_shows_both_outcomes() {
    let expects = regex::Regex::new(r"expect: ([a-z-]+)").expect("a pattern");
    for (name, page) in pages_of_criteria() {
        let blocks = page.blocks();
        let tests: Vec<_> = blocks.iter().filter(|block| block.body.contains("\ncases:")).collect();
        let text: String = tests.iter().map(|block| block.body.as_str()).collect();
        let asks = regex::Regex::new(&format!(r"- \{{?{name}(/[^:]*)?:")).expect("a pattern");
        assert!(asks.is_match(&text), "{}: no test of the criterion", page.name());
        let outcomes: BTreeSet<&str> =
            expects.captures_iter(&text).filter_map(|found| Some(found.get(1)?.as_str())).collect();
        let both = outcomes.contains("allow") && outcomes.len() > 1;
        assert!(both, "{}: only {outcomes:?}", page.name());
    }
}

#[test]
fn every_reason_is_told_of() {
    let told: BTreeSet<String> =
        pages_of_criteria().values().flat_map(|page| quoted_words(&page.prose())).collect();
    let untold: Vec<&str> =
        Reason::all().map(Reason::name).filter(|name| !told.contains(*name)).collect();
    assert!(untold.is_empty(), "no page of a criterion names {untold:?}");
    for page in pages_of_criteria().values() {
        let row = page.text.lines().find(|line| line.starts_with("| reasons |"));
        let row = row.unwrap_or_else(|| panic!("{}: no row of reasons", page.name()));
        for name in quoted_words(row) {
            assert!(Reason::named(&name).is_some(), "{}: `{name}` is no reason", page.name());
        }
    }
}

#[test]
fn every_refused_key_is_told_of() {
    let page = Page::read(PathBuf::from("docs/from-pomerium.md"));
    let told = quoted_words(&page.prose());
    for key in GLOBAL_KEYS.iter().chain(ROUTE_KEYS) {
        let refused = format!("{:?}", key.standing).starts_with("Refused");
        assert!(!refused || told.iter().any(|word| word == key.name), "{}", key.name);
    }
}

/// What stands between single backticks.
fn quoted_words(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

// --- links

/// The targets of the links in the prose of a page, code left out.
fn links(page: &Page) -> Vec<String> {
    let prose = page.prose();
    let link = regex::Regex::new(r"\]\(([^)]*)\)").expect("a pattern");
    let code = regex::Regex::new(r"`[^`\n]*`").expect("a pattern");
    let plain = code.replace_all(&prose, "code");
    link.captures_iter(&plain).map(|found| found[1].to_owned()).collect()
}

/// The anchors of the headings of a page, as GitHub makes them.
fn anchors(page: &Page) -> BTreeSet<String> {
    let headings = page.text.lines().filter(|line| line.starts_with('#'));
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    let slug = |line: &str| {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        text.chars().filter(kept).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(slug).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut linked = BTreeSet::new();
    let readme = Page::read(PathBuf::from("README.md"));
    for page in pages().into_iter().chain([readme]) {
        for link in links(&page) {
            if link.starts_with("https://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let folder = page.path.parent().expect("a folder");
            let target =
                if file.is_empty() { page.path.clone() } else { plain(&folder.join(file)) };
            assert!(root().join(&target).is_file(), "{}: {link}", page.name());
            let known = anchor.is_empty() || anchors(&Page::read(target.clone())).contains(anchor);
            assert!(known, "{}: {link} has no such heading", page.name());
            if target != page.path {
                linked.insert(target);
            }
        }
    }
    for page in pages() {
        assert!(linked.contains(&page.path), "no page leads to {}", page.name());
    }
}

/// `path` without `..`.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |plain, part| {
        if part.as_os_str() == ".." {
            plain.parent().expect("inside the root").to_owned()
        } else {
            plain.join(part)
        }
    })
}
