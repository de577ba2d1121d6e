//! The proxy misbehaves as told, with a real server behind it.

use std::time::{Duration, Instant};

use test_servers::{Dialect, Dovecot, Fault, FaultProxy, RawImap};

async fn proxied(user: &str) -> anyhow::Result<(FaultProxy, RawImap)> {
    let dovecot = Dovecot::shared(Dialect::Qresync).await?;
    let proxy = FaultProxy::to_port(dovecot.imap_port())?;
    let client = RawImap::login(proxy.port(), user).await?;
    Ok((proxy, client))
}

#[tokio::test]
async fn it_passes_and_counts() {
    let (proxy, mut client) = proxied("u0001@test.local").await.unwrap();
    client
        .append("INBOX", &vec![b'x'; 3_000_000], &[], None)
        .await
        .unwrap();
    assert_eq!(
        client.dump("INBOX").await.unwrap().mails[&1].raw.len(),
        3_000_000
    );
    let _second = RawImap::connect(proxy.port()).await.unwrap();
    assert_eq!((proxy.connections(), proxy.open_connections()), (2, 2));
    let (to_server, to_client) = proxy.bytes();
    assert!(to_server > 3_000_000 && to_client > 3_000_000);
    client.logout().await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!((proxy.connections(), proxy.open_connections()), (2, 1));
}

#[tokio::test]
async fn a_cut_resets_connections_and_lets_new_ones_in() {
    let (proxy, mut client) = proxied("u0002@test.local").await.unwrap();
    proxy.cut_now();
    assert!(client.command("NOOP").await.is_err());
    let mut again = RawImap::login(proxy.port(), "u0002@test.local")
        .await
        .unwrap();
    again.command("NOOP").await.unwrap();
}

#[tokio::test]
async fn a_refusing_proxy_is_a_closed_port_until_it_passes_again() {
    let (proxy, mut client) = proxied("u0003@test.local").await.unwrap();
    proxy.set(Fault::Refuse).await.unwrap();
    let refusal = RawImap::connect(proxy.port()).await.unwrap_err();
    let kind = refusal.downcast_ref::<std::io::Error>().unwrap().kind();
    assert_eq!(kind, std::io::ErrorKind::ConnectionRefused);
    client.command("NOOP").await.unwrap();
    proxy.set(Fault::Pass).await.unwrap();
    RawImap::connect(proxy.port()).await.unwrap();
}

#[tokio::test]
async fn a_stalled_proxy_forwards_nothing_until_it_passes_again() {
    let (proxy, mut client) = proxied("u0004@test.local").await.unwrap();
    proxy.set(Fault::Stall).await.unwrap();
    client.set_patience(Duration::from_millis(200));
    assert!(
        client
            .command("NOOP")
            .await
            .unwrap_err()
            .to_string()
            .contains("no response")
    );
    proxy.set(Fault::Pass).await.unwrap();
    let late = client.read_response().await.unwrap();
    assert!(
        late.ends_with(b"NOOP completed (0.001 + 0.000 secs).") || late.starts_with(b"t"),
        "{late:?}"
    );
}

#[tokio::test]
async fn a_connection_ends_after_so_many_bytes_to_the_client() {
    let (proxy, mut client) = proxied("u0005@test.local").await.unwrap();
    client
        .append("INBOX", &vec![b'x'; 100_000], &[], None)
        .await
        .unwrap();
    proxy.set(Fault::CutAfter(50_000)).await.unwrap();
    let (_, before) = proxy.bytes();
    let end = client.dump("INBOX").await.unwrap_err();
    assert!(
        format!("{end:#}").contains("closed the connection in a literal"),
        "{end:#}"
    );
    assert_eq!(proxy.bytes().1 - before, 50_000);
}

#[tokio::test]
async fn a_delay_is_latency_not_bandwidth() {
    let (proxy, mut client) = proxied("u0006@test.local").await.unwrap();
    client
        .append("INBOX", &vec![b'x'; 5_000_000], &[], None)
        .await
        .unwrap();
    let delay = Duration::from_millis(50);
    let fault = Fault::Delay {
        to_server: delay,
        to_client: delay,
    };
    proxy.set(fault).await.unwrap();
    let start = Instant::now();
    client.command("NOOP").await.unwrap();
    assert!(start.elapsed() >= 2 * delay);
    let start = Instant::now();
    client.dump("INBOX").await.unwrap();
    // Two round trips, and not one per chunk of 64 KiB.
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test]
async fn a_connection_ends_after_so_many_bytes_to_the_server() {
    let (proxy, mut client) = proxied("u0007@test.local").await.unwrap();
    proxy.set(Fault::CutUploadAfter(50_000)).await.unwrap();
    let (before, _) = proxy.bytes();
    let large = vec![b'x'; 100_000];
    let appended = client.append("INBOX", &large, &[], None).await;
    appended.unwrap_err();
    assert_eq!(proxy.bytes().0 - before, 50_000);
    proxy.set(Fault::Pass).await.unwrap();
    let mut again = RawImap::login(proxy.port(), "u0007@test.local")
        .await
        .unwrap();
    assert!(again.dump("INBOX").await.unwrap().mails.is_empty());
}
