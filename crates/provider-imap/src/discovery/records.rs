//! SRV records of mail servers (RFC 6186, RFC 8314 section 5.1).
//!
//! Anybody on the way can forge an answer of DNS, and the password goes where it points. A server in the domain of the
//! address shows a certificate for a name of that domain; one elsewhere shows its own, which proves nothing
//! (RFC 6186 section 6 wants the user's consent then). So that such a server is taken only where the built-in table
//! knows it; else the domain's configuration file is asked, which comes over HTTPS from the domain itself.

use email_provider::network::Network;

use crate::{
    known_servers,
    settings::{Server, ServerSecurity},
};

type Names = [(&'static str, ServerSecurity); 2];

/// Reading; TLS from the first octet is preferred (RFC 8314 section 3).
pub(super) const READING: Names = [
    ("_imaps._tcp", ServerSecurity::Tls),
    ("_imap._tcp", ServerSecurity::StartTls),
];

/// Sending.
pub(super) const SENDING: Names = [
    ("_submissions._tcp", ServerSecurity::Tls),
    ("_submission._tcp", ServerSecurity::StartTls),
];

/// Longest name of a host, in octets (RFC 1035 section 2.3.4).
const LONGEST: usize = 253;

/// What the records say.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The best server that can be trusted.
    pub server: Option<Server>,
    /// Else the best that cannot.
    pub unproved: Option<String>,
}

pub(super) async fn server(network: &dyn Network, domain: &str, names: Names) -> Told {
    let mut unproved = None;
    for (name, security) in names {
        for record in network.services(&format!("{name}.{domain}")).await {
            let host = record.host.trim_end_matches('.').to_ascii_lowercase();
            // A single dot means that the service is decidedly not there (RFC 2782).
            if !is_host(&host) || record.port == 0 {
                continue;
            }
            if is_vouched_for(domain, &host) {
                return Told {
                    server: Some(Server {
                        host,
                        port: record.port,
                        security,
                    }),
                    unproved: None,
                };
            }
            unproved.get_or_insert(host);
        }
    }
    Told {
        server: None,
        unproved,
    }
}

fn is_host(host: &str) -> bool {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._".contains(&octet);
    (1..=LONGEST).contains(&host.len()) && host.bytes().all(is_plain)
}

/// `host` is in lower case.
fn is_vouched_for(domain: &str, host: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let is_inside = host
        .strip_suffix(&*domain)
        .is_some_and(|before| before.is_empty() || before.ends_with('.'));
    is_inside || known_servers::is_known(host)
}
