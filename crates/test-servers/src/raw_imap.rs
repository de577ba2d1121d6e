//! A minimal IMAP client that tests use as ground truth.

mod mailbox;
mod message;
mod value;

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, BufWriter};
use tokio_rustls::TlsConnector;

pub use self::mailbox::{ListedMailbox, MailboxDump, Selected};
pub use self::message::StoredMail;
pub use self::value::Value;
use crate::loopback::{self, Connection};
use crate::{PASSWORD, TestCertificate};

/// A raw IMAP connection.
///
/// Every answer's tagged status is looked at and an early end of the stream is an error, so that nothing here can take a
/// failure for an empty mailbox. Mailbox names are as on the wire (modified UTF-7, with the server's prefix).
pub struct RawImap {
    stream: BufReader<BufWriter<Box<dyn Connection>>>,
    tags: u32,
    greeting: String,
    capabilities: Vec<String>,
    patience: Duration,
}

/// What a server answered to one command.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Untagged and continuation responses in their order, literals included, without the last line end.
    pub untagged: Vec<Vec<u8>>,
    /// The tagged response after the tag: `OK [APPENDUID 1 2] Append completed.`
    pub tagged: String,
}

impl Answer {
    /// Whether the tagged status is OK.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.tagged.starts_with("OK")
    }

    /// All of it as text, with anything that is not UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text: String = self
            .untagged
            .iter()
            .map(|response| format!("{}\n", String::from_utf8_lossy(response)))
            .collect();
        text.push_str(&self.tagged);
        text
    }

    /// The numbers of a response code, tagged or not: `code("UIDVALIDITY")`.
    fn code(&self, name: &str) -> Option<Vec<String>> {
        let start = format!("[{name} ");
        let find = |text: &str| {
            let (_, rest) = text.split_once(&start)?;
            let (inner, _) = rest.split_once(']')?;
            Some(inner.split(' ').map(String::from).collect())
        };
        find(&self.tagged).or_else(|| {
            self.untagged
                .iter()
                .find_map(|response| find(&String::from_utf8_lossy(response)))
        })
    }
}

fn buffered(stream: Box<dyn Connection>) -> BufReader<BufWriter<Box<dyn Connection>>> {
    BufReader::with_capacity(1 << 18, BufWriter::with_capacity(1 << 18, stream))
}

impl RawImap {
    /// Connects to a port on 127.0.0.1 and reads the greeting.
    ///
    /// # Errors
    /// When nothing listens or the greeting is neither OK nor PREAUTH.
    pub async fn connect(port: u16) -> Result<Self> {
        let stream = loopback::connect_port(port).await?;
        Self::greeted(Box::new(stream)).await
    }

    /// Connects with TLS from the first byte, as `localhost`.
    ///
    /// # Errors
    /// As [`RawImap::connect`], and when the certificate is not of this authority.
    pub async fn connect_tls(port: u16, certificate: &TestCertificate) -> Result<Self> {
        let stream = loopback::connect_port(port).await?;
        let connector = TlsConnector::from(certificate.client_config()?);
        let stream = connector
            .connect(ServerName::try_from("localhost")?, stream)
            .await?;
        Self::greeted(Box::new(stream)).await
    }

    /// Connects and logs a user in with the common password.
    ///
    /// # Errors
    /// When either fails.
    pub async fn login(port: u16, user: &str) -> Result<Self> {
        let mut client = Self::connect(port).await?;
        client.authenticate(user, PASSWORD).await?;
        Ok(client)
    }

    async fn greeted(stream: Box<dyn Connection>) -> Result<Self> {
        let mut client = Self {
            stream: buffered(stream),
            tags: 0,
            greeting: String::new(),
            capabilities: Vec::new(),
            patience: Duration::from_secs(60),
        };
        client.greeting = String::from_utf8_lossy(&client.read_response().await?).into_owned();
        ensure!(
            client.greeting.starts_with("* OK") || client.greeting.starts_with("* PREAUTH"),
            "greeted with {:?}",
            client.greeting
        );
        Ok(client)
    }

