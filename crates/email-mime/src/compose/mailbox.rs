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

/// Reads one mailbox, which may have a local part of another script only where `internationalised`.
pub(super) fn read(
    address: &Address,
    field: &str,
    internationalised: bool,
) -> Result<Mailbox, Invalid> {
    let mailbox = Mailbox::parse(address, field)?;
    if mailbox.is_internationalised() && !internationalised {
        return Err(Rule::Internationalised.at(format!("{field}.address")));
    }
    Ok(mailbox)
}

/// Reads the mailboxes of the field `field`; of one address that stands there repeatedly, the first is kept.
pub(super) fn read_all(
    list: &[Address],
    field: &str,
    internationalised: bool,
) -> Result<Vec<Mailbox>, Invalid> {
    let mut seen = HashSet::new();
    let mut mailboxes = Vec::with_capacity(list.len());
    for (index, address) in list.iter().enumerate() {
        let mailbox = read(address, &format!("{field}[{index}]"), internationalised)?;
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
mod tests;
