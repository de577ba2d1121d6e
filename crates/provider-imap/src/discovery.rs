//! Finding the servers of an address: the built-in table, then SRV records (RFC 6186, RFC 8314), then
//! the domain's own configuration file as Thunderbird reads it.

mod autoconfig;
mod records;

use std::time::Duration;

use email_provider::{ConnectContext, SignInError};

use crate::{known_servers, settings::Server};

/// How long a sending server is looked for where the reading one is known: mail can be read without it.
const SENDING_WAIT: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub imap: Server,
    pub smtp: Option<Server>,
    pub login: String,
    pub brand: Option<&'static str>,
}

/// Where servers are looked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Discovery<'a> {
    pub context: &'a ConnectContext,
    /// PEM of the authorities that are trusted instead of the machine's.
    pub authorities: Option<&'a str>,
}

impl Discovery<'_> {
    /// Finds the servers for an address.
    pub(crate) async fn servers(
        self,
        service_type: &str,
        address: &str,
    ) -> Result<Found, SignInError> {
        let domain = domain_of(address);
        let known = domain
            .and_then(known_servers::of_domain)
            .or_else(|| known_servers::of_service_type(service_type));
        if let Some(known) = known {
            let local = address.split('@').next().unwrap_or(address);
            return Ok(Found {
                imap: known.imap(),
                smtp: Some(known.smtp()),
                login: if known.local_login { local } else { address }.to_owned(),
                brand: known.brand,
            });
        }
        let domain = domain.ok_or_else(|| {
            SignInError::Invalid(
                "serverUrl is needed: the address has no domain to find the server by".into(),
            )
        })?;
        let network = self.context.network.as_ref();
        let (imap, smtp) = tokio::join!(
            records::server(network, domain, records::READING),
            records::server(network, domain, records::SENDING),
        );
        let unproved = imap.unproved;
        if let Some(imap) = imap.server {
            let smtp = smtp.server.or_else(|| of_table(&imap));
            let smtp = match smtp {
                Some(smtp) => Some(smtp),
                None => self.sending_in_file(domain, address).await,
            };
            return Ok(Found {
                brand: known_servers::brand_of_host(&imap.host),
                imap,
                smtp,
                login: address.to_owned(),
            });
        }
        if let Some(mut found) = autoconfig::find(self, domain, address).await {
            found.smtp = found.smtp.or(smtp.server).or_else(|| of_table(&found.imap));
            return Ok(found);
        }
        Err(SignInError::Invalid(match unproved {
            Some(host) => format!(
                "serverUrl is needed: {domain} names the mail server {host}, for which nothing vouches but DNS"
            ),
            None => format!("serverUrl is needed: no mail server was found for {domain}"),
        }))
    }

    /// Finds the sending server where the reading one is given.
    pub(crate) async fn sending_server(self, imap: &Server, address: &str) -> Option<Server> {
        if let Some(known) = of_table(imap) {
            return Some(known);
        }
        let domain = domain_of(address).filter(|domain| is_in_use(domain))?;
        let looking = async {
            let network = self.context.network.as_ref();
            let found = records::server(network, domain, records::SENDING).await;
            match found.server {
                Some(server) => Some(server),
                None => self.sending_in_file(domain, address).await,
            }
        };
        let found = tokio::time::timeout(SENDING_WAIT, looking).await;
        found.ok().flatten()
    }

    async fn sending_in_file(self, domain: &str, address: &str) -> Option<Server> {
        autoconfig::find(self, domain, address).await?.smtp
    }
}

fn of_table(imap: &Server) -> Option<Server> {
    known_servers::of_imap_host(&imap.host).map(|known| known.smtp())
}

fn domain_of(address: &str) -> Option<&str> {
    let (_, domain) = address.rsplit_once('@')?;
    (!domain.is_empty()).then_some(domain)
}

/// Names that stand for nothing in the public DNS (RFC 6761, RFC 6762): nothing is looked for there.
fn is_in_use(domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let mut labels = domain.rsplit('.');
    !matches!(
        (labels.next(), labels.next()),
        (
            Some("test" | "example" | "invalid" | "localhost" | "local"),
            _
        ) | (_, None)
            | (Some("com" | "net" | "org"), Some("example"))
    )
}

#[cfg(test)]
mod tests;
