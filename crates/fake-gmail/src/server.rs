//! The HTTP server.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::Response;
use fake_oauth::{FakeOAuth, SigningKey, TestClock};
use futures::stream;
use futures::{FutureExt, StreamExt};

use crate::batch;
use crate::call::{self, Answer, Call, Transport};
use crate::error::ApiError;
use crate::world::World;

/// The largest upload, and room for what is around it.
const LARGEST_BODY: usize = 160 << 20;

pub(crate) struct Inner {
    pub oauth: FakeOAuth,
    pub clock: TestClock,
    /// Signs push requests.
    pub key: SigningKey,
    pub world: Mutex<World>,
}

impl Inner {
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn router(inner: Arc<Inner>) -> Router {
    Router::new().fallback(answer).with_state(inner)
}

async fn answer(State(inner): State<Arc<Inner>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return send(Answer::error(&ApiError::refused(
            413,
            "uploadTooLarge",
            "Request Entity Too Large",
        )));
    };
    let call = Call {
        http: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        headers: parts.headers,
        body: body.to_vec(),
        batched: false,
    };
    if call.path == "/oauth2/v3/certs" {
        return send(Answer::json(200, &inner.key.key_set()));
    }
    let answer = if batch::PATHS.contains(&call.path.as_str()) {
        batch::answer(&inner, call).await
    } else {
        call::answer(&inner, call).await
    };
    if let Transport::Stall(time) = answer.transport
        && answer.body.is_empty()
    {
        tokio::time::sleep(time).await;
    }
    send(answer)
}

fn send(mut answer: Answer) -> Response<Body> {
    if answer.transport == Transport::Cut && answer.status == 204 {
        // An answer that has no body cannot end in the middle of it.
        answer.status = 200;
    }
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    let body = Bytes::from(answer.body);
    let half = body.slice(..body.len() / 2);
    let rest = body.slice(body.len() / 2..);
    let body = match answer.transport {
        Transport::Whole => Body::from(body),
        Transport::Cut => {
            // One octet more than there is, so that even an empty answer ends early.
            response = response.header("content-length", body.len() + 1);
            let cut = Err(io::Error::other("the connection ends here"));
            Body::from_stream(stream::iter([Ok(half), cut]))
        }
        Transport::Stall(time) => {
            response = response.header("content-length", body.len());
            let later = tokio::time::sleep(time).map(move |()| Ok(rest));
            let first = stream::iter([Ok::<_, io::Error>(half)]);
            Body::from_stream(first.chain(later.into_stream()))
        }
    };
    response.body(body).expect("status and headers are valid")
}
