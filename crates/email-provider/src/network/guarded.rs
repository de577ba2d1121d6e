use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use ipnet::IpNet;
use tokio::{net::TcpStream, time::timeout};

use super::{
    NameLookup, Network, NetworkError, ServiceRecord, SystemNames,
    addresses::{canonical, is_metadata, is_public},
    host::Host,
};

/// What a [`GuardedNetwork`] allows beyond the operator's networks.
#[derive(Clone, Debug)]
pub struct GuardOptions {
    /// Ports open on public addresses. On the operator's networks every port is.
    pub ports: Vec<u16>,
    /// How long a connection may take, name lookup included.
    pub connect_timeout: Duration,
}

impl Default for GuardOptions {
    /// The ports of IMAP, submission and HTTP; ten seconds.
    fn default() -> Self {
        Self {
            ports: vec![993, 143, 465, 587, 443, 80, 8443],
            connect_timeout: Duration::from_secs(10),
        }
    }
}

/// Connects to the public internet and to the networks that the operator named, nothing else.
///
/// A name is looked up for each connection, its addresses are filtered, and the connection goes to
/// an address that passed: a name that changes its meaning in between gains nothing.
#[derive(Clone, Debug)]
pub struct GuardedNetwork {
    allow: Vec<IpNet>,
    options: GuardOptions,
    names: Arc<dyn NameLookup>,
}

impl GuardedNetwork {
    /// Most addresses of a host that are tried.
    const MOST_TRIED: usize = 6;

    /// A network with the operator's own networks in `allow`. A cloud's metadata address stays
    /// forbidden unless an entry names exactly that address (`/32`, `/128`).
    pub fn new(allow: Vec<IpNet>, options: GuardOptions) -> Self {
        Self::with_names(allow, options, Arc::new(SystemNames::new()))
    }

    /// The same with lookups handed in.
    pub fn with_names(
        allow: Vec<IpNet>,
        options: GuardOptions,
        names: Arc<dyn NameLookup>,
    ) -> Self {
        Self {
            allow,
            options,
            names,
        }
    }

    async fn addresses(&self, host: &Host) -> Vec<IpAddr> {
        match host {
            Host::Address(address) => vec![*address],
            Host::Name(name) => self.names.addresses(name).await,
        }
    }

    fn in_operator_network(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        let exact = |net: &IpNet| net.addr() == address && net.prefix_len() == net.max_prefix_len();
        if is_metadata(address) {
            self.allow.iter().any(exact)
        } else {
            self.allow.iter().any(|net| net.contains(&address))
        }
    }

    fn is_allowed(&self, address: IpAddr, port: u16) -> bool {
        port != 0
            && (self.in_operator_network(address)
                || (is_public(address) && self.options.ports.contains(&port)))
    }

    async fn checked(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NetworkError> {
        let host = Host::parse(host).ok_or(NetworkError::Forbidden)?;
        let found = self.addresses(&host).await;
        if found.is_empty() {
            return Err(NetworkError::Unreachable);
        }
        let allowed: Vec<SocketAddr> = found
            .into_iter()
            .filter(|address| self.is_allowed(*address, port))
            .map(|address| SocketAddr::new(address, port))
            .collect();
        if allowed.is_empty() {
            Err(NetworkError::Forbidden)
        } else {
            Ok(allowed)
        }
    }

    async fn connect_any(&self, host: &str, port: u16) -> Result<TcpStream, NetworkError> {
        let addresses = self.checked(host, port).await?;
        let tried = addresses.len().min(Self::MOST_TRIED);
        // One dead address must not use up the time of the others.
        let each = self.options.connect_timeout / u32::try_from(tried).unwrap_or(1);
        for address in addresses.into_iter().take(tried) {
            if let Ok(Ok(stream)) = timeout(each, dial(address)).await {
                return Ok(stream);
            }
        }
        Err(NetworkError::Unreachable)
    }
}

#[expect(clippy::disallowed_methods, reason = "the address was checked")]
async fn dial(address: SocketAddr) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[async_trait]
impl Network for GuardedNetwork {
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, NetworkError> {
        timeout(self.options.connect_timeout, self.connect_any(host, port))
            .await
            .unwrap_or(Err(NetworkError::Unreachable))
    }

    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NetworkError> {
        timeout(self.options.connect_timeout, self.checked(host, port))
            .await
            .unwrap_or(Err(NetworkError::Unreachable))
    }

    async fn services(&self, name: &str) -> Vec<ServiceRecord> {
        let Some(Host::Name(name)) = Host::parse(name) else {
            return Vec::new();
        };
        let mut found = timeout(self.options.connect_timeout, self.names.services(&name))
            .await
            .unwrap_or_default();
        found.retain(|record| Host::parse(&record.host).is_some());
        found
    }

    async fn is_operator_allowed(&self, host: &str) -> bool {
        let Some(host) = Host::parse(host) else {
            return false;
        };
        let found = timeout(self.options.connect_timeout, self.addresses(&host))
            .await
            .unwrap_or_default();
        !found.is_empty()
            && found
                .into_iter()
                .all(|address| self.in_operator_network(address))
    }
}

#[cfg(test)]
mod tests;
