//! From nothing to a signed-in connection.

use async_imap::Client;
use email_provider::network::Network;
use tokio::{
    io::BufWriter,
    time::{Instant, timeout, timeout_at},
};

use super::{
    capability::{Capabilities, Capability},
    command::Command,
    config::{ImapConfig, Security},
    connection::{Connection, WRITE_BUFFER, Wire, from_io, from_library},
    error::{Error, Result},
    quirks::Quirks,
    response_code::ResponseCode,
    sign_in::sign_in,
    splitter::Limits,
    tap::{Announce, Response, Stream, Tap},
    tls::Tls,
    untagged::{Condition, StatusResponse, Untagged, parse_untagged},
};

impl Connection {
    /// Connects and signs in.
    ///
    /// # Errors
    /// `Network` and `Tls` where no connection came about, `Bye` where the server does not want one,
    /// `Credentials` where it refuses them for good.
    pub async fn open(
        config: &ImapConfig,
        tls: &Tls,
        network: &dyn Network,
        deadline: Instant,
    ) -> Result<Self> {
        let connect_by = deadline.min(Instant::now() + config.timeouts.connect);
        let stream = async {
            let stream: Box<dyn Stream> =
                Box::new(network.connect(&config.host, config.port).await?);
            match config.security {
                Security::ImplicitTls => tls.connect(&config.host, stream).await,
                Security::StartTls | Security::None => Ok(stream),
            }
        };
        let stream = timeout_at(connect_by, stream)
            .await
            .map_err(|_| Error::Timeout("the connection"))??;
        Self::over(stream, config, tls, deadline).await
    }

    /// Signs in over a connection that is there already.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub async fn over(
        stream: Box<dyn Stream>,
        config: &ImapConfig,
        tls: &Tls,
        deadline: Instant,
    ) -> Result<Self> {
        let mut client = client_over(stream, config.limits);
        let greeting = timeout_at(
            deadline.min(Instant::now() + config.timeouts.greeting),
            greeting(&mut client),
        );
        let mut offered = greeting
            .await
            .map_err(|_| Error::Timeout("the greeting"))??;
        let sign_in_by = deadline.min(Instant::now() + config.timeouts.sign_in);
        let signed_in = async {
            if config.security == Security::StartTls {
                client = start_tls(client, config, tls).await?;
                offered = None; // what was said in the clear does not count (RFC 9051 section 6.2.1)
            }
            let offered = match offered {
                Some(offered) => offered,
                None => capability(&mut client).await?,
            };
            sign_in(&mut client, &config.auth, offered).await?;
            Ok::<_, Error>(client)
        };
        let signed_in = timeout_at(sign_in_by, signed_in).await;
        let mut client = signed_in.map_err(|_| Error::Timeout("the sign-in"))??;
        let tap = client.get_mut().get_mut();
        tap.announce(Announce::All);
        while tap.pop().is_some() {}
        let mut connection = Self::new(client, config.limits, config.timeouts);
        connection.prepare(&config.host, sign_in_by).await?;
        Ok(connection)
    }

    /// What every connection needs: what the server can do for this user, who it is, and extensions
    /// enabled. Always asked anew, for what it said before the sign-in may have been a proxy's word.
    async fn prepare(&mut self, host: &str, deadline: Instant) -> Result<()> {
        let mut offered = None;
        let mut heed = |untagged| {
            if let Untagged::Capability(capabilities) = untagged {
                offered = Some(capabilities);
            }
            Ok(false)
        };
        self.exec(Command::new("CAPABILITY"), deadline, &mut heed)
            .await?;
        self.capabilities = offered.ok_or_else(|| Error::protocol("no capabilities"))?;
        self.quirks = Quirks::of(host, self.capabilities.known, &[]);
        if self.has(Capability::ID) || self.quirks.needs_id {
            let id = self.identify(deadline).await?;
            self.quirks = Quirks::of(host, self.capabilities.known, &id);
        }
        if self.quirks.no_esearch {
            self.capabilities.known -= Capability::ESEARCH;
        }
        if self.quirks.no_list_extended {
            self.capabilities.known -= Capability::LIST_EXTENDED | Capability::LIST_STATUS;
        }
        if self.has(Capability::QRESYNC | Capability::ENABLE) && !self.quirks.no_qresync {
            self.enable_qresync(deadline).await?;
        }
        Ok(())
    }

    /// ID (RFC 2971): some servers serve nobody who does not introduce himself.
    async fn identify(&mut self, deadline: Instant) -> Result<Vec<(String, String)>> {
        let version = env!("CARGO_PKG_VERSION");
        let command = Command::new("ID").word(format_args!(
            "(\"name\" \"Polypost\" \"version\" \"{version}\")"
        ));
        let mut found = Vec::new();
        let mut heed = |untagged| {
            if let Untagged::Id(id) = untagged {
                found = id;
            }
            Ok(false)
        };
        match self.exec(command, deadline, &mut heed).await {
            Ok(_) => Ok(found),
            Err(error) if error.is_answer() => Ok(found),
            Err(error) => Err(error),
        }
    }

    /// Only what the server says to have enabled counts: parameters of QRESYNC are an error otherwise
    /// (RFC 7162 section 3.2.3).
    async fn enable_qresync(&mut self, deadline: Instant) -> Result<()> {
        let mut enabled = false;
        let mut heed = |untagged| {
            if let Untagged::Enabled(names) = untagged {
                enabled |= names.iter().any(|name| name == "QRESYNC");
            }
            Ok(false)
        };
        match self
            .exec(Command::new("ENABLE QRESYNC"), deadline, &mut heed)
            .await
        {
            Err(error) if !error.is_answer() => Err(error),
            result => {
                self.qresync = enabled && result.is_ok();
                Ok(())
            }
        }
    }

    /// Says farewell. The connection is of no use afterwards, whatever the result.
    pub async fn close(mut self) {
        if self.is_usable() {
            let deadline = Instant::now() + std::time::Duration::from_secs(3);
            // The answer is BYE, which is an error in any other place.
            drop(self.run(Command::new("LOGOUT"), deadline).await);
        }
    }
}

