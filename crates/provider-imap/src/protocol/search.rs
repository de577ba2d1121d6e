//! UID SEARCH and UID SORT.

use tokio::time::Instant;

use super::{
    capability::Capability,
    command::Command,
    connection::Connection,
    error::{Error, Result},
    response_code::ResponseCode,
    search_key::SearchKey,
    uid_set::UidSet,
    untagged::Untagged,
};

/// Messages that may have come and been found before the server tells of them.
const MARGIN: u64 = 1000;

/// The order of UID SORT (RFC 5256).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOrder {
    /// By time of receipt, newest first.
    NewestReceived,
    /// By the sender's date, newest first.
    NewestSent,
}

impl Connection {
    /// Finds messages in the selected mailbox. The server's tagged OK has been seen: an empty answer is
    /// its own word. It is complete, whatever the server's limit on one answer (RFC 9738).
    ///
    /// # Errors
    /// `Unsupported` where the server's search does not know a text's letters; `Protocol` where it finds
    /// more messages than the mailbox has.
    pub async fn uid_search(&mut self, key: &SearchKey, deadline: Instant) -> Result<UidSet> {
        let mut found = UidSet::new();
        let mut below = None;
        loop {
            let bounded = below.map(|last| {
                SearchKey::And(vec![SearchKey::Uid(UidSet::range(1, last)), key.clone()])
            });
            let (page, lowest) = self
                .search_page(bounded.as_ref().unwrap_or(key), deadline)
                .await?;
            found = found.union(&page);
            below = match (lowest, below) {
                (None, _) => return Ok(found),
                (Some(lowest), before) if lowest > 1 && before.is_none_or(|b| lowest - 1 < b) => {
                    Some(lowest - 1)
                }
                (Some(0 | 1), _) => return Ok(found),
                _ => return Err(Error::protocol("a message limit without an end")),
            };
        }
    }

    /// One answer, and the smallest UID that the server looked at if it did not look at all.
    async fn search_page(
        &mut self,
        key: &SearchKey,
        deadline: Instant,
    ) -> Result<(UidSet, Option<u32>)> {
        let most = self.need_selected()?.exists;
        let extended = self.has(Capability::ESEARCH);
        let mut command = Command::new("UID SEARCH");
        if extended {
            command = command.word("RETURN (ALL)");
        }
        let command = key.write(self.with_charset(command, key, "CHARSET UTF-8")?)?;
        let (mut found, mut most) = (UidSet::new(), most);
        let mut heed = |untagged| {
            match untagged {
                Untagged::Search(numbers) => {
                    found = found.union(&numbers.numbers.into_iter().collect())
                }
                Untagged::ExtendedSearch(search) if search.uid => {
                    found = found.union(&search.all.unwrap_or_default());
                }
                Untagged::Exists(count) => most = most.max(count),
                _ => return Ok(false),
            }
            Ok(true)
        };
        let done = self.exec(command, deadline, &mut heed).await?;
        self.is_plausible(found.len(), most)?;
        let lowest = match done.code {
            Some(ResponseCode::MessageLimit(_, lowest)) => Some(lowest.unwrap_or(0)),
            _ => None,
        };
        match lowest {
            Some(0) => Err(Error::protocol("a message limit without an end")),
            lowest => Ok((found, lowest)),
        }
    }

    /// Finds messages in an order. Only where SORT is offered.
    ///
    /// # Errors
    /// As [`Connection::uid_search`].
    pub async fn uid_sort(
        &mut self,
        order: SortOrder,
        key: &SearchKey,
        deadline: Instant,
    ) -> Result<Vec<u32>> {
        let most = self.need_selected()?.exists;
        if !self.has(Capability::SORT) {
            return Err(Error::Unsupported("SORT"));
        }
        let order = match order {
            SortOrder::NewestReceived => "(REVERSE ARRIVAL)",
            SortOrder::NewestSent => "(REVERSE DATE)",
        };
        // RFC 5256: here the character set must be named.
        let charset = if key.is_ascii() { "US-ASCII" } else { "UTF-8" };
        let command = key.write(Command::new("UID SORT").word(order).word(charset))?;
        let (mut found, mut most) = (Vec::new(), most);
        let mut heed = |untagged| {
            match untagged {
                Untagged::Sort(numbers) => found = numbers.numbers,
                Untagged::Exists(count) => most = most.max(count),
                _ => return Ok(false),
            }
            Ok(true)
        };
        let done = self.exec(command, deadline, &mut heed).await?;
        self.is_plausible(found.len() as u64, most)?;
        match done.code {
            Some(ResponseCode::MessageLimit(..)) => {
                Err(Error::Unsupported("sorting a mailbox of this size"))
            }
            _ => Ok(found),
        }
    }

    /// A few octets can name every UID there is, and a server may count as many messages.
    fn is_plausible(&self, found: u64, exists: u32) -> Result<()> {
        let most = (u64::from(exists) + MARGIN).min(self.limits.messages);
        match found > most {
            true => Err(Error::protocol("a search that finds more than there is")),
            false => Ok(()),
        }
    }

    fn with_charset(&self, command: Command, key: &SearchKey, charset: &str) -> Result<Command> {
        match (key.is_ascii(), self.quirks.ascii_search) {
            (true, _) => Ok(command),
            (false, true) => Err(Error::Unsupported("searching for letters beyond ASCII")),
            (false, false) => Ok(command.word(charset)),
        }
    }
}
