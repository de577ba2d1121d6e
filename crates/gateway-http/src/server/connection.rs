use std::{
    convert::Infallible,
    pin::{Pin, pin},
    task::{Context, Poll},
};

use axum::{Router, body::Body};
use bytes::Bytes;
use hyper::{
    Request,
    body::{Body as HttpBody, Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tower::ServiceExt as _;

use super::{
    ServeOptions, Shutdown,
    activity::{Activity, Answering},
    watched_io::WatchedIo,
};
use crate::extract::Peer;

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
    let Ok(peer) = stream.peer_addr().map(Peer) else {
        return;
    };
    let activity = Activity::default();
    let io = WatchedIo::new(stream, activity.clone(), options);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let answering = activity.begin();
        let router = router.clone();
        async move {
            let response = router.oneshot(request).await?;
            Ok::<_, Infallible>(response.map(|body| Tracked {
                body,
                _answering: answering,
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

/// A body with the request that it answers: that one is over when the last octet is on its way.
struct Tracked {
    body: Body,
    _answering: Answering,
}

impl HttpBody for Tracked {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
