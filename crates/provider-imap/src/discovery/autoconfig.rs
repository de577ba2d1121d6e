//! The configuration file that a domain publishes for mail programs: `config-v1.1.xml`.

use std::time::Duration;

use futures::StreamExt;
use quick_xml::{Reader, events::Event};
use reqwest::Certificate;

use super::{Discovery, Found};
use crate::{
    known_servers,
    settings::{Protocol, Server, ServerSecurity},
};

/// Longest file that is read, in octets.
const LONGEST: usize = 256 << 10;
const PATIENCE: Duration = Duration::from_secs(8);

pub(super) async fn find(within: Discovery<'_>, domain: &str, address: &str) -> Option<Found> {
    let places = [
        (format!("autoconfig.{domain}"), "/mail/config-v1.1.xml"),
        (
            domain.to_owned(),
            "/.well-known/autoconfig/mail/config-v1.1.xml",
        ),
    ];
    for (host, path) in places {
        if let Some(text) = fetch(within, &host, path).await
            && let Some(found) = read(&text, address)
        {
            return Some(found);
        }
    }
    None
}

/// Fetches over HTTPS only, from an address that was checked, without following redirects: the file
/// says where a password is sent.
async fn fetch(within: Discovery<'_>, host: &str, path: &str) -> Option<String> {
    let addresses = within.context.network.resolve(host, 443).await.ok()?;
    let mut client = reqwest::Client::builder()
        .resolve_to_addrs(host, &addresses)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(PATIENCE);
    if let Some(authorities) = within.authorities {
        client = client.tls_built_in_root_certs(false);
        for authority in Certificate::from_pem_bundle(authorities.as_bytes()).ok()? {
            client = client.add_root_certificate(authority);
        }
    }
    let response = client
        .build()
        .ok()?
        .get(format!("https://{host}{path}"))
        .send()
        .await
        .ok()?;
    if !response.status().is_success() {
        return None;
    }
    let mut body = Vec::new();
    let mut stream = response.bytes_stream();
    while let Some(chunk) = stream.next().await {
        body.extend_from_slice(&chunk.ok()?);
        if body.len() > LONGEST {
            return None;
        }
    }
    String::from_utf8(body).ok()
}

#[derive(Default)]
struct Draft {
    kind: String,
    host: String,
    port: Option<u16>,
    socket: String,
    user: String,
}

impl Draft {
    fn server(&self, protocol: Protocol) -> Option<Server> {
        if self.host.is_empty() || self.host.contains('%') {
            return None;
        }
        let security = match self.socket.as_str() {
            "SSL" => ServerSecurity::Tls,
            "STARTTLS" => ServerSecurity::StartTls,
            _ => return None,
        };
        let usual = if security == ServerSecurity::Tls {
            protocol.tls("")
        } else {
            protocol.start_tls("")
        };
        Some(Server {
            host: self.host.clone(),
            port: self.port.unwrap_or(usual.port),
            security,
        })
    }
}

/// Reads the file: the first protected server of each protocol. Entities other than XML's own five
/// are not expanded.
fn read(text: &str, address: &str) -> Option<Found> {
    let mut reader = Reader::from_str(text);
    let (mut servers, mut draft, mut element) = (Vec::new(), None::<Draft>, Vec::new());
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                element = start.name().as_ref().to_vec();
                if matches!(element.as_slice(), b"incomingServer" | b"outgoingServer") {
                    let kind = start.try_get_attribute("type").ok().flatten();
                    let kind = kind.map(|kind| String::from_utf8_lossy(&kind.value).into_owned());
                    draft = Some(Draft {
                        kind: kind.unwrap_or_default(),
                        ..Draft::default()
                    });
                }
            }
            Event::Text(value) => {
                let value = value.unescape().ok()?.trim().to_owned();
                if let Some(draft) = draft.as_mut().filter(|_| !value.is_empty()) {
                    match element.as_slice() {
                        b"hostname" => draft.host = value,
                        b"port" => draft.port = value.parse().ok(),
                        b"socketType" => draft.socket = value,
                        b"username" => draft.user = value,
                        _ => {}
                    }
                }
            }
            Event::End(end) => {
                if matches!(end.name().as_ref(), b"incomingServer" | b"outgoingServer") {
                    servers.extend(draft.take());
                }
                element.clear();
            }
            Event::DocType(_) => return None,
            Event::Eof => break,
            _ => {}
        }
    }
    let of = |kind: &str, protocol| {
        servers
            .iter()
            .filter(|draft| draft.kind == kind)
            .find_map(|draft| Some((draft.server(protocol)?, draft.user.clone())))
    };
    let (imap, user) = of("imap", Protocol::Imap)?;
    let local = address.split('@').next().unwrap_or(address);
    Some(Found {
        brand: known_servers::brand_of_host(&imap.host),
        imap,
        smtp: of("smtp", Protocol::Smtp).map(|(server, _)| server),
        login: if user == "%EMAILLOCALPART%" {
            local
        } else {
            address
        }
        .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="x">
        <incomingServer type="pop3"><hostname>pop.x.test</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
        <incomingServer type="imap"><hostname>plain.x.test</hostname><port>143</port><socketType>plain</socketType></incomingServer>
        <incomingServer type="imap"><hostname>imap.x.test</hostname><port>993</port><socketType>SSL</socketType>
          <username>%EMAILLOCALPART%</username></incomingServer>
        <outgoingServer type="smtp"><hostname>smtp.x.test</hostname><port>587</port><socketType>STARTTLS</socketType></outgoingServer>
        </emailProvider></clientConfig>"#;

    #[test]
    fn the_first_protected_server_is_taken() {
        let found = read(FILE, "anna@x.test").unwrap();
        assert_eq!(found.imap, Protocol::Imap.tls("imap.x.test"));
        assert_eq!(found.smtp, Some(Protocol::Smtp.start_tls("smtp.x.test")));
        assert_eq!(found.login, "anna");
    }

    #[test]
    fn a_document_type_is_refused() {
        assert_eq!(
            read("<!DOCTYPE x [<!ENTITY a 'b'>]><clientConfig/>", "a@b"),
            None
        );
        assert_eq!(read("<clientConfig><incomingServer", "a@b"), None);
    }
}
