//! Connections to 127.0.0.1.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// Connects to a port on 127.0.0.1.
#[expect(
    clippy::disallowed_methods,
    reason = "the servers under test are on loopback, which the gateway's own dialer refuses"
)]
pub(crate) async fn connect(port: u16) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Whether a server greets on this port: an accepted connection alone may only be a listen queue.
pub(crate) async fn greets(port: u16) -> bool {
    let greeting = async {
        let mut stream = connect(port).await.ok()?;
        stream.read_u8().await.ok()
    };
    matches!(
        tokio::time::timeout(Duration::from_secs(5), greeting).await,
        Ok(Some(_))
    )
}
