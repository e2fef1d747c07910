//! What a decision needs, as one immutable snapshot, and the cell that holds the current one.

mod compiled;

pub use compiled::Compiled;

use crate::assertion::{Outgoing, SigningKeys};
use crate::catalog::Catalog;
use crate::config::{
    Config, Enforcement, NamedPolicy, ProgrammaticDomains, ProviderSettings, StoredSettings,
};
use crate::identity::{Directory, ImpersonationRules, VerificationKeys};
use crate::namespace::NamespaceRecord;
use crate::policy::Policy;
use crate::provider::{DirectoryUrl, LocalUsers, OidcProvider, TokenSealer};
use crate::record::DataSources;
use crate::request::{Host, Kind, Malformed, Path, Target};
use crate::route::{Route, Table};
use crate::secret::Secret;
use crate::store::{Store, StoreError};
use arc_swap::ArcSwap;
use http::{HeaderName, HeaderValue};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// Everything that follows from one configuration.
#[derive(Debug)]
pub struct Settings {
    /// The routes of the file, with the policies that the file gives them.
    pub routes: Vec<Arc<Route>>,
    /// Those under `policies` of the file.
    pub policies: Vec<NamedPolicy>,
    /// Those of the file.
    pub namespaces: Vec<NamespaceRecord>,
    /// What routes and policies of the store are compiled with.
    pub stored: StoredSettings,
    pub bootstrap: Option<Secret<String>>,
    pub internal: InternalPolicies,
    pub keys: VerificationKeys,
    pub issuers: Vec<String>,
    pub cookie_name: String,
    pub impersonation: ImpersonationRules,
    pub outgoing: Outgoing,
    pub signing: SigningKeys,
    pub assertion_reuse: Duration,
    pub response_headers: Vec<(HeaderName, HeaderValue)>,
    pub data_sources: DataSources,
    pub trusted_hops: usize,
    pub refuse_ambiguous_paths: bool,
    pub sign_in: Option<SignIn>,
    /// Where people and groups are fetched from, if not from a file.
    pub directory_url: Option<DirectoryUrl>,
    /// Whether a CA for client certificates is named anywhere: then Envoy lets everybody come as far as
    /// the check, and whom it names is whom somebody claims to be.
    pub judges_certificates: bool,
    /// Whether every route refuses clients without a good certificate, as far as it has a CA to judge by.
    pub default_certificate_rule: bool,
}

impl Settings {
    /// Reads host and path of a request, as strictly as the operator wants.
    ///
    /// # Errors
    /// Why the request cannot be judged.
    pub fn target(&self, host: &str, path: &str, kind: Kind) -> Result<Target, Malformed> {
        let host = Host::parse(host)?;
        let path = match kind {
            Kind::Connect | Kind::Tcp => Path::default(),
            Kind::Http if self.refuse_ambiguous_paths => Path::parse(path)?,
            Kind::Http => Path::parse_unchecked(path)?,
        };
        Ok(Target { host, path })
    }

    /// Whether the one who vouched for somebody still does.
    pub fn trusts(&self, provider: &str) -> bool {
        let current = self.sign_in.as_ref().and_then(|sign_in| sign_in.provider.as_ref());
        current.is_some_and(|current| current.name() == provider)
    }

    /// Whether `host` is the one where people sign in.
    fn is_sign_in_host(&self, host: &Host) -> bool {
        let is_sign_in = |sign_in: &SignIn| {
            let port =
                host.port().is_none_or(|port| sign_in.url.port_or_known_default() == Some(port));
            port && sign_in.url.host_str() == Some(host.name())
        };
        self.sign_in.as_ref().is_some_and(is_sign_in)
    }
}

/// The policies of our own pages, which pass through evaluation as every other.
#[derive(Debug)]
pub struct InternalPolicies {
    pub public: Policy,
    pub signed_in: Policy,
    /// Stands before every route where client certificates are asked for.
    pub client_certificate: Policy,
}

/// Where people sign in, and how sessions begin and end.
#[derive(Debug)]
pub struct SignIn {
    pub url: Url,
    pub key: Secret<[u8; 32]>,
    /// Who vouches for people; `None` where they sign in elsewhere.
    pub provider: Option<Provider>,
    /// `cookie_expire`: how long a session lasts.
    pub lifetime: Duration,
    /// Seals the provider's tokens.
    pub tokens: Option<TokenSealer>,
    /// `signout_redirect_url`
    pub sign_out_redirect: Option<Url>,
    /// `programmatic_redirect_domain_whitelist`
    pub programs: ProgrammaticDomains,
}

impl SignIn {
    /// Whether the users file has somebody of this id, who may not have signed in yet.
    pub fn lists(&self, user: &str) -> bool {
        match &self.provider {
            Some(Provider::Local(users)) => users.lists(user),
            Some(Provider::Oidc(_)) | None => false,
        }
    }

    fn new(url: Url, config: &Config) -> Self {
        let secret = &config.identity.secret;
        let settings = config.sign_in.as_ref();
        Self {
            url,
            key: Secret::new(*secret.bytes()),
            provider: settings.map(|settings| Provider::new(&settings.provider)),
            lifetime: settings.map(|settings| settings.lasts).unwrap_or_default(),
            tokens: settings.and_then(|settings| settings.sealer(secret).ok()),
            sign_out_redirect: settings.and_then(|settings| settings.sign_out_redirect.clone()),
            programs: settings
                .map(|settings| settings.programmatic_domains.clone())
                .unwrap_or_default(),
        }
    }
}

