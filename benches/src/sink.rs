//! An SMTP server that takes everything and keeps nothing: what is left beside it is the sender's own cost.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

const OFFER: &str =
    "250-sink.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE 209715200\r\n250 AUTH PLAIN\r\n";

type Last = Arc<Mutex<Bytes>>;

/// A server. It ends with this value.
#[derive(Debug)]
pub struct Sink {
    port: u16,
    last: Last,
    task: JoinHandle<()>,
}

impl Sink {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let last = Last::default();
        let task = tokio::spawn(accept(listener, Arc::clone(&last)));
        Ok(Self { port, last, task })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The message that came last, with the dots that SMTP has put in front of dots.
    pub fn last(&self) -> Bytes {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, last: Last) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(talk(client, Arc::clone(&last)));
    }
}

async fn talk(client: TcpStream, last: Last) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let (read, mut write) = client.into_split();
    let mut read = BufReader::new(read);
    write.write_all(b"220 sink.test ESMTP\r\n").await?;
    let mut line = Vec::new();
    loop {
        line.clear();
        if read.read_until(b'\n', &mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let reply = match &verb[..] {
            b"EHLO" => OFFER,
            b"AUTH" => "235 2.7.0 Welcome\r\n",
            b"DATA" => {
                write.write_all(b"354 Go on\r\n").await?;
                let message = message(&mut read).await?;
                *last.lock().unwrap_or_else(PoisonError::into_inner) = message;
                "250 2.0.0 Taken\r\n"
            }
            b"QUIT" => return write.write_all(b"221 2.0.0 Bye\r\n").await,
            _ => "250 2.0.0 Ok\r\n",
        };
        write.write_all(reply.as_bytes()).await?;
    }
}

/// Everything before the line that is a dot.
async fn message(read: &mut BufReader<OwnedReadHalf>) -> std::io::Result<Bytes> {
    let mut message = Vec::new();
    loop {
        let start = message.len();
        let is_end = read.read_until(b'\n', &mut message).await? == 0;
        if is_end || &message[start..] == b".\r\n" {
            message.truncate(start);
            return Ok(message.into());
        }
    }
}
