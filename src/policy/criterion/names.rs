//! What criteria are called.

/// Criteria of ours, which `strict_pomerium` turns off; sorted.
pub const EXTENSIONS: [&str; 7] = [
    "http_header",
    "http_query",
    "impersonated",
    "service_account",
    "sni",
    "source_principal",
    "spiffe_id",
];

/// The names a policy may use, sorted.
pub const fn criterion_names() -> &'static [&'static str] {
    &[
        "accept",
        "authenticated_user",
        "claim",
        "client_certificate",
        "cors_preflight",
        "date",
        "day_of_week",
        "device",
        "domain",
        "email",
        "groups",
        "http_header",
        "http_method",
        "http_path",
        "http_query",
        "impersonated",
        "invalid_client_certificate",
        "mcp_tool",
        "record",
        "reject",
        "service_account",
        "sni",
        "source_ip",
        "source_principal",
        "spiffe_id",
        "ssh_ca",
        "ssh_publickey",
        "ssh_username",
        "ssh_username_matches_claim",
        "ssh_username_matches_email",
        "time_of_day",
        "user",
    ]
}
