//! From nothing to a signed-in connection.

use async_imap::{Authenticator, Client, Session};
use email_provider::network::Network;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{
    io::BufWriter,
    time::{Instant, timeout, timeout_at},
};

use super::{
    capability::{Capabilities, Capability},
    command::Command,
    config::{Auth, ImapConfig, Security},
    connection::{Connection, WRITE_BUFFER, Wire, from_io, from_library},
    error::{Error, Result},
    quirks::Quirks,
    response_code::ResponseCode,
    splitter::Limits,
    tap::{Announce, Response, Stream, Tap},
    tls::Tls,
    untagged::{Condition, StatusResponse, Untagged, parse_untagged},
};

type Unsigned = Client<Wire>;

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
            sign_in(client, &config.auth, offered).await
        };
        let signed_in = timeout_at(sign_in_by, signed_in).await;
        let mut session = signed_in.map_err(|_| Error::Timeout("the sign-in"))??;
        let tap = session.get_mut().get_mut();
        tap.announce(Announce::All);
        while tap.pop().is_some() {}
        let mut connection = Self::new(session, config.limits, config.timeouts);
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

fn client_over(stream: Box<dyn Stream>, limits: Limits) -> Unsigned {
    Client::new(BufWriter::with_capacity(
        WRITE_BUFFER,
        Tap::new(stream, limits),
    ))
}

/// The first response. Returns the capabilities if it names them.
async fn greeting(client: &mut Unsigned) -> Result<Option<Capabilities>> {
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
async fn start_tls(mut client: Unsigned, config: &ImapConfig, tls: &Tls) -> Result<Unsigned> {
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

async fn capability(client: &mut Unsigned) -> Result<Capabilities> {
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
fn last_status(client: &mut Unsigned) -> Option<StatusResponse> {
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

async fn sign_in(client: Unsigned, auth: &Auth, offered: Capabilities) -> Result<Session<Wire>> {
    let result = match auth {
        Auth::Password { login, password } => {
            checked(login)?;
            checked(password.expose_secret())?;
            let ascii = login.is_ascii() && password.expose_secret().is_ascii();
            let plain = offered.has(Capability::AUTH_PLAIN);
            match offered.has(Capability::LOGINDISABLED) {
                true if !plain => return Err(Error::Unsupported("signing in with a password")),
                false if ascii || !plain => client.login(login, password.expose_secret()).await,
                // LOGIN has no way to name other letters; PLAIN is UTF-8 (RFC 4616).
                _ => {
                    let answer = format!("\0{login}\0{}", password.expose_secret());
                    client.authenticate("PLAIN", Answers::new(answer, "")).await
                }
            }
        }
        Auth::OAuth { login, token } => {
            checked(login)?;
            checked(token.expose_secret())?;
            let bearer_only =
                offered.has(Capability::AUTH_OAUTHBEARER) && !offered.has(Capability::AUTH_XOAUTH2);
            let token = token.expose_secret();
            if bearer_only {
                // RFC 7628 section 3.1; `=` and `,` in the name are escaped as in RFC 5801.
                let name = login.replace('=', "=3D").replace(',', "=2C");
                let answer = format!("n,a={name},\u{1}auth=Bearer {token}\u{1}\u{1}");
                client
                    .authenticate("OAUTHBEARER", Answers::new(answer, "\u{1}"))
                    .await
            } else {
                let answer = format!("user={login}\u{1}auth=Bearer {token}\u{1}\u{1}");
                client
                    .authenticate("XOAUTH2", Answers::new(answer, ""))
                    .await
            }
        }
    };
    let (error, mut client) = match result {
        Ok(session) => return Ok(session),
        Err(failed) => failed,
    };
    Err(match last_status(&mut client) {
        Some(status) if status.condition == Condition::Bye => Error::Bye(status),
        Some(status) => Error::sign_in_refused(status),
        None => from_library(error),
    })
}

fn checked(text: &str) -> Result<()> {
    match text.contains(|c: char| c.is_control()) {
        true => Err(Error::Invalid(
            "control characters cannot be part of a login".into(),
        )),
        false => Ok(()),
    }
}

/// Answers the server's first question with the credentials, once, and every other with the word that
/// gives up: after a refused token the server sends the cause as a question, and waits (RFC 7628
/// section 3.2.3).
struct Answers {
    first: Option<SecretString>,
    after: &'static str,
}

impl Answers {
    fn new(first: String, after: &'static str) -> Self {
        Self {
            first: Some(first.into()),
            after,
        }
    }
}

impl Authenticator for Answers {
    type Response = String;

    fn process(&mut self, _: &[u8]) -> String {
        match self.first.take() {
            Some(first) => first.expose_secret().to_owned(),
            None => self.after.to_owned(),
        }
    }
}
