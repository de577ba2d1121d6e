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

/// Who files a sent message in the folder of sent mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SentCopy {
    /// The program that sends it.
    Append,
    /// The provider, after a while; a second copy would stay.
    Provider,
    /// The provider perhaps: what it has not filed after a while is filed by the program that sends.
    VerifyThenAppend,
}

/// What a sending server allows and does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendingHabits {
    /// Recipients of one message.
    pub recipients: usize,
    /// Octets of one message, whatever SIZE says.
    pub octets: u64,
    pub sent_copy: SentCopy,
}

/// RFC 5321 section 4.5.3.1.8: every server takes 100 recipients.
const USUAL_HABITS: SendingHabits = SendingHabits {
    recipients: 100,
    octets: u64::MAX,
    sent_copy: SentCopy::Append,
};

const MICROSOFT_HABITS: SendingHabits = SendingHabits {
    recipients: 500,
    sent_copy: SentCopy::Provider,
    ..USUAL_HABITS
};

/// By the last labels of the server's name. Apple's limits: support.apple.com/102198; Microsoft's: the Exchange Online
/// service description.
const HABITS: [(&str, SendingHabits); 16] = [
    (
        "mail.me.com",
        SendingHabits {
            recipients: 500,
            octets: 20 << 20,
            ..USUAL_HABITS
        },
    ),
    ("smtp.gmail.com", PROVIDER_FILES),
    ("smtp.googlemail.com", PROVIDER_FILES),
    ("office365.com", MICROSOFT_HABITS),
    ("office365.us", MICROSOFT_HABITS),
    ("outlook.com", MICROSOFT_HABITS),
    ("partner.outlook.cn", MICROSOFT_HABITS),
    ("zoho.com", PROVIDER_FILES),
    ("zoho.eu", PROVIDER_FILES),
    ("zoho.in", PROVIDER_FILES),
    ("zoho.com.au", PROVIDER_FILES),
    ("zoho.jp", PROVIDER_FILES),
    ("zohocloud.ca", PROVIDER_FILES),
    ("mail.yahoo.com", PERHAPS_FILES),
    ("mail.yahoo.co.jp", PERHAPS_FILES),
    ("smtp.aol.com", PERHAPS_FILES),
];

const PROVIDER_FILES: SendingHabits = SendingHabits {
    sent_copy: SentCopy::Provider,
    ..USUAL_HABITS
};
const PERHAPS_FILES: SendingHabits = SendingHabits {
    sent_copy: SentCopy::VerifyThenAppend,
    ..USUAL_HABITS
};

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
    of_imap_host(host)?.brand
}

/// Whether it is a server of the table.
pub(crate) fn is_known(host: &str) -> bool {
    let is_it = |server: &str| server.eq_ignore_ascii_case(host);
    DOMAINS
        .iter()
        .any(|(_, servers)| is_it(servers.imap) || is_it(servers.smtp))
}

/// The servers of which this is the reading one.
pub(crate) fn of_imap_host(host: &str) -> Option<&'static KnownServers> {
    let host = host.to_ascii_lowercase();
    DOMAINS
        .iter()
        .find(|(_, servers)| servers.imap == host)
        .map(|(_, servers)| servers)
}

/// The login of a sending server where it differs from that of the reading one: Apple's reading server wants what
/// stands before the `@`, its sending server all of the address (support.apple.com/102525).
pub(crate) fn smtp_login(host: &str, login: &str, address: &str) -> Option<String> {
    if !host.eq_ignore_ascii_case(ICLOUD.smtp) || login.contains('@') {
        return None;
    }
    let is_own = of_domain(address.rsplit_once('@')?.1)
        .is_some_and(|known| known.smtp == ICLOUD.smtp)
        && address.split('@').next() == Some(login);
    Some(match is_own {
        true => address.to_owned(),
        false => format!("{login}@icloud.com"),
    })
}

/// What is known of a sending server.
pub(crate) fn sending_habits(host: &str) -> SendingHabits {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_of = |suffix: &str| {
        host.strip_suffix(suffix)
            .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
    };
    HABITS
        .iter()
        .find(|(suffix, _)| is_of(suffix))
        .map_or(USUAL_HABITS, |(_, habits)| *habits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_filed_where_nobody_else_does() {
        let copy = |host| sending_habits(host).sent_copy;
        assert_eq!(copy("smtp.mail.me.com"), SentCopy::Append);
        assert_eq!(copy("mail.example.com"), SentCopy::Append);
        assert_eq!(copy("notoutlook.com"), SentCopy::Append);
        assert_eq!(copy("SMTP.office365.com."), SentCopy::Provider);
        assert_eq!(copy("smtp-mail.outlook.com"), SentCopy::Provider);
        assert_eq!(copy("smtppro.zoho.eu"), SentCopy::Provider);
        assert_eq!(copy("smtp.mail.yahoo.com"), SentCopy::VerifyThenAppend);
        assert_eq!(sending_habits("smtp.mail.me.com").recipients, 500);
    }

    #[test]
    fn apples_sending_server_is_given_the_whole_address() {
        let login = |host, login, address| smtp_login(host, login, address);
        let apple = "smtp.mail.me.com";
        let whole = |text: &str| Some(text.to_owned());
        assert_eq!(login(apple, "ann", "ann@me.com"), whole("ann@me.com"));
        assert_eq!(
            login(apple, "ann", "office@own.test"),
            whole("ann@icloud.com")
        );
        assert_eq!(login(apple, "ann@icloud.com", "ann@icloud.com"), None);
        assert_eq!(login("smtp.web.de", "ann", "ann@web.de"), None);
    }
}
