use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{ServeOptions, activity::Activity};

/// A connection that fails when its client takes too long to send the head of a request, or to take
/// what is sent to it.
#[derive(Debug)]
pub(super) struct WatchedIo<T> {
    inner: T,
    activity: Activity,
    head: Deadline,
    write: Deadline,
}

impl<T> WatchedIo<T> {
    /// Watches a connection.
    pub(super) fn new(inner: T, activity: Activity, options: &ServeOptions) -> Self {
        Self {
            inner,
            activity,
            head: Deadline::new(options.head_timeout),
            write: Deadline::new(options.write_timeout),
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for WatchedIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.activity.is_answering() {
            self.head.clear();
        }
        let before = buffer.filled().len();
        match Pin::new(&mut self.inner).poll_read(cx, buffer) {
            Poll::Ready(done) => {
                let any = buffer.filled().len() > before;
                if any && !self.activity.is_answering() {
                    self.head.set();
                }
                Poll::Ready(done)
            }
            Poll::Pending => self.head.poll(cx).map(Err),
        }
    }
}

impl<T: AsyncWrite + Unpin> WatchedIo<T> {
    fn progress<R>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut T>, &mut Context<'_>) -> Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        match write(Pin::new(&mut self.inner), cx) {
            Poll::Ready(done) => {
                self.write.clear();
                Poll::Ready(done)
            }
            Poll::Pending => {
                self.write.set();
                self.write.poll(cx).map(Err)
            }
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for WatchedIo<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.progress(cx, |inner, cx| inner.poll_write(cx, octets))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        octets: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.progress(cx, |inner, cx| inner.poll_write_vectored(cx, octets))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.progress(cx, |inner, cx| inner.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.progress(cx, |inner, cx| inner.poll_shutdown(cx))
    }
}

/// A deadline that runs while it is set.
#[derive(Debug)]
struct Deadline {
    after: Duration,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Deadline {
    fn new(after: Duration) -> Self {
        Self { after, sleep: None }
    }

    /// Lets it run, if it does not yet.
    fn set(&mut self) {
        let at = Instant::now() + self.after;
        self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
    }

    fn clear(&mut self) {
        self.sleep = None;
    }

    /// Ready once it passed.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        match self.sleep.as_mut() {
            Some(sleep) => {
                ready!(sleep.as_mut().poll(cx));
                Poll::Ready(io::ErrorKind::TimedOut.into())
            }
            None => Poll::Pending,
        }
    }
}
