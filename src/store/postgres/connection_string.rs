//! Connection strings as libpq reads them: a URL, or `key=value` with blanks between. `sslmode` and
//! `sslrootcert` are read here, because the driver knows only half of their values.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// How to reach a PostgreSQL server. May hold a password, so it shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionString {
    config: Box<Config>,
    trust: Trust,
}

/// Which server one speaks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// Whoever answers.
    Anybody,
    /// One whose certificate was issued by a CA.
    Chain(Roots),
    /// One whose certificate was issued by a CA for this host.
    ChainAndName(Roots),
}

/// CAs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Roots {
    System,
    File(PathBuf),
}

/// Why a text is not a connection string. Never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectionStringError {
    #[error("the connection string cannot be read")]
    Malformed,
    #[error("the connection string names no host")]
    NoHost,
    #[error("the connection string has an `sslmode` that is not known")]
    SslMode,
    #[error("the connection string has the option `{0}`, which is not supported")]
    Unsupported(&'static str),
}

impl ConnectionStringError {
    /// What to write instead.
    pub fn help(self) -> &'static str {
        match self {
            Self::Malformed | Self::NoHost => {
                "write it as `postgresql://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full`, with `%40` for an `@` in a password"
            }
            Self::SslMode => "use `disable`, `prefer`, `require`, `verify-ca` or `verify-full`",
            Self::Unsupported(_) => "remove it",
        }
    }
}

/// Options of libpq that would be missed if they were left out silently.
const UNSUPPORTED: [&str; 12] = [
    "gssencmode",
    "krbsrvname",
    "passfile",
    "replication",
    "require_auth",
    "requirepeer",
    "service",
    "sslcert",
    "sslcrl",
    "sslkey",
    "sslpassword",
    "ssl_min_protocol_version",
];

/// After so long without a word the server is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ConnectionString(***)")
    }
}

impl ConnectionString {
    /// Reads a connection string.
    ///
    /// # Errors
    /// Anything that is none, and options that cannot be kept.
    pub fn parse(text: &str) -> Result<Self, ConnectionStringError> {
        let text = text.trim();
        let mut said = match authority(text) {
            Some(authority) => of_url(text, authority)?,
            None => of_pairs(text)?,
        };
        let hosts = said.config.get_hosts();
        let addresses = said.config.get_hostaddrs();
        let nameless = |host: &Host| matches!(host, Host::Tcp(name) if name.is_empty());
        if (hosts.is_empty() && addresses.is_empty()) || hosts.iter().any(nameless) {
            return Err(ConnectionStringError::NoHost);
        }
        let local = |host: &Host| matches!(host, Host::Unix(_));
        let all_local = hosts.iter().all(local) && addresses.is_empty();
        let (mode, trust) = said.tls.read()?;
        // As libpq does: a socket of this machine has no wire to listen to.
        said.config.ssl_mode(if all_local { SslMode::Disable } else { mode });
        Ok(Self { config: Box::new(said.config), trust })
    }

    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    /// For the driver. What the string leaves open is bounded by `limit`.
    pub(super) fn config(&self, limit: Duration) -> Config {
        let mut config = Config::clone(&self.config);
        if config.get_application_name().is_none() {
            config.application_name("lictor");
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(limit);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(limit.saturating_mul(2));
        }
        if config.get_keepalives_idle() == Config::new().get_keepalives_idle() {
            config.keepalives_idle(KEEPALIVE);
            config.keepalives_interval(KEEPALIVE_INTERVAL);
            config.keepalives_retries(KEEPALIVE_RETRIES);
        }
        config
    }
}

/// What a string says.
struct Said {
    config: Config,
    tls: Tls,
}

/// `sslmode` and `sslrootcert` as they were written.
#[derive(Default)]
struct Tls {
    mode: Option<String>,
    roots: Option<String>,
}

impl Tls {
    /// Takes an option that is about TLS, and says whether it was one.
    fn takes(&mut self, key: &str, value: &str) -> bool {
        let place = match key {
            "sslmode" => &mut self.mode,
            "sslrootcert" => &mut self.roots,
            _ => return false,
        };
        *place = Some(value.to_owned());
        true
    }

