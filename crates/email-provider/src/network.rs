//! Sockets, handed in. Every connection to a host that a caller or a server named goes through
//! [`Network`], which checks the address that is actually connected to.

mod addresses;
mod guarded;
mod host;
mod names;

pub use addresses::is_public;
pub use guarded::{GuardOptions, GuardedNetwork};
pub use names::{NameLookup, SystemNames};

use std::{fmt::Debug, net::SocketAddr};

use async_trait::async_trait;
use tokio::net::TcpStream;

/// Why no connection came about. Deliberately coarse: it may be shown to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Every address of the host, or the port, is forbidden here.
    #[error("refused")]
    Forbidden,
    /// No address, no answer, or too late.
    #[error("unreachable")]
    Unreachable,
}

/// A service found by its SRV record (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRecord {
    /// The host.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Names and sockets.
#[async_trait]
pub trait Network: Send + Sync + Debug {
    /// Connects to a host by name or address. The name is resolved here and the connection goes to
    /// an address that was checked; `TCP_NODELAY` is set.
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, NetworkError>;

    /// The allowed addresses of a host, for clients that connect by themselves (HTTP).
    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, NetworkError>;

    /// SRV records, best first; none where there are none.
    async fn services(&self, name: &str) -> Vec<ServiceRecord>;

    /// Whether the operator named this host's network as internal and allowed: what `security=none`
    /// and `trustServer` need. True only if every address of the host is in it.
    async fn is_operator_allowed(&self, host: &str) -> bool;
}
