//! Bodies that are watched as they leave: a request whose last octet never left had no effect.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use email_provider::{ByteStream, ErrorKind, ProviderError};
use futures::StreamExt as _;
use hyper::body::{Body, Frame, SizeHint};

use super::Failure;
use crate::error::Effect;

/// It is on its way, and its last octet has not left.
const OPEN: u8 = 0;
/// Its last octet has left.
const GONE: u8 = 1;
/// Its last octet will never leave.
const CLOSED: u8 = 2;

/// How far what takes effect as a whole has left. A connection goes on with a body while nobody waits for its
/// answer any more: so whoever gives up closes it, and only then is it certain that nothing came of it.
#[derive(Debug, Default)]
pub(super) struct Outgo {
    state: AtomicU8,
    unread: Mutex<Option<ProviderError>>,
}

impl Outgo {
    /// What it may have done by now.
    pub(super) fn effect(&self) -> Effect {
        match self.state.load(Ordering::SeqCst) {
            GONE => Effect::Write,
            _ => Effect::None,
        }
    }

    /// Gives up; what it may have done.
    pub(super) fn close(&self) -> Effect {
        self.leave(CLOSED);
        self.effect()
    }

    /// Whether it could become that.
    fn leave(&self, to: u8) -> bool {
        let left = self
            .state
            .compare_exchange(OPEN, to, Ordering::SeqCst, Ordering::SeqCst);
        left.is_ok() || left == Err(to)
    }

    /// Why a request failed: for what it carried, where that could not be read.
    pub(super) fn cause(&self, failure: Failure) -> Failure {
        match self.unread().take() {
            Some(error) => Failure::Unsendable(error),
            None => failure,
        }
    }

    fn unread(&self) -> std::sync::MutexGuard<'_, Option<ProviderError>> {
        self.unread.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body of a known length, read while it is sent.
pub(super) struct Watched {
    /// Never locked: it is what makes a stream fit to be shared between threads.
    pieces: Mutex<ByteStream>,
    left: u64,
    /// Its last octet is the last one of all.
    is_last: bool,
    outgo: Arc<Outgo>,
}

impl Watched {
    pub(super) fn new(pieces: ByteStream, length: u64, is_last: bool, outgo: &Arc<Outgo>) -> Self {
        Self {
            pieces: Mutex::new(pieces),
            left: length,
            is_last,
            outgo: Arc::clone(outgo),
        }
    }

    /// Ends the body before its length is reached, so that the server gets no whole request.
    fn give_up(&self, error: ProviderError) -> Option<Result<Frame<Bytes>, hyper::Error>> {
        *self.outgo.unread() = Some(error);
        None
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let pieces = self.pieces.get_mut();
        let pieces = pieces.unwrap_or_else(PoisonError::into_inner);
        let piece = match ready!(pieces.poll_next_unpin(context)) {
            Some(Ok(piece)) => piece,
            Some(Err(error)) => return Poll::Ready(self.give_up(error)),
            None => return Poll::Ready(self.give_up(other_length())),
        };
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let Some(left) = self.left.checked_sub(length) else {
            return Poll::Ready(self.give_up(other_length()));
        };
        if left == 0 && self.is_last && !self.outgo.leave(GONE) {
            return Poll::Ready(None);
        }
        self.left = left;
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

fn other_length() -> ProviderError {
    ProviderError::new(
        ErrorKind::Unexpected,
        "the composed message is not as long as it was said to be",
    )
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http_body_util::BodyExt as _;

    use super::*;

    fn pieces(pieces: &[&'static str]) -> ByteStream {
        let pieces: Vec<_> = pieces.iter().map(|&one| Ok(Bytes::from(one))).collect();
        stream::iter(pieces).boxed()
    }

    #[tokio::test]
    async fn an_effect_is_possible_from_the_last_octet_on() {
        let outgo = Arc::new(Outgo::default());
        let mut body = Watched::new(pieces(&["ab", "c"]), 3, true, &outgo);
        assert_eq!(body.size_hint().exact(), Some(3));
        assert!(body.frame().await.is_some());
        assert_eq!(outgo.effect(), Effect::None);
        assert!(body.frame().await.is_some());
        assert_eq!(outgo.effect(), Effect::Write);
        assert!(body.frame().await.is_none());
        let outgo = Arc::new(Outgo::default());
        let body = Watched::new(pieces(&["abc"]), 3, false, &outgo);
        assert!(body.collect().await.is_ok());
        assert_eq!(outgo.effect(), Effect::None, "more has to come");
    }

    #[tokio::test]
    async fn nothing_comes_of_what_was_given_up_in_time() {
        let outgo = Arc::new(Outgo::default());
        let mut body = Watched::new(pieces(&["ab", "c"]), 3, true, &outgo);
        assert!(body.frame().await.is_some());
        assert_eq!(outgo.close(), Effect::None);
        assert!(body.frame().await.is_none(), "the rest stays here");
        let outgo = Arc::new(Outgo::default());
        let body = Watched::new(pieces(&["abc"]), 3, true, &outgo);
        assert!(body.collect().await.is_ok());
        assert_eq!(outgo.close(), Effect::Write, "too late");
    }

    #[tokio::test]
    async fn what_is_longer_or_shorter_than_said_never_leaves_as_a_whole() {
        for said in [2, 4] {
            let outgo = Arc::new(Outgo::default());
            let body = Watched::new(pieces(&["a", "bc"]), said, true, &outgo);
            let sent = body.collect().await.expect("no error").to_bytes();
            assert_ne!(u64::try_from(sent.len()), Ok(said));
            assert_eq!(outgo.effect(), Effect::None);
            let cause = outgo.cause(Failure::Lost);
            assert!(matches!(cause, Failure::Unsendable(_)), "{cause:?}");
        }
    }
}
