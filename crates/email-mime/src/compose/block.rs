//! The header block: fields folded and encoded, and read again.

use std::fmt::{self, Write as _};

use email_encoding::headers::{rfc2047, writer::EmailWriter};
use email_model::Timestamp;

use super::{
    Mailbox,
    invalid::{Invalid, Rule},
};
use crate::{
    headers::{
        MAX_BLOCK, decode_unstructured,
        fields::{Field, fields},
        message_ids, parse_addresses, parse_date,
    },
    text::one_line,
};

/// Longest piece of a value without a place to fold it, in octets. With the field's name it fits a
/// line of 998 (RFC 5322 section 2.1.1).
const MAX_UNBROKEN: usize = 900;
/// Longest display name that stands in quotes, in octets: it fits its line.
const MAX_QUOTED: usize = 60;
/// Where lines are folded (RFC 2047 section 2), in octets.
const MAX_LINE: usize = 76;
/// Most mailboxes of a field that [`parse_addresses`] gives.
const MAX_READ: usize = 1_000;

/// Fields as they are written, and what they are to say.
#[derive(Clone, Debug, Default)]
pub(super) struct Block {
    text: String,
    written: Vec<(String, Value)>,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Mailboxes(Vec<Mailbox>),
    Ids(Vec<String>),
    Date(Timestamp),
    /// As it stands, white space aside.
    Verbatim(String),
}

impl Block {
    /// Unstructured text (RFC 5322 section 2.2.1) without control characters, tabs aside. White space around
    /// it is no part of it.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        let value = value.trim_matches([' ', '\t']);
        self.field(name, |w| {
            if must_be_encoded(value) {
                rfc2047::encode(value, w)
            } else {
                w.folding().write_str(value)
            }
        });
        self.note(name, Value::Text(value.to_owned()));
    }

    /// A value in printable ASCII whose syntax allows no encoded words.
    pub(super) fn verbatim(&mut self, name: &str, value: &str) -> Result<(), Rule> {
        let value = value.trim_matches(' ');
        if longest_unbroken(value) > MAX_UNBROKEN {
            return Err(Rule::TooLong(MAX_UNBROKEN));
        }
        self.field(name, |w| w.folding().write_str(value));
        self.note(name, Value::Verbatim(value.to_owned()));
        Ok(())
    }

    pub(super) fn date(&mut self, value: Timestamp) {
        // RFC 5322 section 3.3.
        let formatted = value.format("%a, %d %b %Y %H:%M:%S +0000");
        self.field("Date", |w| write!(w, "{formatted}"));
        self.note("Date", Value::Date(value));
    }

    /// An address list; no field where nobody is in it.
    pub(super) fn mailboxes(&mut self, name: &str, list: &[Mailbox]) {
        if list.is_empty() {
            return;
        }
        self.field(name, |w| {
            for (index, mailbox) in list.iter().enumerate() {
                if index > 0 {
                    w.write_char(',')?;
                    w.space();
                }
                write_mailbox(mailbox, index == 0, w)?;
            }
            Ok(())
        });
        self.note(name, Value::Mailboxes(list.to_vec()));
    }

    /// Message ids; no field where there are none.
    pub(super) fn ids(&mut self, name: &str, ids: &[String]) {
        if ids.is_empty() {
            return;
        }
        self.field(name, |w| w.folding().write_str(&ids.join(" ")));
        self.note(name, Value::Ids(ids.to_vec()));
    }

    /// Fields that are written already, each ending with its line break.
    pub(super) fn written(&mut self, lines: &str) {
        self.text.push_str(lines);
        for field in fields(lines.as_bytes()) {
            let name = String::from_utf8_lossy(field.name).into_owned();
            let value = String::from_utf8_lossy(field.value).into_owned();
            self.written.push((name, Value::Verbatim(value)));
        }
    }

    fn field(&mut self, name: &str, write: impl FnOnce(&mut EmailWriter<'_>) -> fmt::Result) {
        self.text.push_str(name);
        self.text.push(':');
        {
            // No line break before the first word: some readers take an empty first line for the value.
            let mut writer = EmailWriter::new(&mut self.text, name.len() + 1, 1, false);
            // Writing to a String cannot fail.
            let _ = write(&mut writer);
        }
        self.text.push_str("\r\n");
    }

    fn note(&mut self, name: &str, value: Value) {
        self.written.push((name.to_owned(), value));
    }

    /// The block with the empty line after it. It is read again first, as a recipient reads it, and must
    /// hold exactly the fields that were meant, each saying what it was to say.
    pub(super) fn finish(mut self) -> Result<String, Invalid> {
        if self.text.len() > MAX_BLOCK {
            return Err(Rule::TooLong(MAX_BLOCK).at("headers"));
        }
        self.read_back()?;
        self.text.push_str("\r\n");
        Ok(self.text)
    }

    fn read_back(&self) -> Result<(), Invalid> {
        let mut found = fields(self.text.as_bytes());
        for (name, value) in &self.written {
            let is_same =
                |field: Field<'_>| field.name == name.as_bytes() && value.is_read_from(field);
            if !found.next().is_some_and(is_same) {
                return Err(Rule::NotReadBack.at(name.clone()));
            }
        }
        match found.next() {
            Some(_) => Err(Rule::NotReadBack.at("headers")),
            None => Ok(()),
        }
    }
}

