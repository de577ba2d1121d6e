//! The one HTTP client and pool of all mailboxes, over the gateway's guarded network.

use std::{
    error::Error as _,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use email_provider::{
    ErrorKind, ProviderError, ProviderResult,
    network::{Network, NetworkError},
};
use reqwest::{
    Response,
    dns::{Addrs, Name, Resolve, Resolving},
};

use crate::api::Failure;

/// As which the gateway introduces itself.
const USER_AGENT: &str = concat!("polypost/", env!("CARGO_PKG_VERSION"));
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an unused connection is kept: less than servers do, so that few requests meet a closed one.
const KEEP: Duration = Duration::from_secs(60);
/// Unused connections kept.
const MOST_KEPT: usize = 64;
/// The port of the checks that a name's addresses pass.
const HTTPS: u16 = 443;

/// Sends requests, if the network allows their addresses.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    network: Arc<dyn Network>,
    client: reqwest::Client,
}

/// Makes the client when it is first needed; one for each network, of which a gateway has one.
#[derive(Debug, Default)]
pub(crate) struct SharedTransport(Mutex<Option<Transport>>);

impl SharedTransport {
    pub(crate) fn get(&self, network: &Arc<dyn Network>) -> ProviderResult<Transport> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = &*made
            && Arc::ptr_eq(&made.network, network)
        {
            return Ok(made.clone());
        }
        let transport = Transport::new(Arc::clone(network))?;
        *made = Some(transport.clone());
        Ok(transport)
    }
}

/// Looks names up where every connection of the gateway does.
struct Checked(Arc<dyn Network>);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let network = Arc::clone(&self.0);
        Box::pin(async move {
            let mut addresses = network.resolve(name.as_str(), HTTPS).await?;
            // none: the address's own
            addresses.iter_mut().for_each(|address| address.set_port(0));
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl Transport {
    /// Certificates are checked against those of the system, an operator's own among them. Redirects are not followed: they
    /// would take tokens along.
    fn new(network: Arc<dyn Network>) -> ProviderResult<Self> {
        let client = reqwest::Client::builder()
            .dns_resolver(Arc::new(Checked(Arc::clone(&network))))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .referer(false)
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT)
            .pool_idle_timeout(KEEP)
            .pool_max_idle_per_host(MOST_KEPT)
            .build()
            .map_err(|error| {
                ProviderError::new(ErrorKind::Unexpected, "TLS cannot be set up").with_source(error)
            })?;
        Ok(Self { network, client })
    }

    /// Sends, and waits for the head of the answer.
    pub(crate) async fn send(&self, request: reqwest::Request) -> Result<Response, Failure> {
        let url = request.url();
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().unwrap_or(HTTPS);
        // Addresses written out are looked up nowhere, and names with another port in mind: they are checked here.
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if port != HTTPS || bare.parse::<IpAddr>().is_ok() {
            let checked = self.network.resolve(host, port).await;
            checked.map_err(|error| Failure::unreached(error == NetworkError::Forbidden))?;
        }
        self.client.execute(request).await.map_err(failed)
    }
}

/// What a failed exchange means. Its text is not used: addresses hold tokens.
fn failed(error: reqwest::Error) -> Failure {
    if !error.is_connect() {
        return Failure::Lost;
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(network) = error.downcast_ref::<NetworkError>() {
            return Failure::unreached(*network == NetworkError::Forbidden);
        }
        cause = error.source();
    }
    Failure::unreached(false)
}

/// The next piece of an answer's body, `None` at its end.
pub(crate) async fn piece(answer: &mut Response) -> Result<Option<Bytes>, Failure> {
    answer.chunk().await.map_err(|_| Failure::Lost)
}

/// All of an answer's body, if it is no more than `most` octets.
pub(crate) async fn gathered(mut answer: Response, most: usize) -> Result<Bytes, Failure> {
    let mut body = Vec::new();
    while let Some(piece) = piece(&mut answer).await? {
        if body.len() + piece.len() > most {
            return Err(Failure::Unreadable);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.into())
}
