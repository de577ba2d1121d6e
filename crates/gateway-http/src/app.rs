//! The router: every endpoint, its state and the layers around it.

use std::{sync::Arc, time::Duration};

use axum::{Router, extract::FromRef};
use gateway_operations::Gateway;
use tokio_util::sync::CancellationToken;

use crate::{download::ExactSizes, layers, routes};

/// How requests are taken.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// Requests worked on at once; more wait, and after [`Self::longest_wait`] are refused (429).
    pub concurrency: usize,
    /// How long a request waits for its turn.
    pub longest_wait: Duration,
    /// How long a request may take until its response begins: a last resort behind the deadlines of
    /// the operations.
    pub deadline: Duration,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            concurrency: 512,
            longest_wait: Duration::from_secs(5),
            deadline: Duration::from_secs(120),
        }
    }
}

/// What handlers work with.
#[derive(Clone)]
pub(crate) struct AppState {
    gateway: Gateway,
    sizes: Arc<ExactSizes>,
    stopping: Stopping,
}

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

/// Set once the process is about to stop: it is then no longer ready for new requests.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(pub(crate) CancellationToken);

/// The whole API of a gateway. `/readyz` fails once `stopping` is cancelled.
pub fn router(gateway: Gateway, options: &HttpOptions, stopping: CancellationToken) -> Router {
    let state = AppState {
        gateway,
        sizes: Arc::default(),
        stopping: Stopping(stopping),
    };
    let api = layers::admit(routes::api(), options);
    layers::observe(routes::service().merge(api)).with_state(state)
}