fn client_over(stream: Box<dyn Stream>, limits: Limits) -> Client<Wire> {
    Client::new(BufWriter::with_capacity(
        WRITE_BUFFER,
        Tap::new(stream, limits),
    ))
}

/// The first response. Returns the capabilities if it names them.
async fn greeting(client: &mut Client<Wire>) -> Result<Option<Capabilities>> {
    if client.read_response().await.map_err(from_io)?.is_none() {
        return Err(Error::Closed);
    }
    let tap = client.get_mut().get_mut();
    let first = tap.pop();
    tap.announce(Announce::Answers);
    let Some(Response::Untagged(raw)) = first else {
        return Err(Error::protocol("no greeting"));
    };
    let Untagged::Status(status) = parse_untagged(&raw)? else {
        return Err(Error::protocol("no greeting"));
    };
    match status.condition {
        Condition::Ok => Ok(match status.code {
            Some(ResponseCode::Capability(capabilities)) => Some(capabilities),
            _ => None,
        }),
        Condition::Bye => Err(Error::Bye(status)),
        // Signed in as whom? And before STARTTLS it is an attack (CVE-2020-12398).
        Condition::PreAuth => Err(Error::protocol(
            "the server takes the connection for signed in",
        )),
        Condition::No | Condition::Bad => Err(Error::protocol("no greeting")),
    }
}

/// STARTTLS. There is no way on without it.
async fn start_tls(
    mut client: Client<Wire>,
    config: &ImapConfig,
    tls: &Tls,
) -> Result<Client<Wire>> {
    let started = client.run_command_and_check_ok("STARTTLS", None).await;
    match (started, last_status(&mut client)) {
        (Ok(()), Some(_)) => {}
        (_, Some(_)) => return Err(Error::Tls("the server does not offer STARTTLS".into())),
        (Err(error), None) => return Err(from_library(error)),
        (Ok(()), None) => return Err(Error::protocol("STARTTLS without an answer")),
    }
    let tap = client.into_inner().into_inner();
    // Whatever came with the answer was not protected, and must not be taken for part of what is
    // (CVE-2011-0411).
    if !tap.is_empty() {
        return Err(Error::protocol("data behind STARTTLS"));
    }
    let stream = timeout(
        config.timeouts.connect,
        tls.connect(&config.host, tap.into_stream()),
    )
    .await;
    let stream = stream.map_err(|_| Error::Timeout("the connection"))??;
    let mut client = client_over(stream, config.limits);
    client.get_mut().get_mut().announce(Announce::Answers);
    Ok(client)
}

async fn capability(client: &mut Client<Wire>) -> Result<Capabilities> {
    client
        .run_command_and_check_ok("CAPABILITY", None)
        .await
        .map_err(from_library)?;
    let tap = client.get_mut().get_mut();
    let mut offered = None;
    while let Some(response) = tap.pop() {
        if let Response::Untagged(raw) = response
            && let Ok(Untagged::Capability(capabilities)) = parse_untagged(&raw)
        {
            offered = Some(capabilities);
        }
    }
    offered.ok_or_else(|| Error::protocol("no capabilities"))
}

/// The status that ended the last command, taken from all that came with it. A BYE stands for it.
fn last_status(client: &mut Client<Wire>) -> Option<StatusResponse> {
    let tap = client.get_mut().get_mut();
    let mut found = None;
    while let Some(response) = tap.pop() {
        match response {
            Response::Tagged(_, status) => return Some(status),
            Response::Untagged(raw) => {
                if let Ok(Untagged::Status(status)) = parse_untagged(&raw)
                    && status.condition == Condition::Bye
                {
                    found = Some(status);
                }
            }
            Response::Continue => {}
        }
    }
    found
}
