//! Addresses to write to: one strict reading, used for the header and for the transport alike.

use std::collections::HashSet;

use email_model::Address;
use unicode_normalization::UnicodeNormalization;

use super::invalid::{self, Invalid, Rule};

/// Longest display name, in octets.
const MAX_NAME: usize = 512;
/// RFC 5321 section 4.5.3.1.1, in octets.
const MAX_LOCAL: usize = 64;
/// RFC 5321 section 4.5.3.1.3 less the angle brackets, in octets.
const MAX_ADDRESS: usize = 254;

/// A mailbox that every reader understands alike.
///
/// The local part is a dot-atom of RFC 5322, in ASCII without `%` and `!` (which are routes to some
/// servers) or, if it must be, in letters and digits of other scripts (RFC 6531); or a quoted one of
/// those ASCII characters whose dots stand where no dot-atom has them. The domain is in its ASCII form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Mailbox {
    name: Option<String>,
    local: String,
    domain: String,
}

impl Mailbox {
    /// Reads an address; `field` is what an error calls it.
    ///
    /// # Errors
    /// [`Invalid`] with `.name` or `.address` appended to `field`.
    pub fn parse(address: &Address, field: &str) -> Result<Self, Invalid> {
        let name = address.name.as_deref().unwrap_or_default();
        invalid::one_line(name, MAX_NAME).map_err(|rule| rule.at(format!("{field}.name")))?;
        // The mark of byte order is invisible, and readers take it for a sign of the charset.
        let shown = name.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let given = address
            .address
            .as_deref()
            .unwrap_or_default()
            .trim_matches(' ');
        let (local, domain) =
            addr_spec(given).map_err(|rule| rule.at(format!("{field}.address")))?;
        Ok(Self {
            name: (!shown.is_empty()).then(|| shown.to_owned()),
            local,
            domain,
        })
    }

    /// The display name.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// `local@domain`, as it stands in headers and commands.
    pub fn address(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// The domain, in ASCII and lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Whether the address can only be written to with SMTPUTF8 (RFC 6531).
    pub fn is_internationalised(&self) -> bool {
        !self.local.is_ascii()
    }
}

/// Reads the mailboxes of the field `field`; of one address that stands there repeatedly, the first is kept.
pub(super) fn read_all(list: &[Address], field: &str) -> Result<Vec<Mailbox>, Invalid> {
    let mut seen = HashSet::new();
    let mut mailboxes = Vec::with_capacity(list.len());
    for (index, address) in list.iter().enumerate() {
        let mailbox = Mailbox::parse(address, &format!("{field}[{index}]"))?;
        if seen.insert(mailbox.address()) {
            mailboxes.push(mailbox);
        }
    }
    Ok(mailboxes)
}

fn addr_spec(text: &str) -> Result<(String, String), Rule> {
    if text.is_empty() {
        return Err(Rule::Missing);
    }
    if text.chars().any(char::is_control) {
        return Err(Rule::Control);
    }
    let (local, domain) = text.rsplit_once('@').ok_or(Rule::NotAnAddress)?;
    if local.is_empty() || domain.is_empty() {
        return Err(Rule::NotAnAddress);
    }
    let local = local_part(local)?;
    let domain = ascii_domain(domain)?;
    if local.len() > MAX_LOCAL {
        return Err(Rule::TooLong(MAX_LOCAL));
    }
    if local.len() + 1 + domain.len() > MAX_ADDRESS {
        return Err(Rule::TooLong(MAX_ADDRESS));
    }
    Ok((local, domain))
}

fn local_part(text: &str) -> Result<String, Rule> {
    let quoted = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    if let Some(inner) = quoted {
        if inner.is_empty() || !inner.bytes().all(|byte| is_atext(byte) || byte == b'.') {
            return Err(Rule::Ambiguous);
        }
        return Ok(if is_dotted(inner) {
            inner.to_owned()
        } else {
            text.to_owned()
        });
    }
    // Composed and compatible forms alike: ＠ or ⑴ may become @ or (1) on the way.
    let composed: String = text.nfc().collect();
    if !composed.chars().eq(composed.nfkc()) {
        return Err(Rule::Ambiguous);
    }
    let allowed = |c: char| match u8::try_from(c) {
        Ok(byte) if byte.is_ascii() => is_atext(byte) || byte == b'.',
        _ => is_letter(c),
    };
    if !composed.chars().all(allowed) {
        return Err(Rule::Ambiguous);
    }
    if !is_dotted(&composed) {
        return Err(Rule::NotAnAddress);
    }
    Ok(composed)
}

/// `atext` of RFC 5322 section 3.2.3 without `%` and `!`.
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"#$&'*+-/=?^_`{|}~".contains(&byte)
}

/// Letters, digits and the marks that belong to letters; nothing that is invisible, a space or a sign.
fn is_letter(c: char) -> bool {
    c.is_alphanumeric() || unicode_normalization::char::is_combining_mark(c)
}

fn is_dotted(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty())
}

