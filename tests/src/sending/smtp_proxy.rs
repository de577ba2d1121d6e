//! A proxy that understands SMTP as far as it must to misbehave at a chosen place of a message's way.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Result;
use test_servers::free_port;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A place in the conversation between client and server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Instead of the greeting.
    Greeting,
    /// EHLO.
    Ehlo,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO, the first one.
    Rcpt,
    /// DATA.
    Data,
    /// So many octets into what follows DATA; where that is shorter, at its final dot.
    Body(u64),
    /// The final dot.
    Dot,
}

/// On which side of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The server does not get it.
    Before,
    /// The server gets it, and nobody waits for its answer.
    Passed,
    /// The server answered, and the client does not get that.
    Answered,
    /// The client got the answer.
    Told,
}

/// What happens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Both connections are reset.
    Reset,
    /// Both connections are ended in order.
    End,
    /// Nothing happens for so long, then both connections are reset.
    Stall(Duration),
    /// Nothing happens for so long, then it goes on.
    Pause(Duration),
    /// Whoever waits on [`SmtpProxy::reached`] is told, and nothing happens until the client is gone.
    Tell,
}

/// What goes wrong, where and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SmtpFault {
    /// Where.
    pub place: Place,
    /// On which side of it.
    pub moment: Moment,
    /// What.
    pub deed: Deed,
    /// How often.
    pub times: u32,
}

#[derive(Debug, Default)]
struct Shared {
    fault: Mutex<Option<SmtpFault>>,
    reached: Notify,
}

impl Shared {
    fn fault(&self) -> MutexGuard<'_, Option<SmtpFault>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The deed that is due here, which counts as done.
    fn due(&self, place: Place, moment: Moment) -> Option<Deed> {
        let mut fault = self.fault();
        let due = fault.as_mut().filter(|fault| fault.times > 0)?;
        if (due.place, due.moment) != (place, moment) {
            return None;
        }
        due.times -= 1;
        Some(due.deed)
    }

    /// Octets of the body after which something is due.
    fn body(&self) -> Option<u64> {
        match *self.fault() {
            Some(SmtpFault {
                place: Place::Body(after),
                times: 1..,
                ..
            }) => Some(after),
            _ => None,
        }
    }
}

/// A proxy in front of one server on loopback. Must live inside a tokio runtime.
#[derive(Debug)]
pub struct SmtpProxy {
    port: u16,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

impl SmtpProxy {
    /// Listens on a free port and forwards to another one.
    ///
    /// # Errors
    /// When no port is free.
    pub fn to_port(target: u16) -> Result<Self> {
        let port = free_port()?;
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, port).into())?;
        let listener = socket.listen(128)?;
        let shared = Arc::<Shared>::default();
        let accepting = accept(listener, target, Arc::clone(&shared));
        Ok(Self {
            port,
            shared,
            listener: tokio::spawn(accepting),
        })
    }

    /// The port to connect to on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Sets what goes wrong from now on; `None`: nothing.
    pub fn set(&self, fault: Option<SmtpFault>) {
        *self.shared.fault() = fault;
    }

    /// Waits until a [`Deed::Tell`] is done.
    pub async fn reached(&self) {
        self.shared.reached.notified().await;
    }
}

impl Drop for SmtpProxy {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

async fn accept(listener: TcpListener, target: u16, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A broken connection is what a proxy of faults is for: its error says nothing.
            let _ = Conversation::hold(client, target, &shared).await;
        });
    }
}

/// The conversation is over.
struct Over;

impl From<std::io::Error> for Over {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

struct Conversation<'a> {
    client: TcpStream,
    server: TcpStream,
    shared: &'a Shared,
    /// The beginning of a command that is not whole yet.
    line: Vec<u8>,
    /// The last command's place.
    last: Option<Place>,
    /// A deed for when the server answers.
    on_answer: Option<(Place, Moment, Deed)>,
    /// Octets after DATA, and the last four of them; `None` outside of a message.
    message: Option<(u64, Vec<u8>)>,
}

