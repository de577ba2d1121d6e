//! Finding the servers of an address: the built-in table, then SRV records (RFC 6186, RFC 8314), then
//! the domain's own configuration file as Thunderbird reads it.

mod autoconfig;

use email_provider::{ConnectContext, SignInError};

use crate::{
    known_servers,
    settings::{Protocol, Server},
};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub imap: Server,
    pub smtp: Option<Server>,
    pub login: String,
    pub brand: Option<&'static str>,
}

/// Finds the servers for an address.
pub(crate) async fn discover(
    context: &ConnectContext,
    service_type: &str,
    address: &str,
) -> Result<Found, SignInError> {
    let domain = address
        .rsplit_once('@')
        .map(|(_, domain)| domain)
        .filter(|domain| !domain.is_empty());
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
    if let Some(found) = by_records(context, domain, address).await {
        return Ok(found);
    }
    if let Some(found) = autoconfig::find(context, domain, address).await {
        return Ok(found);
    }
    Err(SignInError::Invalid(format!(
        "serverUrl is needed: no mail server was found for {domain}"
    )))
}

async fn by_records(context: &ConnectContext, domain: &str, address: &str) -> Option<Found> {
    let network = &context.network;
    // A single dot means that the service is decidedly not there (RFC 2782).
    let first = async |name: String| {
        network
            .services(&name)
            .await
            .into_iter()
            .find(|record| !record.host.trim_end_matches('.').is_empty())
    };
    let imap = first(format!("_imaps._tcp.{domain}")).await?;
    let smtp = first(format!("_submissions._tcp.{domain}")).await;
    let server = |protocol: Protocol, record: email_provider::network::ServiceRecord| Server {
        port: record.port,
        ..protocol.tls(record.host.trim_end_matches('.'))
    };
    let imap = server(Protocol::Imap, imap);
    Some(Found {
        brand: known_servers::brand_of_host(&imap.host),
        imap,
        smtp: smtp.map(|record| server(Protocol::Smtp, record)),
        login: address.to_owned(),
    })
}
