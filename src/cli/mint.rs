//! `lictor token mint`: the service-account tool, with Go's way of writing flags.

use super::{Exit, KeySource, report};
use crate::clock::{Clock, SystemClock};
use crate::config::{Environment, SharedSecret, SharedSecretError};
use crate::time::{DurationError, parse_duration};
use crate::token::{Claims, mint};
use std::ffi::OsString;
use std::io::{BufRead, IsTerminal};
use std::path::Path;
use std::time::Duration;

const EXAMPLE: &str = "Example: lictor token mint -email bob@example.com -aud app.example.com -iss authenticate.example.com --key-file shared_secret

Flags may be written with one dash or two, and with `-` or `_`. The key comes from the argument, else from
LICTOR_SHARED_KEY or POMERIUM_SHARED_KEY, else from --key-file, else from the terminal or standard input.";

#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Mint {
    /// Hosts the token is for, separated by commas
    #[arg(long, value_name = "HOSTS", allow_hyphen_values = true)]
    aud: Option<String>,
    /// E-mail address
    #[arg(long, allow_hyphen_values = true)]
    email: Option<String>,
    /// How long the token lives, such as 90m
    #[arg(long, default_value = "1h", allow_hyphen_values = true)]
    expiry: String,
    /// Groups, separated by commas
    #[arg(long, allow_hyphen_values = true)]
    groups: Option<String>,
    /// Act as the person with this e-mail address
    #[arg(long, value_name = "EMAIL", allow_hyphen_values = true)]
    impersonate_email: Option<String>,
    /// Act as a member of these groups, separated by commas
    #[arg(long, value_name = "GROUPS", allow_hyphen_values = true)]
    impersonate_groups: Option<String>,
    /// Host of the authenticate service
    #[arg(long, value_name = "HOST", allow_hyphen_values = true)]
    iss: Option<String>,
    /// Subject, typically a user id
    #[arg(long, allow_hyphen_values = true)]
    sub: Option<String>,
    /// User id
    #[arg(long, allow_hyphen_values = true)]
    user: Option<String>,
    /// Sign with the base64 text of the key, for verifiers that use that
    #[arg(long)]
    legacy_text_key: bool,
    #[command(flatten)]
    source: KeySource,
}

const LONG_FLAGS: [&str; 11] = [
    "aud",
    "email",
    "expiry",
    "groups",
    "impersonate-email",
    "impersonate-groups",
    "iss",
    "key-file",
    "legacy-text-key",
    "sub",
    "user",
];

/// Lets `lictor token mint` take flags as Go writes them: `-email x`, `-impersonate_email=x`.
pub(super) fn go_flags(arguments: Vec<OsString>) -> Vec<OsString> {
    let is =
        |index: usize, name: &str| arguments.get(index).is_some_and(|argument| argument == name);
    if !(is(1, "token") && is(2, "mint")) {
        return arguments;
    }
    let mut plain = true;
    arguments
        .into_iter()
        .map(|argument| {
            plain &= argument != "--";
            let rewritten = argument.to_str().filter(|_| plain).and_then(double_dashed);
            rewritten.map_or(argument, OsString::from)
        })
        .collect()
}

fn double_dashed(argument: &str) -> Option<String> {
    let flag = argument.strip_prefix("--").or_else(|| argument.strip_prefix('-'))?;
    let (name, value) =
        flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
    let name = name.replace('_', "-");
    let known = LONG_FLAGS.contains(&name.as_str());
    known.then(|| value.map_or(format!("--{name}"), |value| format!("--{name}={value}")))
}

impl Mint {
    pub(super) fn run(&self) -> Exit {
        let mut problems = Vec::new();
        let (claims, lifetime) = self.claims(&mut problems);
        // A person is not asked for a key before what they wrote is right.
        let key = match self.source.read(&Environment::of_process(), !problems.is_empty()) {
            Ok(key) => key,
            Err((message, help)) => {
                problems.insert(0, (message, help));
                None
            }
        };
        for (message, help) in &problems {
            report::error(message, help.as_deref());
        }
        let Some(key) = key.filter(|_| problems.is_empty()) else {
            return Exit::Usage;
        };
        let signing: &[u8] = if self.legacy_text_key { key.text().as_bytes() } else { key.bytes() };
        let token = mint(&claims, signing, SystemClock.now(), lifetime);
        let end = if std::io::stdout().is_terminal() { "\n" } else { "" };
        report::data(&format!("{token}{end}"));
        Exit::Ok
    }

