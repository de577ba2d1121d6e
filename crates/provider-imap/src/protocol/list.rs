use super::{
    lexer::{Lexer, Parsed},
    mailbox::MailboxName,
    mailbox_status::MailboxStatus,
};

bitflags::bitflags! {
    /// Attributes of a mailbox in LIST (RFC 3501, RFC 5258, RFC 6154, RFC 8457).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct MailboxAttributes: u32 {
        /// Cannot be selected.
        const NO_SELECT = 1;
        /// Does not exist; only names below it do.
        const NON_EXISTENT = 1 << 1;
        /// Can have nothing below it.
        const NO_INFERIORS = 1 << 2;
        /// Has something below it.
        const HAS_CHILDREN = 1 << 3;
        /// Has nothing below it.
        const HAS_NO_CHILDREN = 1 << 4;
        /// On another server.
        const REMOTE = 1 << 5;
        /// Subscribed to.
        const SUBSCRIBED = 1 << 6;
        /// Shows all messages.
        const ALL = 1 << 7;
        /// The archive.
        const ARCHIVE = 1 << 8;
        /// Drafts.
        const DRAFTS = 1 << 9;
        /// Shows flagged messages.
        const FLAGGED = 1 << 10;
        /// Junk.
        const JUNK = 1 << 11;
        /// Sent mail.
        const SENT = 1 << 12;
        /// Trash.
        const TRASH = 1 << 13;
        /// Shows important messages.
        const IMPORTANT = 1 << 14;
    }
}

const NAMES: [(&str, MailboxAttributes); 19] = [
    ("\\noselect", MailboxAttributes::NO_SELECT),
    (
        "\\nonexistent",
        MailboxAttributes::NON_EXISTENT.union(MailboxAttributes::NO_SELECT),
    ),
    ("\\noinferiors", MailboxAttributes::NO_INFERIORS),
    ("\\haschildren", MailboxAttributes::HAS_CHILDREN),
    ("\\hasnochildren", MailboxAttributes::HAS_NO_CHILDREN),
    ("\\remote", MailboxAttributes::REMOTE),
    ("\\subscribed", MailboxAttributes::SUBSCRIBED),
    ("\\all", MailboxAttributes::ALL),
    ("\\allmail", MailboxAttributes::ALL),
    ("\\archive", MailboxAttributes::ARCHIVE),
    ("\\drafts", MailboxAttributes::DRAFTS),
    ("\\flagged", MailboxAttributes::FLAGGED),
    ("\\starred", MailboxAttributes::FLAGGED),
    ("\\junk", MailboxAttributes::JUNK),
    ("\\spam", MailboxAttributes::JUNK),
    ("\\sent", MailboxAttributes::SENT),
    ("\\trash", MailboxAttributes::TRASH),
    ("\\important", MailboxAttributes::IMPORTANT),
    ("\\inbox", MailboxAttributes::empty()),
];

/// A mailbox as LIST tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedMailbox {
    /// Its name.
    pub name: MailboxName,
    /// What separates levels in the name; `None` where there are no levels.
    pub delimiter: Option<char>,
    /// Its attributes. Names of the XLIST extension count as those of RFC 6154.
    pub attributes: MailboxAttributes,
    /// Its state, where the server was asked and able to tell with the list (RFC 5819).
    pub status: Option<MailboxStatus>,
}

impl ListedMailbox {
    /// `(\Sent) "/" name`, perhaps with extended data after it.
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        let mut attributes = MailboxAttributes::empty();
        lexer.list(|lexer| {
            let name = lexer.astring()?.to_ascii_lowercase();
            if let Some((_, attribute)) = NAMES.iter().find(|(n, _)| n.as_bytes() == name) {
                attributes |= *attribute;
            }
            Ok(())
        })?;
        lexer.spaces();
        let delimiter = lexer.nstring()?;
        lexer.spaces();
        let name = MailboxName::from_wire(&lexer.astring()?);
        let delimiter = delimiter
            .and_then(|d| d.first().copied())
            .filter(u8::is_ascii)
            .map(char::from);
        Ok(Self {
            name,
            delimiter,
            attributes,
            status: None,
        })
    }

    /// Whether messages can be in it.
    pub fn is_selectable(&self) -> bool {
        !self.attributes.intersects(MailboxAttributes::NO_SELECT)
    }
}

/// A prefix and the delimiter below it.
pub type NamespacePrefix = (MailboxName, Option<char>);

/// Where mailboxes can be (RFC 2342).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// One's own.
    pub personal: Vec<NamespacePrefix>,
    /// Other users'.
    pub other: Vec<NamespacePrefix>,
    /// Shared.
    pub shared: Vec<NamespacePrefix>,
}

impl Namespaces {
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        let mut class = || {
            lexer.spaces();
            if lexer.nil() {
                Ok(Vec::new())
            } else {
                lexer.list(Self::parse_prefix)
            }
        };
        Ok(Self {
            personal: class()?,
            other: class()?,
            shared: class()?,
        })
    }

    fn parse_prefix(lexer: &mut Lexer<'_>) -> Parsed<NamespacePrefix> {
        lexer.expect(b'(', "a namespace")?;
        lexer.spaces();
        let prefix = lexer.astring()?;
        lexer.spaces();
        let delimiter = lexer.nstring()?;
        lexer.spaces();
        while !lexer.eat(b')') {
            lexer.skip_value()?;
            lexer.spaces();
        }
        let delimiter = delimiter
            .and_then(|d| d.first().copied())
            .filter(u8::is_ascii)
            .map(char::from);
        Ok((MailboxName::from_wire(&prefix), delimiter))
    }
}
