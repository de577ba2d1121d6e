use std::{convert::Infallible, pin::pin};

use axum::{Router, body::Body};
use http_body_util::BodyExt as _;
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use super::{ServeOptions, Shutdown, activity::Activity, watched_io::WatchedIo};

/// Serves one connection to its end.
pub(super) async fn serve(
    stream: TcpStream,
    router: Router,
    options: &ServeOptions,
    shutdown: &Shutdown,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection was lost before it was served");
        return;
    }
    let activity = Activity::default();
    let io = WatchedIo::new(stream, activity.clone(), options);
    let service = service_fn(move |request: Request<Incoming>| {
        let answering = activity.begin();
        let router = router.clone();
        async move {
            let response = router.oneshot(request).await?;
            // The request is over when the last octet of its answer is on its way.
            Ok::<_, Infallible>(response.map(|body| {
                Body::new(body.map_frame(move |frame| {
                    let _ = &answering;
                    frame
                }))
            }))
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            // Covers the wait for a request too; the head's own deadline is the socket's watch.
            .header_read_timeout(options.idle_timeout)
            .max_header_size(options.largest_head)
            .serve_connection(TokioIo::new(io), service)
    );
    let served = async {
        tokio::select! {
            done = connection.as_mut() => done,
            () = shutdown.soft.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        }
    };
    if let Some(Err(error)) = shutdown.hard.run_until_cancelled(served).await {
        tracing::debug!(%error, "a connection ended early");
    }
}
