//! UID FETCH.

use bytes::Bytes;
use tokio::time::Instant;

use super::{
    capability::{Capabilities, Capability},
    command::Command,
    connection::Connection,
    error::{Error, Result},
    fetch_response::FetchData,
    flags::FlagSet,
    response_code::ResponseCode,
    section::Section,
    uid_set::UidSet,
    untagged::{StatusResponse, Untagged},
};

bitflags::bitflags! {
    /// What to fetch of each message besides its UID. What the server does not offer is left out.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct FetchItem: u16 {
        /// Flags.
        const FLAGS = 1;
        /// The modification sequence (CONDSTORE).
        const MOD_SEQ = 1 << 1;
        /// When the server got it.
        const INTERNAL_DATE = 1 << 2;
        /// Octets of the whole message.
        const SIZE = 1 << 3;
        /// The most important header fields.
        const ENVELOPE = 1 << 4;
        /// What it is made of.
        const STRUCTURE = 1 << 5;
        /// EMAILID and THREADID (OBJECTID).
        const OBJECT_ID = 1 << 6;
        /// Gmail's ids of message and conversation.
        const GMAIL_ID = 1 << 7;
        /// Gmail's labels.
        const GMAIL_LABELS = 1 << 8;
        /// The beginning of the text (PREVIEW).
        const PREVIEW = 1 << 9;
    }
}

/// What each item is called, and what the server must offer for it.
const NAMES: [(FetchItem, &str, Capability); 10] = [
    (FetchItem::FLAGS, "FLAGS", Capability::empty()),
    (FetchItem::MOD_SEQ, "MODSEQ", Capability::CONDSTORE),
    (
        FetchItem::INTERNAL_DATE,
        "INTERNALDATE",
        Capability::empty(),
    ),
    (FetchItem::SIZE, "RFC822.SIZE", Capability::empty()),
    (FetchItem::ENVELOPE, "ENVELOPE", Capability::empty()),
    (FetchItem::STRUCTURE, "BODYSTRUCTURE", Capability::empty()),
    (
        FetchItem::OBJECT_ID,
        "EMAILID THREADID",
        Capability::OBJECTID,
    ),
    (
        FetchItem::GMAIL_ID,
        "X-GM-MSGID X-GM-THRID",
        Capability::X_GM_EXT_1,
    ),
    (
        FetchItem::GMAIL_LABELS,
        "X-GM-LABELS",
        Capability::X_GM_EXT_1,
    ),
    (FetchItem::PREVIEW, "PREVIEW", Capability::PREVIEW),
];

/// What to fetch of each message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchItems {
    /// Facts.
    pub items: FetchItem,
    /// Contents, whole: see [`super::Limits::literal`]. Nothing is marked as read. At most one list of
    /// header fields.
    pub sections: Vec<Section>,
    /// So many octets of each section, from its beginning; some servers send all of it none the less.
    pub at_most: Option<u32>,
}

impl From<FetchItem> for FetchItems {
    fn from(items: FetchItem) -> Self {
        Self {
            items,
            ..Self::default()
        }
    }
}

impl FetchItems {
    /// As a parenthesised list. NOMODSEQ mailboxes refuse MODSEQ (RFC 7162 section 3.1.2.2).
    fn text(&self, offered: &Capabilities, mod_seq: bool) -> String {
        let wanted = |(item, _, needs): &&(FetchItem, &str, Capability)| {
            self.items.contains(*item)
                && offered.has(*needs)
                && (mod_seq || *item != FetchItem::MOD_SEQ)
        };
        let facts = NAMES
            .iter()
            .filter(wanted)
            .map(|(_, name, _)| (*name).to_owned());
        let range = self
            .at_most
            .map(|octets| format!("<0.{octets}>"))
            .unwrap_or_default();
        let contents = self
            .sections
            .iter()
            .map(|section| format!("BODY.PEEK[{section}]{range}"));
        let list: Vec<String> = std::iter::once("UID".to_owned())
            .chain(facts)
            .chain(contents)
            .collect();
        format!("({})", list.join(" "))
    }

    /// Octets of contents that answers about so many messages may have. Header fields and structures are as long as
    /// their senders made them, but few are long; contents are bounded by the account's largest message alone.
    fn contents(&self, messages: u64) -> u64 {
        const HEADER_OR_STRUCTURE: u64 = 64 << 10;
        if !self.sections.iter().all(Section::is_header_fields) {
            return u64::MAX;
        }
        let long = FetchItem::ENVELOPE | FetchItem::STRUCTURE;
        match self.sections.is_empty() && !self.items.intersects(long) {
            true => 0,
            false => messages.saturating_mul(HEADER_OR_STRUCTURE),
        }
    }

