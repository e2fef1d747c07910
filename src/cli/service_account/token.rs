//! Where a token goes: it is shown once, so the way is cleared before it is made.

use crate::cli::terminal::{Format, Stop};
use crate::cli::{Exit, json, report};
use crate::id::CredentialId;
use crate::secret::Secret;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(super) struct Target {
    /// Write the token to this new file, readable by its owner alone, instead of standard output
    #[arg(long, value_name = "FILE")]
    output_file: Option<PathBuf>,
}

/// A file that was made for a token; it goes again unless one is written.
#[derive(Debug)]
struct Prepared {
    path: PathBuf,
    file: File,
    written: bool,
}

/// Standard output, or a file.
#[derive(Debug)]
pub(super) struct Sink(Option<Prepared>);

impl Target {
    /// Clears the way.
    pub(super) fn open(&self) -> Result<Sink, Stop> {
        let Some(path) = &self.output_file else {
            return Ok(Sink(None));
        };
        match create(path) {
            Ok(file) => Ok(Sink(Some(Prepared { path: path.clone(), file, written: false }))),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                let message = format!("`{}` is there already", path.display());
                Err(Stop::said(message, "remove it first, or name another file", Exit::Usage))
            }
            Err(error) => {
                let message = format!("cannot write `{}`: {error}", path.display());
                Err(Stop::said(message, "name a file in a folder that is there", Exit::Unavailable))
            }
        }
    }
}

impl Sink {
    /// Hands a token over, with what else there is to say of it in JSON.
    pub(super) fn give(
        self,
        format: Format,
        (object, token): (Value, &Secret<String>),
        credential: &CredentialId,
    ) -> Result<(), Stop> {
        let Some(mut prepared) = self.0 else {
            let written = match format {
                Format::Table => {
                    report::written(&format!("{}{}", token.expose(), report::end_of_line()))
                }
                Format::Json => {
                    let object = json::merged(object, json!({ "token": token.expose() }));
                    report::written(&format!("{object:#}\n"))
                }
            };
            return written.map_err(|error| lost(&error, credential));
        };
        let text = token.expose().as_bytes();
        let written = prepared.file.write_all(text).and_then(|()| prepared.file.sync_all());
        written.map_err(|error| lost(&error, credential))?;
        prepared.written = true;
        if format == Format::Json {
            report::data(&format!("{object:#}\n"));
        }
        Ok(())
    }
}

impl Drop for Prepared {
    #[expect(clippy::disallowed_methods, reason = "removes the file that it has made")]
    fn drop(&mut self) {
        if !self.written {
            drop(std::fs::remove_file(&self.path));
        }
    }
}

/// Makes a file that was not there, readable by its owner alone.
#[expect(clippy::disallowed_methods, reason = "the command writes the file it was asked to write")]
fn create(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true).mode(0o600).open(path)
}

fn lost(error: &io::Error, credential: &CredentialId) -> Stop {
    let message = format!("the token could not be written, and is lost: {error}");
    let help =
        format!("revoke it with `lictor service-account revoke {credential}`, and issue another");
    Stop::said(message, help, Exit::Failure)
}
