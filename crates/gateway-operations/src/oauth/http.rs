//! Requests to authorisation servers: one client and pool for all of them.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use email_provider::network::Network;
use futures::StreamExt;
use oauth2::{HttpRequest, HttpResponse};
use reqwest::{
    StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header::RETRY_AFTER,
};

/// Longest answer that is read, in octets.
const LONGEST: usize = 256 << 10;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(8);
/// How long an answer may take, all in all.
const PATIENCE: Duration = Duration::from_secs(15);
/// The port of the checks that a name's addresses pass; the port of a URL is checked with it.
const HTTPS: u16 = 443;

/// Why there is no answer to read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// No connection, or none to this host from here.
    #[error("the authorisation server cannot be reached")]
    Unreachable,
    /// It broke off or took too long.
    #[error("the authorisation server does not answer")]
    Broken(#[source] reqwest::Error),
    /// It is not able to decide now.
    #[error("the authorisation server answers with status {status}")]
    Unable {
        /// 429, 5xx, or a redirect, which is never followed: it would take secrets along.
        status: StatusCode,
        /// How long it asks to wait.
        retry_after: Option<Duration>,
    },
    /// It decided against the request.
    #[error("the authorisation server refuses with status {status}: {code}")]
    Refused {
        /// 4xx.
        status: StatusCode,
        /// Its word for why (RFC 6749 section 5.2), or nothing.
        code: String,
    },
    /// More than any token takes.
    #[error("the authorisation server's answer is too long")]
    TooLong,
}

/// The client. Built when it is first needed: a gateway of passwords alone has none.
#[derive(Debug)]
pub(crate) struct TokenHttp {
    network: Arc<dyn Network>,
    client: OnceLock<Option<reqwest::Client>>,
}

/// Looks names up where every connection of the gateway does.
struct Checked(Arc<dyn Network>);

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let network = Arc::clone(&self.0);
        Box::pin(async move {
            let mut addresses = network.resolve(name.as_str(), HTTPS).await?;
            // none: the URL's own
            addresses.iter_mut().for_each(|address| address.set_port(0));
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl TokenHttp {
    pub fn new(network: Arc<dyn Network>) -> Self {
        Self {
            network,
            client: OnceLock::new(),
        }
    }

    fn client(&self) -> Result<&reqwest::Client, HttpError> {
        let build = || {
            reqwest::Client::builder()
                .dns_resolver(Arc::new(Checked(Arc::clone(&self.network))))
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .connect_timeout(CONNECT)
                .timeout(PATIENCE)
                .build()
                .inspect_err(|error| tracing::error!(%error, "no HTTP client"))
                .ok()
        };
        let client = self.client.get_or_init(build).as_ref();
        client.ok_or(HttpError::Unreachable)
    }

    /// Sends a request. Answers by which the server says that it cannot decide are errors.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = reqwest::Request::try_from(request).map_err(|_| HttpError::Unreachable)?;
        let url = request.url();
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(HttpError::Unreachable);
        };
        // Addresses written out are looked up nowhere: they are checked here.
        let checked = self.network.resolve(host, port).await;
        checked.map_err(|_| HttpError::Unreachable)?;
        let answer = self.client()?.execute(request).await.map_err(broken)?;
        let status = answer.status();
        if status.is_server_error()
            || status.is_redirection()
            || status == StatusCode::TOO_MANY_REQUESTS
        {
            let header = answer.headers().get(RETRY_AFTER);
            let seconds = header.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            return Err(HttpError::Unable {
                status,
                retry_after: seconds.map(Duration::from_secs),
            });
        }
        let mut response = HttpResponse::new(Vec::new());
        *response.status_mut() = status;
        *response.headers_mut() = answer.headers().clone();
        let mut stream = answer.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(broken)?;
            if response.body().len() + chunk.len() > LONGEST {
                return Err(HttpError::TooLong);
            }
            response.body_mut().extend_from_slice(&chunk);
        }
        Ok(response)
    }
}

/// The URL of a token request holds no secret, but that of an error is not needed either.
fn broken(error: reqwest::Error) -> HttpError {
    HttpError::Broken(error.without_url())
}
