//! The operator's configuration: file and environment → typed settings.
//!
//! Three steps, each with its own type: a [`Node`] tree with places
//! (`source`), sections read key by key (`identity`, `listen`, `outgoing`, `certificates`, `routes`),
//! and [`Config`]. Every problem is found before any is told.

mod certificates;
mod directory;
mod identity;
mod impersonation;
mod keys;
mod lint;
mod listen;
mod log_field;
mod mcp;
mod namespaces;
mod outgoing;
mod policies;
mod records;
mod routes;
mod schema;
mod sign_in;
mod source;
mod storage;
mod stored;

pub use certificates::{CertificateSettings, Enforcement};
pub use identity::{IdentitySettings, SharedSecret, SharedSecretError};
pub use keys::{GLOBAL_KEYS, Key, MTLS_KEYS, ROUTE_KEYS, STORAGE_KEYS};
pub use listen::{GrpcAddress, Listen, LogFormat, Logging};
pub use log_field::LogField;
pub use outgoing::OutgoingSettings;
pub use policies::NamedPolicy;
pub use routes::Upstream;
pub use schema::schema;
pub use sign_in::{ProgrammaticDomains, ProviderSettings, SignInSettings};
pub use source::{Environment, load_directory, load_policy, load_users, read_directory};
pub use stored::{LONGEST_POLICY, RouteProblem, StoredSettings, compile_policy};

use crate::document::{Node, Notice, Problem, Problems, Section, Value, Weight};
use crate::namespace::NamespaceRecord;
use crate::provider::DirectoryUrl;
use crate::record::DataSources;
use crate::route::Route;
use crate::secret::Secret;
use crate::store::StorageSettings;
use certificates::ReadCertificates;
use directory::ReadDirectory;
use keys::Standing;
use namespaces::ReadNamespaces;
use records::{ReadRecords, RecordsReader};
use routes::ReadRoutes;
use std::path::{Path, PathBuf};
use storage::ReadStorage;

/// Everything an operator can decide, checked.
#[derive(Debug)]
pub struct Config {
    pub listen: Listen,
    pub logging: Logging,
    pub identity: IdentitySettings,
    pub outgoing: OutgoingSettings,
    pub certificates: CertificateSettings,
    pub routes: Vec<Route>,
    /// `policies`
    pub policies: Vec<NamedPolicy>,
    /// Where Envoy should send what a route allows, in the order of `routes`.
    pub upstreams: Vec<Upstream>,
    /// How its policies are read, and what routes and policies of the store share with its own.
    pub stored: StoredSettings,
    /// `namespaces`
    pub namespaces: Vec<NamespaceRecord>,
    /// `bootstrap_token`
    pub bootstrap: Option<Secret<String>>,
    /// `trusted_hops`
    pub trusted_hops: usize,
    /// `path_normalization: off` turns the refusal of ambiguous paths off.
    pub refuse_ambiguous_paths: bool,
    /// `data_sources`
    pub data_sources: DataSources,
    /// `storage`
    pub storage: StorageSettings,
    /// Whether there is anything to keep in the store: people sign in here, or machines are administered.
    pub keeps_records: bool,
    /// The directory file, if there is one.
    pub directory: Option<PathBuf>,
    /// Where the directory is fetched from, if it is not a file.
    pub directory_url: Option<DirectoryUrl>,
    /// `idp_provider` and what belongs to it; `None` if people sign in elsewhere, or not at all.
    pub sign_in: Option<SignInSettings>,
    /// Where all this was read from, to read it again.
    pub origin: Origin,
    /// Worth saying, not wrong.
    pub notices: Vec<Notice>,
    /// Advice that reading found, for those who ask; [`Config::advice`] has all of it.
    pub lints: Vec<Notice>,
}

/// Where a configuration came from.
#[derive(Clone, Debug)]
pub struct Origin {
    pub file: PathBuf,
    pub environment: Environment,
    /// Every file that was read: the configuration and those it names.
    pub files: Vec<PathBuf>,
}

impl Origin {
    /// `others` are files besides those of keys that end in `_file`.
    fn new(
        file: &Path,
        base: &Path,
        section: &Section<'_>,
        others: impl Iterator<Item = PathBuf>,
    ) -> Self {
        let named = ["shared_secret_file", "signing_key_file"].into_iter().chain(sign_in::FILES);
        let named =
            named.filter_map(|key| section.node(key)).filter_map(|node| match &node.value {
                Value::Text(text) => Some(base.join(text)),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::List(_)
                | Value::Map(_) => None,
            });
        let files = std::iter::once(file.to_owned()).chain(named).chain(others).collect();
        Self { file: file.to_owned(), environment: Environment::default(), files }
    }
}

impl Config {
    /// Reads `file`, lets `environment` override, and checks everything.
    ///
    /// # Errors
    /// All problems, in the order of the file.
    pub fn load(file: &Path, environment: &Environment) -> Result<Self, Vec<Problem>> {
        let document = source::read(file, environment).map_err(|problem| vec![problem])?;
        Self::checked(&document, file, environment)
    }

    /// Whether a CA for client certificates is named anywhere.
    pub fn has_client_ca(&self) -> bool {
        let mut routes = self.routes.iter();
        self.certificates.authority.is_some() || routes.any(|route| route.authority.is_some())
    }

    /// Reads a document that stands in no file of its own; files it names are beside `file`.
    ///
    /// # Errors
    /// All problems, in the order of the document.
    pub fn of_document(document: &Node, file: &Path) -> Result<Self, Vec<Problem>> {
        Self::checked(document, file, &Environment::default())
    }

