//! Servers of well-known mail domains: data, from the providers' own pages and Thunderbird's public
//! configuration service.

use crate::settings::{Protocol, Server};

/// Where a domain's mail is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KnownServers {
    /// The brand, as the wire contract names it.
    pub brand: Option<&'static str>,
    imap: &'static str,
    smtp: &'static str,
    smtp_start_tls: bool,
    /// The IMAP login is what stands before the `@`.
    pub local_login: bool,
}

impl KnownServers {
    const fn new(brand: Option<&'static str>, imap: &'static str, smtp: &'static str) -> Self {
        Self {
            brand,
            imap,
            smtp,
            smtp_start_tls: false,
            local_login: false,
        }
    }

    pub fn imap(&self) -> Server {
        Protocol::Imap.tls(self.imap)
    }

    pub fn smtp(&self) -> Server {
        if self.smtp_start_tls {
            Protocol::Smtp.start_tls(self.smtp)
        } else {
            Protocol::Smtp.tls(self.smtp)
        }
    }
}

const ICLOUD: KnownServers = KnownServers {
    smtp_start_tls: true,
    local_login: true,
    ..KnownServers::new(Some("iCloud"), "imap.mail.me.com", "smtp.mail.me.com")
};
const YAHOO: KnownServers =
    KnownServers::new(Some("Yahoo"), "imap.mail.yahoo.com", "smtp.mail.yahoo.com");
const AOL: KnownServers = KnownServers::new(Some("AOL"), "imap.aol.com", "smtp.aol.com");
const FASTMAIL: KnownServers =
    KnownServers::new(Some("Fastmail"), "imap.fastmail.com", "smtp.fastmail.com");
const ZOHO: KnownServers = KnownServers::new(Some("Zoho"), "imap.zoho.com", "smtp.zoho.com");
const GMX_NET: KnownServers = KnownServers::new(None, "imap.gmx.net", "mail.gmx.net");
const MAIL_RU: KnownServers = KnownServers::new(None, "imap.mail.ru", "smtp.mail.ru");
const YANDEX: KnownServers = KnownServers::new(None, "imap.yandex.com", "smtp.yandex.com");

const DOMAINS: [(&str, KnownServers); 38] = [
    ("icloud.com", ICLOUD),
    ("me.com", ICLOUD),
    ("mac.com", ICLOUD),
    ("yahoo.com", YAHOO),
    ("yahoo.co.uk", YAHOO),
    ("yahoo.de", YAHOO),
    ("yahoo.fr", YAHOO),
    ("yahoo.es", YAHOO),
    ("yahoo.it", YAHOO),
    ("yahoo.ca", YAHOO),
    ("yahoo.in", YAHOO),
    ("yahoo.com.au", YAHOO),
    ("yahoo.com.br", YAHOO),
    ("ymail.com", YAHOO),
    ("rocketmail.com", YAHOO),
    ("myyahoo.com", YAHOO),
    ("aol.com", AOL),
    ("fastmail.com", FASTMAIL),
    ("fastmail.fm", FASTMAIL),
    ("zoho.com", ZOHO),
    ("zohomail.com", ZOHO),
    (
        "zoho.eu",
        KnownServers {
            imap: "imap.zoho.eu",
            smtp: "smtp.zoho.eu",
            ..ZOHO
        },
    ),
    (
        "zoho.in",
        KnownServers {
            imap: "imap.zoho.in",
            smtp: "smtp.zoho.in",
            ..ZOHO
        },
    ),
    (
        "zoho.com.au",
        KnownServers {
            imap: "imap.zoho.com.au",
            smtp: "smtp.zoho.com.au",
            ..ZOHO
        },
    ),
    (
        "zoho.jp",
        KnownServers {
            imap: "imap.zoho.jp",
            smtp: "smtp.zoho.jp",
            ..ZOHO
        },
    ),
    (
        "gmail.com",
        KnownServers::new(Some("Google"), "imap.gmail.com", "smtp.gmail.com"),
    ),
    (
        "googlemail.com",
        KnownServers::new(Some("Google"), "imap.gmail.com", "smtp.gmail.com"),
    ),
    ("gmx.net", GMX_NET),
    ("gmx.de", GMX_NET),
    ("gmx.at", GMX_NET),
    ("gmx.ch", GMX_NET),
    (
        "gmx.com",
        KnownServers {
            imap: "imap.gmx.com",
            smtp: "mail.gmx.com",
            ..GMX_NET
        },
    ),
    (
        "web.de",
        KnownServers {
            imap: "imap.web.de",
            smtp: "smtp.web.de",
            local_login: true,
            ..GMX_NET
        },
    ),
    ("mail.ru", MAIL_RU),
    ("inbox.ru", MAIL_RU),
    ("yandex.com", YANDEX),
    ("yandex.ru", YANDEX),
    (
        "t-online.de",
        KnownServers::new(None, "secureimap.t-online.de", "securesmtp.t-online.de"),
    ),
];

/// The servers of a domain.
pub(crate) fn of_domain(domain: &str) -> Option<&'static KnownServers> {
    let domain = domain.to_ascii_lowercase();
    DOMAINS
        .iter()
        .find(|(known, _)| *known == domain)
        .map(|(_, servers)| servers)
}

/// The servers of a service type that is one provider's, for mail under one's own domain.
pub(crate) fn of_service_type(service_type: &str) -> Option<&'static KnownServers> {
    match service_type {
        "iCloud" => of_domain("icloud.com"),
        "Zoho" => of_domain("zoho.com"),
        _ => None,
    }
}

/// The brand behind a server's name.
pub(crate) fn brand_of_host(host: &str) -> Option<&'static str> {
    let host = host.to_ascii_lowercase();
    DOMAINS
        .iter()
        .find(|(_, servers)| servers.imap == host)
        .and_then(|(_, servers)| servers.brand)
}
