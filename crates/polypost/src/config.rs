//! The configuration: one file, and environment variables of the same names that win over it.
//!
//! `listen` in the file is `POLYPOST_LISTEN` in the environment, `pass_wait` of the section `[sync]` is
//! `POLYPOST_SYNC__PASS_WAIT`. A name that is not known is an error, so that a misspelt one is noticed.

mod environment;
mod file;
mod limits;
mod secret_key;
mod sync;
mod values;

use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use figment::{Figment, Provider};
use gateway_http::HttpOptions;
use gateway_operations::{CacheMode, OperationsConfig};
use ipnet::IpNet;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use tracing_subscriber::EnvFilter;
use url::{Host, Url};

pub use environment::BackendWords;
pub use limits::LimitsConfig;
pub use secret_key::SecretKey;
pub use sync::SyncConfig;

use self::{environment::Environment, file::ConfigFile};

/// The file that is read where none is named, if it is there.
pub const DEFAULT_FILE: &str = "polypost.toml";

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// The configuration of a gateway.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the API is served.
    #[serde(deserialize_with = "values::parsed")]
    pub listen: SocketAddr,
    /// Where files are kept: the embedded database and its key.
    #[serde(deserialize_with = "values::parsed")]
    pub data_dir: PathBuf,
    /// The database: `postgres://…` or `sqlite:…`; by default a SQLite file in `data_dir`.
    #[serde(deserialize_with = "values::secret")]
    pub database_url: Option<SecretString>,
    /// Seals secrets in the database.
    pub secret_key: Option<SecretKey>,
    /// Where large attachments wait until they are sent; by default the system's directory for temporary files.
    #[serde(deserialize_with = "values::optional")]
    pub spool_dir: Option<PathBuf>,
    /// How clients reach the gateway. Never taken from a request.
    #[serde(deserialize_with = "values::optional")]
    pub public_url: Option<Url>,
    /// An application that is made, or brought up to date, at each start.
    #[serde(deserialize_with = "values::optional")]
    pub client_id: Option<String>,
    /// Its secret.
    #[serde(deserialize_with = "values::secret")]
    pub client_secret: Option<SecretString>,
    /// Where its sign-ins may return to.
    #[serde(deserialize_with = "values::list")]
    pub return_urls: Vec<String>,
    /// Whether its sign-ins may return an account token instead of a code.
    #[serde(deserialize_with = "values::parsed")]
    pub allow_token_response: bool,
    /// Reverse proxies whose `X-Forwarded-For` tells from where a client comes.
    #[serde(deserialize_with = "values::list")]
    pub trusted_proxies: Vec<IpNet>,
    /// The operator's own networks, to which accounts may connect beside the public internet.
    #[serde(deserialize_with = "values::list")]
    pub allow_hosts: Vec<IpNet>,
    /// Which log lines are written: `level` or `target=level`, separated by commas.
    #[serde(deserialize_with = "values::optional")]
    pub log: Option<String>,
    /// How they are written.
    pub log_format: LogFormat,
    /// Where metrics are served; nowhere by default.
    #[serde(deserialize_with = "values::optional")]
    pub metrics_listen: Option<SocketAddr>,
    /// What of messages is kept.
    pub cache: CacheMode,
    /// How long running requests may take to finish at the end.
    #[serde(deserialize_with = "values::duration")]
    pub stop_grace: Duration,
    /// How mailboxes are synchronised.
    pub sync: SyncConfig,
    /// How much is done at once, and for how long.
    pub limits: LimitsConfig,
    /// Sections of the backends, by kind.
    pub providers: BTreeMap<String, Value>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8080).into(),
            data_dir: "polypost-data".into(),
            database_url: None,
            secret_key: None,
            spool_dir: None,
            public_url: None,
            client_id: None,
            client_secret: None,
            return_urls: Vec::new(),
            allow_token_response: false,
            trusted_proxies: Vec::new(),
            allow_hosts: Vec::new(),
            log: None,
            log_format: LogFormat::Text,
            metrics_listen: None,
            cache: CacheMode::Envelopes,
            stop_grace: Duration::from_secs(30),
            sync: SyncConfig::default(),
            limits: LimitsConfig::default(),
            providers: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Reads the named file, or [`DEFAULT_FILE`] if it is there, and then the environment, in which backends
    /// have words of their own.
    ///
    /// # Errors
    /// For a file that cannot be read, a name that is not known, and a value that makes no sense: each
    /// with the name and where it stands. Values of secrets are not told.
    pub fn load(
        file: Option<&Path>,
        environment: impl IntoIterator<Item = (OsString, OsString)>,
        words: &BackendWords,
    ) -> anyhow::Result<Self> {
        let path = file.unwrap_or(Path::new(DEFAULT_FILE));
        let mut figment = Figment::new();
        if file.is_some() || path.exists() {
            figment = figment.merge(ConfigFile::read(path)?);
        }
        let environment = Environment::read(environment, words)?;
        Self::extract(figment, environment)
    }

    fn extract(figment: Figment, environment: impl Provider) -> anyhow::Result<Self> {
        let config: Self = figment
            .merge(environment)
            .extract()
            .map_err(|error| anyhow::anyhow!("configuration: {error}"))?;
        config.check().context("configuration")?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.client_id.is_some() == self.client_secret.is_some(),
            "client_id and client_secret go together"
        );
        ensure!(
            self.return_urls.is_empty() || self.client_id.is_some(),
            "return_urls are those of client_id, which is missing"
        );
        ensure!(
            !self.allow_token_response || self.client_id.is_some(),
            "allow_token_response is for client_id, which is missing"
        );
        if let Some(url) = &self.public_url {
            ensure!(
                matches!(url.scheme(), "http" | "https")
                    && url.query().is_none()
                    && url.fragment().is_none(),
                "public_url is an http or https URL without query and fragment"
            );
            ensure!(
                !is_unspecified(url),
                "public_url is where clients reach the gateway: nobody reaches an address like 0.0.0.0 or [::]"
            );
        }
        self.log_filter("info")?;
        self.sync.check()?;
        self.limits.check()
    }

    /// Which log lines are written, where nothing is said about it.
    ///
    /// # Errors
    /// For text that is no filter.
    pub fn log_filter(&self, default: &str) -> anyhow::Result<EnvFilter> {
        let filter = self.log.as_deref().unwrap_or(default);
        EnvFilter::builder()
            .parse(filter)
            .context("log: not a filter")
    }

    /// The embedded database, where no other is named.
    pub fn database_file(&self) -> PathBuf {
        self.data_dir.join("polypost.db")
    }

    /// What the operations are told.
    pub fn operations(&self) -> OperationsConfig {
        let (sync, limits) = (&self.sync, &self.limits);
        OperationsConfig {
            cache: self.cache,
            pass_wait: sync.pass_wait,
            freshness: sync.freshness,
            page_wait: sync.page_wait,
            ready_wait: sync.ready_wait,
            call_deadline: limits.call_deadline,
            background_deadline: limits.background_deadline,
            tombstones: sync.tombstones,
            idle_pass_interval: sync.idle_pass_interval,
            inventory_interval: sync.inventory_interval,
            content_cache_bytes: limits.content_cache_bytes,
            send_lease: limits.send_lease,
            background_jobs: limits.background_jobs,
            access_tokens: limits.access_tokens,
            sign_in_ports: limits.sign_in_ports.clone(),
            push: sync.push,
        }
    }

    /// The base of the links that commands print and of those that browsers are sent to. A gateway that listens
    /// on all addresses of its machine is one of the machine itself, as far as it can know.
    pub fn base_url(&self, listening: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None if listening.ip().to_canonical().is_unspecified() => {
                format!("http://localhost:{}", listening.port())
            }
            None => format!("http://{listening}"),
        }
    }

    /// What the API is told, where it listens on this address.
    ///
    /// # Errors
    /// Where no URL stands for the address.
    pub fn http(&self, listening: SocketAddr) -> anyhow::Result<HttpOptions> {
        Ok(HttpOptions {
            public_url: Url::parse(&self.base_url(listening))?,
            trusted_proxies: self.trusted_proxies.clone(),
            spool_dir: self.spool_dir.clone(),
            ..self.limits.http()
        })
    }
}

/// Whether it is an address to listen on that is none to go to.
fn is_unspecified(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_unspecified(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
