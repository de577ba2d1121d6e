//! Serving the router on a socket: HTTP/1.1 with a deadline on every wait for the client, a bound on
//! everything that it may send, and an end that lets running requests finish.

mod activity;
mod connection;
mod watched_io;

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How clients are served.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// From the first octet of a request's head to its last.
    pub head_timeout: Duration,
    /// Between two requests on a connection. Longer than the keep-alive of the proxies in front, so
    /// that they end a connection first and no request is lost on its way.
    pub idle_timeout: Duration,
    /// Without any octet taken by the client while there are some to send.
    pub write_timeout: Duration,
    /// Largest head of a request, in octets.
    pub largest_head: usize,
    /// Connections at once; more wait in the listener's queue.
    pub connections: usize,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(60),
            largest_head: 64 << 10,
            connections: 4096,
        }
    }
}

/// The two ways to end.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Take no more requests and finish those that run.
    pub soft: CancellationToken,
    /// Break off what still runs.
    pub hard: CancellationToken,
}

/// Between two attempts to accept a connection when the process is out of descriptors.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(200);

/// Serves until the soft shutdown, then until the last connection is done or the hard one.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: ServeOptions,
    shutdown: Shutdown,
) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(options.connections));
    let connections = TaskTracker::new();
    let options = Arc::new(options);
    while let Some((stream, place)) = next(&listener, &places, &shutdown.soft).await {
        let (router, options) = (router.clone(), Arc::clone(&options));
        let shutdown = shutdown.clone();
        connections.spawn(async move {
            let _place = place;
            connection::serve(stream, router, &options, &shutdown).await;
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
    Ok(())
}

/// The next connection and its place; `None` once the shutdown began.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
    soft: &CancellationToken,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let accept = async {
        let place = Arc::clone(places).acquire_owned().await.ok()?;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => return Some((stream, place)),
                // The client went away before it was accepted.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
                    ) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection could be accepted");
                    tokio::time::sleep(OUT_OF_DESCRIPTORS).await;
                }
            }
        }
    };
    soft.run_until_cancelled(accept).await?
}

#[cfg(test)]
mod tests;
