//! Message ids to be written (RFC 5322 section 3.6.4).

use std::fmt::Write as _;

use super::{
    Mailbox,
    invalid::{Invalid, Rule},
};

/// Longest id with its brackets, in octets: it must fit a line (RFC 5322 section 2.1.1) after a field's name.
const MAX_ID: usize = 900;
/// Most ids written to `References`: what readers keep.
pub(super) const MAX_REFERENCES: usize = 100;
/// Most octets of them.
const MAX_REFERENCES_OCTETS: usize = 16 << 10;

/// An id for a new message of `sender`, in the sender's domain, unique by `random`.
pub fn new_message_id(random: [u8; 16], sender: &Mailbox) -> String {
    let mut id = String::with_capacity(2 * random.len() + 3 + sender.domain().len());
    id.push('<');
    for byte in random {
        // Writing to a String cannot fail.
        let _ = write!(id, "{byte:02x}");
    }
    id.push('@');
    id.push_str(sender.domain());
    id.push('>');
    id
}

/// The ids of a text such as a client gives for `References`, separated by spaces, brackets added where
/// they are missing. `field` is what an error calls it.
///
/// # Errors
/// [`Rule::Control`], [`Rule::MessageId`], [`Rule::TooLong`]: nothing is passed over.
pub fn parse_message_ids(text: &str, field: &str) -> Result<Vec<String>, Invalid> {
    let apart = text.replace("><", "> <");
    let words = apart.split(' ').filter(|word| !word.is_empty());
    words
        .map(|word| checked(word).map_err(|rule| rule.at(field)))
        .collect()
}

/// One id, in brackets.
pub(super) fn checked(text: &str) -> Result<String, Rule> {
    if text.chars().any(char::is_control) {
        return Err(Rule::Control);
    }
    let inner = match text.strip_prefix('<') {
        Some(rest) => rest.strip_suffix('>').ok_or(Rule::MessageId)?,
        None => text,
    };
    let is_part = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
    if inner.is_empty() || !inner.bytes().all(is_part) {
        return Err(Rule::MessageId);
    }
    if inner.len() + 2 > MAX_ID {
        return Err(Rule::TooLong(MAX_ID));
    }
    Ok(format!("<{inner}>"))
}

/// The first id and as many of the last ones as a header should have.
pub(super) fn bounded(mut ids: Vec<String>) -> Vec<String> {
    if ids.len() > MAX_REFERENCES {
        ids.drain(1..ids.len() + 1 - MAX_REFERENCES);
    }
    let mut octets: usize = ids.iter().map(|id| id.len() + 1).sum();
    let mut dropped = 0;
    for id in ids.iter().skip(1) {
        if octets <= MAX_REFERENCES_OCTETS {
            break;
        }
        octets -= id.len() + 1;
        dropped += 1;
    }
    if dropped > 0 {
        ids.drain(1..=dropped);
    }
    ids
}

#[cfg(test)]
mod tests {
    use email_model::Address;

    use super::*;

    #[test]
    fn an_id_is_of_the_senders_domain() {
        let sender = Mailbox::parse(&Address::bare("ann@Bücher.example"), "from").unwrap();
        assert_eq!(
            new_message_id([0xab; 16], &sender),
            "<abababababababababababababababab@xn--bcher-kva.example>"
        );
    }

    #[test]
    fn ids_are_read_strictly() {
        assert_eq!(
            parse_message_ids(" <a@b>  c@d <e@f><g@h>", "references").unwrap(),
            ["<a@b>", "<c@d>", "<e@f>", "<g@h>"]
        );
        assert_eq!(parse_message_ids("", "references").unwrap(), [""; 0]);
        for text in ["<a@b", "a>b", "<>", "<a<b>", "<é@b>", "Re: x <a@b>>"] {
            assert_eq!(
                parse_message_ids(text, "references"),
                Err(Rule::MessageId.at("references")),
                "{text:?}"
            );
        }
        for text in ["<a@b>\r\nBcc: x@y", "<a\0@b>", "<a@b>\n <c@d>"] {
            assert_eq!(
                parse_message_ids(text, "inReplyTo"),
                Err(Rule::Control.at("inReplyTo")),
                "{text:?}"
            );
        }
        assert_eq!(checked(&"a".repeat(899)), Err(Rule::TooLong(900)));
    }

    #[test]
    fn the_first_and_the_last_ids_are_kept() {
        let many: Vec<_> = (0..300).map(|n| format!("<{n}@x>")).collect();
        let ids = bounded(many);
        assert_eq!(
            (ids.len(), ids[0].as_str(), ids[1].as_str()),
            (100, "<0@x>", "<201@x>")
        );
        let long: Vec<_> = (0..50).map(|n| format!("<{n:0>800}@x>")).collect();
        let ids = bounded(long.clone());
        assert!(ids.iter().map(|id| id.len() + 1).sum::<usize>() <= MAX_REFERENCES_OCTETS);
        assert_eq!((ids.first(), ids.last()), (long.first(), long.last()));
        assert_eq!(bounded(Vec::new()), [""; 0]);
    }
}
