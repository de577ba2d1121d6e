//! An in-process server whose every byte the test decides.

mod stream;

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

pub use self::stream::{Command, ScriptedStream};
use crate::{TestCertificate, free_port};

#[derive(Debug, Default)]
struct Seen {
    connections: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

/// A server on a loopback port that runs a script for each connection. Must live inside a tokio runtime; its connections
/// end when it is dropped.
#[derive(Debug)]
pub struct ScriptedImap {
    port: u16,
    certificate: TestCertificate,
    seen: Arc<Seen>,
    listener: JoinHandle<()>,
}

impl ScriptedImap {
    /// Plain connections; a script may call [`ScriptedStream::start_tls`].
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start<S, F>(script: S) -> Result<Self>
    where
        S: Fn(ScriptedStream) -> F + Send + Sync + 'static,
        F: Future<Output = Result<()>> + Send,
    {
        Self::listen(script, false).await
    }

    /// TLS from the first byte.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn start_with_tls<S, F>(script: S) -> Result<Self>
    where
        S: Fn(ScriptedStream) -> F + Send + Sync + 'static,
        F: Future<Output = Result<()>> + Send,
    {
        Self::listen(script, true).await
    }

    async fn listen<S, F>(script: S, tls: bool) -> Result<Self>
    where
        S: Fn(ScriptedStream) -> F + Send + Sync + 'static,
        F: Future<Output = Result<()>> + Send,
    {
        let port = free_port()?;
        let certificate = TestCertificate::generate()?;
        let acceptor = TlsAcceptor::from(certificate.server_config()?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let seen = Arc::<Seen>::default();
        let script = Arc::new(script);
        let record = Arc::clone(&seen);
        let listener = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                record.connections.fetch_add(1, Ordering::SeqCst);
                let (script, record, acceptor) =
                    (Arc::clone(&script), Arc::clone(&record), acceptor.clone());
                connections.spawn(async move {
                    let result = async {
                        let mut stream = ScriptedStream::new(stream, acceptor)?;
                        if tls {
                            stream = stream.start_tls().await?;
                        }
                        script(stream).await
                    };
                    if let Err(failure) = result.await {
                        let mut failures = record
                            .failures
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner);
                        failures.push(format!("{failure:#}"));
                    }
                });
            }
        });
        Ok(Self {
            port,
            certificate,
            seen,
            listener,
        })
    }

    /// The port to connect to on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's certificate and its authority.
    #[must_use]
    pub fn certificate(&self) -> &TestCertificate {
        &self.certificate
    }

    /// How many connections were accepted so far.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// How scripts failed so far. A client that hangs up on a hostile server is one of the ways.
    #[must_use]
    pub fn failures(&self) -> Vec<String> {
        self.seen
            .failures
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for ScriptedImap {
    fn drop(&mut self) {
        self.listener.abort();
    }
}
