//! From nothing to a signed-in connection.

use std::{fmt, sync::Arc, time::Duration};

use email_provider::{network::Network, oauth::AccessTokens};
use lettre::transport::smtp::{
    commands::{Ehlo, Starttls},
    extension::ClientId,
};
use secrecy::SecretString;
use tokio::time::{Instant, timeout_at};

use super::{
    connection::Connection,
    error::{Error, Result, Stage},
    offer::Offer,
    reply::Reply,
    sign_in::sign_in,
    wire::Wire,
};
use crate::protocol::{Security, Stream, Tls};

/// A connection, TLS included.
const CONNECT: Duration = Duration::from_secs(15);
/// Some servers let strangers wait before they greet.
const GREETING: Duration = Duration::from_secs(45);
/// EHLO, STARTTLS and AUTH.
const SIGN_IN: Duration = Duration::from_secs(45);

/// By what an account signs in.
#[derive(Clone)]
pub(crate) enum Secret {
    /// A password.
    Password(SecretString),
    /// An access token that nobody renews.
    Token(SecretString),
    /// Access tokens that are kept fresh.
    Tokens(Arc<dyn AccessTokens>),
}

/// A sending server, and how to sign in to it.
#[derive(Clone)]
pub(crate) struct SmtpConfig {
    pub host: String,
    pub port: u16,
    pub security: Security,
    pub login: String,
    pub secret: Secret,
}

impl fmt::Debug for SmtpConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpConfig")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects and signs in. A token that is refused is replaced once.
    ///
    /// # Errors
    /// `Network` and `Tls` where no connection came about, `Credentials` where the server refuses them.
    pub(crate) async fn open(
        config: &SmtpConfig,
        tls: &Tls,
        network: &dyn Network,
        deadline: Instant,
    ) -> Result<Self> {
        let Secret::Tokens(tokens) = &config.secret else {
            return Self::open_with(config, None, tls, network, deadline).await;
        };
        let token = async || {
            let token = timeout_at(deadline, tokens.token()).await;
            token
                .map_err(|_| Error::Timeout("an access token"))?
                .map_err(Error::Source)
        };
        let first = token().await?;
        match Self::open_with(config, Some(&first), tls, network, deadline).await {
            Err(Error::Credentials(_)) => {
                tokens.refused(&first).await;
                let second = token().await?;
                Self::open_with(config, Some(&second), tls, network, deadline).await
            }
            result => result,
        }
    }

    async fn open_with(
        config: &SmtpConfig,
        token: Option<&SecretString>,
        tls: &Tls,
        network: &dyn Network,
        deadline: Instant,
    ) -> Result<Self> {
        let host = config.host.as_str();
        let wrap = async |stream| {
            let stream = tls.connect(host, stream).await;
            stream.map_err(|error| Error::Tls(error.to_string()))
        };
        let connected = async {
            let stream: Box<dyn Stream> = Box::new(network.connect(host, config.port).await?);
            match config.security {
                Security::ImplicitTls => wrap(stream).await,
                Security::StartTls | Security::None => Ok(stream),
            }
        };
        let stream = timeout_at(deadline.min(Instant::now() + CONNECT), connected)
            .await
            .map_err(|_| Error::Timeout("the connection"))??;
        let mut wire = Wire::new(stream);
        let greeting = timeout_at(deadline.min(Instant::now() + GREETING), wire.read_reply());
        let greeting = greeting
            .await
            .map_err(|_| Error::Timeout("the greeting"))??;
        accepted(Stage::Greeting, greeting)?;
        let signed_in = async {
            let mut offer = hello(&mut wire).await?;
            if config.security == Security::StartTls {
                let stream = start_tls(wire, offer).await?;
                wire = Wire::new(wrap(stream).await?);
                // What was said in the clear does not count (RFC 3207 section 4.2).
                offer = hello(&mut wire).await?;
            }
            sign_in(&mut wire, &offer, config, token).await?;
            Ok(Self::new(wire, offer))
        };
        timeout_at(deadline.min(Instant::now() + SIGN_IN), signed_in)
            .await
            .map_err(|_| Error::Timeout("the sign-in"))?
    }
}

pub(super) fn accepted(stage: Stage, reply: Reply) -> Result<Reply> {
    match reply.is_success() {
        true => Ok(reply),
        false => Err(Error::Refused { stage, reply }),
    }
}

/// Our name is an address literal, as RFC 5321 section 4.1.3 has it for hosts without one: the gateway's own name is
/// nobody's business.
async fn hello(wire: &mut Wire) -> Result<Offer> {
    let name = ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST);
    wire.write(Ehlo::new(name).to_string().as_bytes()).await?;
    let reply = accepted(Stage::Session, wire.read_reply().await?)?;
    Ok(Offer::read(&reply))
}

/// STARTTLS. There is no way on without it.
async fn start_tls(mut wire: Wire, offer: Offer) -> Result<Box<dyn Stream>> {
    let refused = || Error::Tls("the server does not offer STARTTLS".into());
    if !offer.start_tls {
        return Err(refused());
    }
    wire.write(Starttls.to_string().as_bytes()).await?;
    if wire.read_reply().await?.code() != 220 {
        return Err(refused());
    }
    // Whatever came with the answer was not protected, and must not be taken for part of what is
    // (CVE-2011-0411).
    match wire.is_empty() {
        true => Ok(wire.into_stream()),
        false => Err(Error::Protocol("data behind STARTTLS")),
    }
}
