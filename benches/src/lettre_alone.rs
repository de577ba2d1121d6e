//! The raw limit of sending: lettre's own connections, with nothing around them.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::Result;
use bytes::Bytes;
use lettre::address::Envelope;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use test_servers::PASSWORD;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Messages a second over so many connections, each with one message after another.
pub async fn rate(
    port: u16,
    user: &str,
    recipient: &str,
    message: &Bytes,
    connections: usize,
    time: Duration,
) -> Result<f64> {
    let envelope = Envelope::new(Some(user.parse()?), vec![recipient.parse()?])?;
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(connect(port, user).await?);
    }
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for mut connection in open {
        let (envelope, message) = (envelope.clone(), message.clone());
        tasks.spawn(async move {
            let mut done = 0_u32;
            while start.elapsed() < time {
                connection.send(&envelope, &message).await?;
                done += 1;
            }
            connection.quit().await?;
            anyhow::Ok(done)
        });
    }
    let mut done = 0;
    while let Some(one) = tasks.join_next().await {
        done += one??;
    }
    Ok(f64::from(done) / start.elapsed().as_secs_f64())
}

async fn connect(port: u16, user: &str) -> Result<AsyncSmtpConnection> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server is this program's own, on loopback"
    )]
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    // lettre writes a message's end on its own. By itself it leaves Nagle's algorithm on, which holds that back until the
    // server has acknowledged the message, 40 ms later.
    stream.set_nodelay(true)?;
    let hello = ClientId::Domain("bench.test".to_owned());
    let mut connection =
        AsyncSmtpConnection::connect_with_transport(Box::new(stream), &hello).await?;
    let credentials = Credentials::new(user.to_owned(), PASSWORD.to_owned());
    connection.auth(&[Mechanism::Plain], &credentials).await?;
    Ok(connection)
}
