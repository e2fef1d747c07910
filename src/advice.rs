//! Everything that is said of a configuration that can be used as it is: the closed list of codes.
//! Knows nothing of how any of it is found.

/// A piece of advice, or of news, about a document. What it is about in detail is in its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Advice {
    /// Allow fields of a route widen the policy beside them.
    AllowFieldsBesidePolicy,
    /// An allow group names only who is kept out.
    AllowNotIdentity,
    /// A group holds whatever is asked.
    AlwaysTrue,
    /// A certificate is compared, and a bad one passes.
    CertificateNotJudged,
    /// Something is asked about client certificates where nobody vouches for one.
    CertificateWithoutCa,
    ClaimWithoutName,
    /// Another rule of the same effect says it already.
    CoveredRule,
    /// A negated operator in a deny rule passes over what is absent.
    DenySkipsAbsent,
    /// A domain is written as something else than a domain.
    DomainForm,
    /// A policy that decides nothing yet.
    DryRun,
    DuplicateCriterion,
    EmailWithoutAt,
    EmptyGroup,
    EmptyTimeSpan,
    /// A group is called by its name instead of its id.
    GroupByName,
    /// A criterion that its group holds without.
    IdleCriterion,
    /// A revocation list by nobody who is trusted.
    IdleRevocationList,
    IgnoredFalse,
    ListAsValue,
    /// A test that every text passes.
    MatchesEverything,
    McpWithoutServer,
    MethodCase,
    /// Passwords are hashed at different cost, which time gives away.
    MixedPasswordCost,
    NeverEqual,
    /// A group that cannot hold.
    NeverTrue,
    /// A route with policies none of which lets anybody in.
    NoAllowRule,
    NoClientCa,
    NoIssuer,
    /// A route without any policy.
    NoPolicy,
    NoRecords,
    NotUsed,
    /// A route whose policies are all in dry run.
    OnlyDryRun,
    OpenAddress,
    /// An allow rule that leaves the others nothing to do.
    OpenToEverybody,
    /// A path is written as no path is compared.
    PathForm,
    PathRuleIgnored,
    /// A prefix also fits longer names.
    PrefixWithoutSlash,
    RecordWithoutSource,
    /// What is allowed is denied every time.
    RefusedAllow,
    /// A route that host and path never lead to.
    ShadowedRoute,
    /// A public route where everybody has to sign in.
    SignInOnPublic,
    SlashClaimPath,
    SshOnHttp,
    UnknownGroup,
    UnknownLogField,
    UnusedPolicy,
    UpperCaseClaimPath,
    /// An e-mail address where a user id is compared.
    UserLikeEmail,
}

/// What a piece of advice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// Policies, and the routes they stand before.
    Policies,
    /// Everything else.
    Settings,
}

/// Every piece of advice with its code, sorted by code.
const ADVICE: [(Advice, &str, Subject); 48] = [
    (Advice::AllowFieldsBesidePolicy, "allow-fields-beside-policy", Subject::Policies),
    (Advice::AllowNotIdentity, "allow-not-identity", Subject::Policies),
    (Advice::AlwaysTrue, "always-true", Subject::Policies),
    (Advice::CertificateNotJudged, "certificate-not-judged", Subject::Policies),
    (Advice::CertificateWithoutCa, "certificate-without-ca", Subject::Policies),
    (Advice::ClaimWithoutName, "claim-without-name", Subject::Policies),
    (Advice::CoveredRule, "covered-rule", Subject::Policies),
    (Advice::DenySkipsAbsent, "deny-skips-absent", Subject::Policies),
    (Advice::DomainForm, "domain-form", Subject::Policies),
    (Advice::DryRun, "dry-run", Subject::Policies),
    (Advice::DuplicateCriterion, "duplicate-criterion", Subject::Policies),
    (Advice::EmailWithoutAt, "email-without-at", Subject::Policies),
    (Advice::EmptyGroup, "empty-group", Subject::Policies),
    (Advice::EmptyTimeSpan, "empty-time-span", Subject::Policies),
    (Advice::GroupByName, "group-by-name", Subject::Policies),
    (Advice::IdleCriterion, "idle-criterion", Subject::Policies),
    (Advice::IdleRevocationList, "idle-revocation-list", Subject::Settings),
    (Advice::IgnoredFalse, "ignored-false", Subject::Policies),
    (Advice::ListAsValue, "list-as-value", Subject::Policies),
    (Advice::MatchesEverything, "matches-everything", Subject::Policies),
    (Advice::McpWithoutServer, "mcp-without-server", Subject::Policies),
    (Advice::MethodCase, "method-case", Subject::Policies),
    (Advice::MixedPasswordCost, "mixed-password-cost", Subject::Settings),
    (Advice::NeverEqual, "never-equal", Subject::Policies),
    (Advice::NeverTrue, "never-true", Subject::Policies),
    (Advice::NoAllowRule, "no-allow-rule", Subject::Policies),
    (Advice::NoClientCa, "no-client-ca", Subject::Settings),
    (Advice::NoIssuer, "no-issuer", Subject::Settings),
    (Advice::NoPolicy, "no-policy", Subject::Policies),
    (Advice::NoRecords, "no-records", Subject::Settings),
    (Advice::NotUsed, "not-used", Subject::Settings),
    (Advice::OnlyDryRun, "only-dry-run", Subject::Policies),
    (Advice::OpenAddress, "open-address", Subject::Settings),
    (Advice::OpenToEverybody, "open-to-everybody", Subject::Policies),
    (Advice::PathForm, "path-form", Subject::Policies),
    (Advice::PathRuleIgnored, "path-rule-ignored", Subject::Policies),
    (Advice::PrefixWithoutSlash, "prefix-without-slash", Subject::Policies),
    (Advice::RecordWithoutSource, "record-without-source", Subject::Policies),
    (Advice::RefusedAllow, "refused-allow", Subject::Policies),
    (Advice::ShadowedRoute, "shadowed-route", Subject::Policies),
    (Advice::SignInOnPublic, "sign-in-on-public", Subject::Policies),
    (Advice::SlashClaimPath, "slash-claim-path", Subject::Policies),
    (Advice::SshOnHttp, "ssh-on-http", Subject::Policies),
    (Advice::UnknownGroup, "unknown-group", Subject::Policies),
    (Advice::UnknownLogField, "unknown-log-field", Subject::Settings),
    (Advice::UnusedPolicy, "unused-policy", Subject::Policies),
    (Advice::UpperCaseClaimPath, "upper-case-claim-path", Subject::Policies),
    (Advice::UserLikeEmail, "user-like-email", Subject::Policies),
];

impl Advice {
    /// Every piece of advice, in the order of codes.
    pub fn all() -> impl Iterator<Item = Self> {
        ADVICE.into_iter().map(|(advice, ..)| advice)
    }

    /// The stable name for programs.
    pub fn code(self) -> &'static str {
        self.row().map_or("", |(_, code, _)| code)
    }

    /// Whether it is about policies and the routes they stand before.
    pub fn is_about_policies(self) -> bool {
        self.row().is_some_and(|(.., subject)| subject == Subject::Policies)
    }

    /// The table stands in the order of the enum.
    fn row(self) -> Option<(Self, &'static str, Subject)> {
        ADVICE.get(self as usize).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::ADVICE;

    #[test]
    fn the_table_stands_in_the_order_of_the_enum_and_of_codes() {
        for (index, (advice, code, _)) in ADVICE.into_iter().enumerate() {
            assert_eq!((advice as usize, advice.code()), (index, code));
        }
        assert!(ADVICE.is_sorted_by(|(_, a, _), (_, b, _)| a < b));
    }
}
