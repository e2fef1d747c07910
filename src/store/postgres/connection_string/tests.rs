//! Connection strings, good and bad.

use super::{ConnectionString, ConnectionStringError, Roots, Trust};
use std::path::PathBuf;
use std::time::Duration;
use tokio_postgres::config::{Host, SslMode};

fn read(text: &str) -> ConnectionString {
    ConnectionString::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> ConnectionStringError {
    ConnectionString::parse(text).expect_err(text)
}

#[test]
fn both_forms_say_the_same() {
    let url = read("postgresql://lictor:p%40ss%20w@db.test:5433/people?application_name=x");
    let pairs = read(
        "host = db.test port=5433  user=lictor password='p@ss w' dbname=people application_name=x",
    );
    assert_eq!(url, pairs);
    assert_eq!(url.config.get_password(), Some("p@ss w".as_bytes()));
    assert_eq!(url.config.get_ssl_mode(), SslMode::Prefer);
    assert_eq!(url.trust, Trust::Anybody);
    assert_eq!(
        read(r"host=h password=it\'s\ so").config.get_password(),
        Some("it's so".as_bytes())
    );
    assert_eq!(read("postgres://u:what?@h/d").config.get_password(), Some("what?".as_bytes()));
}

#[test]
fn what_sslmode_asks_for() {
    let file = || Roots::File(PathBuf::from("/etc/db ca.pem"));
    for (options, mode, trust) in [
        ("sslmode=disable", SslMode::Disable, Trust::Anybody),
        ("sslmode=prefer", SslMode::Prefer, Trust::Anybody),
        ("sslmode=require", SslMode::Require, Trust::Anybody),
        (
            "sslmode=require&sslrootcert=%2Fetc%2Fdb%20ca.pem",
            SslMode::Require,
            Trust::Chain(file()),
        ),
        ("sslmode=verify-ca", SslMode::Require, Trust::Chain(Roots::System)),
        ("sslmode=verify-full", SslMode::Require, Trust::ChainAndName(Roots::System)),
        (
            "connect_timeout=3&sslrootcert=/etc/db%20ca.pem&sslmode=verify-full",
            SslMode::Require,
            Trust::ChainAndName(file()),
        ),
    ] {
        let string = read(&format!("postgresql://u:p@h/d?{options}"));
        assert_eq!((string.config.get_ssl_mode(), &string.trust), (mode, &trust), "{options}");
    }
    let pairs = read("host=h sslmode='verify-full' sslrootcert='/etc/db ca.pem' user=u");
    assert_eq!(pairs.trust, Trust::ChainAndName(file()));
    for mode in ["allow", "Require", "", "verify_full"] {
        let text = format!("postgresql://h/d?sslmode={mode}");
        assert_eq!(refused(&text), ConnectionStringError::SslMode, "{mode}");
    }
}

#[test]
fn a_socket_of_this_machine_is_not_encrypted() {
    let socket = read("host=/run/postgresql sslmode=require");
    assert_eq!(socket.config.get_ssl_mode(), SslMode::Disable);
    assert_eq!(socket.config.get_hosts(), [Host::Unix("/run/postgresql".into())]);
    let both = read("host=/run/postgresql,db.test sslmode=require");
    assert_eq!(both.config.get_ssl_mode(), SslMode::Require);
}

#[test]
fn what_is_no_connection_string() {
    for text in [
        "db.test",
        "postgresql://h:port/d",
        "host=h password='open",
        "host=h x y=z",
        "postgresql://h/d?sslmode",
        "HOST=h",
        "host=h nonsense=1",
        "mysql://h/d",
    ] {
        assert_eq!(refused(text), ConnectionStringError::Malformed, "{text}");
    }
    for text in ["", "user=u", "host=", "postgresql:///d"] {
        assert_eq!(refused(text), ConnectionStringError::NoHost, "{text}");
    }
    assert_eq!(refused("host=h sslkey=/k"), ConnectionStringError::Unsupported("sslkey"));
    assert_eq!(refused("postgres://h/d?service=s"), ConnectionStringError::Unsupported("service"));
}

#[test]
fn nothing_of_it_is_shown() {
    let string = read("postgresql://lictor:hunter2@db.test/people");
    assert_eq!(format!("{string:?}"), "ConnectionString(***)");
    for text in ["host=h password=hunter 2", "hunter2", "host=h hunter2=1", "postgres://h:hunter2/"]
    {
        let error = refused(text);
        let shown = format!("{error} {error:?} {}", error.help());
        assert!(!shown.contains("hunter"), "{shown}");
    }
}

#[test]
fn nothing_waits_for_ever_unless_the_string_says_so() {
    let limit = Duration::from_secs(2);
    let config = read("host=h").config(limit);
    assert_eq!(config.get_connect_timeout(), Some(&limit));
    assert_eq!(config.get_tcp_user_timeout(), Some(&(limit * 2)));
    assert_eq!(config.get_keepalives_idle(), Duration::from_secs(15));
    assert_eq!(config.get_application_name(), Some("lictor"));
    let said = read("host=h connect_timeout=9 keepalives_idle=60 application_name=a").config(limit);
    assert_eq!(said.get_connect_timeout(), Some(&Duration::from_secs(9)));
    assert_eq!(said.get_keepalives_idle(), Duration::from_mins(1));
    assert_eq!(said.get_application_name(), Some("a"));
}
