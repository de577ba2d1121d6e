use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, ensure};

use crate::{Config, commands::print, lifecycle::Ended};

/// For containers, which have no other client at hand.
pub(super) async fn run(config: &Config) -> anyhow::Result<Ended> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_built_in_root_certs(false)
        .timeout(Duration::from_secs(5))
        .build()?;
    let url = format!("http://{}/readyz", reachable(config.listen));
    let answer = client
        .get(&url)
        .send()
        .await
        .with_context(|| format!("no answer from {url}"))?;
    ensure!(
        answer.status().is_success(),
        "not ready: {}",
        answer.status()
    );
    print::line("ready")?;
    Ok(Ended::Finished)
}

/// Where a listener on every address is reached from its own machine.
fn reachable(mut listening: SocketAddr) -> SocketAddr {
    match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => listening.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => listening.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    listening
}