    /// The server's first line.
    #[must_use]
    pub fn greeting(&self) -> &str {
        &self.greeting
    }

    /// Sets how long to wait for each response; 60 s at first.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Turns a plain connection into a TLS one.
    ///
    /// # Errors
    /// When the server refuses STARTTLS or the handshake fails.
    pub async fn start_tls(mut self, certificate: &TestCertificate) -> Result<Self> {
        self.command("STARTTLS").await?;
        ensure!(self.stream.buffer().is_empty(), "plain text after STARTTLS");
        let connector = TlsConnector::from(certificate.client_config()?);
        let plain = self.stream.into_inner().into_inner();
        let stream = connector
            .connect(ServerName::try_from("localhost")?, plain)
            .await?;
        let stream: Box<dyn Connection> = Box::new(stream);
        self.stream = buffered(stream);
        Ok(self)
    }

    /// LOGIN, then CAPABILITY.
    ///
    /// # Errors
    /// When refused.
    pub async fn authenticate(&mut self, user: &str, password: &str) -> Result<()> {
        let line = format!("LOGIN {} {}", quoted(user), quoted(password));
        self.command(&line).await?;
        self.capability().await.map(drop)
    }

    /// AUTHENTICATE XOAUTH2 with an initial response, then CAPABILITY.
    ///
    /// # Errors
    /// When refused.
    pub async fn authenticate_xoauth2(&mut self, user: &str, token: &str) -> Result<()> {
        let response = STANDARD.encode(format!("user={user}\x01auth=Bearer {token}\x01\x01"));
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        self.send(format!("{tag} AUTHENTICATE XOAUTH2 {response}\r\n").as_bytes())
            .await?;
        let mut response = self.read_response().await?;
        if response.starts_with(b"+") {
            // The challenge holds the error as JSON; an empty response ends the exchange.
            self.send(b"\r\n").await?;
            response = self.read_response().await?;
        }
        while response.starts_with(b"*") {
            response = self.read_response().await?;
        }
        let text = String::from_utf8_lossy(&response).into_owned();
        ensure!(text.starts_with(&format!("{tag} OK")), "XOAUTH2: {text}");
        self.capability().await.map(drop)
    }

