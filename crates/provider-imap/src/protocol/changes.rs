//! Changes to messages in the selected mailbox: STORE, COPY, MOVE, EXPUNGE.

use tokio::time::Instant;

use super::{
    capability::Capability,
    command::Command,
    connection::Connection,
    error::{Error, Result},
    fetch::unfinished,
    flags::SystemFlags,
    mailbox::MailboxName,
    response_code::{CopyUid, ResponseCode},
    uid_set::UidSet,
    untagged::Untagged,
};

/// What STORE does with flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAction {
    /// Sets them.
    Add,
    /// Clears them.
    Remove,
    /// Sets them and clears all others.
    Replace,
}

/// A change of flags.
#[derive(Clone, Copy, Debug)]
pub struct Store<'a> {
    /// What to do.
    pub action: StoreAction,
    /// With these system flags.
    pub flags: SystemFlags,
    /// And these keywords.
    pub keywords: &'a [String],
    /// Only for messages that have not changed since (CONDSTORE).
    pub unchanged_since: Option<u64>,
}

impl Connection {
    /// Changes flags. Messages that are not there are passed over in silence. Returns those that were
    /// left alone because they had changed. Repeating it is harmless.
    ///
    /// # Errors
    /// `Invalid` where a keyword cannot be written; `No` where the mailbox is read-only or does not take
    /// the keyword.
    pub async fn uid_store(
        &mut self,
        uids: &UidSet,
        store: Store<'_>,
        deadline: Instant,
    ) -> Result<UidSet> {
        self.need_selected()?;
        let condition = match store.unchanged_since {
            Some(_) if !self.has(Capability::CONDSTORE) => {
                return Err(Error::Unsupported("CONDSTORE"));
            }
            Some(mod_seq) => format!(" (UNCHANGEDSINCE {mod_seq})"),
            None => String::new(),
        };
        let action = match store.action {
            StoreAction::Add => " +FLAGS.SILENT",
            StoreAction::Remove => " -FLAGS.SILENT",
            StoreAction::Replace => " FLAGS.SILENT",
        };
        let tail = Command::new("")
            .raw(condition)
            .raw(action)
            .flags(store.flags, store.keywords)?
            .text;
        let mut modified = UidSet::new();
        for chunk in self.change_chunks(uids, tail.len())? {
            self.note_change();
            let command = Command::new("UID STORE").word(&chunk).raw(&tail);
            let mut heed = |_| Ok(false);
            let status = self.exec(command, deadline, &mut heed).await?;
            match status.code {
                Some(ResponseCode::Modified(left)) => modified = modified.union(&left),
                Some(ResponseCode::MessageLimit(..)) => {
                    return Err(Error::protocol("an unannounced message limit"));
                }
                _ => {}
            }
        }
        Ok(modified)
    }

    /// Copies messages. Returns where the copies are, where the server tells: see
    /// [`super::Quirks::one_copy_at_a_time`].
    ///
    /// # Errors
    /// `No` with TRYCREATE where the mailbox does not exist; `OutcomeUnknown` where the connection was
    /// lost.
    pub async fn uid_copy(
        &mut self,
        uids: &UidSet,
        to: &MailboxName,
        deadline: Instant,
    ) -> Result<Option<CopyUid>> {
        self.transfer("UID COPY", uids, to, deadline).await
    }

    /// Moves messages, each at once or not at all. Only where MOVE is offered.
    ///
    /// # Errors
    /// As [`Connection::uid_copy`].
    pub async fn uid_move(
        &mut self,
        uids: &UidSet,
        to: &MailboxName,
        deadline: Instant,
    ) -> Result<Option<CopyUid>> {
        match self.has(Capability::MOVE) {
            true => self.transfer("UID MOVE", uids, to, deadline).await,
            false => Err(Error::Unsupported("MOVE")),
        }
    }

    async fn transfer(
        &mut self,
        name: &'static str,
        uids: &UidSet,
        to: &MailboxName,
        deadline: Instant,
    ) -> Result<Option<CopyUid>> {
        self.need_selected()?;
        let mut all: Option<CopyUid> = None;
        for chunk in self.change_chunks(uids, to.wire().len() + 2)? {
            self.note_change();
            let command = Command::changing(name).word(&chunk).mailbox(to)?;
            let mut told = None;
            // RFC 6851 section 4.3: MOVE tells it before the messages are gone.
            let mut heed = |untagged| {
                if let Untagged::Status(status) = untagged
                    && let Some(ResponseCode::CopyUid(copy)) = status.code
                {
                    told = Some(copy);
                }
                Ok(false)
            };
            let done = self.exec(command, deadline, &mut heed).await?;
            match done.code {
                Some(ResponseCode::CopyUid(copy)) => told = Some(copy),
                Some(ResponseCode::MessageLimit(..)) => {
                    return Err(Error::protocol("an unannounced message limit"));
                }
                _ => {}
            }
            // What was not asked for, or more than that, is no answer.
            let told = told.filter(|copy| copy.pairs.iter().all(|(from, _)| chunk.contains(*from)));
            match (&mut all, told) {
                (Some(all), Some(more)) => all.pairs.extend(more.pairs),
                (None, told) => all = told,
                (Some(_), None) => {}
            }
        }
        Ok(all)
    }

    /// Removes those of the messages that are marked as deleted, and no others. Only where UIDPLUS is
    /// offered: without it EXPUNGE would remove whatever anyone marked.
    ///
    /// # Errors
    /// As of any command.
    pub async fn uid_expunge(&mut self, uids: &UidSet, deadline: Instant) -> Result<()> {
        self.need_selected()?;
        if !self.has(Capability::UIDPLUS) {
            return Err(Error::Unsupported("UIDPLUS"));
        }
        for chunk in self.change_chunks(uids, 0)? {
            self.note_change();
            let result = self
                .run(Command::new("UID EXPUNGE").word(&chunk), deadline)
                .await;
            unfinished(result, &chunk)?;
        }
        Ok(())
    }

    /// RFC 9738: no more messages than the server works on at once. Whoever changes messages names them
    /// one by one.
    fn change_chunks(&self, uids: &UidSet, others: usize) -> Result<Vec<UidSet>> {
        const MOST: u64 = 1_000_000;
        match uids.len() > MOST {
            true => Err(Error::Invalid("too many messages to change at once".into())),
            false => Ok(self.chunks(
                uids,
                others,
                self.capabilities.message_limit.unwrap_or(u64::MAX),
            )),
        }
    }
}