impl<'a> Conversation<'a> {
    async fn hold(client: TcpStream, target: u16, shared: &'a Shared) -> Result<(), Over> {
        client.set_nodelay(true)?;
        #[expect(
            clippy::disallowed_methods,
            reason = "a proxy of the tests, to a server on loopback"
        )]
        let server = TcpStream::connect((Ipv4Addr::LOCALHOST, target)).await?;
        server.set_nodelay(true)?;
        let mut talk = Self {
            client,
            server,
            shared,
            line: Vec::new(),
            last: None,
            on_answer: None,
            message: None,
        };
        if let Some(deed) = shared.due(Place::Greeting, Moment::Before) {
            talk.act(deed).await?;
        }
        let (mut up, mut down) = (vec![0; 64 << 10], vec![0; 64 << 10]);
        loop {
            tokio::select! {
                count = talk.client.read(&mut up) => match count? {
                    0 => return Ok(()),
                    count => talk.said(&up[..count]).await?,
                },
                count = talk.server.read(&mut down) => match count? {
                    0 => return Ok(()),
                    count => talk.answered(&down[..count]).await?,
                },
            }
        }
    }

    async fn said(&mut self, mut octets: &[u8]) -> Result<(), Over> {
        while !octets.is_empty() {
            octets = match self.message.is_some() {
                true => self.said_of_message(octets).await?,
                false => self.said_of_command(octets).await?,
            };
        }
        Ok(())
    }

    async fn said_of_command<'o>(&mut self, octets: &'o [u8]) -> Result<&'o [u8], Over> {
        let Some(end) = octets.iter().position(|octet| *octet == b'\n') else {
            self.line.extend_from_slice(octets);
            return Ok(&[]);
        };
        self.line.extend_from_slice(&octets[..=end]);
        let line = std::mem::take(&mut self.line);
        let place =
            place_of(&line).filter(|place| (self.last, *place) != (Some(Place::Rcpt), Place::Rcpt));
        if let Some(place) = place {
            if let Some(deed) = self.shared.due(place, Moment::Before) {
                self.act(deed).await?;
            }
            self.last = Some(place);
        }
        self.server.write_all(&line).await?;
        if let Some(place) = place {
            self.passed(place).await?;
        }
        Ok(&octets[end + 1..])
    }

    async fn said_of_message<'o>(&mut self, octets: &'o [u8]) -> Result<&'o [u8], Over> {
        let Some((count, tail)) = &mut self.message else {
            return Ok(octets);
        };
        // Where the message ends within these octets: after a line that is a dot alone.
        let mut window = tail.clone();
        let before = window.len();
        window.extend_from_slice(octets);
        let end = window.windows(5).position(|five| five == b"\r\n.\r\n");
        let end = end.map(|at| at + 5 - before);
        let content = end.map_or(octets.len(), |end| end.saturating_sub(3));
        let after = self.shared.body();
        let due =
            after.map(|after| usize::try_from(after.saturating_sub(*count)).unwrap_or(usize::MAX));
        if let (Some(due), Some(after)) = (due, after)
            && (due <= content || end.is_some())
        {
            let due = due.min(content);
            self.server.write_all(&octets[..due]).await?;
            *count += due as u64;
            let tail_of = window.len() - octets.len() + due;
            *tail = window[tail_of.saturating_sub(4)..tail_of].to_vec();
            if let Some(deed) = self.shared.due(Place::Body(after), Moment::Before) {
                self.act(deed).await?;
            }
            return Ok(&octets[due..]);
        }
        let Some(end) = end else {
            self.server.write_all(octets).await?;
            *count += octets.len() as u64;
            *tail = window[window.len().saturating_sub(4)..].to_vec();
            return Ok(&[]);
        };
        // What of the dot came before is with the server already.
        self.server.write_all(&octets[..content]).await?;
        if let Some(deed) = self.shared.due(Place::Dot, Moment::Before) {
            self.act(deed).await?;
        }
        self.server.write_all(&octets[content..end]).await?;
        self.message = None;
        self.last = Some(Place::Dot);
        self.passed(Place::Dot).await?;
        Ok(&octets[end..])
    }

    /// The server got it.
    async fn passed(&mut self, place: Place) -> Result<(), Over> {
        if let Some(deed) = self.shared.due(place, Moment::Passed) {
            self.act(deed).await?;
        }
        for moment in [Moment::Answered, Moment::Told] {
            if let Some(deed) = self.shared.due(place, moment) {
                self.on_answer = Some((place, moment, deed));
            }
        }
        Ok(())
    }

    async fn answered(&mut self, octets: &[u8]) -> Result<(), Over> {
        if self.last == Some(Place::Data) && octets.starts_with(b"354") {
            self.message = Some((0, b"\r\n".to_vec()));
        }
        match self.on_answer.take() {
            Some((_, Moment::Told, deed)) => {
                self.client.write_all(octets).await?;
                self.act(deed).await
            }
            Some((_, _, deed)) => {
                self.act(deed).await?;
                Ok(self.client.write_all(octets).await?)
            }
            None => Ok(self.client.write_all(octets).await?),
        }
    }

    async fn act(&mut self, deed: Deed) -> Result<(), Over> {
        match deed {
            Deed::Pause(time) => {
                tokio::time::sleep(time).await;
                return Ok(());
            }
            Deed::Stall(time) => tokio::time::sleep(time).await,
            Deed::Tell => {
                self.shared.reached.notify_one();
                let mut rest = [0; 4 << 10];
                while self.client.read(&mut rest).await? > 0 {}
            }
            Deed::Reset | Deed::End => {}
        }
        if deed == Deed::End {
            // The error of a connection that is gone already changes nothing.
            let _ = self.client.shutdown().await;
            let _ = self.server.shutdown().await;
        } else {
            self.client.set_zero_linger()?;
            self.server.set_zero_linger()?;
        }
        Err(Over)
    }
}

fn place_of(line: &[u8]) -> Option<Place> {
    let verb: Vec<u8> = line.iter().take(4).map(u8::to_ascii_uppercase).collect();
    match verb.as_slice() {
        b"EHLO" => Some(Place::Ehlo),
        b"AUTH" => Some(Place::Auth),
        b"MAIL" => Some(Place::Mail),
        b"RCPT" => Some(Place::Rcpt),
        b"DATA" => Some(Place::Data),
        _ => None,
    }
}
