//! Behaviour over whole connections: against scripted servers here, against real ones in `servers`.

mod commands;
mod excess;
mod hostile;
mod idle;
mod noise;
mod pool;
mod servers;
mod servers_changes;
mod servers_sign_in;
mod sign_in;

use std::time::Duration;

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream},
    task::JoinHandle,
    time::Instant,
};

use super::*;

pub(super) const CAPABILITIES: &str =
    "IMAP4rev1 ENABLE IDLE ESEARCH UIDPLUS MOVE CONDSTORE QRESYNC UNSELECT LITERAL+";

/// A minimal server: what it answers to a command that begins so. `%` in an answer stands for the tag,
/// on a line that has none for the last one.
pub(super) struct Script {
    pub capabilities: String,
    pub greeting: String,
    pub answers: Vec<(String, String)>,
    /// Close the connection after the last answer, instead of falling silent.
    pub close: bool,
}

impl Script {
    pub(super) fn new(capabilities: &str) -> Self {
        Self {
            capabilities: capabilities.into(),
            greeting: "* OK ready\r\n".into(),
            answers: Vec::new(),
            close: false,
        }
    }

    /// A script whose first answer is to SELECT: a mailbox of so many messages.
    pub(super) fn selected(exists: u32) -> Self {
        Self::new(CAPABILITIES).then("SELECT", &format!(
            "* {exists} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 100] x\r\n* OK [HIGHESTMODSEQ 50] x\r\n% OK [READ-WRITE] done\r\n"
        ))
    }

    pub(super) fn then(mut self, command: &str, answer: &str) -> Self {
        self.answers.push((command.into(), answer.into()));
        self
    }

    pub(super) fn close(self) -> Self {
        Self {
            close: true,
            ..self
        }
    }

    /// Plays the server; gives back every line it was sent.
    pub(super) async fn play(self, stream: DuplexStream) -> Vec<String> {
        let mut stream = BufReader::new(stream);
        let (mut heard, mut tag) = (Vec::new(), String::new());
        let mut answers = self.answers.into_iter().peekable();
        stream.write_all(self.greeting.as_bytes()).await.ok();
        loop {
            let mut line = Vec::new();
            match stream.read_until(b'\n', &mut line).await {
                Ok(length) if length > 0 => {}
                _ => return heard,
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            let command = match line.split_once(' ') {
                Some((first, command)) if first.len() == 5 && first.starts_with('A') => {
                    tag = first.to_owned();
                    command
                }
                _ => &line,
            };
            heard.push(line.clone());
            let scripted = answers.next_if(|(expected, _)| command.starts_with(expected.as_str()));
            let answer = match scripted {
                Some((_, answer)) => answer.replace('%', &tag),
                None if command == "CAPABILITY" => {
                    format!("* CAPABILITY {}\r\n{tag} OK done\r\n", self.capabilities)
                }
                None if command.starts_with("ENABLE") => {
                    format!("* ENABLED QRESYNC\r\n{tag} OK done\r\n")
                }
                None if command.starts_with("LOGIN") => format!("{tag} OK done\r\n"),
                None if command == "LOGOUT" => format!("* BYE so long\r\n{tag} OK done\r\n"),
                None => format!("{tag} BAD not in the script\r\n"),
            };
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return heard;
            }
            if let Some(length) = line
                .strip_suffix("+}")
                .and_then(|l| l.rsplit('{').next()?.parse().ok())
            {
                let mut literal = vec![0; length];
                stream.read_exact(&mut literal).await.ok();
                heard.push(String::from_utf8_lossy(&literal).into_owned());
            }
            if self.close && answers.peek().is_none() {
                return heard;
            }
        }
    }

    pub(super) fn start(self) -> (DuplexStream, JoinHandle<Vec<String>>) {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        (ours, tokio::spawn(self.play(theirs)))
    }

    /// Signs in.
    pub(super) async fn connect(self) -> Result<Connection> {
        self.connect_with(&config()).await
    }

    pub(super) async fn connect_with(self, config: &ImapConfig) -> Result<Connection> {
        let tls = Tls::new(config)?;
        Connection::over(Box::new(self.start().0), config, &tls, soon()).await
    }

    /// Signs in and selects INBOX, which the script must have.
    pub(super) async fn connect_and_select(self) -> Connection {
        let mut connection = self.connect().await.unwrap();
        connection
            .select(&MailboxName::inbox(), SelectOptions::default(), soon())
            .await
            .unwrap();
        connection
    }
}

pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(300)
}

pub(super) fn config() -> ImapConfig {
    ImapConfig {
        host: "localhost".into(),
        port: 143,
        security: Security::None,
        ca_pem: None,
        trust_server: true,
        auth: password("alice"),
        limits: Limits::default(),
        timeouts: Timeouts::default(),
        pool: PoolOptions::default(),
    }
}

pub(super) fn password(login: &str) -> Auth {
    Auth::Password {
        login: login.into(),
        password: "se\"cret".to_owned().into(),
    }
}
