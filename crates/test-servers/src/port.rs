//! Free loopback ports.

use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::sync::Mutex;

use anyhow::{Result, bail};
use rand::Rng;

/// Below Linux's ephemeral range (32768 and up), so that no outgoing connection takes a port between choice and use.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// One held name per port given out, until the process ends.
static TAKEN: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());

/// A port on 127.0.0.1 that nothing listens on and that no other test process was given.
///
/// Test processes agree through names of abstract Unix sockets, which the kernel frees with the process.
///
/// # Errors
/// When 1,000 random ports in a row are taken.
pub fn free_port() -> Result<u16> {
    let mut rng = rand::rng();
    for _ in 0..1_000 {
        let port = rng.random_range(RANGE);
        let name = SocketAddr::from_abstract_name(format!("polypost-test-port-{port}"))?;
        let Ok(claim) = UnixListener::bind_addr(&name) else {
            continue;
        };
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_err() {
            continue;
        }
        TAKEN
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(claim);
        return Ok(port);
    }
    bail!("no free port between {} and {}", RANGE.start, RANGE.end)
}
