//! Connections shared.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use email_provider::{
    ErrorKind,
    network::{Network, NetworkError, ServiceRecord},
};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// A network that leads to one listener.
#[derive(Debug)]
pub(super) struct OneServer {
    address: SocketAddr,
    connections: AtomicUsize,
}

#[async_trait]
impl Network for OneServer {
    #[expect(
        clippy::disallowed_methods,
        reason = "the server under test is on loopback"
    )]
    async fn connect(&self, _: &str, _: u16) -> std::result::Result<TcpStream, NetworkError> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        TcpStream::connect(self.address)
            .await
            .map_err(|_| NetworkError::Unreachable)
    }

    async fn resolve(&self, _: &str, _: u16) -> std::result::Result<Vec<SocketAddr>, NetworkError> {
        Ok(vec![self.address])
    }

    async fn services(&self, _: &str) -> Vec<ServiceRecord> {
        Vec::new()
    }

    async fn is_operator_allowed(&self, _: &str) -> bool {
        true
    }
}

impl OneServer {
    pub(super) fn at(port: u16) -> Arc<Self> {
        Arc::new(Self {
            address: ([127, 0, 0, 1], port).into(),
            connections: AtomicUsize::new(0),
        })
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// A server that plays a script for each connection, made by its number.
async fn server(script: impl Fn(usize) -> Script + Send + 'static) -> Arc<OneServer> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        for number in 0.. {
            let (mut socket, _) = listener.accept().await.unwrap();
            let (mut near, far) = tokio::io::duplex(64 * 1024);
            tokio::spawn(script(number).play(far));
            tokio::spawn(
                async move { tokio::io::copy_bidirectional(&mut socket, &mut near).await },
            );
        }
    });
    OneServer::at(port)
}

fn pool(network: &Arc<OneServer>, options: PoolOptions) -> Pool {
    Pool::new(
        ImapConfig {
            pool: options,
            ..config()
        },
        network.clone(),
    )
    .unwrap()
}

fn shortly() -> Instant {
    Instant::now() + Duration::from_millis(300)
}

#[tokio::test]
async fn a_connection_is_used_again_best_with_its_mailbox() {
    let network = server(|_| Script::selected(3)).await;
    let pool = pool(&network, PoolOptions::default());
    let inbox = MailboxName::inbox();
    let mut first = pool
        .acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    let second = pool.acquire(Class::Bulk, soon(), None).await.unwrap();
    first
        .select(&inbox, SelectOptions::default(), soon())
        .await
        .unwrap();
    drop(first);
    drop(second);
    assert_eq!(pool.connections(), (0, 2));
    let again = pool
        .acquire(Class::Bulk, soon(), Some(&inbox))
        .await
        .unwrap();
    assert!(again.selected().is_some());
    assert_eq!(network.connections(), 2);
}

#[tokio::test]
async fn an_interactive_use_takes_the_bulk_connection_and_no_more() {
    let network = server(|_| Script::selected(3)).await;
    let pool = pool(&network, PoolOptions::default());
    let _first = pool
        .acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    let second = pool
        .acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    assert!(matches!(
        pool.acquire(Class::Interactive, shortly(), None).await,
        Err(Error::Timeout(_))
    ));
    assert!(matches!(
        pool.acquire(Class::Bulk, shortly(), None).await,
        Err(Error::Timeout(_))
    ));
    let _watch = pool.acquire(Class::Watch, soon(), None).await.unwrap();
    drop(second);
    pool.acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    assert_eq!(network.connections(), 3);
}

