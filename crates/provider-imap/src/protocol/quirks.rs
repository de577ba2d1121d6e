//! What well-known servers do otherwise than they say.

use super::capability::Capability;

/// What to heed. The default heeds nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// Who it is about, for the log.
    pub name: &'static str,
    /// ID must be sent even if it is not offered.
    pub needs_id: bool,
    /// QRESYNC is offered and must not be used.
    pub no_qresync: bool,
    /// IDLE does not tell of removals.
    pub idle_misses_removals: bool,
    /// ESEARCH is offered and must not be used.
    pub no_esearch: bool,
    /// SEARCH takes ASCII only.
    pub ascii_search: bool,
    /// SEARCH is known to miss messages: a listing by it is no proof.
    pub search_incomplete: bool,
    /// LIST must not have RETURN options.
    pub no_list_extended: bool,
    /// Most messages that a selected mailbox shows. STATUS counts all.
    pub select_cap: Option<u32>,
    /// COPYUID is right only for one message at a time.
    pub one_copy_at_a_time: bool,
    /// Longest command in octets.
    pub command_length: usize,
    /// The server itself stores what is sent by its SMTP server.
    pub stores_sent: bool,
    /// A message can show up in several mailboxes at once.
    pub views_duplicate: bool,
    /// A part that is fetched alone may be empty: fetch the whole message then.
    pub empty_parts: bool,
    /// Names of special mailboxes where the server does not mark them: name, attribute of RFC 6154.
    pub special_names: &'static [(&'static str, &'static str)],
}

/// No peculiarities known. Commands of 8000 octets are what RFC 7162 section 4 tells servers to take.
const NONE: Quirks = Quirks {
    name: "",
    needs_id: false,
    no_qresync: false,
    idle_misses_removals: false,
    no_esearch: false,
    ascii_search: false,
    search_incomplete: false,
    no_list_extended: false,
    select_cap: None,
    one_copy_at_a_time: false,
    command_length: 8000,
    stores_sent: false,
    views_duplicate: false,
    empty_parts: false,
    special_names: &[],
};

/// iCloud answers ENABLE QRESYNC without ENABLED, and told mail older than a week as vanished; its
/// MIN and MAX are unreliable. It marks no special mailboxes.
const ICLOUD: Quirks = Quirks {
    name: "iCloud",
    no_qresync: true,
    no_esearch: true,
    views_duplicate: true,
    special_names: &[
        ("Sent Messages", "\\Sent"),
        ("Deleted Messages", "\\Trash"),
        ("Junk", "\\Junk"),
        ("Archive", "\\Archive"),
        ("Drafts", "\\Drafts"),
    ],
    ..NONE
};

/// Yahoo and AOL show the newest 10,000 messages of a mailbox, permute the pairs of COPYUID, tell of
/// no removal in IDLE, and take lines of 1000 octets.
const YAHOO: Quirks = Quirks {
    name: "Yahoo",
    no_qresync: true,
    idle_misses_removals: true,
    select_cap: Some(10_000),
    one_copy_at_a_time: true,
    command_length: 1000,
    ..NONE
};

/// Yahoo's read-only host for exports shows ten times as much.
const YAHOO_EXPORT: Quirks = Quirks {
    name: "Yahoo export",
    select_cap: Some(100_000),
    ..YAHOO
};

/// Exchange Online and Outlook.com mark no special mailboxes, SEARCH misses messages, parts of
/// invitations come empty, and the server stores what it sends.
const OUTLOOK: Quirks = Quirks {
    name: "Outlook",
    ascii_search: true,
    search_incomplete: true,
    stores_sent: true,
    empty_parts: true,
    special_names: &[
        ("Sent Items", "\\Sent"),
        ("Deleted Items", "\\Trash"),
        ("Junk Email", "\\Junk"),
        ("Junk E-mail", "\\Junk"),
        ("Archive", "\\Archive"),
        ("Drafts", "\\Drafts"),
    ],
    ..NONE
};

/// Gmail stores what it sends; every label is a view of the same message.
const GMAIL: Quirks = Quirks {
    name: "Gmail",
    stores_sent: true,
    views_duplicate: true,
    ..NONE
};

/// Zoho stores what it sends unless the user turns it off.
const ZOHO: Quirks = Quirks {
    name: "Zoho",
    stores_sent: true,
    ..NONE
};

