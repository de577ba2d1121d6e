//! The router: every endpoint, its state and the layers around it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, extract::FromRef};
use gateway_operations::Gateway;
use ipnet::IpNet;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{download::ExactSizes, extract::TrustedProxies, layers, routes, uploads::Uploads};

/// How requests are taken.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Requests worked on at once; more wait, and after [`Self::longest_wait`] are refused (429).
    pub concurrency: usize,
    /// How long a request waits for its turn.
    pub longest_wait: Duration,
    /// How long a request may take until its response begins: a last resort behind the deadlines of
    /// the operations. The time in which a message to be sent arrives does not count.
    pub deadline: Duration,
    /// Largest request with a message to be sent or kept as a draft, attachments included, in octets.
    pub send_bytes: u64,
    /// Such requests beyond 256 KiB that are taken in at once; more wait, and after [`Self::longest_wait`] are
    /// refused (429).
    pub uploads: usize,
    /// How many of them one account may have, so that it cannot take all places; more wait and are refused likewise.
    pub uploads_per_account: usize,
    /// Where large attachments wait until they are sent; `None`: the system's directory for temporary files.
    pub spool_dir: Option<PathBuf>,
    /// Octets of all attachments that wait there; what goes beyond is refused (503).
    pub spool_bytes: u64,
    /// How browsers reach the gateway.
    pub public_url: Url,
    /// Proxies that tell from where a client comes.
    pub trusted_proxies: Vec<IpNet>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            concurrency: 512,
            longest_wait: Duration::from_secs(5),
            deadline: Duration::from_secs(120),
            send_bytes: 200 << 20,
            uploads: 32,
            uploads_per_account: 4,
            spool_dir: None,
            spool_bytes: 4 << 30,
            public_url: Url::parse("http://127.0.0.1:8080").expect("a URL"),
            trusted_proxies: Vec::new(),
        }
    }
}

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct AppState {
    gateway: Gateway,
    sizes: Arc<ExactSizes>,
    stopping: Stopping,
    public_url: PublicUrl,
    proxies: TrustedProxies,
    uploads: Uploads,
}

/// How browsers reach the gateway. Never taken from a request.
#[derive(Clone, Debug)]
pub(crate) struct PublicUrl(pub(crate) Arc<Url>);

macro_rules! part_of_state {
    ($part:ty, $field:ident) => {
        impl FromRef<AppState> for $part {
            fn from_ref(state: &AppState) -> Self {
                state.$field.clone()
            }
        }
    };
}

part_of_state!(Gateway, gateway);
part_of_state!(Arc<ExactSizes>, sizes);
part_of_state!(Stopping, stopping);
part_of_state!(PublicUrl, public_url);
part_of_state!(TrustedProxies, proxies);
part_of_state!(Uploads, uploads);

/// Set once the process is about to stop: it is then no longer ready for new requests.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub(crate) CancellationToken);

/// The whole API of a gateway. `/readyz` fails once `stopping` is cancelled.
pub fn router(gateway: Gateway, options: &HttpOptions, stopping: CancellationToken) -> Router {
    let state = AppState {
        gateway,
        sizes: Arc::default(),
        stopping: Stopping(stopping),
        public_url: PublicUrl(Arc::new(options.public_url.clone())),
        proxies: TrustedProxies(options.trusted_proxies.as_slice().into()),
        uploads: Uploads::new(options),
    };
    let api = layers::admit(routes::api(), options);
    layers::observe(routes::service().merge(api)).with_state(state)
}
