//! Octets of strangers, streamed: never more than a chunk of them in memory.

mod disposition;
mod exact_sizes;
mod json_content;
mod range;

use axum::body::Body;
use futures::StreamExt as _;
use gateway_operations::ByteStream;

pub(crate) use disposition::attachment as attachment_disposition;
pub(crate) use exact_sizes::{ExactSizes, SizeKey};
pub(crate) use json_content::json_content;
pub(crate) use range::{ByteRange, requested};

/// A body of these octets. An error ends the connection, so that the client sees that it has not got
/// all of them.
pub(crate) fn body(octets: ByteStream) -> Body {
    let span = tracing::Span::current();
    Body::from_stream(octets.inspect(move |chunk| {
        if let Err(error) = chunk {
            let _entered = span.enter();
            tracing::warn!(%error, "a transfer broke off");
        }
    }))
}
