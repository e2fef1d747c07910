//! People of a users file: hashing passwords by hand, and what time gives away.

use crate::support::command::{Ran, lictor};
use lictor::document::Problems;
use lictor::provider::{LocalUsers, LoginRefusal};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn password(input: &str) -> Ran {
    lictor(Path::new("."), &["key", "password"], &[], input)
}

fn users(text: &str) -> LocalUsers {
    let mut problems = Problems::default();
    let users = LocalUsers::read(text, "users.yaml", &mut problems);
    users.unwrap_or_else(|| panic!("{problems:?}"))
}

#[test]
fn a_hash_for_the_users_file() {
    for input in ["a few words \n", "a few words \r\n", "a few words "] {
        let ran = password(input);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        let hash = ran.stdout.strip_suffix('\n').expect("one line");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let users = users(&format!("users: [{{id: ann, password: '{hash}'}}]"));
        assert!(users.authenticate("ann", "a few words ").is_ok(), "space counts");
        assert!(users.authenticate("ann", "a few words").is_err());
    }
}

#[test]
fn passwords_that_are_not_hashed() {
    let short =
        "error: a password has at least 8 characters\nhelp: choose another; a few words are good\n";
    let long = short.replace("least 8 characters", "most 1024 bytes");
    for (input, told) in [
        ("", short),
        ("\n", short),
        ("sieben7\n", short),
        (&"x".repeat(1025), &long),
        (&"x".repeat(9000), &long),
    ] {
        let ran = password(input);
        assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (2, "", told));
    }
    let ran = lictor(Path::new("."), &["key", "password", "hunter2hunter2"], &[], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "not as an argument");
}

/// Types lines on a terminal; what can be seen there afterwards, and how the command ended.
fn on_a_terminal(lines: &[&str]) -> (String, i32) {
    const TYPE: &str = "
import os, pty, sys, termios, time
child, terminal = pty.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:2] + ['key', 'password'])
seen = b''
for line in sys.argv[2:]:
    while not seen.endswith(b': '):
        seen += os.read(terminal, 1)
    # The terminal is told to be quiet after the question: people do not type that fast.
    while termios.tcgetattr(terminal)[3] & termios.ECHO:
        time.sleep(0.01)
    os.write(terminal, line.encode() + b'\\n')
    seen += b'|'
try:
    while piece := os.read(terminal, 1024):
        seen += piece
except OSError:
    pass
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
sys.stdout.write(seen.decode())
sys.exit(code)
";
    let mut command = Command::new("python3");
    command.args(["-c", TYPE, env!("CARGO_BIN_EXE_lictor")]).args(lines).stdin(Stdio::null());
    let output = command.output().expect("python3 runs");
    (String::from_utf8_lossy(&output.stdout).into_owned(), output.status.code().expect("a code"))
}

#[test]
fn a_terminal_is_asked_twice_and_shows_nothing() {
    let (seen, code) = on_a_terminal(&["correct horse", "correct horse"]);
    assert_eq!(code, 0, "{seen}");
    assert!(seen.starts_with("password: |") && seen.contains("again: |"), "{seen}");
    assert!(seen.contains("$argon2id$") && !seen.contains("horse"), "{seen}");
    let (seen, code) = on_a_terminal(&["correct horse", "correct house"]);
    assert_eq!(code, 2, "{seen}");
    assert!(seen.contains("the two are not the same") && !seen.contains("$argon2id$"), "{seen}");
}

/// By the reference implementation, of `correct horse`.
const CHEAP: &str =
    "$argon2id$v=19$m=7168,t=5,p=1$c2FsdHNhbHQ$7/gOt2qjOzdInUxhCbho0fyO8MYQ93bujZ066MBUYEM";

#[test]
fn time_does_not_tell_who_is_in_the_file() {
    let users = users(&format!(
        "users: [{{id: ann, password: '{CHEAP}'}}, {{id: bob, password: '{CHEAP}'}}]"
    ));
    let time = |login: &str, refusal: LoginRefusal| {
        let begun = Instant::now();
        assert_eq!(users.authenticate(login, "wrong horse").err(), Some(refusal));
        begun.elapsed()
    };
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for _ in 0..31 {
        known.push(time("ann", LoginRefusal::WrongPassword));
        unknown.push(time("eve", LoginRefusal::UnknownUser));
    }
    let median = |times: &mut Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    };
    let ratio = median(&mut known) / median(&mut unknown);
    assert!((0.8..1.25).contains(&ratio), "{ratio}: {known:?} {unknown:?}");
}