    fn read(self) -> Result<(SslMode, Trust), ConnectionStringError> {
        let named = self.roots.filter(|roots| !roots.is_empty());
        let roots = match named.as_deref() {
            None | Some("system") => Roots::System,
            Some(path) => Roots::File(PathBuf::from(path)),
        };
        Ok(match self.mode.as_deref().unwrap_or("prefer") {
            "disable" => (SslMode::Disable, Trust::Anybody),
            "prefer" => (SslMode::Prefer, Trust::Anybody),
            // Who names CAs wants them to be asked.
            "require" if named.is_some() => (SslMode::Require, Trust::Chain(roots)),
            "require" => (SslMode::Require, Trust::Anybody),
            "verify-ca" => (SslMode::Require, Trust::Chain(roots)),
            "verify-full" => (SslMode::Require, Trust::ChainAndName(roots)),
            _ => return Err(ConnectionStringError::SslMode),
        })
    }
}

/// What follows the scheme of a URL.
fn authority(text: &str) -> Option<&str> {
    text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://"))
}

fn of_url(text: &str, authority: &str) -> Result<Said, ConnectionStringError> {
    // A password may have a question mark; what stands before `@` is not looked into.
    let place = authority.split_once('@').map_or(authority, |(_, place)| place);
    let (before, query) = match place.split_once('?') {
        Some((before, query)) => {
            let end = text.len() - place.len() + before.len();
            (text.split_at_checked(end).map_or(text, |(before, _)| before), query)
        }
        None => (text, ""),
    };
    let (mut tls, mut kept) = (Tls::default(), Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or(ConnectionStringError::Malformed)?;
        refuse_unsupported(key)?;
        let value = percent_encoding::percent_decode_str(value).decode_utf8();
        let value = value.map_err(|_| ConnectionStringError::Malformed)?;
        if !tls.takes(key, &value) {
            kept.push(pair);
        }
    }
    let kept = if kept.is_empty() { String::new() } else { format!("?{}", kept.join("&")) };
    Ok(Said { config: driven(&format!("{before}{kept}"))?, tls })
}

fn of_pairs(text: &str) -> Result<Said, ConnectionStringError> {
    let (mut tls, mut kept, mut rest) = (Tls::default(), Vec::new(), text);
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or(ConnectionStringError::Malformed)?;
        let key = key.trim();
        let word = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if key.is_empty() || !word {
            return Err(ConnectionStringError::Malformed);
        }
        refuse_unsupported(key)?;
        let (value, after) = value(after.trim_start())?;
        if !tls.takes(key, &value) {
            let value = value.replace('\\', "\\\\").replace('\'', "\\'");
            kept.push(format!("{key}='{value}'"));
        }
        rest = after.trim_start();
    }
    Ok(Said { config: driven(&kept.join(" "))?, tls })
}

/// A value, in quotes or not, in which `\` keeps the next character from meaning anything; and what
/// follows it.
fn value(text: &str) -> Result<(String, &str), ConnectionStringError> {
    let (quoted, text) = text.strip_prefix('\'').map_or((false, text), |text| (true, text));
    let (mut value, mut characters) = (String::new(), text.chars());
    loop {
        let before = characters.as_str();
        match characters.next() {
            Some('\\') => value.extend(characters.next()),
            Some('\'') if quoted => return Ok((value, characters.as_str())),
            Some(c) if !quoted && c.is_whitespace() => return Ok((value, before)),
            Some(c) => value.push(c),
            None if quoted => return Err(ConnectionStringError::Malformed),
            None => return Ok((value, "")),
        }
    }
}

fn refuse_unsupported(key: &str) -> Result<(), ConnectionStringError> {
    match UNSUPPORTED.into_iter().find(|name| *name == key) {
        Some(name) => Err(ConnectionStringError::Unsupported(name)),
        None => Ok(()),
    }
}

/// The driver's errors may quote what they cannot read, which may be a part of a password.
fn driven(text: &str) -> Result<Config, ConnectionStringError> {
    text.parse().map_err(|_| ConnectionStringError::Malformed)
}

#[cfg(test)]
mod tests;
