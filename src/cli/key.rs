//! `lictor key generate`.

use super::{Exit, report};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Subcommand)]
pub(super) enum Generate {
    /// A shared secret, for `shared_secret`
    #[command(after_help = "Example: lictor key generate shared > shared_secret")]
    Shared(Target),
    /// A P-256 signing key, for `signing_key`
    #[command(after_help = "Example: lictor key generate signing --pem > signing.pem")]
    Signing {
        /// Write PEM, for `signing_key_file`, instead of one line of base64
        #[arg(long)]
        pem: bool,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// Write to this file, readable by its owner alone, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Do nothing if the file is there already
    #[arg(long, requires = "output")]
    if_missing: bool,
}

impl Generate {
    pub(super) fn run(&self) -> Exit {
        let (made, target) = match self {
            Self::Shared(target) => (shared(), target),
            Self::Signing { pem, target } => (signing(*pem), target),
        };
        match made {
            Some(text) => target.write(&text),
            None => {
                report::error("no randomness to be had", None);
                Exit::Failure
            }
        }
    }
}

impl Target {
    fn write(&self, text: &str) -> Exit {
        let Some(file) = &self.output else {
            report::data(&format!("{}\n", text.trim_end()));
            return Exit::Ok;
        };
        match create(file, text) {
            Ok(()) => Exit::Ok,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && self.if_missing => {
                kept(file)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                report::error(
                    &format!("`{}` is there already", file.display()),
                    Some("remove it first, or add --if-missing to keep it"),
                );
                Exit::Usage
            }
            Err(error) => {
                report::error(&format!("cannot write `{}`: {error}", file.display()), None);
                Exit::Unavailable
            }
        }
    }
}

/// A file that is there already is kept, unless there is nothing in it.
#[expect(clippy::disallowed_methods, reason = "looks at the file it was asked to write")]
fn kept(file: &Path) -> Exit {
    if std::fs::metadata(file).is_ok_and(|metadata| metadata.len() > 0) {
        return Exit::Ok;
    }
    report::error(
        &format!("`{}` is there and empty", file.display()),
        Some("remove it, and run the command again"),
    );
    Exit::Usage
}

/// Makes a file that was not there, readable by its owner alone. A file that cannot be written whole
/// does not stay.
#[expect(clippy::disallowed_methods, reason = "the command writes the file it was asked to write")]
fn create(file: &Path, text: &str) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.write(true).create_new(true).mode(0o600).open(file)?;
    let written = out.write_all(text.as_bytes()).and_then(|()| out.sync_all());
    if written.is_err() {
        std::fs::remove_file(file)?;
    }
    written
}

fn shared() -> Option<String> {
    let mut secret = [0; 32];
    aws_lc_rs::rand::fill(&mut secret).ok()?;
    Some(STANDARD.encode(secret))
}

fn signing(pem: bool) -> Option<String> {
    let document =
        EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .ok()?;
    let body = STANDARD.encode(document);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    let text =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"));
    Some(if pem { text } else { STANDARD.encode(text) })
}