    /// Without what was not asked for: it may be of any size, and whoever keeps the data would keep it.
    fn only_asked(&self, mut data: FetchData) -> FetchData {
        data.sections
            .retain(|found| self.sections.iter().any(|s| s.is_answered_by(&found.name)));
        let asks = |item| self.items.contains(item);
        data.envelope = data.envelope.filter(|_| asks(FetchItem::ENVELOPE));
        data.structure = data.structure.filter(|_| asks(FetchItem::STRUCTURE));
        data.gmail_labels = data.gmail_labels.filter(|_| asks(FetchItem::GMAIL_LABELS));
        data.preview = data.preview.filter(|_| asks(FetchItem::PREVIEW));
        if !asks(FetchItem::OBJECT_ID) {
            (data.email_id, data.thread_id) = (None, None);
        }
        data
    }

    /// Whether data is an answer to this, not the unasked news of changed flags. In doubt it is: an answer
    /// taken for news would make a message seem absent.
    fn is_answered_by(&self, data: &FetchData) -> bool {
        let never_nil = FetchItem::SIZE | FetchItem::ENVELOPE | FetchItem::STRUCTURE;
        let asks_more_than_flags = self.items.intersects(never_nil) || !self.sections.is_empty();
        !asks_more_than_flags
            || data.damaged
            || data.internal_date.is_some()
            || data.size.is_some()
            || data.envelope.is_some()
            || data.structure.is_some()
            || data.email_id.is_some()
            || data.gmail_message_id.is_some()
            || data.preview.is_some()
            || !data.sections.is_empty()
    }
}

/// Only what changed after a modification sequence (RFC 7162 section 3.1.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangedSince {
    /// The modification sequence.
    pub mod_seq: u64,
    /// Tell what is gone, too. Only where [`Connection::has_qresync`].
    pub vanished: bool,
}

/// A piece of a message's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// These octets; fewer than asked for, perhaps none, at the end.
    Octets(Bytes),
    /// The message has no such section.
    NoSection,
    /// There is no such message.
    NoMessage,
}

impl Connection {
    /// Fetches messages and hands each to `each` as it arrives, in the server's order, so that memory
    /// holds one at a time. Messages that are not there are left out, and news of other messages is not
    /// handed on. A message that comes in several answers comes in several calls.
    ///
    /// The set may go up to `u32::MAX`. With [`ChangedSince::vanished`] the UIDs that are gone are
    /// returned; they may be more than were known.
    ///
    /// # Errors
    /// Those of the server, and those of `each`, which end the fetch and leave the connection
    /// unusable.
    pub async fn uid_fetch(
        &mut self,
        uids: &UidSet,
        items: &FetchItems,
        since: Option<ChangedSince>,
        deadline: Instant,
        each: &mut (dyn FnMut(FetchData) -> Result<()> + Send),
    ) -> Result<UidSet> {
        let mod_seq = self.need_selected()?.highest_mod_seq.is_some();
        if since.is_some_and(|s| s.vanished) && !self.qresync {
            return Err(Error::Unsupported("QRESYNC"));
        }
        let after = match since {
            None => items.text(&self.capabilities, mod_seq),
            Some(ChangedSince {
                mod_seq: since,
                vanished,
            }) => {
                let vanished = if vanished { " VANISHED" } else { "" };
                format!(
                    "{} (CHANGEDSINCE {since}{vanished})",
                    items.text(&self.capabilities, mod_seq)
                )
            }
        };
        let most = self.need_selected()?.exists;
        let (mut gone, mut keywords) = (UidSet::new(), self.limits.keywords);
        for chunk in self.chunks(uids, after.len(), u64::MAX) {
            let mut rest = chunk;
            while !rest.is_empty() {
                let set = sequence_set(&rest, since.is_some_and(|s| s.vanished));
                let command = Command::new("UID FETCH")
                    .word(set)
                    .word(&after)
                    .with_contents(items.contents(rest.len().min(u64::from(most))));
                let mut heed = |untagged| match untagged {
                    Untagged::Fetch(data)
                        if rest.contains(data.uid) && items.is_answered_by(&data) =>
                    {
                        let data = items.only_asked(data);
                        take_keywords(&mut keywords, data.flags.as_ref())?;
                        each(data).map(|()| true)
                    }
                    Untagged::Vanished {
                        earlier: true,
                        uids,
                    } => {
                        gone = gone.union(&uids);
                        Ok(true)
                    }
                    _ => Ok(false),
                };
                let result = self.exec(command, deadline, &mut heed).await;
                rest = match unfinished(result, &rest)? {
                    Some(lower) => lower,
                    None => break,
                };
            }
        }
        Ok(gone)
    }

