//! The one HTTP client and pool of all mailboxes.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use email_provider::{ErrorKind, ProviderError, ProviderResult, network::Network};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::Client as HttpClient,
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::connector::Dialer;

pub(crate) type Client = google_apis_common::Client<HttpsConnector<Dialer>>;

/// How long an unused connection is kept: less than servers do, so that few requests meet a closed one.
const KEEP: Duration = Duration::from_secs(60);
/// Unused connections kept.
const MOST_KEPT: usize = 64;

/// Makes the client when it is first needed; one for each network, of which a gateway has one.
#[derive(Debug, Default)]
pub(crate) struct SharedClient(Mutex<Option<(Arc<dyn Network>, Client)>>);

impl SharedClient {
    pub(crate) fn get(&self, network: &Arc<dyn Network>) -> ProviderResult<Client> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, client)) = &*made
            && Arc::ptr_eq(of, network)
        {
            return Ok(client.clone());
        }
        let client = client(Arc::clone(network))?;
        *made = Some((Arc::clone(network), client.clone()));
        Ok(client)
    }
}

fn client(network: Arc<dyn Network>) -> ProviderResult<Client> {
    let broken = |what: &str| {
        ProviderError::new(
            ErrorKind::Unexpected,
            format!("TLS cannot be set up: {what}"),
        )
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| broken("the protocol versions").with_source(error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // HTTP/1.1: an answer's size is bounded by its connection, and many messages are one batch.
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls)
        .https_or_http()
        .enable_http1()
        .wrap_connector(Dialer(network));
    Ok(HttpClient::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEEP)
        .pool_max_idle_per_host(MOST_KEPT)
        .build(connector))
}
