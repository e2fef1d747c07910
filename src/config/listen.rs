//! Where the server listens, and how it writes its log.

use super::log_field::LogField;
use crate::advice::Advice;
use crate::document::{Problem, Problems, Section, nearest};
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Where Envoy asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrpcAddress {
    Tcp(SocketAddr),
    /// `unix:///path`
    Unix(PathBuf),
}

impl fmt::Display for GrpcAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
        }
    }
}

impl GrpcAddress {
    /// Reads `HOST:PORT`, `unix:///path` or `unix:path`.
    pub fn parse(text: &str) -> Option<Self> {
        match text.strip_prefix("unix:") {
            Some(path) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                (!path.is_empty()).then(|| Self::Unix(path.into()))
            }
            None => socket_address(text).map(Self::Tcp),
        }
    }
}

/// Addresses of the listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    pub grpc: GrpcAddress,
    pub http: SocketAddr,
    pub metrics: Option<SocketAddr>,
    pub health: Option<SocketAddr>,
    /// So many checks may be under way at once.
    pub most_checks: NonZeroUsize,
}

impl Listen {
    pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> Option<Self> {
        let grpc = section.text("grpc_address", problems).unwrap_or("127.0.0.1:50051");
        let parsed = GrpcAddress::parse(grpc);
        if parsed.is_none() {
            let help = "write it as `127.0.0.1:50051` or `unix:///run/lictor/authz.sock`";
            push(section, "grpc_address", grpc, help, problems);
        }
        if let Some(GrpcAddress::Tcp(at)) = &parsed
            && !at.ip().is_loopback()
        {
            let place = section.place_of("grpc_address");
            problems.notice(Advice::OpenAddress, place, format!("whoever reaches {at} can ask for decisions and obtain assertions; let only Envoy reach it"));
        }
        let default = SocketAddr::from(([127, 0, 0, 1], 8080));
        Some(Self {
            http: address(section, "http_address", problems).unwrap_or(default),
            metrics: address(section, "metrics_address", problems),
            health: address(section, "health_check_addr", problems),
            most_checks: most_checks(section, problems),
            grpc: parsed?,
        })
    }
}

/// A processor answers so many within some sixty milliseconds, also where every assertion has to be signed and as many
/// checks are refused meanwhile: long before Envoy gives up.
const MOST_CHECKS_OF_ONE: NonZeroUsize = NonZeroUsize::new(512).expect("not zero");

fn most_checks_of_all() -> NonZeroUsize {
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    processors.saturating_mul(MOST_CHECKS_OF_ONE)
}

fn most_checks(section: &Section<'_>, problems: &mut Problems) -> NonZeroUsize {
    const KEY: &str = "max_concurrent_checks";
    let Some(most) = section.integer(KEY, problems) else {
        return most_checks_of_all();
    };
    usize::try_from(most).ok().and_then(NonZeroUsize::new).unwrap_or_else(|| {
        let problem =
            Problem::new("bad_value", section.place_of(KEY), format!("`{KEY}` must be at least 1"));
        problems.push(problem.help("leave it out for 512 for each processor"));
        most_checks_of_all()
    })
}

fn address(section: &Section<'_>, key: &str, problems: &mut Problems) -> Option<SocketAddr> {
    let text = section.text(key, problems)?;
    let parsed = socket_address(text);
    if parsed.is_none() {
        push(section, key, text, "write it as `127.0.0.1:8080` or `:8080`", problems);
    }
    parsed
}

fn push(section: &Section<'_>, key: &str, text: &str, help: &str, problems: &mut Problems) {
    let place = section.place_of(key);
    problems.push(
        Problem::new("bad_address", place, format!("`{key}`: `{text}` is not an address"))
            .help(help),
    );
}

/// `HOST:PORT`; an empty host stands for every interface, `localhost` for loopback.
fn socket_address(text: &str) -> Option<SocketAddr> {
    if let Some(port) = text.strip_prefix(':') {
        return port.parse().ok().map(|port: u16| SocketAddr::from(([0, 0, 0, 0], port)));
    }
    if let Some(port) = text.strip_prefix("localhost:") {
        return port.parse().ok().map(|port: u16| SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().ok().or_else(|| text.to_socket_addrs().ok()?.next())
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    #[default]
    Json,
    Text,
}

/// What is logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logging {
    /// `None` for `disabled`.
    pub level: Option<tracing::Level>,
    pub format: LogFormat,
    /// Fields of the decision line; `None` for all.
    pub fields: Option<Vec<LogField>>,
}

impl Logging {
    pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> Self {
        let level = match section.text("log_level", problems).unwrap_or("info") {
            "disabled" => None,
            text => {
                let parsed = text.parse().ok();
                if parsed.is_none() {
                    let place = section.place_of("log_level");
                    problems.push(
                        Problem::new("bad_value", place, format!("`log_level` cannot be `{text}`"))
                            .help("use trace, debug, info, warn, error or disabled"),
                    );
                }
                parsed
            }
        };
        let format = match section.text("log_format", problems) {
            None | Some("json") => LogFormat::Json,
            Some("text") => LogFormat::Text,
            Some(other) => {
                let place = section.place_of("log_format");
                problems.push(
                    Problem::new("bad_value", place, format!("`log_format` cannot be `{other}`"))
                        .help("use `json` or `text`"),
                );
                LogFormat::Json
            }
        };
        Self { level, format, fields: log_fields(section, problems) }
    }
}

/// Names of Pomerium's that have no counterpart here; accepted, and never written.
const FOREIGN_LOG_FIELDS: &[&str] =
    &["cluster-stat-name", "envoy-route-checksum", "impersonate-session-id", "route-checksum"];

fn log_fields(section: &Section<'_>, problems: &mut Problems) -> Option<Vec<LogField>> {
    let names = section.texts("authorize_log_fields", problems)?;
    let place = section.place_of("authorize_log_fields");
    let mut fields = Vec::new();
    for name in &names {
        if let Some(field) = LogField::named(name) {
            fields.push(field);
        } else if FOREIGN_LOG_FIELDS.contains(&name.as_str()) {
            problems.notice(
                Advice::UnknownLogField,
                place,
                format!("the log field `{name}` is never written here"),
            );
        } else {
            let known: Vec<&str> = LogField::ALL.iter().map(|field| field.name()).collect();
            let help = match nearest(name, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known: {}", known.join(", ")),
            };
            let message = format!("there is no log field `{name}`");
            problems.push(Problem::new("bad_value", place, message).help(help));
        }
    }
    Some(fields)
}