impl Provider {
    /// As records name it.
    pub fn name(&self) -> &str {
        match self {
            Self::Local(_) => LocalUsers::PROVIDER,
            Self::Oidc(provider) => provider.settings().issuer.as_str(),
        }
    }

    fn new(settings: &ProviderSettings) -> Self {
        match settings {
            ProviderSettings::Local { users, .. } => Self::Local(Arc::clone(users)),
            ProviderSettings::Oidc(settings) => {
                Self::Oidc(Arc::new(OidcProvider::new(Arc::clone(settings))))
            }
        }
    }
}

/// Who vouches for people.
#[derive(Clone, Debug)]
pub enum Provider {
    /// The users file.
    Local(Arc<LocalUsers>),
    Oidc(Arc<OidcProvider>),
}

/// One generation of settings, directory and catalog. A request uses exactly one.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub settings: Arc<Settings>,
    pub directory: Arc<Directory>,
    pub catalog: Arc<Compiled>,
}

impl Snapshot {
    pub fn assemble(config: Config, directory: Directory) -> Self {
        let url = config.identity.authenticate_url.clone();
        let sign_in = url.map(|url| SignIn::new(url, &config));
        let judges_certificates = config.has_client_ca();
        let default_certificate_rule =
            judges_certificates && config.certificates.enforcement != Enforcement::Policy;
        let settings = Settings {
            judges_certificates,
            default_certificate_rule,
            keys: config.identity.verification_keys(),
            routes: config.routes.into_iter().map(Arc::new).collect(),
            policies: config.policies,
            namespaces: config.namespaces,
            stored: config.stored,
            bootstrap: config.bootstrap,
            internal: InternalPolicies {
                public: Policy::public(),
                signed_in: Policy::signed_in(),
                client_certificate: Policy::client_certificate_required(),
            },
            issuers: config.identity.accepted_issuers,
            cookie_name: config.identity.cookie_name,
            impersonation: config.identity.impersonation,
            outgoing: config.outgoing.outgoing,
            signing: config.outgoing.keys,
            assertion_reuse: config.outgoing.assertion_reuse,
            response_headers: config.outgoing.response_headers,
            data_sources: config.data_sources,
            trusted_hops: config.trusted_hops,
            refuse_ambiguous_paths: config.refuse_ambiguous_paths,
            sign_in,
            directory_url: config.directory_url,
        };
        let catalog = Arc::new(Compiled::new(&settings, Arc::default(), None));
        Self { settings: Arc::new(settings), directory: Arc::new(directory), catalog }
    }

    /// All routes, those of the store included.
    pub fn table(&self) -> &Table {
        &self.catalog.table
    }

    /// Whether `host` is the host of a route, or the one where people sign in.
    pub fn is_ours(&self, host: &Host) -> bool {
        self.table().knows_host(host) || self.settings.is_sign_in_host(host)
    }

    /// The same beside what the store holds.
    #[must_use]
    pub fn with_catalog(self, stored: Arc<Catalog>) -> Self {
        let catalog = Compiled::new(&self.settings, stored, Some(&self.catalog));
        Self { catalog: Arc::new(catalog), ..self }
    }
}

/// The current snapshot. Reading never waits.
#[derive(Debug)]
pub struct State {
    current: ArcSwap<Snapshot>,
    /// Held while a part is replaced, so that none is lost.
    replacing: Mutex<()>,
    /// Held while the catalog is read, so that what was read earlier is not put in place later.
    reading: tokio::sync::Mutex<()>,
}

impl State {
    pub fn new(snapshot: Snapshot) -> Self {
        let current = ArcSwap::from_pointee(snapshot);
        Self { current, replacing: Mutex::default(), reading: tokio::sync::Mutex::default() }
    }

    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Puts in place what `next` makes of the current snapshot, and gives back the old one, which requests
    /// under way keep. Whoever lets go of it last frees it.
    fn change(&self, next: impl FnOnce(&Snapshot) -> Snapshot) -> Arc<Snapshot> {
        let _alone = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let next = Arc::new(next(&self.current.load()));
        self.current.swap(next)
    }

    /// Puts another directory in place.
    pub fn replace_directory(&self, directory: &Arc<Directory>) {
        self.change(|current| Snapshot { directory: Arc::clone(directory), ..current.clone() });
    }

    /// Puts other settings in place, beside the directory and what the store holds at that moment.
    pub fn replace_settings(&self, settings: &Arc<Settings>) -> Arc<Snapshot> {
        self.change(|current| {
            let stored = Arc::clone(&current.catalog.stored);
            let catalog = Arc::new(Compiled::new(settings, stored, None));
            Snapshot {
                settings: Arc::clone(settings),
                directory: Arc::clone(&current.directory),
                catalog,
            }
        })
    }

    /// Puts other settings and another directory in place, beside what the store holds at that moment.
    pub fn replace(&self, snapshot: Snapshot) -> Arc<Snapshot> {
        self.change(|current| snapshot.with_catalog(Arc::clone(&current.catalog.stored)))
    }

    /// Reads what the store holds and puts it in place; says whether it is another than before.
    ///
    /// # Errors
    /// The store does not answer; then what is known stays.
    pub async fn refresh(&self, store: &dyn Store) -> Result<bool, StoreError> {
        let _alone = self.reading.lock().await;
        let stored = store.catalog().await?;
        if *self.current.load().catalog.stored == stored {
            return Ok(false);
        }
        let stored = Arc::new(stored);
        self.change(|current| current.clone().with_catalog(stored));
        Ok(true)
    }
}