    /// A piece of a section, at most `length` octets from `offset` on: how a large message is read in
    /// bounded memory. 256 KiB are a good length.
    ///
    /// # Errors
    /// As of any command.
    pub async fn fetch_piece(
        &mut self,
        uid: u32,
        section: &Section,
        offset: u32,
        length: u32,
        deadline: Instant,
    ) -> Result<Piece> {
        self.need_selected()?;
        let length = length.max(1);
        let command = Command::new("UID FETCH")
            .word(uid)
            .word(format_args!(
                "(UID BODY.PEEK[{section}]<{offset}.{length}>)"
            ))
            .with_contents(u64::MAX);
        let mut piece = Piece::NoMessage;
        let mut heed = |untagged| {
            let Untagged::Fetch(data) = untagged else {
                return Ok(false);
            };
            match data.find_section(section) {
                Some(found) if data.uid == uid => {
                    piece = match &found.data {
                        None => Piece::NoSection,
                        Some(octets) => Piece::Octets(cut(octets, found.origin, offset, length)?),
                    };
                    Ok(true)
                }
                _ if data.uid == uid && data.damaged => {
                    Err(Error::protocol("an unreadable section"))
                }
                _ => Ok(false),
            }
        };
        self.exec(command, deadline, &mut heed).await?;
        Ok(piece)
    }

    /// Cuts a set so that commands keep to the length that the server takes.
    pub(super) fn chunks(&self, uids: &UidSet, others: usize, count: u64) -> Vec<UidSet> {
        const TAG_AND_NAME: usize = 40;
        let room = self
            .quirks
            .command_length
            .saturating_sub(others + TAG_AND_NAME);
        uids.chunks(room, count)
    }
}

/// Counts a message's keywords against what is [left](super::Limits::keywords) of them.
pub(super) fn take_keywords(left: &mut usize, flags: Option<&FlagSet>) -> Result<()> {
    let count = flags.map_or(0, |flags| flags.keywords.len());
    *left = left
        .checked_sub(count)
        .ok_or_else(|| Error::protocol("too many keywords in answer to one command"))?;
    Ok(())
}

/// `*` for the largest UID there can be: not every server takes that number. With VANISHED it must be
/// the number, for Cyrus takes `*` for the last message that there is.
fn sequence_set(uids: &UidSet, vanished: bool) -> String {
    let text = uids.to_string();
    match text.strip_suffix(":4294967295") {
        Some(start) if !vanished => format!("{start}:*"),
        _ => text,
    }
}

/// RFC 9738: the server did only part, from the largest UID down; what is left to ask for.
pub(super) fn unfinished(result: Result<StatusResponse>, asked: &UidSet) -> Result<Option<UidSet>> {
    let code = match &result {
        Ok(status) => status.code.as_ref(),
        // RFC 2180 section 4.1.2: what could be told was told; the rest is gone.
        Err(error) if error.code() == Some(&ResponseCode::ExpungeIssued) => return Ok(None),
        Err(error) => error.code(),
    };
    match code {
        Some(ResponseCode::MessageLimit(_, Some(lowest)))
            if asked.contains(*lowest) && *lowest > 1 =>
        {
            Ok(Some(asked.within(1, lowest - 1)))
        }
        Some(ResponseCode::MessageLimit(..)) => {
            Err(Error::protocol("a message limit without an end"))
        }
        _ => result.map(|_| None),
    }
}

/// Some servers ignore the range and send the whole section.
fn cut(octets: &Bytes, origin: Option<u32>, offset: u32, length: u32) -> Result<Bytes> {
    let (offset, length) = (offset as usize, length as usize);
    match origin {
        Some(origin) if origin as usize != offset => {
            Err(Error::protocol("another piece than was asked for"))
        }
        Some(_) => Ok(octets.slice(..octets.len().min(length))),
        None => {
            let start = octets.len().min(offset);
            Ok(octets.slice(start..octets.len().min(start.saturating_add(length))))
        }
    }
}