impl Value {
    fn is_read_from(&self, field: Field<'_>) -> bool {
        match self {
            Self::Text(text) => {
                squeezed(&decode_unstructured(field.value)) == squeezed(&one_line(text))
            }
            Self::Mailboxes(mailboxes) => {
                let read = parse_addresses(field.value);
                // Readers stop at some number; the fields name more only where that many may be written to.
                let complete = read.len() == mailboxes.len().min(MAX_READ);
                complete
                    && read.iter().zip(mailboxes).all(|(read, meant)| {
                        read.address.as_deref() == Some(meant.address().as_str())
                            && read.name.as_deref().map(squeezed) == meant.name().map(squeezed)
                    })
            }
            Self::Ids(ids) => message_ids(field.value) == *ids,
            Self::Date(date) => {
                parse_date(field.value).map(|read| read.timestamp()) == Some(date.timestamp())
            }
            Self::Verbatim(value) => {
                squeezed(&String::from_utf8_lossy(field.value)) == squeezed(value)
            }
        }
    }
}

/// With every run of white space as one space: folding keeps it, some readers do not. Without marks that
/// readers take for a sign of the charset.
fn squeezed(text: &str) -> String {
    let text = text.replace('\u{feff}', "");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn write_mailbox(mailbox: &Mailbox, first: bool, w: &mut EmailWriter<'_>) -> fmt::Result {
    let address = mailbox.address();
    let Some(name) = mailbox.name() else {
        return w.folding().write_str(&address);
    };
    // A quoted string where it holds nothing that a reader might take for syntax, else encoded words.
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '.' | '\'');
    if name.len() <= MAX_QUOTED && name.chars().all(is_safe) {
        // Never folded inside: there are readers that miss the end of the quotes then, and take the
        // addresses after it for part of the name.
        if !first && w.projected_line_len() + name.len() + 2 > MAX_LINE {
            w.new_line()?;
        }
        w.write_str(&format!("\"{name}\""))?;
    } else {
        rfc2047::encode(name, w)?;
    }
    w.space();
    w.folding().write_str(&format!("<{address}>"))
}

/// Whether text must be written as encoded words (RFC 2047): it is not ASCII, a reader would take part of it
/// for an encoded word, or it cannot be folded.
fn must_be_encoded(text: &str) -> bool {
    !text.is_ascii() || text.contains("=?") || longest_unbroken(text) > MAX_UNBROKEN
}

/// The longest run of spaces and the word after it, in octets. Lines are folded before the spaces.
fn longest_unbroken(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    let mut in_word = true;
    for byte in text.bytes() {
        if byte == b' ' && in_word {
            longest = longest.max(run);
            run = 0;
        }
        in_word = byte != b' ';
        run += 1;
    }
    longest.max(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_measured_with_the_spaces_before_them() {
        assert_eq!(longest_unbroken("a  bcd ef"), 5);
        assert_eq!(longest_unbroken(""), 0);
        assert_eq!(longest_unbroken(&"x".repeat(50)), 50);
    }

    #[test]
    fn a_block_that_says_something_else_is_refused() {
        let mut block = Block::default();
        block.text("Subject", "one");
        block.text.push_str("Bcc: eve@example.org\r\n");
        assert_eq!(block.finish(), Err(Rule::NotReadBack.at("headers")));
        let mut block = Block::default();
        block.text("Subject", "one\r\nBcc: eve@example.org");
        assert!(block.finish().is_err());
        let mut block = Block::default();
        block.text("Subject", "one\r\n\r\nbody");
        block.text("X-Other", "two");
        assert!(block.finish().is_err());
    }
}
