//! Connections for the HTTP client: through the gateway's guarded network, and with a limit on what one
//! answer may hold.

use std::{
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use email_provider::network::{Network, NetworkError};
use hyper::Uri;
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// Most octets of one answer, headers included. The largest that there is: a message of 35 MiB in base64.
const LARGEST_ANSWER: usize = 64 << 20;

/// Connects to where an address points, if the network allows it.
#[derive(Clone, Debug)]
pub(crate) struct Dialer(pub Arc<dyn Network>);

impl tower::Service<Uri> for Dialer {
    type Response = TokioIo<Bounded>;
    type Error = NetworkError;
    type Future = Pin<Box<dyn Future<Output = Result<TokioIo<Bounded>, NetworkError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NetworkError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let network = Arc::clone(&self.0);
        Box::pin(async move {
            let host = to.host().ok_or(NetworkError::Forbidden)?;
            let usual = if to.scheme_str() == Some("http") {
                80
            } else {
                443
            };
            let stream = network
                .connect(host, to.port_u16().unwrap_or(usual))
                .await?;
            Ok(TokioIo::new(Bounded { stream, read: 0 }))
        })
    }
}

/// A connection that fails when more is read from it than an answer may hold. Requests follow one another
/// (HTTP/1.1), so what is read since the last octet was written is one answer.
#[derive(Debug)]
pub(crate) struct Bounded {
    stream: TcpStream,
    read: usize,
}

impl Connection for Bounded {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.read > LARGEST_ANSWER {
            return Poll::Ready(Err(io::Error::other("an answer is too large")));
        }
        let before = into.remaining();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        self.read += before - into.remaining();
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        from: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.read = 0;
        Pin::new(&mut self.stream).poll_write(context, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
