//! Header fields that a client names itself.

use std::collections::HashSet;

use email_model::Header;

use super::{
    block::Block,
    invalid::{Invalid, Rule, at_most, within},
};

/// Most fields of each list.
const MAX_FIELDS: usize = 100;
/// Longest name, in octets: it leaves room for an encoded word on its line.
const MAX_NAME: usize = 76;
/// Longest value, in octets.
const MAX_VALUE: usize = 8 << 10;

/// Fields that the gateway or a server on the way sets, that have a field of their own in a message to be
/// sent, or that would give it further recipients.
const RESERVED: [&str; 22] = [
    "apparently-to",
    "authentication-results",
    "bcc",
    "cc",
    "date",
    "delivered-to",
    "dkim-signature",
    "domainkey-signature",
    "from",
    "in-reply-to",
    "message-id",
    "mime-version",
    "received",
    "received-spf",
    "references",
    "reply-to",
    "return-path",
    "sender",
    "status",
    "subject",
    "to",
    "x-envelope-to",
];
/// The same, by how their names begin.
const RESERVED_PREFIXES: [&str; 3] = ["arc-", "content-", "resent-"];

/// Writes the fields of a list that errors call `list`. Of `List-…` fields, each may stand once among
/// all that are written (RFC 2369 section 2), and `only_list` allows no others.
pub(super) fn write(
    headers: &[Header],
    list: &str,
    only_list: bool,
    seen: &mut HashSet<String>,
    block: &mut Block,
) -> Result<(), Invalid> {
    at_most(headers, MAX_FIELDS, list)?;
    for (index, Header { name, value }) in headers.iter().enumerate() {
        let at = |rule: Rule, part: &str| rule.at(format!("{list}[{index}].{part}"));
        check_name(name).map_err(|rule| at(rule, "name"))?;
        let lower = name.to_ascii_lowercase();
        check_value(value).map_err(|rule| at(rule, "value"))?;
        if lower.starts_with("list-") {
            if !seen.insert(lower) {
                return Err(at(Rule::Repeated, "name"));
            }
            if value.trim().is_empty() {
                return Err(at(Rule::Missing, "value"));
            }
            if !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
                return Err(at(Rule::NotAscii, "value"));
            }
            block
                .verbatim(name, value)
                .map_err(|rule| at(rule, "value"))?;
        } else if only_list {
            return Err(at(Rule::NotAListHeader, "name"));
        } else {
            block.text(name, value);
        }
    }
    Ok(())
}

/// RFC 5322 section 2.2, and a letter or digit first: a line that begins with a dot or a dash has a meaning to
/// the transport and to multiparts.
fn check_name(name: &str) -> Result<(), Rule> {
    let is_part = |byte: u8| byte.is_ascii_graphic() && byte != b':';
    if name.is_empty() {
        return Err(Rule::Missing);
    }
    if name.chars().any(char::is_control) {
        return Err(Rule::Control);
    }
    if !name.bytes().all(is_part) || !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(Rule::HeaderName);
    }
    within(name, MAX_NAME)?;
    let lower = name.to_ascii_lowercase();
    let by_prefix = RESERVED_PREFIXES
        .iter()
        .any(|prefix| lower.starts_with(prefix));
    if by_prefix || RESERVED.contains(&lower.as_str()) {
        return Err(Rule::Reserved);
    }
    Ok(())
}

fn check_value(value: &str) -> Result<(), Rule> {
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Rule::Control);
    }
    within(value, MAX_VALUE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_rfc_5322() {
        for name in [
            "X-Mailer",
            "x",
            "Auto-Submitted",
            "X-A.b_c!",
            "List-Unsubscribe-Post",
            "3d",
        ] {
            assert_eq!(check_name(name), Ok(()), "{name:?}");
        }
        for name in ["X A", "X:", "Ünicode", ".x", "-x", "--=_", "x\u{7f}é"] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert_eq!(check_name(""), Err(Rule::Missing));
        assert_eq!(check_name("X-A\r\nBcc"), Err(Rule::Control));
        assert_eq!(check_name(&"x".repeat(77)), Err(Rule::TooLong(76)));
    }

    #[test]
    fn what_the_gateway_or_a_server_sets_cannot_be_set() {
        for name in [
            "From",
            "to",
            "CC",
            "bCc",
            "Date",
            "Message-Id",
            "MIME-Version",
            "Content-Type",
            "content-foo",
            "Received",
            "Return-Path",
            "DKIM-Signature",
            "Resent-To",
            "ARC-Seal",
            "Subject",
            "Sender",
        ] {
            assert_eq!(check_name(name), Err(Rule::Reserved), "{name}");
        }
    }
}