/// The ASCII form of a domain (RFC 5891). What is mapped to something else on the way, case and
/// composition aside, is refused: another reader may not map it.
fn ascii_domain(text: &str) -> Result<String, Rule> {
    if text.contains([
        '[', ']', '(', ')', '"', ',', ';', ':', '<', '>', '\\', ' ', '%', '!',
    ]) {
        return Err(Rule::Ambiguous);
    }
    let ascii = idna::domain_to_ascii_strict(text).map_err(|_| Rule::Domain)?;
    let given: String = text.nfc().flat_map(char::to_lowercase).nfc().collect();
    let (unicode, valid) = idna::domain_to_unicode(&ascii);
    if valid.is_err() || (given != ascii && given != unicode) {
        return Err(Rule::Ambiguous);
    }
    let last = ascii.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        // An IP address without its brackets, or something that looks like one.
        return Err(Rule::Ambiguous);
    }
    Ok(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(address: &str) -> Result<String, Rule> {
        Mailbox::parse(&Address::bare(address), "to")
            .map(|mailbox| mailbox.address())
            .map_err(|invalid| invalid.rule)
    }

    #[test]
    fn ordinary_addresses_stay_as_they_are() {
        for address in [
            "ann@example.org",
            "ann.lee+tag@mail.example.org",
            "o'brien_1/x=y@example.org",
            "{a}|b~c^d`e*f&g$h#i?@example.org",
            "root@localhost",
            "\"abc..d.\"@example.org",
            "Ann@example.org",
        ] {
            assert_eq!(read(address).as_deref(), Ok(address));
        }
        assert_eq!(read(" ann@EXAMPLE.org ").as_deref(), Ok("ann@example.org"));
        assert_eq!(
            read("\"ann\"@example.org").as_deref(),
            Ok("ann@example.org")
        );
    }

    #[test]
    fn an_international_domain_is_written_in_ascii() {
        for domain in [
            "bücher.example",
            "BÜCHER.example",
            "bu\u{308}cher.example",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(
                read(&format!("ann@{domain}")).as_deref(),
                Ok("ann@xn--bcher-kva.example"),
                "{domain}"
            );
        }
    }

    #[test]
    fn a_local_part_of_another_script_needs_smtputf8() {
        for local in ["empfänger", "用户", "अजय", "почта.один", "संपर्क"]
        {
            let address = Address::bare(format!("{local}@example.org"));
            let mailbox = Mailbox::parse(&address, "to").unwrap();
            assert!(mailbox.is_internationalised(), "{local}");
        }
    }

    #[test]
    fn what_two_readers_could_take_for_different_addresses_is_refused() {
        for address in [
            "\"a@evil.example x\"@internal.example",
            "\"a@evil.example\"@internal.example",
            "a@evil.example@internal.example",
            "ann(comment)@example.org",
            "ann@(comment)example.org",
            "ann@example.org(comment)",
            "Ann <ann@example.org>",
            "<ann@example.org>",
            "ann@example.org, bob@example.org",
            "ann@example.org;bob@example.org",
            "team:ann@example.org;",
            "@relay.example:ann@example.org",
            "@relay.example,@other.example:ann@example.org",
            "ann%example.org@relay.example",
            "relay.example!ann@example.org",
            "ann @example.org",
            "ann@ example.org",
            "ann lee@example.org",
            "\"ann lee\"@example.org",
            "\"ann\\\"lee\"@example.org",
            "\"\"@example.org",
            "ann@[127.0.0.1]",
            "ann@[IPv6:::1]",
            "ann@127.0.0.1",
            "ann@2130706433",
            "ann\\@example.org",
            "ann\u{ff20}evil.example@example.org",
            "ann\u{2474}@example.org",
            "an\u{200b}n@example.org",
            "ann\u{202e}@example.org",
            "ann\u{a0}lee@example.org",
            "ann@exam\u{ad}ple.org",
            "ann@exa\u{ff4d}ple.org",
            "ann@example\u{3002}org",
        ] {
            assert_eq!(read(address), Err(Rule::Ambiguous), "{address:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for address in [
            "ann",
            "ann@",
            "@example.org",
            ".ann@example.org",
            "ann.@example.org",
            "a..b@example.org",
        ] {
            assert_eq!(read(address), Err(Rule::NotAnAddress), "{address:?}");
        }
        for address in [
            "ann@example..org",
            "ann@example.org.",
            "ann@-x.org",
            "ann@a_b.org",
            "ann@xn--a.org",
        ] {
            assert_eq!(read(address), Err(Rule::Domain), "{address:?}");
        }
        assert_eq!(read(""), Err(Rule::Missing));
        assert_eq!(
            read(&format!("{}@x.org", "a".repeat(65))),
            Err(Rule::TooLong(64))
        );
        let domain = [
            "b".repeat(60),
            "c".repeat(60),
            "d".repeat(60),
            "e".repeat(60),
        ]
        .join(".");
        assert_eq!(
            read(&format!("{}@{domain}", "a".repeat(60))),
            Err(Rule::TooLong(254))
        );
    }

    #[test]
    fn control_characters_are_refused_in_both_fields() {
        for control in [
            "\r",
            "\n",
            "\0",
            "\r\nRCPT TO:<x@y>",
            "\u{85}",
            "\u{1b}",
            "\t",
        ] {
            assert_eq!(
                read(&format!("ann{control}@example.org")),
                Err(Rule::Control)
            );
            assert_eq!(
                read(&format!("ann@example.org>{control}")),
                Err(Rule::Control)
            );
            let address = Address {
                name: Some(format!("Ann{control}Lee")),
                address: Some("ann@example.org".into()),
            };
            assert_eq!(
                Mailbox::parse(&address, "cc[3]"),
                Err(Rule::Control.at("cc[3].name"))
            );
        }
    }

    #[test]
    fn duplicates_are_folded() {
        let list = ["ann@x.org", "ann@X.ORG", "\"ann\"@x.org", "bob@x.org"].map(Address::bare);
        let read: Vec<_> = read_all(&list, "to")
            .unwrap()
            .iter()
            .map(Mailbox::address)
            .collect();
        assert_eq!(read, ["ann@x.org", "bob@x.org"]);
    }
}
