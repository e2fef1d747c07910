//! Binding addresses, with an error that names the key and the fix.

use crate::config::{GrpcAddress, Listen};
use crate::store::StoreError;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Bind(#[from] BindError),
    #[error("cannot open the store (`storage`): {0}")]
    Store(#[from] StoreError),
}

impl StartError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Bind(error) => error.help(),
            Self::Store(_) => "let `storage` name a folder that this process may write to, or a PostgreSQL server that answers".to_owned(),
        }
    }
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} (`{key}`): {}", reason(.source))]
pub struct BindError {
    key: &'static str,
    address: String,
    source: io::Error,
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum with dozens of kinds")]
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "the address is in use".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        _ => error.to_string(),
    }
}

impl BindError {
    /// What to do about it.
    #[expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum with dozens of kinds")]
    pub fn help(&self) -> String {
        match self.source.kind() {
            io::ErrorKind::AddrInUse => {
                format!("stop the process that listens there, or set another `{}`", self.key)
            }
            io::ErrorKind::PermissionDenied => format!(
                "use a port above 1023, or a folder this process may write to, in `{}`",
                self.key
            ),
            _ => format!("set another `{}`", self.key),
        }
    }
}

/// Where Envoy asks, bound.
#[derive(Debug)]
pub(super) enum GrpcListener {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl GrpcListener {
    pub(super) async fn bind(address: &GrpcAddress) -> Result<Self, BindError> {
        match address {
            GrpcAddress::Tcp(address) => tcp("grpc_address", *address).await.map(Self::Tcp),
            GrpcAddress::Unix(path) => {
                let bound = unix(path).await;
                let error = |source| BindError {
                    key: "grpc_address",
                    address: address.to_string(),
                    source,
                };
                bound.map(|listener| Self::Unix(listener, path.clone())).map_err(error)
            }
        }
    }

    pub(super) fn address(&self) -> GrpcAddress {
        match self {
            Self::Tcp(listener) => GrpcAddress::Tcp(
                listener.local_addr().unwrap_or(SocketAddr::from(([0, 0, 0, 0], 0))),
            ),
            Self::Unix(_, path) => GrpcAddress::Unix(path.clone()),
        }
    }
}

pub(super) async fn tcp(key: &'static str, address: SocketAddr) -> Result<TcpListener, BindError> {
    TcpListener::bind(address).await.map_err(|source| BindError {
        key,
        address: address.to_string(),
        source,
    })
}

/// The listeners for operators and their tools, each with whether metrics are told there.
pub(super) async fn operator(listen: &Listen) -> Result<Vec<(TcpListener, bool)>, BindError> {
    let mut listeners = Vec::new();
    if let Some(address) = listen.metrics {
        listeners.push((tcp("metrics_address", address).await?, true));
    }
    if let Some(address) = listen.health {
        listeners.push((tcp("health_check_addr", address).await?, false));
    }
    Ok(listeners)
}

/// Listens for SIGHUP from now on; until somebody does, it ends the process.
pub(super) fn hangup() -> Result<Signal, BindError> {
    let error = |source| BindError { key: "signal", address: "SIGHUP".to_owned(), source };
    signal(SignalKind::hangup()).map_err(error)
}

/// Binds a socket file, readable and writable for owner and group. A file left by a process that is
/// gone is replaced; one that answers is in use. The socket is made in a folder of our own and moved
/// into place, so that it never stands there with wider rights.
#[expect(clippy::disallowed_methods, reason = "a socket is a file")]
async fn unix(path: &Path) -> io::Result<UnixListener> {
    if let Ok(metadata) = std::fs::symlink_metadata(path) {
        let answered = tokio::net::UnixStream::connect(path).await.is_ok();
        if answered || !metadata.file_type().is_socket() {
            return Err(io::ErrorKind::AddrInUse.into());
        }
    }
    let parent =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = parent.join(format!(".lictor-{}", uuid::Uuid::new_v4().simple()));
    std::fs::DirBuilder::new().mode(0o700).create(&folder)?;
    let made = bind_and_move(&folder.join("s"), path);
    std::fs::remove_dir_all(&folder)?;
    made
}

#[expect(clippy::disallowed_methods, reason = "a socket is a file")]
fn bind_and_move(made: &Path, wanted: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(made)?;
    std::fs::set_permissions(made, std::fs::Permissions::from_mode(0o660))?;
    std::fs::rename(made, wanted)?;
    Ok(listener)
}
