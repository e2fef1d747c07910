//! `idp_…`, `cookie_…`, `users_file` and `directory`: what they make, and exactly what is said of what
//! they cannot be.

use crate::support::config::load;
use lictor::config::{Config, Environment, ProviderSettings, SignInSettings};
use lictor::id::SessionId;
use lictor::provider::{OidcSettings, ProviderTokens};
use lictor::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const AT: &str = "authenticate_service_url: https://auth.example.com\n";
const HASH: &str =
    "$argon2id$v=19$m=7168,t=5,p=1$c2FsdHNhbHQ$7/gOt2qjOzdInUxhCbho0fyO8MYQ93bujZ066MBUYEM";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("writes");
    };
    write("users.yaml", &format!("users: [{{id: ann, password: '{HASH}'}}]"));
    write("client_secret", "from-a-file\n");
    write("people.yaml", "users: [{id: u-1, email: ann@example.com}]");
    folder
}

fn loaded(rest: &str) -> Config {
    let folder = folder();
    load(&format!("{AT}{rest}"), folder.path()).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn sign_in(rest: &str) -> SignInSettings {
    loaded(rest).sign_in.expect("people sign in")
}

fn oidc(rest: &str) -> Arc<OidcSettings> {
    match sign_in(rest).provider {
        ProviderSettings::Oidc(settings) => settings,
        ProviderSettings::Local { .. } => panic!("local: {rest}"),
    }
}

/// What is said of a configuration, the places by line alone.
fn told(text: &str) -> Vec<String> {
    let folder = folder();
    let problems = load(text, folder.path()).expect_err(text);
    let at = format!("{}/", folder.path().display());
    problems.iter().map(|problem| problem.to_string().replace(&at, "")).collect()
}

#[track_caller]
fn refused(rest: &str, expected: &str) {
    assert_eq!(told(&format!("{AT}{rest}")), [expected]);
}

const GOOD: &str =
    "idp_provider: oidc\nidp_provider_url: https://id.example.com/\nidp_client_id: c\n";

#[test]
fn without_a_provider_nobody_signs_in() {
    assert!(loaded("").sign_in.is_none());
    let config = loaded("cookie_expire: 1h\nidp_client_id: x\ncookie_domain: example.com\n");
    assert!(config.sign_in.is_none());
    let notices: Vec<String> = config.notices.iter().map(|notice| notice.message.clone()).collect();
    assert_eq!(notices, ["not used here: `cookie_expire`, `idp_client_id`, `cookie_domain`"]);
}

#[test]
fn as_little_as_possible() {
    let settings = sign_in(GOOD);
    assert_eq!(settings.lasts, Duration::from_hours(14));
    assert_eq!(settings.sign_out_redirect, None);
    assert!(
        settings.programmatic_domains.allow(&Url::parse("http://127.0.0.1:1/").expect("a URL"))
    );
    let oidc = oidc(GOOD);
    assert_eq!(oidc.issuer.as_str(), "https://id.example.com/", "exactly as it is written");
    assert_eq!(oidc.client_id, "c");
    assert!(oidc.client_secret.is_none() && oidc.request_params.is_empty());
    assert_eq!(oidc.scopes, ["openid", "profile", "email", "offline_access"]);
    assert_eq!(oidc.groups_claim, "groups");
}

#[test]
fn everything_there_is() {
    let rest = "idp_client_secret: inline
idp_client_secret_file: client_secret
idp_scopes: [openid, email]
idp_request_params: {prompt: consent, max_age: 60}
idp_groups_claim: realm_access.roles
authenticate_callback_path: /oauth2/callback
cookie_expire: 1h30m
cookie_http_only: true
cookie_same_site: Lax
cookie_secure: true
cookie_secret: ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=
signout_redirect_url: https://www.example.com/bye
programmatic_redirect_domain_whitelist: [cli.example.com]
";
    let settings = sign_in(&format!("{GOOD}{rest}"));
    assert_eq!(settings.lasts, Duration::from_mins(90));
    assert_eq!(
        settings.sign_out_redirect.as_ref().map(Url::as_str),
        Some("https://www.example.com/bye")
    );
    let domains = &settings.programmatic_domains;
    assert!(domains.allow(&Url::parse("https://cli.example.com/").expect("a URL")));
    assert!(!domains.allow(&Url::parse("http://localhost/").expect("a URL")));
    let oidc = oidc(&format!("{GOOD}{rest}"));
    assert_eq!(oidc.client_secret.as_ref().expect("one").expose(), "from-a-file");
    assert_eq!(oidc.scopes, ["openid", "email"]);
    let params = [("max_age", "60"), ("prompt", "consent")];
    assert_eq!(oidc.request_params, params.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(oidc.groups_claim, "realm_access.roles");
    let shown = format!("{settings:?}{oidc:?}");
    assert!(!shown.contains("from-a-file") && !shown.contains("inline"), "{shown}");
}

#[test]
fn tokens_are_sealed_by_the_cookie_secret_or_the_shared_one() {
    let cookie = "cookie_secret: ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=\n";
    let sealer = |rest: &str| {
        let config = loaded(&format!("{GOOD}{rest}"));
        let settings = config.sign_in.expect("people sign in");
        settings.sealer(&config.identity.secret).expect("a sealer")
    };
    let session = SessionId::parse(&format!("ses_{}", "a".repeat(32))).expect("a name");
    let tokens = ProviderTokens { refresh: None, id_token: None, expires: None };
    let now = Timestamp::from_unix(0);
    let sealed = sealer("").seal(&tokens, &session, now).expect("sealed");
    assert!(sealer("").open(&sealed, &session).is_ok());
    assert!(sealer(cookie).open(&sealed, &session).is_err());
}

#[test]
fn providers_with_a_name() {
    let google = oidc("idp_provider: google\nidp_client_id: c\n");
    assert_eq!(google.issuer.as_str(), "https://accounts.google.com");
    assert_eq!(google.scopes, ["openid", "profile", "email"]);
    assert_eq!(google.request_params[0], ("access_type".to_owned(), "offline".to_owned()));
    let own =
        oidc("idp_provider: google\nidp_client_id: c\nidp_request_params: {hd: example.com}\n");
    assert_eq!(own.request_params, [("hd".to_owned(), "example.com".to_owned())]);
    let gitlab = oidc("idp_provider: gitlab\nidp_client_id: c\n");
    assert_eq!(gitlab.issuer.as_str(), "https://gitlab.com");
    let gitlab =
        "idp_provider: gitlab\nidp_client_id: c\nidp_provider_url: https://git.example.com\n";
    assert_eq!(oidc(gitlab).issuer.as_str(), "https://git.example.com");
    for name in ["auth0", "azure", "cognito", "okta", "onelogin", "ping"] {
        let text = format!("{AT}{}", GOOD.replace("oidc", name));
        let folder = folder();
        assert!(load(&text, folder.path()).expect(name).sign_in.is_some());
    }
}

#[test]
fn providers_that_are_none() {
    for (name, start) in [
        ("apple", "Apple sends its answers by a form"),
        ("github", "GitHub is no OpenID provider"),
        ("hosted", "this is Pomerium's own service"),
    ] {
        let told = told(&format!("{AT}{}", GOOD.replace("oidc", name)));
        let expected =
            format!("lictor.yaml:2:15: `idp_provider: {name}` cannot be used here ({start}");
        assert!(told.len() == 1 && told[0].starts_with(&expected), "{told:?}");
    }
    refused(
        &GOOD.replace("oidc", "gogle"),
        "lictor.yaml:2:15: there is no identity provider `gogle` (did you mean `google`?)",
    );
    refused(
        &GOOD.replace("oidc", "keycloak"),
        "lictor.yaml:2:15: there is no identity provider `keycloak` (use `oidc` for any OpenID provider, or `local` for a users file)",
    );
}

#[test]
fn what_is_missing() {
    let told_all = told(&format!("{AT}idp_provider: oidc\n"));
    let expected = [
        "lictor.yaml:2:15: `idp_provider: oidc` needs `idp_provider_url` (write the issuer exactly as the provider does in its `/.well-known/openid-configuration`, such as `https://id.example.com/realms/staff`)",
        "lictor.yaml:2:15: `idp_provider: oidc` needs `idp_client_id` (register a client at the provider, with `/oauth2/callback` of `authenticate_service_url` to come back to)",
    ];
    assert_eq!(told_all, expected);
    assert_eq!(
        told(GOOD),
        [
            "lictor.yaml:1:15: `idp_provider` needs `authenticate_service_url`: where people sign in (write `authenticate_service_url: https://authenticate.example.com`, and let Envoy send that host here)"
        ]
    );
}

#[test]
fn where_people_sign_in() {
    for url in ["https://auth.example.com", "http://auth.localhost:8080", "http://127.0.0.1:1"] {
        let text = format!("authenticate_service_url: {url}\n{GOOD}");
        let folder = folder();
        assert!(load(&text, folder.path()).expect(url).sign_in.is_some());
    }
    assert_eq!(
        told(&format!("authenticate_service_url: http://auth.example.com\n{GOOD}")),
        [
            "lictor.yaml:1:27: `authenticate_service_url`: without TLS anybody on the way could sign in as others (use `https`; `http` is for `localhost`, names below it, and loopback)"
        ]
    );
    // Without sign-in nothing of ours goes there.
    let folder = folder();
    assert!(load("authenticate_service_url: http://auth.example.com\n", folder.path()).is_ok());
    refused(
        &format!("accepted_issuers: [other.example.com]\n{GOOD}"),
        "lictor.yaml:2:19: `accepted_issuers` lacks `auth.example.com`, where people sign in (add `auth.example.com`; its tokens are those of people here)",
    );
    assert!(loaded(&format!("accepted_issuers: [a, auth.example.com]\n{GOOD}")).sign_in.is_some());
}

#[test]
fn what_the_keys_of_a_provider_cannot_be() {
    let own = "remove it; there are keys for client, scopes and secrets";
    for (rest, expected) in [
        ("idp_provider_url: http://id.example.com\n", "2:19: `idp_provider_url`: `http://id.example.com` is not an https URL without query (write the issuer exactly as the provider does in its `/.well-known/openid-configuration`, such as `https://id.example.com/realms/staff`)".to_owned()),
        ("idp_provider_url: https://login.microsoftonline.com/common/v2.0\n", "2:19: `idp_provider_url` stands for every tenant there is (name yours: `https://login.microsoftonline.com/TENANT_ID/v2.0`)".to_owned()),
        ("idp_client_id: ''\n", "2:16: `idp_client_id` is empty, or has space around it (copy it from the provider as it is there)".to_owned()),
        ("idp_client_secret: ' s'\n", "2:20: `idp_client_secret` is empty, or has space around it (copy it from the provider as it is there)".to_owned()),
        ("idp_client_secret_file: nowhere\n", "2:25: cannot read `nowhere`: No such file or directory (os error 2) (make `idp_client_secret_file` name a file that this process may read)".to_owned()),
        ("idp_scopes: [email]\n", "2:13: `idp_scopes` lacks `openid`, without which nobody is named (add `openid`)".to_owned()),
        ("idp_scopes: [openid, 'a b']\n", "2:13: `idp_scopes`: `a b` is not a scope (write a list of words, such as `[openid, email]`)".to_owned()),
        ("idp_request_params: {redirect_uri: https://evil.example.com}\n", format!("2:22: `idp_request_params`: `redirect_uri` is set by Lictor alone ({own})")),
        ("idp_request_params: {code_challenge_method: plain}\n", format!("2:22: `idp_request_params`: `code_challenge_method` is set by Lictor alone ({own})")),
        ("idp_request_params: {response_mode: fragment}\n", format!("2:22: `idp_request_params`: `response_mode` is set by Lictor alone ({own})")),
        ("users_file: users.yaml\n", "2:13: `users_file` is read with `idp_provider: local` alone (remove one of the two: people sign in one way)".to_owned()),
    ] {
        let key = rest.split(':').next().expect("a key");
        let good: String =
            GOOD.lines().filter(|line| !line.starts_with(&format!("{key}:"))).map(|line| format!("{line}\n")).collect();
        refused(&format!("{rest}{good}"), &format!("lictor.yaml:{expected}"));
    }
}

#[test]
fn cookies_are_not_weakened() {
    for (rest, expected) in [
        (
            "cookie_http_only: false",
            "19: `cookie_http_only` cannot be off: a script of any page could take the session (remove it)",
        ),
        (
            "cookie_secure: false",
            "16: `cookie_secure` cannot be off: the session would travel in the open (remove it; with `authenticate_service_url: http://…` on this machine it is off by itself)",
        ),
        (
            "cookie_same_site: None",
            "19: `cookie_same_site` cannot be `none`: every site could send requests as whoever is signed in (use `lax`)",
        ),
        (
            "cookie_same_site: strict",
            "19: `cookie_same_site` cannot be `strict`: a browser that comes back from the provider would not send the cookie, and be sent to sign in again without end (use `lax`)",
        ),
        (
            "cookie_same_site: relaxed",
            "19: `cookie_same_site` is not one that browsers know (use `lax`)",
        ),
        (
            "cookie_expire: 59s",
            "16: `cookie_expire` is shorter than a minute, or longer than 400 days (write how long a sign-in lasts, such as `14h`)",
        ),
        (
            "cookie_expire: 9601h",
            "16: `cookie_expire` is shorter than a minute, or longer than 400 days (write how long a sign-in lasts, such as `14h`)",
        ),
        (
            "cookie_secret: hunter2",
            "16: `cookie_secret` is not standard base64 (make one with `lictor key generate shared`)",
        ),
        (
            "cookie_secret: c2hvcnQ=",
            "16: `cookie_secret` is 5 bytes long, not 32 (make one with `lictor key generate shared`)",
        ),
        (
            "authenticate_callback_path: /cb",
            "29: `authenticate_callback_path` is always `/oauth2/callback` here (remove it, and register `/oauth2/callback` at the provider)",
        ),
        (
            "signout_redirect_url: http://www.example.com",
            "23: `signout_redirect_url`: `http://www.example.com` is not an https URL (write it as `https://www.example.com/goodbye`)",
        ),
        (
            "signout_redirect_url: javascript:alert(1)",
            "23: `signout_redirect_url`: `javascript:alert(1)` is not an https URL (write it as `https://www.example.com/goodbye`)",
        ),
        (
            "programmatic_redirect_domain_whitelist: ['*.example.com']",
            "41: `programmatic_redirect_domain_whitelist`: `*.example.com` is not a host (write each host in full and alone, such as `cli.example.com`)",
        ),
        (
            "programmatic_redirect_domain_whitelist: ['https://x']",
            "41: `programmatic_redirect_domain_whitelist`: `https://x` is not a host (write each host in full and alone, such as `cli.example.com`)",
        ),
    ] {
        refused(&format!("{rest}\n{GOOD}"), &format!("lictor.yaml:2:{expected}"));
    }
}

#[test]
fn a_users_file() {
    let config = loaded("idp_provider: local\nusers_file: users.yaml\n");
    let watched = config.origin.files.iter().filter(|file| file.ends_with("users.yaml")).count();
    assert_eq!(watched, 1);
    let Some(ProviderSettings::Local { file, users }) = config.sign_in.map(|it| it.provider) else {
        panic!("local people sign in");
    };
    assert!(file.ends_with("users.yaml"));
    assert!(users.authenticate("ann", "correct horse").is_ok());
    refused(
        "idp_provider: local\n",
        "lictor.yaml:2:15: `idp_provider: local` needs `users_file` (write `users_file: users.yaml`; a user there is `{id: ann, email: ann@example.com, password: …}`)",
    );
    refused(
        "idp_provider: local\nusers_file: nowhere.yaml\n",
        "lictor.yaml:3:13: cannot read `nowhere.yaml`: No such file or directory (os error 2) (make `users_file` name a file that this process may read)",
    );
    refused(
        "idp_provider: local\nusers_file: users.yaml\nidp_client_id: x\n",
        "lictor.yaml:4:1: `idp_client_id` has no use with `idp_provider: local` (remove it, or name the provider in `idp_provider`)",
    );
    refused(
        "idp_provider: local\nusers_file: people.yaml\n",
        "people.yaml:1:9: a user needs `password` (make one with `lictor key password`)",
    );
}

#[test]
fn by_environment_variables() {
    let folder = folder();
    let file = folder.path().join("lictor.yaml");
    std::fs::write(&file, AT).expect("writes");
    let variables = [
        ("SHARED_SECRET", crate::support::config::SECRET),
        ("IDP_PROVIDER", "oidc"),
        ("IDP_PROVIDER_URL", "https://id.example.com"),
        ("IDP_CLIENT_ID", "c"),
        ("IDP_CLIENT_SECRET", "s3cret"),
        ("IDP_SCOPES", "openid, email"),
        ("IDP_REQUEST_PARAMS", r#"{"prompt": "login"}"#),
        ("COOKIE_EXPIRE", "2h"),
    ];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(&file, &Environment::new(variables)).expect("loads");
    let settings = config.sign_in.expect("people sign in");
    assert_eq!(settings.lasts, Duration::from_hours(2));
    let ProviderSettings::Oidc(oidc) = settings.provider else { panic!("local") };
    assert_eq!(oidc.client_secret.as_ref().expect("one").expose(), "s3cret");
    assert_eq!(oidc.scopes, ["openid", "email"]);
    assert_eq!(oidc.request_params, [("prompt".to_owned(), "login".to_owned())]);
}

#[test]
fn a_directory_from_a_url() {
    let config = loaded("directory: {url: https://people.example.com/all.json}\n");
    let url = config.directory_url.expect("a URL");
    assert_eq!(url.url().as_str(), "https://people.example.com/all.json");
    assert_eq!((url.refresh, config.directory), (Duration::from_mins(5), None));
    let config = loaded("directory: {url: http://localhost:1/, refresh: 10s}\n");
    assert_eq!(config.directory_url.expect("a URL").refresh, Duration::from_secs(10));
    let config = loaded("directory: {file: people.yaml}\n");
    assert!(config.directory_url.is_none() && config.directory.is_some());
    let https = "`directory.url` is not an https URL without user and password (write it as `https://people.example.com/directory.json`; `http` is for this machine)";
    for (value, expected) in [
        ("{url: http://people.example.com}", format!("2:18: {https}")),
        ("{url: https://user:pass@people.example.com}", format!("2:18: {https}")),
        ("{url: people.yaml}", format!("2:18: {https}")),
        ("{url: https://a, refresh: 0s}", "2:38: `directory.refresh` is shorter than a second (write how often to ask, such as `5m`)".to_owned()),
        ("{url: https://a, file: people.yaml}", "2:12: `directory` has both `file` and `url` (remove one)".to_owned()),
        ("{file: people.yaml, refresh: 5m}", "2:41: `directory.refresh` has no use with `file` (remove it; the file is read again when it changes)".to_owned()),
        ("{refresh: 5m}", "2:12: `directory` needs `file` or `url` (write `directory: {file: PATH}`, or `directory: {url: https://…, refresh: 5m}`)".to_owned()),
    ] {
        refused(&format!("directory: {value}\n"), &format!("lictor.yaml:{expected}"));
    }
}