#[tokio::test]
async fn an_interactive_use_does_not_wait_behind_a_transfer() {
    let network = server(|_| Script::selected(3)).await;
    let pool = pool(&network, PoolOptions::default());
    let _transfer = pool.acquire(Class::Bulk, soon(), None).await.unwrap();
    pool.acquire(Class::Interactive, shortly(), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_broken_connection_is_thrown_away() {
    let network = server(|number| match number {
        0 => Script::selected(3).then("UID SEARCH", "* BYE\r\n").close(),
        _ => Script::selected(3),
    })
    .await;
    let pool = pool(&network, PoolOptions::default());
    let mut connection = pool
        .acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    connection
        .select(&MailboxName::inbox(), SelectOptions::default(), soon())
        .await
        .unwrap();
    connection
        .uid_search(&SearchKey::All, soon())
        .await
        .unwrap_err();
    drop(connection);
    assert_eq!(pool.connections(), (0, 0));
    pool.acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    assert_eq!(network.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_while_idle_is_not_used() {
    let network = server(|number| match number {
        0 => Script::selected(3).close(),
        _ => Script::selected(3),
    })
    .await;
    let pool = pool(&network, PoolOptions::default());
    let mut connection = pool
        .acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    connection
        .select(&MailboxName::inbox(), SelectOptions::default(), soon())
        .await
        .unwrap();
    drop(connection);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let connection = pool
        .acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    assert!(connection.selected().is_none());
    assert_eq!(network.connections(), 2);
}

#[tokio::test]
async fn a_connection_idle_for_long_is_asked_first() {
    let options = PoolOptions {
        check_after: Duration::ZERO,
        ..PoolOptions::default()
    };
    // The first one does not know NOOP, which says enough.
    let network = server(|_| Script::new(CAPABILITIES)).await;
    let pool = pool(&network, options);
    drop(
        pool.acquire(Class::Interactive, soon(), None)
            .await
            .unwrap(),
    );
    pool.acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    assert_eq!(network.connections(), 2);
}

#[tokio::test]
async fn idle_connections_are_closed_after_a_while() {
    let options = PoolOptions {
        keep: Duration::from_millis(100),
        ..PoolOptions::default()
    };
    let network = server(|_| Script::selected(3)).await;
    let pool = pool(&network, options);
    drop(
        pool.acquire(Class::Interactive, soon(), None)
            .await
            .unwrap(),
    );
    assert_eq!(pool.connections(), (0, 1));
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(pool.connections(), (0, 0));
}

#[tokio::test]
async fn refused_credentials_are_not_sent_again_until_they_change() {
    let network = server(|number| match number {
        0 => Script::new(CAPABILITIES).then("LOGIN", "% NO [AUTHENTICATIONFAILED] no\r\n"),
        _ => Script::new(CAPABILITIES),
    })
    .await;
    let pool = pool(&network, PoolOptions::default());
    for _ in 0..3 {
        let error = pool
            .acquire(Class::Interactive, soon(), None)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }
    assert_eq!(network.connections(), 1);
    pool.set_auth(password("bob"));
    pool.acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn too_many_connections_make_the_next_wait_for_one_that_is_there() {
    let network = server(|number| match number {
        0 => Script::selected(3),
        _ => Script {
            greeting: "* BYE Too many connections\r\n".into(),
            ..Script::new(CAPABILITIES)
        },
    })
    .await;
    let pool = Arc::new(pool(&network, PoolOptions::default()));
    let first = pool
        .acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    let error = pool.acquire(Class::Bulk, soon(), None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    let other = pool.clone();
    let waiting =
        tokio::spawn(async move { other.acquire(Class::Bulk, soon(), None).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(first);
    waiting.await.unwrap().unwrap();
    assert_eq!(network.connections(), 2);
}

#[tokio::test]
async fn a_dropped_use_gives_its_place_back() {
    let network = server(|_| Script::selected(3).then("UID SEARCH", "")).await;
    let pool = pool(&network, PoolOptions::default());
    let mut connection = pool
        .acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    connection
        .select(&MailboxName::inbox(), SelectOptions::default(), soon())
        .await
        .unwrap();
    let search = tokio::time::timeout(Duration::from_millis(50), async move {
        connection.uid_search(&SearchKey::All, soon()).await
    });
    search.await.unwrap_err();
    assert_eq!(pool.connections(), (0, 0));
    pool.acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_closed_pool_makes_no_connection() {
    let network = server(|_| Script::selected(3)).await;
    let pool = pool(&network, PoolOptions::default());
    let connection = pool
        .acquire(Class::Interactive, soon(), None)
        .await
        .unwrap();
    pool.close();
    drop(connection);
    assert_eq!(pool.connections(), (0, 0));
    assert!(
        pool.acquire(Class::Interactive, soon(), None)
            .await
            .is_err()
    );
}
