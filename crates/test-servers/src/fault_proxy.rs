//! A TCP proxy on loopback that can be told to misbehave.

mod pump;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use self::pump::{Direction, End, pump};
use crate::{free_port, loopback};

/// What the proxy does to connections, old and new.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Forwards everything at once.
    #[default]
    Pass,
    /// Refuses new connections, as a server that is down; open ones go on.
    Refuse,
    /// Accepts connections and forwards nothing in either direction.
    Stall,
    /// Ends each connection in order (FIN) after this many more bytes from server to client.
    CutAfter(u64),
    /// Ends each connection in order (FIN) after this many more bytes from client to server.
    CutUploadAfter(u64),
    /// Forwards every byte this much later, however many are on their way.
    Delay {
        /// From client to server.
        to_server: Duration,
        /// From server to client.
        to_client: Duration,
    },
}

/// The fault in force, and its number: the byte count of a cut begins anew when it is set again.
type Setting = (u64, Fault);

#[derive(Debug, Default)]
struct Counters {
    accepted: AtomicUsize,
    open: AtomicUsize,
    to_server: AtomicU64,
    to_client: AtomicU64,
}

/// A proxy in front of one server. Must live inside a tokio runtime; its connections end when it is dropped.
#[derive(Debug)]
pub struct FaultProxy {
    port: u16,
    target: SocketAddr,
    setting: watch::Sender<Setting>,
    cut: watch::Sender<()>,
    counters: Arc<Counters>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl FaultProxy {
    /// Listens on a free loopback port and forwards to `target`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(target: SocketAddr) -> Result<Self> {
        let proxy = Self {
            port: free_port()?,
            target,
            setting: watch::Sender::new((0, Fault::Pass)),
            cut: watch::Sender::new(()),
            counters: Arc::default(),
            listener: Mutex::new(None),
        };
        proxy.listen()?;
        Ok(proxy)
    }

    /// As [`FaultProxy::start`], for a server on 127.0.0.1.
    ///
    /// # Errors
    /// When no port is free.
    pub fn to_port(port: u16) -> Result<Self> {
        Self::start(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
    }

    /// The port to connect to on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Changes the behaviour; when this returns, it is in force.
    ///
    /// # Errors
    /// When the port cannot be listened on again after [`Fault::Refuse`].
    pub async fn set(&self, fault: Fault) -> Result<()> {
        self.setting
            .send_modify(|(number, current)| (*number, *current) = (*number + 1, fault));
        if fault == Fault::Refuse {
            let listener = self.lock().take();
            if let Some(task) = listener {
                task.abort();
                // The listening socket is closed when the task is gone. Its result says only that it was aborted.
                let _ = task.await;
            }
        } else if self.lock().is_none() {
            self.listen()?;
        }
        Ok(())
    }

    /// Resets (RST) every open connection now.
    pub fn cut_now(&self) {
        self.cut.send_replace(());
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.counters.accepted.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.counters.open.load(Ordering::SeqCst)
    }

    /// Bytes forwarded so far: from client to server, and from server to client.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (
            self.counters.to_server.load(Ordering::SeqCst),
            self.counters.to_client.load(Ordering::SeqCst),
        )
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<JoinHandle<()>>> {
        self.listener.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self) -> Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, self.port).into())?;
        let listener = socket.listen(1024)?;
        let (target, counters) = (self.target, Arc::clone(&self.counters));
        let (setting, cut) = (self.setting.subscribe(), self.cut.subscribe());
        let task = tokio::spawn(accept(listener, target, counters, setting, cut));
        *self.lock() = Some(task);
        Ok(())
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(task) = self.lock().take() {
            task.abort();
        }
    }
}

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    counters: Arc<Counters>,
    setting: watch::Receiver<Setting>,
    mut cut: watch::Receiver<()>,
) {
    while let Ok((client, _)) = listener.accept().await {
        cut.mark_unchanged();
        counters.accepted.fetch_add(1, Ordering::SeqCst);
        counters.open.fetch_add(1, Ordering::SeqCst);
        let (counters, setting, cut) = (Arc::clone(&counters), setting.clone(), cut.clone());
        tokio::spawn(async move {
            // A broken connection is what a proxy of faults is for: its error says nothing.
            let _ = forward(client, target, &counters, setting, cut).await;
            counters.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn forward(
    client: TcpStream,
    target: SocketAddr,
    counters: &Counters,
    setting: watch::Receiver<Setting>,
    mut cut: watch::Receiver<()>,
) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let server = loopback::connect(target).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let end = {
        let up = pump(
            &mut from_client,
            &mut to_server,
            Direction::ToServer,
            setting.clone(),
            &counters.to_server,
        );
        let down = pump(
            &mut from_server,
            &mut to_client,
            Direction::ToClient,
            setting,
            &counters.to_client,
        );
        let both = async {
            match tokio::try_join!(up, down) {
                Ok(_) => End::Order,
                Err(end) => end,
            }
        };
        tokio::select! {
            end = both => end,
            // Also when the proxy is dropped.
            _ = cut.changed() => End::Reset,
        }
    };
    if end == End::Reset {
        from_client.as_ref().set_zero_linger()?;
        from_server.as_ref().set_zero_linger()?;
        // A write half that is dropped would first send FIN.
        to_client.forget();
        to_server.forget();
    }
    Ok(())
}
