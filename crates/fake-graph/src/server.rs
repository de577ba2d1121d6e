//! The HTTP server.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use fake_oauth::{FakeOAuth, TestClock};
use futures::stream::{self, Stream};
use futures::{FutureExt, StreamExt};

use crate::answer::{Answer, Transport, UnderWay};
use crate::batch;
use crate::call::{self, Call};
use crate::error::ApiError;
use crate::upload;
use crate::world::World;

/// What is read at all; the API's own limit is less.
const LARGEST_BODY: usize = 64 << 20;
/// Octets that go out at a time.
const PIECE: usize = 64 << 10;

pub(crate) struct Inner {
    pub oauth: FakeOAuth,
    pub clock: TestClock,
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
        let error = ApiError::wrong(
            413,
            "RequestEntityTooLarge",
            "The request body is too large.",
        );
        return send(Answer::error(&error));
    };
    let call = Call {
        http: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: pairs(parts.uri.query().unwrap_or_default()),
        origin: origin(&parts.headers),
        headers: parts.headers,
        body: body.to_vec(),
        batched: false,
    };
    let answering = async move {
        if call.path == "/v1.0/$batch" || call.path == "/v1.0/%24batch" {
            batch::answer(&inner, call).await
        } else if call.path.starts_with(upload::PREFIX) {
            upload::answer(&inner, &call)
        } else {
            call::answer(&inner, call).await
        }
    };
    // A request goes on although its client has gone, and is under way until it ends.
    let answer = tokio::spawn(answering)
        .await
        .expect("an answer does not panic");
    if let Transport::Stall(time) = answer.transport
        && answer.body.is_empty()
    {
        tokio::time::sleep(time).await;
    }
    send(answer)
}

fn origin(headers: &HeaderMap) -> String {
    let host = headers.get("host").and_then(|host| host.to_str().ok());
    format!("http://{}", host.unwrap_or_default())
}

pub(crate) fn pairs(query: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
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
    let under_way = answer.under_way;
    let body = Bytes::from(answer.body);
    let half = body.slice(..body.len() / 2);
    let rest = body.slice(body.len() / 2..);
    let body = match answer.transport {
        Transport::Whole => match under_way {
            None => Body::from(body),
            Some(under_way) => {
                response = response.header("content-length", body.len());
                Body::from_stream(pieces(body, under_way))
            }
        },
        Transport::Cut => {
            // One octet more than there is, so that even an empty answer ends early.
            response = response.header("content-length", body.len() + 1);
            let cut = Err(io::Error::other("the connection ends here"));
            Body::from_stream(stream::iter([Ok(half), cut]))
        }
        Transport::Stall(time) => {
            response = response.header("content-length", body.len());
            let later = tokio::time::sleep(time).map(move |()| {
                drop(under_way);
                Ok(rest)
            });
            let first = stream::iter([Ok::<_, io::Error>(half)]);
            Body::from_stream(first.chain(later.into_stream()))
        }
    };
    response.body(body).expect("status and headers are valid")
}

/// A body in pieces. With the last of them the request is no longer under way.
fn pieces(
    body: Bytes,
    under_way: Arc<UnderWay>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    stream::unfold(Some((body, under_way)), |state| async move {
        let (mut body, under_way) = state?;
        let piece = body.split_to(body.len().min(PIECE));
        let rest = (!body.is_empty()).then_some((body, under_way));
        Some((Ok(piece), rest))
    })
}
