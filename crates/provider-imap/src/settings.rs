//! Where an account's servers are, as stored and as written in URLs.

use email_provider::SignInError;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{protocol::Security, provider::Facts, smtp::Offer};

/// A server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Server {
    pub host: String,
    pub port: u16,
    pub security: ServerSecurity,
}

/// How a server's connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ServerSecurity {
    Tls,
    StartTls,
    None,
}

impl From<ServerSecurity> for Security {
    fn from(security: ServerSecurity) -> Self {
        match security {
            ServerSecurity::Tls => Self::ImplicitTls,
            ServerSecurity::StartTls => Self::StartTls,
            ServerSecurity::None => Self::None,
        }
    }
}

/// The two protocols, and what their URLs are called (RFC 8314 section 3: TLS from the first octet is
/// what a bare host means).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Imap,
    Smtp,
}

impl Protocol {
    fn schemes(self) -> (&'static str, &'static str) {
        match self {
            Self::Imap => ("imap", "imaps"),
            Self::Smtp => ("smtp", "smtps"),
        }
    }

    fn ports(self) -> (u16, u16) {
        match self {
            Self::Imap => (143, 993),
            Self::Smtp => (587, 465),
        }
    }

    pub fn tls(self, host: &str) -> Server {
        Server {
            host: host.into(),
            port: self.ports().1,
            security: ServerSecurity::Tls,
        }
    }

    pub fn start_tls(self, host: &str) -> Server {
        Server {
            host: host.into(),
            port: self.ports().0,
            security: ServerSecurity::StartTls,
        }
    }
}

impl Server {
    /// Reads `imaps://host:993`, `imap://host:143` (STARTTLS), `host` or `host:port`. `?security=none`
    /// is taken here and allowed elsewhere.
    pub fn parse(protocol: Protocol, text: &str) -> Result<Self, SignInError> {
        let invalid =
            |why: &str| SignInError::Invalid(format!("the server's URL is not valid: {why}"));
        let (plain, tls) = protocol.schemes();
        let text = text.trim();
        let has_scheme = text.contains("://");
        let full = if has_scheme {
            text.to_owned()
        } else {
            format!("{tls}://{text}")
        };
        let url = Url::parse(&full).map_err(|_| invalid("it cannot be read"))?;
        if !url.path().trim_matches('/').is_empty()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(invalid("it may hold a host and a port"));
        }
        let host = url
            .host_str()
            .filter(|host| !host.is_empty())
            .ok_or_else(|| invalid("it has no host"))?;
        let host = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let (plain_port, tls_port) = protocol.ports();
        let port = url.port();
        let mut security = match url.scheme() {
            scheme if scheme == tls && !has_scheme && port == Some(plain_port) => {
                ServerSecurity::StartTls
            }
            scheme if scheme == tls => ServerSecurity::Tls,
            scheme if scheme == plain => ServerSecurity::StartTls,
            _ => return Err(invalid("its scheme is another protocol's")),
        };
        for (name, value) in url.query_pairs() {
            match (&*name, &*value) {
                ("security", "none") => security = ServerSecurity::None,
                ("security", "tls") => security = ServerSecurity::Tls,
                ("security", "starttls") => security = ServerSecurity::StartTls,
                _ => return Err(invalid("only ?security=tls, starttls or none can be given")),
            }
        }
        let usual = if security == ServerSecurity::Tls {
            tls_port
        } else {
            plain_port
        };
        let port = port.unwrap_or(usual);
        if port == 0 {
            return Err(invalid("its port is 0"));
        }
        Ok(Self {
            host,
            port,
            security,
        })
    }

    /// The URL for people.
    pub fn url(&self, protocol: Protocol) -> String {
        let (plain, tls) = protocol.schemes();
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let (scheme, query) = match self.security {
            ServerSecurity::Tls => (tls, ""),
            ServerSecurity::StartTls => (plain, ""),
            ServerSecurity::None => (plain, "?security=none"),
        };
        format!("{scheme}://{host}:{}{query}", self.port)
    }
}

/// By what an account signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AuthKind {
    Password,
    OAuth,
}

/// What is stored of an account besides its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub imap: Server,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp: Option<Server>,
    pub login: String,
    /// The login of the sending server, where it is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_login: Option<String>,
    pub auth: AuthKind,
    #[serde(default)]
    pub trust_server: bool,
    /// Learned at the first sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
    /// What the sending server offered at the first sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_offer: Option<Offer>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, u16, ServerSecurity)> {
        Server::parse(Protocol::Imap, text)
            .ok()
            .map(|server| (server.host, server.port, server.security))
    }

    #[test]
    fn a_bare_host_means_tls_from_the_first_octet() {
        assert_eq!(
            parsed("mail.example.com"),
            Some(("mail.example.com".into(), 993, ServerSecurity::Tls))
        );
        assert_eq!(
            parsed("mail.example.com:143"),
            Some(("mail.example.com".into(), 143, ServerSecurity::StartTls))
        );
        assert_eq!(
            parsed("imap://h"),
            Some(("h".into(), 143, ServerSecurity::StartTls))
        );
        assert_eq!(
            parsed("imaps://h:1993"),
            Some(("h".into(), 1993, ServerSecurity::Tls))
        );
        assert_eq!(
            parsed("imap://127.0.0.1:9?security=none"),
            Some(("127.0.0.1".into(), 9, ServerSecurity::None))
        );
        assert_eq!(
            parsed("imaps://[::1]:993"),
            Some(("::1".into(), 993, ServerSecurity::Tls))
        );
    }

    #[test]
    fn what_is_no_server_is_refused() {
        for text in [
            "",
            "smtp://h",
            "https://h",
            "imaps://u:p@h",
            "imaps://h/box",
            "imap://h?x=1",
            "imaps://h:0",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }
}
