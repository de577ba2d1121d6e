//! HTTP servers on free loopback ports that end with their handle.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A running server, which stops taking connections and closes idle ones when this is dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its URL, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Serves on a free port of 127.0.0.1.
///
/// # Errors
/// When no port can be bound.
pub async fn serve(router: Router) -> std::io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        // The sender is never used: that it is gone is the signal.
        let _ = stopped.await;
    });
    tokio::spawn(async move { server.await });
    Ok(Running {
        address,
        _stop: stop,
    })
}
