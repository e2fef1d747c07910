//! What a criterion saw. Reasons are logged, and the status of a refusal is chosen by them.

/// A finding of one criterion. Says what was seen, not what the rule made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    Accept,
    ClaimOk,
    ClaimUnauthorized,
    ClientCertificateOk,
    ClientCertificateRequired,
    ClientCertificateUnauthorized,
    CorsRequest,
    DateOk,
    DateUnauthorized,
    DayOfWeekOk,
    DayOfWeekUnauthorized,
    DeviceOk,
    DeviceUnauthenticated,
    DeviceUnauthorized,
    DomainOk,
    DomainUnauthorized,
    EmailOk,
    EmailUnauthorized,
    GroupsOk,
    GroupsUnauthorized,
    HttpHeaderOk,
    HttpHeaderUnauthorized,
    HttpMethodOk,
    HttpMethodUnauthorized,
    HttpPathOk,
    HttpPathUnauthorized,
    HttpQueryOk,
    HttpQueryUnauthorized,
    Impersonated,
    InvalidClientCertificate,
    McpNotAToolCall,
    McpToolMatch,
    McpToolNoMatch,
    NonCorsRequest,
    NotImpersonated,
    NotServiceAccount,
    RecordOk,
    RecordUnauthorized,
    Reject,
    ServiceAccount,
    SniOk,
    SniUnauthorized,
    SourceIpOk,
    SourceIpUnauthorized,
    SourcePrincipalOk,
    SourcePrincipalUnauthorized,
    SpiffeIdOk,
    SpiffeIdUnauthorized,
    SshPublickeyOk,
    SshPublickeyUnauthorized,
    SshUsernameOk,
    SshUsernameUnauthorized,
    TimeOfDayOk,
    TimeOfDayUnauthorized,
    UserOk,
    UserUnauthenticated,
    UserUnauthorized,
    ValidClientCertificate,
}

/// Every reason with its name, sorted by name.
const REASONS: [(Reason, &str); 58] = [
    (Reason::Accept, "accept"),
    (Reason::ClaimOk, "claim-ok"),
    (Reason::ClaimUnauthorized, "claim-unauthorized"),
    (Reason::ClientCertificateOk, "client-certificate-ok"),
    (Reason::ClientCertificateRequired, "client-certificate-required"),
    (Reason::ClientCertificateUnauthorized, "client-certificate-unauthorized"),
    (Reason::CorsRequest, "cors-request"),
    (Reason::DateOk, "date-ok"),
    (Reason::DateUnauthorized, "date-unauthorized"),
    (Reason::DayOfWeekOk, "day-of-week-ok"),
    (Reason::DayOfWeekUnauthorized, "day-of-week-unauthorized"),
    (Reason::DeviceOk, "device-ok"),
    (Reason::DeviceUnauthenticated, "device-unauthenticated"),
    (Reason::DeviceUnauthorized, "device-unauthorized"),
    (Reason::DomainOk, "domain-ok"),
    (Reason::DomainUnauthorized, "domain-unauthorized"),
    (Reason::EmailOk, "email-ok"),
    (Reason::EmailUnauthorized, "email-unauthorized"),
    (Reason::GroupsOk, "groups-ok"),
    (Reason::GroupsUnauthorized, "groups-unauthorized"),
    (Reason::HttpHeaderOk, "http-header-ok"),
    (Reason::HttpHeaderUnauthorized, "http-header-unauthorized"),
    (Reason::HttpMethodOk, "http-method-ok"),
    (Reason::HttpMethodUnauthorized, "http-method-unauthorized"),
    (Reason::HttpPathOk, "http-path-ok"),
    (Reason::HttpPathUnauthorized, "http-path-unauthorized"),
    (Reason::HttpQueryOk, "http-query-ok"),
    (Reason::HttpQueryUnauthorized, "http-query-unauthorized"),
    (Reason::Impersonated, "impersonated"),
    (Reason::InvalidClientCertificate, "invalid-client-certificate"),
    (Reason::McpNotAToolCall, "mcp-not-a-tool-call"),
    (Reason::McpToolMatch, "mcp-tool-match"),
    (Reason::McpToolNoMatch, "mcp-tool-no-match"),
    (Reason::NonCorsRequest, "non-cors-request"),
    (Reason::NotImpersonated, "not-impersonated"),
    (Reason::NotServiceAccount, "not-service-account"),
    (Reason::RecordOk, "record-ok"),
    (Reason::RecordUnauthorized, "record-unauthorized"),
    (Reason::Reject, "reject"),
    (Reason::ServiceAccount, "service-account"),
    (Reason::SniOk, "sni-ok"),
    (Reason::SniUnauthorized, "sni-unauthorized"),
    (Reason::SourceIpOk, "source-ip-ok"),
    (Reason::SourceIpUnauthorized, "source-ip-unauthorized"),
    (Reason::SourcePrincipalOk, "source-principal-ok"),
    (Reason::SourcePrincipalUnauthorized, "source-principal-unauthorized"),
    (Reason::SpiffeIdOk, "spiffe-id-ok"),
    (Reason::SpiffeIdUnauthorized, "spiffe-id-unauthorized"),
    (Reason::SshPublickeyOk, "ssh-publickey-ok"),
    (Reason::SshPublickeyUnauthorized, "ssh-publickey-unauthorized"),
    (Reason::SshUsernameOk, "ssh-username-ok"),
    (Reason::SshUsernameUnauthorized, "ssh-username-unauthorized"),
    (Reason::TimeOfDayOk, "time-of-day-ok"),
    (Reason::TimeOfDayUnauthorized, "time-of-day-unauthorized"),
    (Reason::UserOk, "user-ok"),
    (Reason::UserUnauthenticated, "user-unauthenticated"),
    (Reason::UserUnauthorized, "user-unauthorized"),
    (Reason::ValidClientCertificate, "valid-client-certificate"),
];

impl Reason {
    /// Every reason, in the order of names.
    pub fn all() -> impl Iterator<Item = Self> {
        REASONS.into_iter().map(|(reason, _)| reason)
    }

    /// The name used in logs, documents and test cases.
    pub fn name(self) -> &'static str {
        // The table stands in the order of the enum.
        REASONS.get(self as usize).map_or("", |(_, name)| name)
    }

    /// The reason of this name.
    pub fn named(name: &str) -> Option<Self> {
        REASONS.into_iter().find(|(_, other)| *other == name).map(|(reason, _)| reason)
    }

    const fn bit(self) -> u64 {
        1 << (self as u8)
    }
}

/// A set of reasons. Small, copied freely, listed in the order of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reasons(u64);

impl Reasons {
    pub const NONE: Self = Self(0);

    pub fn of(reason: Reason) -> Self {
        Self(reason.bit())
    }

    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn contains(self, reason: Reason) -> bool {
        self.0 & reason.bit() != 0
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The names, sorted.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Reason::all().filter(move |reason| self.contains(*reason)).map(Reason::name)
    }
}

#[cfg(test)]
mod tests {
    use super::{REASONS, Reason, Reasons};

    #[test]
    fn names_come_sorted_and_complete() {
        let all = Reason::all().map(Reasons::of).fold(Reasons::NONE, Reasons::union);
        let names: Vec<_> = all.names().collect();
        assert_eq!(names.len(), REASONS.len());
        assert!(names.is_sorted());
        for (reason, name) in REASONS {
            assert_eq!((reason.name(), Reason::named(name)), (name, Some(reason)));
        }
    }
}