    fn checked(
        document: &Node,
        file: &Path,
        environment: &Environment,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let config = Section::open(document, "", &mut problems)
            .and_then(|section| Self::read(&section, file, &mut problems));
        let (problems, notices) = problems.into_parts();
        match config {
            Some(mut config) if problems.is_empty() => {
                config.origin.environment = environment.clone();
                let (notices, lints) =
                    notices.into_iter().partition(|notice| notice.weight == Weight::Notice);
                Ok(Self { notices, lints, ..config })
            }
            _ => Err(problems),
        }
    }

    #[expect(clippy::too_many_lines, reason = "a line or two for each section")]
    fn read(section: &Section<'_>, file: &Path, problems: &mut Problems) -> Option<Self> {
        let base = file.parent().unwrap_or(Path::new("")).to_owned();
        let idle = idle_keys(section, problems);
        let listen = Listen::read(section, problems);
        let logging = Logging::read(section, problems);
        let identity = IdentitySettings::read(section, &base, problems);
        let sign_in = SignInSettings::read(section, &base, identity.as_ref(), problems);
        let secret = identity.as_ref().map(|identity| identity.secret.bytes());
        let outgoing = OutgoingSettings::read(section, &base, secret, problems);
        let language = policies::language(section, problems);
        let mut certificates = ReadCertificates::read(section, &base, problems);
        let namespaces = ReadNamespaces::read(section, problems);
        let ReadRoutes { routes, upstreams, policies, idle: idle_in_routes } = routes::read(
            section,
            &outgoing.defaults,
            (language, &namespaces),
            &mut certificates,
            problems,
        );
        let bootstrap = bootstrap_token(section, problems);
        let keeps_records = sign_in.is_some() || bootstrap.is_some() || names_storage(section);
        certificates.tell_idle(section, &routes, problems);
        keys::tell_idle(section.place(), &idle, &idle_in_routes, problems);
        let trusted_hops = section.integer("trusted_hops", problems).unwrap_or(0);
        let ReadDirectory { file: directory, url: directory_url } =
            directory::read(section, &base, problems);
        let fold_email = language.fold_email;
        let records = RecordsReader { base: &base, fold_email }.read(section, problems);
        let ReadRecords { sources: data_sources, files } = records;
        let storage = ReadStorage::read(section, &base, problems);
        let files = files.into_iter().chain(storage.files);
        let origin = Origin::new(
            file,
            &base,
            section,
            directory.iter().chain(&certificates.files).cloned().chain(files),
        );
        Some(Self {
            listen: listen?,
            logging,
            identity: identity?,
            outgoing: outgoing.settings?,
            routes,
            policies,
            upstreams,
            stored: StoredSettings {
                language,
                any_port: any_port(section, problems),
                defaults: outgoing.defaults,
                authority: certificates.settings.authority.clone(),
            },
            namespaces: namespaces.records(),
            bootstrap,
            trusted_hops: usize::try_from(trusted_hops).unwrap_or(usize::MAX),
            refuse_ambiguous_paths: refuses_ambiguous_paths(section, problems),
            data_sources,
            storage: storage.settings?,
            keeps_records,
            origin,
            certificates: certificates.settings,
            directory,
            directory_url,
            sign_in,
            notices: Vec::new(),
            lints: Vec::new(),
        })
    }
}

/// Names of keys that are accepted and without use, in the order of the file.
fn idle_keys<'s>(section: &Section<'s>, problems: &mut Problems) -> Vec<&'s str> {
    let mut idle = keys::check(section, GLOBAL_KEYS, problems);
    idle.extend(sign_in::idle(section));
    let all = section.entries().iter().map(|entry| entry.key.as_str());
    all.filter(|name| idle.contains(name)).collect()
}

fn any_port(section: &Section<'_>, problems: &mut Problems) -> bool {
    let flags = section
        .node("runtime_flags")
        .and_then(|node| Section::open(node, "runtime_flags", problems));
    flags.and_then(|flags| flags.bool("match_any_incoming_port", problems)).unwrap_or(true)
}

/// Whether it is written where records are kept.
fn names_storage(section: &Section<'_>) -> bool {
    ["storage", "databroker_storage_type"].into_iter().any(|key| section.node(key).is_some())
}

/// The shortest bootstrap secret, in characters: nobody should guess it.
const SHORTEST_BOOTSTRAP: usize = 32;

fn bootstrap_token(section: &Section<'_>, problems: &mut Problems) -> Option<Secret<String>> {
    let text = section.text("bootstrap_token", problems)?;
    if text.chars().count() >= SHORTEST_BOOTSTRAP
        && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
    {
        return Some(Secret::new(text.to_owned()));
    }
    let place = section.place_of("bootstrap_token");
    let message = "`bootstrap_token` is too short to be a secret, or holds more than visible ASCII characters";
    let problem = Problem::new("bad_value", place, message);
    problems.push(
        problem.help("write 32 characters or more, such as `lictor key generate shared` prints"),
    );
    None
}

fn refuses_ambiguous_paths(section: &Section<'_>, problems: &mut Problems) -> bool {
    match section.text("path_normalization", problems) {
        None | Some("strict") => true,
        Some("off") => false,
        Some(other) => {
            let place = section.place_of("path_normalization");
            let message = format!("`path_normalization` cannot be `{other}`");
            problems.push(
                Problem::new("bad_value", place, message)
                    .help("use `strict` (refuse ambiguous paths) or `off`"),
            );
            true
        }
    }
}

/// Names of keys that are read and mean something here.
fn used(keys: &'static [Key]) -> impl Iterator<Item = &'static Key> {
    keys.iter().filter(|key| key.standing == Standing::Used)
}
