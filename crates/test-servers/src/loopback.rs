//! Connections to servers on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;

/// Reading and writing on one connection, with or without TLS.
pub(crate) trait Connection: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Connection for T {}

/// Connects without waiting to fill packets.
#[expect(
    clippy::disallowed_methods,
    reason = "the servers under test are on loopback, which the gateway's own dialer refuses"
)]
pub(crate) async fn connect(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Connects to a port on 127.0.0.1.
pub(crate) async fn connect_port(port: u16) -> std::io::Result<TcpStream> {
    connect((Ipv4Addr::LOCALHOST, port).into()).await
}

/// Whether a server greets on this port: an accepted connection alone may only be a listen queue.
pub(crate) async fn greets(port: u16) -> bool {
    let greeting = async {
        let mut stream = connect_port(port).await.ok()?;
        stream.read_u8().await.ok()
    };
    matches!(
        tokio::time::timeout(Duration::from_secs(5), greeting).await,
        Ok(Some(_))
    )
}
