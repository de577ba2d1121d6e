use super::{
    lexer::{Lexer, Parsed},
    mailbox::MailboxName,
};

/// What STATUS tells of a mailbox. `None`: not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailboxStatus {
    /// Messages in it.
    pub messages: Option<u32>,
    /// Messages that are not `\Seen`.
    pub unseen: Option<u32>,
    /// The next UID.
    pub uid_next: Option<u32>,
    /// The UIDs' validity.
    pub uid_validity: Option<u32>,
    /// RFC 7162. Courier answers an empty list to the question.
    pub highest_mod_seq: Option<u64>,
    /// Octets in all (RFC 8438).
    pub size: Option<u64>,
    /// The mailbox's id, the same after a rename (RFC 8474).
    pub mailbox_id: Option<String>,
}

impl MailboxStatus {
    /// `name (MESSAGES 5 UIDNEXT 9)`.
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Parsed<(MailboxName, Self)> {
        let name = MailboxName::from_wire(&lexer.astring()?);
        lexer.spaces();
        let mut status = Self::default();
        lexer.list(|lexer| status.parse_item(lexer))?;
        Ok((name, status))
    }

    fn parse_item(&mut self, lexer: &mut Lexer<'_>) -> Parsed<()> {
        let item = lexer.atom()?.to_ascii_uppercase();
        lexer.spaces();
        let start = lexer.position();
        let read = match item.as_slice() {
            b"MESSAGES" => lexer.number32().map(|n| self.messages = Some(n)),
            b"UNSEEN" => lexer.number32().map(|n| self.unseen = Some(n)),
            b"UIDNEXT" => lexer.number32().map(|n| self.uid_next = Some(n)),
            b"UIDVALIDITY" => lexer.number32().map(|n| self.uid_validity = Some(n)),
            b"HIGHESTMODSEQ" => lexer.number().map(|n| self.highest_mod_seq = Some(n)),
            b"SIZE" => lexer.number().map(|n| self.size = Some(n)),
            b"MAILBOXID" => lexer.list(Lexer::astring).map(|ids| {
                self.mailbox_id = ids
                    .first()
                    .map(|id| String::from_utf8_lossy(id).into_owned());
            }),
            _ => lexer.skip_value(),
        };
        if read.is_err() {
            // Zoho has been seen to send a MODSEQ of -1.
            lexer.rewind(start);
            lexer.skip_value()?;
        }
        Ok(())
    }
}
