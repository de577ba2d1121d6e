//! The server's end of a scripted connection, with the usual steps and the usual mischief.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::loopback::Connection;

/// Bytes written at once by the endless senders.
const CHUNK: usize = 64 * 1024;

/// A command that the client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// The client's tag.
    pub tag: String,
    /// The command's name in capitals, with the second word of a `UID` command: `UID FETCH`.
    pub name: String,
    /// All of it after the tag, literals included, without the last line end.
    pub line: String,
}

/// The server's end of a connection.
pub struct ScriptedStream {
    stream: BufReader<Box<dyn Connection>>,
    acceptor: TlsAcceptor,
}

impl ScriptedStream {
    pub(super) fn new(stream: TcpStream, acceptor: TlsAcceptor) -> Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            stream: BufReader::new(Box::new(stream)),
            acceptor,
        })
    }

    /// The handshake of TLS, for after the tagged OK to STARTTLS.
    ///
    /// # Errors
    /// When the handshake fails.
    pub async fn start_tls(self) -> Result<Self> {
        let stream = self.acceptor.accept(self.stream.into_inner()).await?;
        Ok(Self {
            stream: BufReader::new(Box::new(stream)),
            acceptor: self.acceptor,
        })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the client has hung up.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        self.stream.write_all(bytes.as_ref()).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Sends text and a line end.
    ///
    /// # Errors
    /// When the client has hung up.
    pub async fn line(&mut self, text: &str) -> Result<()> {
        self.send(format!("{text}\r\n")).await
    }

    /// Answers a command with OK.
    ///
    /// # Errors
    /// When the client has hung up.
    pub async fn ok(&mut self, command: &Command) -> Result<()> {
        self.line(&format!("{} OK done", command.tag)).await
    }

    /// Reads one line without its end.
    ///
    /// # Errors
    /// When the client has hung up.
    pub async fn read_line(&mut self) -> Result<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        let line = line.strip_suffix(b"\r\n").context("the client hung up")?;
        Ok(String::from_utf8_lossy(line).into_owned())
    }

    /// Reads a command; asks for its literals as a server does.
    ///
    /// # Errors
    /// When the client has hung up, or sends something else than a command.
    pub async fn read_command(&mut self) -> Result<Command> {
        let mut text = String::new();
        loop {
            let line = self.read_line().await?;
            let Some((start, length)) = literal_at_end(&line) else {
                text.push_str(&line);
                break;
            };
            text.push_str(start);
            if !length.ends_with('+') {
                self.line("+ go on").await?;
            }
            let mut literal = vec![0; length.trim_end_matches('+').parse()?];
            self.stream.read_exact(&mut literal).await?;
            text.push_str(&String::from_utf8_lossy(&literal));
        }
        let (tag, line) = text
            .split_once(' ')
            .with_context(|| format!("no command: {text:?}"))?;
        let mut words = line.split(' ').map(str::to_ascii_uppercase);
        let mut name = words.next().unwrap_or_default();
        if name == "UID" {
            name = format!("UID {}", words.next().unwrap_or_default());
        }
        Ok(Command {
            tag: tag.to_owned(),
            name,
            line: line.to_owned(),
        })
    }

    /// Greets, then answers commands as a polite server with one empty INBOX does, until one with this name comes, which is
    /// returned for the script to answer: `stream.greet_until("IMAP4rev1 IDLE", "SELECT")`.
    ///
    /// # Errors
    /// When the client has hung up before.
    pub async fn greet_until(&mut self, capabilities: &str, name: &str) -> Result<Command> {
        self.line("* OK ready").await?;
        self.serve_until(capabilities, name).await
    }

    /// As [`ScriptedStream::greet_until`], without the greeting.
    ///
    /// # Errors
    /// When the client has hung up before.
    pub async fn serve_until(&mut self, capabilities: &str, name: &str) -> Result<Command> {
        loop {
            let command = self.read_command().await?;
            if command.name == name {
                return Ok(command);
            }
            self.answer(capabilities, &command).await?;
        }
    }

    /// Answers one command politely.
    ///
    /// # Errors
    /// When the client has hung up.
    pub async fn answer(&mut self, capabilities: &str, command: &Command) -> Result<()> {
        match command.name.as_str() {
            "CAPABILITY" => self.line(&format!("* CAPABILITY {capabilities}")).await?,
            "NAMESPACE" => self.line("* NAMESPACE ((\"\" \"/\")) NIL NIL").await?,
            "LIST" => self.line("* LIST () \"/\" INBOX").await?,
            "LSUB" => self.line("* LSUB () \"/\" INBOX").await?,
            "ENABLE" => self.line("* ENABLED").await?,
            "STATUS" => {
                self.line("* STATUS INBOX (MESSAGES 0 UIDNEXT 1 UIDVALIDITY 1 UNSEEN 0)")
                    .await?
            }
            "SELECT" | "EXAMINE" => {
                self.line("* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)")
                    .await?;
                self.line("* 0 EXISTS").await?;
                self.line("* 0 RECENT").await?;
                self.line("* OK [UIDVALIDITY 1] .").await?;
                self.line("* OK [UIDNEXT 1] .").await?;
            }
            "SEARCH" | "UID SEARCH" => self.line("* SEARCH").await?,
            "AUTHENTICATE" if command.line.split(' ').count() < 3 => {
                self.line("+ ").await?;
                self.read_line().await?;
            }
            "IDLE" => {
                self.line("+ idling").await?;
                self.read_line().await?;
            }
            "LOGOUT" => self.line("* BYE see you").await?,
            _ => {}
        }
        self.ok(command).await
    }

    /// Repeats a byte without a line end until the client hangs up, or `limit` bytes are sent. Returns how many were.
    ///
    /// # Errors
    /// Never: that the client hangs up is what a test of this waits for.
    pub async fn endless_line(&mut self, byte: u8, limit: u64) -> Result<u64> {
        let chunk = [byte; CHUNK];
        let mut sent = 0;
        while sent < limit && self.send(&chunk).await.is_ok() {
            sent += CHUNK as u64;
        }
        Ok(sent)
    }

    /// Announces a literal of one length after `start` and sends another length of zeros, at most until the client hangs
    /// up. Returns how many were sent.
    ///
    /// # Errors
    /// When the client has hung up before the literal.
    pub async fn literal(&mut self, start: &str, announced: u64, sent: u64) -> Result<u64> {
        self.line(&format!("{start}{{{announced}}}")).await?;
        let chunk = [b'0'; CHUNK];
        let mut rest = sent;
        while rest > 0 {
            let count = rest.min(CHUNK as u64);
            if self.send(&chunk[..usize::try_from(count)?]).await.is_err() {
                break;
            }
            rest -= count;
        }
        Ok(sent - rest)
    }

    /// Sends random bytes, the same for the same seed.
    ///
    /// # Errors
    /// When the client has hung up.
    pub async fn garbage(&mut self, seed: u64, length: usize) -> Result<()> {
        let mut bytes = vec![0; length];
        ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut bytes);
        self.send(bytes).await
    }

    /// Sends bytes one by one.
    ///
    /// # Errors
    /// When the client has hung up.
    pub async fn drip(&mut self, bytes: impl AsRef<[u8]>, pause: Duration) -> Result<()> {
        for byte in bytes.as_ref() {
            self.send([*byte]).await?;
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// Says nothing and throws away what comes, until the client hangs up.
    ///
    /// # Errors
    /// Never.
    pub async fn stall(&mut self) -> Result<()> {
        let mut buffer = [0; 4096];
        while let Ok(count) = self.stream.read(&mut buffer).await {
            if count == 0 {
                break;
            }
        }
        Ok(())
    }

    /// Ends the connection in order.
    ///
    /// # Errors
    /// When the client has hung up.
    pub async fn close(mut self) -> Result<()> {
        self.stream.shutdown().await?;
        Ok(())
    }

    /// Fails the script unless the next command has this name, and returns it.
    ///
    /// # Errors
    /// When another command comes or the client hangs up.
    pub async fn expect_command(&mut self, name: &str) -> Result<Command> {
        let command = self.read_command().await?;
        ensure!(
            command.name == name,
            "expected {name}, got {}",
            command.line
        );
        Ok(command)
    }
}

/// A line that ends in `{12}` or `{12+}`: what comes before, and the length.
fn literal_at_end(line: &str) -> Option<(&str, &str)> {
    line.strip_suffix('}')?.rsplit_once('{')
}

impl std::fmt::Debug for ScriptedStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScriptedStream").finish_non_exhaustive()
    }
}