    /// What the server says it can do; the newest answer is kept.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn capability(&mut self) -> Result<Vec<String>> {
        let answer = self.command("CAPABILITY").await?;
        let line = answer
            .untagged
            .iter()
            .find_map(|response| response.strip_prefix(b"* CAPABILITY "))
            .context("no CAPABILITY response")?;
        self.capabilities = String::from_utf8_lossy(line)
            .split_whitespace()
            .map(String::from)
            .collect();
        Ok(self.capabilities.clone())
    }

    /// Whether the last CAPABILITY answer named this one.
    #[must_use]
    pub fn advertises(&self, capability: &str) -> bool {
        self.capabilities
            .iter()
            .any(|one| one.eq_ignore_ascii_case(capability))
    }

    /// Sends a command and reads to its tagged response, whatever its status.
    ///
    /// # Errors
    /// When the connection ends or the server is silent for too long.
    pub async fn exchange(&mut self, command: &str) -> Result<Answer> {
        self.exchange_parts(&[command.as_bytes()]).await
    }

    /// As [`RawImap::exchange`], and fails unless the status is OK.
    ///
    /// # Errors
    /// When the status is NO or BAD, or the connection ends.
    pub async fn command(&mut self, command: &str) -> Result<Answer> {
        self.command_parts(&[command.as_bytes()]).await
    }

    /// Sends parts of which every one after the first is a literal followed by nothing: `["APPEND x", raw]`.
    async fn command_parts(&mut self, parts: &[&[u8]]) -> Result<Answer> {
        let answer = self.exchange_parts(parts).await?;
        let shown = String::from_utf8_lossy(parts.first().copied().unwrap_or_default());
        ensure!(answer.is_ok(), "{shown}: {}", answer.tagged);
        Ok(answer)
    }

    async fn exchange_parts(&mut self, parts: &[&[u8]]) -> Result<Answer> {
        self.tags += 1;
        let tag = format!("t{} ", self.tags);
        let mut untagged = Vec::new();
        self.stream.write_all(tag.as_bytes()).await?;
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.send(format!(" {{{}}}\r\n", part.len()).as_bytes())
                    .await?;
                loop {
                    let response = self.read_response().await?;
                    if response.starts_with(b"+") {
                        break;
                    }
                    if let Some(tagged) = response.strip_prefix(tag.as_bytes()) {
                        let tagged = String::from_utf8_lossy(tagged).into_owned();
                        return Ok(Answer { untagged, tagged });
                    }
                    untagged.push(response);
                }
            }
            self.stream.write_all(part).await?;
        }
        self.send(b"\r\n").await?;
        self.read_until_tagged(&tag, untagged).await
    }

    async fn read_until_tagged(&mut self, tag: &str, mut untagged: Vec<Vec<u8>>) -> Result<Answer> {
        loop {
            let response = self.read_response().await?;
            if let Some(tagged) = response.strip_prefix(tag.as_bytes()) {
                let tagged = String::from_utf8_lossy(tagged).into_owned();
                return Ok(Answer { untagged, tagged });
            }
            untagged.push(response);
        }
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Reads one response with its literals, without the last line end.
    ///
    /// # Errors
    /// When the connection ends, also in the middle, or nothing comes for too long.
    pub async fn read_response(&mut self) -> Result<Vec<u8>> {
        let patience = self.patience;
        tokio::time::timeout(patience, self.read_whole())
            .await
            .with_context(|| format!("no response for {patience:?}"))?
    }

    async fn read_whole(&mut self) -> Result<Vec<u8>> {
        let mut response = Vec::new();
        loop {
            self.stream.read_until(b'\n', &mut response).await?;
            let Some(line) = response.strip_suffix(b"\r\n") else {
                bail!(
                    "the server closed the connection after {:?}",
                    String::from_utf8_lossy(&response)
                );
            };
            match literal_length(line) {
                Some(length) => {
                    let start = response.len();
                    response.resize(start + length, 0);
                    self.stream
                        .read_exact(&mut response[start..])
                        .await
                        .context("the server closed the connection in a literal")?;
                }
                None => {
                    response.truncate(line.len());
                    return Ok(response);
                }
            }
        }
    }

    /// IDLE until a response arrives, which is returned after DONE.
    ///
    /// # Errors
    /// When the server refuses IDLE or is silent for too long.
    pub async fn idle_once(&mut self) -> Result<Vec<u8>> {
        self.tags += 1;
        let tag = format!("t{} ", self.tags);
        self.send(format!("{tag}IDLE\r\n").as_bytes()).await?;
        let mut response = self.read_response().await?;
        ensure!(!response.starts_with(tag.as_bytes()), "IDLE refused");
        while response.starts_with(b"+") || response.starts_with(b"* OK") {
            response = self.read_response().await?;
        }
        self.send(b"DONE\r\n").await?;
        let answer = self.read_until_tagged(&tag, Vec::new()).await?;
        ensure!(answer.is_ok(), "IDLE: {}", answer.tagged);
        Ok(response)
    }

    /// LOGOUT and the end of the stream.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn logout(mut self) -> Result<()> {
        self.command("LOGOUT").await?;
        let mut rest = Vec::new();
        // Some servers end TLS without its closing alert; either way the session is over.
        let _ = self.stream.read_to_end(&mut rest).await;
        Ok(())
    }
}

impl std::fmt::Debug for RawImap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawImap")
            .field("greeting", &self.greeting)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

/// The length of the literal that a line announces at its end.
fn literal_length(line: &[u8]) -> Option<usize> {
    let digits = line.strip_suffix(b"}")?;
    let start = digits.iter().rposition(|byte| *byte == b'{')? + 1;
    let digits = std::str::from_utf8(&digits[start..]).ok()?;
    digits.trim_end_matches('+').parse().ok()
}

/// A quoted string (RFC 9051 section 4.3).
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
