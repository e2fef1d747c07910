//! What a criterion saw. Reasons are logged, and the status of a refusal is chosen by them.

/// A finding of one criterion. Says what was seen, not what the rule made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Reason {
    Accept,
    ClaimOk,
    ClaimUnauthorized,
    ClientCertificateRequired,
    CorsRequest,
    DateOk,
    DateUnauthorized,
    DayOfWeekOk,
    DayOfWeekUnauthorized,
    DomainOk,
    DomainUnauthorized,
    EmailOk,
    EmailUnauthorized,
    GroupsOk,
    GroupsUnauthorized,
    HttpMethodOk,
    HttpMethodUnauthorized,
    HttpPathOk,
    HttpPathUnauthorized,
    InvalidClientCertificate,
    NonCorsRequest,
    Reject,
    SourceIpOk,
    SourceIpUnauthorized,
    TimeOfDayOk,
    TimeOfDayUnauthorized,
    UserOk,
    UserUnauthenticated,
    UserUnauthorized,
}

impl Reason {
    const ALL: [Self; 29] = [
        Self::Accept,
        Self::ClaimOk,
        Self::ClaimUnauthorized,
        Self::ClientCertificateRequired,
        Self::CorsRequest,
        Self::DateOk,
        Self::DateUnauthorized,
        Self::DayOfWeekOk,
        Self::DayOfWeekUnauthorized,
        Self::DomainOk,
        Self::DomainUnauthorized,
        Self::EmailOk,
        Self::EmailUnauthorized,
        Self::GroupsOk,
        Self::GroupsUnauthorized,
        Self::HttpMethodOk,
        Self::HttpMethodUnauthorized,
        Self::HttpPathOk,
        Self::HttpPathUnauthorized,
        Self::InvalidClientCertificate,
        Self::NonCorsRequest,
        Self::Reject,
        Self::SourceIpOk,
        Self::SourceIpUnauthorized,
        Self::TimeOfDayOk,
        Self::TimeOfDayUnauthorized,
        Self::UserOk,
        Self::UserUnauthenticated,
        Self::UserUnauthorized,
    ];

    /// The name used in logs, documents and test cases.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::ClaimOk => "claim-ok",
            Self::ClaimUnauthorized => "claim-unauthorized",
            Self::ClientCertificateRequired => "client-certificate-required",
            Self::CorsRequest => "cors-request",
            Self::DateOk => "date-ok",
            Self::DateUnauthorized => "date-unauthorized",
            Self::DayOfWeekOk => "day-of-week-ok",
            Self::DayOfWeekUnauthorized => "day-of-week-unauthorized",
            Self::DomainOk => "domain-ok",
            Self::DomainUnauthorized => "domain-unauthorized",
            Self::EmailOk => "email-ok",
            Self::EmailUnauthorized => "email-unauthorized",
            Self::GroupsOk => "groups-ok",
            Self::GroupsUnauthorized => "groups-unauthorized",
            Self::HttpMethodOk => "http-method-ok",
            Self::HttpMethodUnauthorized => "http-method-unauthorized",
            Self::HttpPathOk => "http-path-ok",
            Self::HttpPathUnauthorized => "http-path-unauthorized",
            Self::InvalidClientCertificate => "invalid-client-certificate",
            Self::NonCorsRequest => "non-cors-request",
            Self::Reject => "reject",
            Self::SourceIpOk => "source-ip-ok",
            Self::SourceIpUnauthorized => "source-ip-unauthorized",
            Self::TimeOfDayOk => "time-of-day-ok",
            Self::TimeOfDayUnauthorized => "time-of-day-unauthorized",
            Self::UserOk => "user-ok",
            Self::UserUnauthenticated => "user-unauthenticated",
            Self::UserUnauthorized => "user-unauthorized",
        }
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
        Reason::ALL.into_iter().filter(move |reason| self.contains(*reason)).map(Reason::name)
    }
}

#[cfg(test)]
mod tests {
    use super::{Reason, Reasons};

    #[test]
    fn names_come_sorted_and_complete() {
        let all = Reason::ALL.into_iter().map(Reasons::of).fold(Reasons::NONE, Reasons::union);
        let names: Vec<_> = all.names().collect();
        assert_eq!(names.len(), Reason::ALL.len());
        assert!(names.is_sorted());
    }
}
