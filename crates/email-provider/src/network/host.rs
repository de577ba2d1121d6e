use std::net::{IpAddr, Ipv6Addr};

/// A host as a caller names it, read once: nothing downstream sees the text again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A literal address.
    Address(IpAddr),
    /// A name to look up: lower case, ASCII, no trailing dot.
    Name(String),
}

impl Host {
    /// Longest name (RFC 1035 section 2.3.4).
    const LONGEST: usize = 253;

    /// Reads a literal address, bracketed or not, or a name of letters, digits, `-`, `_` and dots.
    /// `None` for anything else. A name whose last label is a number is refused too: some resolvers
    /// would read `0177.0.0.1`, `127.1` or `0x7f000001` as an address (inet_aton).
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(inside) = text.strip_prefix('[') {
            let address: Ipv6Addr = inside.strip_suffix(']')?.parse().ok()?;
            return Some(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse() {
            return Some(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        let last = name.rsplit('.').next()?;
        let numeric = last.starts_with(|c: char| c.is_ascii_digit())
            && (last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x"));
        let well_formed = name.len() <= Self::LONGEST && name.split('.').all(is_label) && !numeric;
        well_formed.then_some(Self::Name(name))
    }
}

/// A label of a name. `_` is allowed: service names and some internal hosts have it.
fn is_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_addresses_are_read_once_with_or_without_brackets() {
        for (text, address) in [
            ("127.0.0.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("::1", "::1"),
            ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
        ] {
            assert_eq!(
                Host::parse(text),
                Some(Host::Address(address.parse().unwrap())),
                "{text}"
            );
        }
    }

    #[test]
    fn names_are_normalised() {
        assert_eq!(
            Host::parse("IMAP.Example.COM."),
            Some(Host::Name("imap.example.com".into()))
        );
        assert_eq!(Host::parse("dovecot"), Some(Host::Name("dovecot".into())));
        assert_eq!(
            Host::parse("0x7f.example"),
            Some(Host::Name("0x7f.example".into()))
        );
    }

    #[test]
    fn odd_hosts_and_disguised_addresses_are_refused() {
        let long = "a.".repeat(127) + "com";
        for text in [
            "",
            ".",
            "..",
            "a..b",
            "2130706433",
            "0177.0.0.1",
            "127.1",
            "0x7f000001",
            "1.2.3.4.",
            "a.0x7f",
            "[127.0.0.1]",
            "[::1",
            "::1]",
            "[fe80::1%eth0]",
            "fe80::1%eth0",
            "a b",
            "user@host",
            "host:993",
            "http://host",
            "host/path",
            "h\r\nost",
            "h\0st",
            "-a.com",
            "a-.com",
            "büro.example",
            "%31%32%37.0.0.1",
            &"a".repeat(64),
            &long,
        ] {
            assert_eq!(Host::parse(text), None, "{text:?}");
        }
    }
}
