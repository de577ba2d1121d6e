//! A forwarder between gateway and mail server that notes when octets pass in which direction.
//!
//! How long a call would take if the gateway did nothing is then known of that very call: the time in which the server
//! owed an answer, from the first octet of a request to the last octet before the next request. Everything else is the
//! gateway's own time, and so is what the forwarding costs.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    Gateway,
    Server,
}

#[derive(Debug, Clone, Copy)]
struct Passed {
    at: Instant,
    connection: usize,
    from: From,
}

type Log = Arc<Mutex<Vec<Passed>>>;

/// A forwarder. It ends with this value.
#[derive(Debug)]
pub struct Meter {
    port: u16,
    log: Log,
    task: JoinHandle<()>,
}

impl Meter {
    /// Forwards to a port on loopback.
    pub async fn start(server: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let log = Log::default();
        let task = tokio::spawn(accept(listener, server, Arc::clone(&log)));
        Ok(Self { port, log, task })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Forgets what has passed.
    pub fn clear(&self) {
        self.log
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// How long the server owed an answer on any connection since the log was cleared, and how often it was asked.
    pub fn server_time(&self) -> (Duration, usize) {
        let log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        server_time(&log)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn server_time(log: &[Passed]) -> (Duration, usize) {
    let connections = log.iter().map(|passed| passed.connection + 1).max();
    let mut owed: Vec<(Instant, Instant)> = Vec::new();
    for connection in 0..connections.unwrap_or(0) {
        let mut open: Option<(Instant, Instant, bool)> = None;
        for passed in log.iter().filter(|passed| passed.connection == connection) {
            match (passed.from, &mut open) {
                (From::Server, Some((_, until, answered))) => {
                    (*until, *answered) = (passed.at, true)
                }
                (From::Server, None) => {}
                (From::Gateway, Some((_, _, false))) => {}
                (From::Gateway, _) => {
                    owed.extend(open.map(|(since, until, _)| (since, until)));
                    open = Some((passed.at, passed.at, false));
                }
            }
        }
        owed.extend(open.map(|(since, until, _)| (since, until)));
    }
    owed.sort_unstable();
    let mut sum = Duration::ZERO;
    let mut end: Option<Instant> = None;
    for (since, until) in &owed {
        let start = end.map_or(*since, |end| end.max(*since));
        sum += until.saturating_duration_since(start);
        end = Some(end.map_or(*until, |end| end.max(*until)));
    }
    (sum, owed.len())
}

async fn accept(listener: TcpListener, server: u16, log: Log) {
    let mut connection = 0;
    while let Ok((gateway, _)) = listener.accept().await {
        tokio::spawn(forward(gateway, server, connection, Arc::clone(&log)));
        connection += 1;
    }
}

async fn forward(
    gateway: TcpStream,
    server: u16,
    connection: usize,
    log: Log,
) -> std::io::Result<()> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server is this program's own, on loopback"
    )]
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, server)).await?;
    gateway.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_gateway, to_gateway) = gateway.into_split();
    let (from_server, to_server) = server.into_split();
    let note = |from| {
        let log = Arc::clone(&log);
        move || {
            let passed = Passed {
                at: Instant::now(),
                connection,
                from,
            };
            log.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(passed);
        }
    };
    tokio::join!(
        pump(from_gateway, to_server, note(From::Gateway)),
        pump(from_server, to_gateway, note(From::Server)),
    );
    Ok(())
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, note: impl Fn()) {
    let mut octets = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut octets).await {
        note();
        if to.write_all(&octets[..count]).await.is_err() {
            break;
        }
    }
    // A half that is closed is told on, so that the other side ends too.
    let _ = to.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(start: Instant, events: &[(u64, usize, From)]) -> Vec<Passed> {
        let event = |&(millis, connection, from)| Passed {
            at: start + Duration::from_millis(millis),
            connection,
            from,
        };
        events.iter().map(event).collect()
    }

    #[test]
    fn the_server_owes_from_a_request_to_the_last_octet_of_its_answer() {
        let events = [
            (0, 0, From::Gateway),
            (2, 0, From::Server),
            (5, 0, From::Server),
            (20, 0, From::Gateway),
            (21, 0, From::Gateway),
            (24, 0, From::Server),
        ];
        let log = passed(Instant::now(), &events);
        assert_eq!(server_time(&log), (Duration::from_millis(9), 2));
    }

    #[test]
    fn answers_owed_at_the_same_time_count_once() {
        let events = [
            (0, 0, From::Gateway),
            (1, 1, From::Gateway),
            (4, 0, From::Server),
            (6, 1, From::Server),
        ];
        let log = passed(Instant::now(), &events);
        assert_eq!(server_time(&log), (Duration::from_millis(6), 2));
    }

    #[test]
    fn what_nobody_asked_for_is_not_owed() {
        let log = passed(
            Instant::now(),
            &[(3, 0, From::Server), (9, 0, From::Server)],
        );
        assert_eq!(server_time(&log), (Duration::ZERO, 0));
    }
}
