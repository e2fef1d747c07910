//! `programmatic_redirect_domain_whitelist`: where a token for a program may be sent.

use crate::document::{Problem, Problems, Section};
use url::{Host, Url};

/// Hosts that a program may have its token sent to. Whoever may receive it is whoever signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgrammaticDomains(Vec<Host>);

impl Default for ProgrammaticDomains {
    fn default() -> Self {
        Self(vec![Host::Domain("localhost".to_owned())])
    }
}

impl ProgrammaticDomains {
    const KEY: &str = "programmatic_redirect_domain_whitelist";

    pub(super) fn read(section: &Section<'_>, problems: &mut Problems) -> Self {
        let Some(texts) = section.texts(Self::KEY, problems) else {
            return Self::default();
        };
        let place = section.place_of(Self::KEY);
        let mut hosts = Vec::new();
        for text in texts.iter().filter(|text| !text.is_empty()) {
            let host = Host::parse(text).ok().filter(|_| !text.contains(['*', ':']));
            if host.is_none() {
                let message = format!("`{}`: `{text}` is not a host", Self::KEY);
                problems.push(
                    Problem::new("bad_value", place, message)
                        .help("write each host in full and alone, such as `cli.example.com`"),
                );
            }
            hosts.extend(host);
        }
        Self(hosts)
    }

    /// Whether a token may be sent to `url`: a host of the list over TLS, or this machine if
    /// `localhost` is in it.
    pub fn allow(&self, url: &Url) -> bool {
        if !url.username().is_empty() || url.password().is_some() {
            return false;
        }
        let here = Host::Domain("localhost".to_owned());
        let is_listed = url.host().is_some_and(|host| self.0.contains(&host.to_owned()));
        let is_here = is_this_machine(url);
        match url.scheme() {
            "https" => is_listed || (is_here && self.0.contains(&here)),
            "http" => is_here && (is_listed || self.0.contains(&here)),
            _ => false,
        }
    }
}

/// SECURITY: names below `localhost` may be hosts that are protected here, so they do not count.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::ProgrammaticDomains;
    use url::{Host, Url};

    fn allowed(domains: &ProgrammaticDomains, text: &str) -> bool {
        domains.allow(&Url::parse(text).expect(text))
    }

    #[test]
    fn by_default_this_machine_alone() {
        let domains = ProgrammaticDomains::default();
        for text in [
            "http://localhost:1234/x",
            "http://127.0.0.1:9/",
            "http://[::1]:9/",
            "https://localhost/",
            "http://LOCALHOST/",
        ] {
            assert!(allowed(&domains, text), "{text}");
        }
        for text in [
            "https://example.com/",
            "http://localhost.example.com/",
            "http://localhost@example.com/",
            "http://user:pass@localhost/",
            "http://example.com/#localhost",
            "http://0.0.0.0/",
            "http://10.0.0.1/",
            "http://app.localhost/",
            "ftp://localhost/",
            "javascript:alert(1)//localhost",
            "data:text/html,localhost",
            "myapp://localhost/",
            "file://localhost/etc/passwd",
        ] {
            assert!(!allowed(&domains, text), "{text}");
        }
    }

    #[test]
    fn hosts_of_the_list_over_tls() {
        let domains = ProgrammaticDomains(vec![Host::parse("CLI.example.com").expect("a host")]);
        assert!(allowed(&domains, "https://cli.example.com:8443/x?y"));
        for text in [
            "http://cli.example.com/",
            "https://a.cli.example.com/",
            "https://cli.example.com.evil.com/",
            "https://cli.example.com@evil.com/",
            "http://localhost/",
        ] {
            assert!(!allowed(&domains, text), "{text}");
        }
        assert!(!allowed(&ProgrammaticDomains(Vec::new()), "http://localhost/"));
    }
}