    fn claims(&self, problems: &mut Vec<(String, Option<String>)>) -> (Claims, Duration) {
        let required = |value: &Option<String>,
                        name: &str,
                        problems: &mut Vec<(String, Option<String>)>| {
            let text = value.as_deref().map(str::trim).unwrap_or_default().to_owned();
            if text.is_empty() {
                problems.push((format!("{name} is required"), Some(format!("add `-{name} …`"))));
            }
            text
        };
        let email = required(&self.email, "email", problems);
        required(&self.aud, "aud", problems);
        let issuer = required(&self.iss, "iss", problems);
        let optional =
            |value: &Option<String>| value.as_deref().map(str::trim).unwrap_or_default().to_owned();
        let claims = Claims {
            issuer,
            audience: list("aud", self.aud.as_deref(), problems),
            subject: optional(&self.sub),
            user: optional(&self.user),
            email,
            groups: list("groups", self.groups.as_deref(), problems),
            impersonate_email: optional(&self.impersonate_email),
            impersonate_groups: list(
                "impersonate_groups",
                self.impersonate_groups.as_deref(),
                problems,
            ),
            id: uuid::Uuid::new_v4().to_string(),
        };
        (claims, self.lifetime(problems))
    }

    fn lifetime(&self, problems: &mut Vec<(String, Option<String>)>) -> Duration {
        match parse_duration(self.expiry.trim()) {
            Ok(lifetime) if lifetime.as_secs() > 0 => lifetime,
            Ok(_) | Err(DurationError::Negative(_)) => {
                problems.push((
                    format!("expiry must be at least a second, not `{}`", self.expiry),
                    Some("write it as `-expiry 90m`".to_owned()),
                ));
                Duration::ZERO
            }
            Err(error) => {
                problems.push((format!("expiry: {error}"), Some(DurationError::HELP.to_owned())));
                Duration::ZERO
            }
        }
    }
}

/// Comma-separated parts, trimmed. An empty part is a slip worth telling.
fn list(
    name: &str,
    text: Option<&str>,
    problems: &mut Vec<(String, Option<String>)>,
) -> Vec<String> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Vec::new();
    };
    let parts: Vec<String> = text.split(',').map(|part| part.trim().to_owned()).collect();
    if parts.iter().any(String::is_empty) {
        problems.push((
            format!("{name} has an empty part: `{text}`"),
            Some("separate the parts with single commas".to_owned()),
        ));
    }
    parts
}

type KeyProblem = (String, Option<String>);

impl KeySource {
    /// The key from wherever it is given. `Ok(None)` if a person would have to be asked and should not
    /// be yet.
    pub(super) fn read(
        &self,
        environment: &Environment,
        do_not_ask: bool,
    ) -> Result<Option<SharedSecret>, KeyProblem> {
        let from_environment = ["LICTOR_SHARED_KEY", "POMERIUM_SHARED_KEY"]
            .into_iter()
            .find_map(|name| environment.get(name));
        let text = if let Some(key) = &self.key {
            report::warning(
                "a key given as an argument can be seen in process lists; prefer LICTOR_SHARED_KEY or --key-file",
            );
            key.clone()
        } else if let Some(key) = from_environment {
            key.to_owned()
        } else if let Some(file) = &self.key_file {
            read_file(file)
                .map_err(|error| (format!("cannot read `{}`: {error}", file.display()), None))?
        } else if std::io::stdin().is_terminal() {
            if do_not_ask {
                return Ok(None);
            }
            rpassword::prompt_password("shared key (base64): ")
                .map_err(|error| (format!("cannot ask for the key: {error}"), None))?
        } else {
            let mut line = String::new();
            std::io::stdin()
                .lock()
                .read_line(&mut line)
                .map_err(|error| (format!("cannot read the key: {error}"), None))?;
            line
        };
        let text = text.trim();
        let help = Some(SharedSecretError::HELP.to_owned());
        if text.is_empty() {
            return Err((
                "shared key required".to_owned(),
                Some(
                    "give it as LICTOR_SHARED_KEY, with --key-file, or on standard input"
                        .to_owned(),
                ),
            ));
        }
        SharedSecret::parse(text).map(Some).map_err(|error| (error.to_string(), help))
    }
}

#[expect(clippy::disallowed_methods, reason = "the command reads the file it was told to read")]
pub(super) fn read_file(file: &Path) -> std::io::Result<String> {
    std::fs::read_to_string(file)
}

#[cfg(test)]
mod tests {
    use super::go_flags;

    #[test]
    fn flags_as_go_writes_them() {
        let rewrite = |line: &str| {
            let arguments = line.split(' ').map(Into::into).collect();
            go_flags(arguments)
                .into_iter()
                .map(|argument| argument.into_string().expect("text"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(
            rewrite(
                "lictor token mint -email a@b -impersonate_email=c@d --aud x -sub -email KEY=="
            ),
            "lictor token mint --email a@b --impersonate-email=c@d --aud x --sub --email KEY=="
        );
        assert_eq!(
            rewrite("lictor token mint -expiry -1h -- -email"),
            "lictor token mint --expiry -1h -- -email"
        );
        assert_eq!(rewrite("lictor token verify -email x"), "lictor token verify -email x");
    }
}