/// Proton's bridge answers BAD to RETURN (SPECIAL-USE), and shows every message in All Mail too.
const PROTON: Quirks = Quirks {
    name: "Proton",
    no_list_extended: true,
    views_duplicate: true,
    ..NONE
};

/// NetEase refuses SELECT to a client that has not sent ID, which is sent wherever it is offered.
const NETEASE: Quirks = Quirks {
    name: "NetEase",
    needs_id: true,
    ..NONE
};

/// Host names, by their last labels.
const BY_HOST: [(&str, Quirks); 22] = [
    ("mail.me.com", ICLOUD),
    ("icloud.com", ICLOUD),
    ("export.imap.mail.yahoo.com", YAHOO_EXPORT),
    ("mail.yahoo.com", YAHOO),
    ("mail.yahoo.co.jp", YAHOO),
    ("imap.aol.com", YAHOO),
    ("outlook.office365.com", OUTLOOK),
    ("outlook.com", OUTLOOK),
    ("outlook.office.com", OUTLOOK),
    ("office365.us", OUTLOOK),
    ("partner.outlook.cn", OUTLOOK),
    ("imap.gmail.com", GMAIL),
    ("imap.googlemail.com", GMAIL),
    ("zoho.com", ZOHO),
    ("zoho.eu", ZOHO),
    ("zoho.in", ZOHO),
    ("zoho.com.au", ZOHO),
    ("zoho.jp", ZOHO),
    ("zohocloud.ca", ZOHO),
    ("163.com", NETEASE),
    ("126.com", NETEASE),
    ("yeah.net", NETEASE),
];

/// Capabilities that only one server has.
const BY_CAPABILITY: [(Capability, Quirks); 3] = [
    (Capability::X_GM_EXT_1, GMAIL),
    (Capability::XAPPLEPUSHSERVICE, ICLOUD),
    (Capability::XYMHIGHESTMODSEQ, YAHOO),
];

/// Words in the server's ID.
const BY_ID: [(&str, Quirks); 4] = [
    ("proton", PROTON),
    ("gimap", GMAIL),
    ("coremail", NETEASE),
    ("yahoo", YAHOO),
];

impl Default for Quirks {
    fn default() -> Self {
        NONE
    }
}

impl Quirks {
    /// For a server, by its name, what it offers, and what it calls itself.
    pub fn of(host: &str, capabilities: Capability, id: &[(String, String)]) -> Self {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let is_host = |suffix: &str| {
            host.strip_suffix(suffix)
                .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        };
        let by_host = BY_HOST
            .iter()
            .find(|(suffix, _)| is_host(suffix))
            .map(|(_, q)| *q);
        let by_capability = || {
            BY_CAPABILITY
                .iter()
                .find(|(c, _)| capabilities.contains(*c))
                .map(|(_, q)| *q)
        };
        let names = || {
            id.iter()
                .filter(|(key, _)| ["name", "vendor"].contains(&&*key.to_ascii_lowercase()))
        };
        let is_named =
            |word: &str| names().any(|(_, value)| value.to_ascii_lowercase().contains(word));
        let by_id = || {
            BY_ID
                .iter()
                .find(|(word, _)| is_named(word))
                .map(|(_, q)| *q)
        };
        by_host
            .or_else(by_capability)
            .or_else(by_id)
            .unwrap_or(NONE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_host_capability_or_id() {
        let none = Capability::empty();
        assert_eq!(Quirks::of("p01-IMAP.mail.me.com", none, &[]).name, "iCloud");
        assert_eq!(Quirks::of("imap.mail.me.com.", none, &[]).name, "iCloud");
        assert_eq!(
            Quirks::of("export.imap.mail.yahoo.com", none, &[]).select_cap,
            Some(100_000)
        );
        assert_eq!(
            Quirks::of("imap.mail.yahoo.com", none, &[]).select_cap,
            Some(10_000)
        );
        assert_eq!(Quirks::of("imap.163.com", none, &[]).name, "NetEase");
        assert_eq!(Quirks::of("notzoho.com", none, &[]).name, "");
        assert_eq!(Quirks::of("x", Capability::X_GM_EXT_1, &[]).name, "Gmail");
        assert_eq!(
            Quirks::of(
                "127.0.0.1",
                none,
                &[("name".into(), "Proton Mail Bridge".into())]
            )
            .name,
            "Proton"
        );
    }
}
