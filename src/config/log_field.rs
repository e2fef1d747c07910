//! The fields of the decision line that can be chosen. What writes the line takes them from here, so that nothing
//! can be chosen that is never written.

/// Declares the fields once: a variant, and its name in the line, in the order of names.
macro_rules! log_fields {
    ($($field:ident $name:literal)+) => {
        /// A field of the decision line that can be chosen. The verdicts and what comes of them are always written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum LogField {
            $($field,)+
        }

        impl LogField {
            /// All of them, in the order of their names.
            pub const ALL: &[Self] = &[$(Self::$field,)+];

            /// Its name in the line and in `authorize_log_fields`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$field => $name,)+
                }
            }
        }
    };
}

log_fields! {
    CheckRequestId "check-request-id"
    CredentialId "credential-id"
    Email "email"
    EnvoyRouteId "envoy-route-id"
    Host "host"
    ImpersonateEmail "impersonate-email"
    ImpersonateGroups "impersonate-groups"
    ImpersonateUserId "impersonate-user-id"
    Ip "ip"
    Malformed "malformed"
    Method "method"
    Path "path"
    RemovedGroupsCount "removed-groups-count"
    RequestId "request-id"
    RouteId "route-id"
    ServiceAccountId "service-account-id"
    SessionError "session-error"
    SessionId "session-id"
    SessionSource "session-source"
    TraceId "trace-id"
    User "user"
}

impl LogField {
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|field| field.name() == name)
    }
}
