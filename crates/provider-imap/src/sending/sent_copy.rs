//! The sender's copy of a message that was accepted.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{NaiveDate, TimeDelta};
use email_model::FolderRole;
use email_provider::{
    ByteStream, Call, ErrorKind, MessageRef, Outgoing, ProviderError, ProviderResult,
};
use tokio::time::{Instant, sleep, timeout_at};

use super::{
    Sending,
    folders::{folder_of, select_to_change, with_id_since},
};
use crate::{
    known_servers::SentCopy,
    protocol::{AppendOptions, Connection, Error, MailboxName, SystemFlags, UidSet},
    provider::ImapProvider,
    writing::reference,
};

/// How long a server that files sent mail by itself is given to do so.
const FILED_WITHIN: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Longer than anybody looks for a message that was handed over, clocks of servers that are wrong included.
const LOOKED_FOR: TimeDelta = TimeDelta::days(8);

/// What can be filed: read from the beginning each time.
#[async_trait]
pub(super) trait Copy: Sync {
    /// Its length in octets, and the octets.
    async fn read(&self) -> ProviderResult<(u64, ByteStream)>;
}

#[async_trait]
impl Copy for &Outgoing {
    async fn read(&self) -> ProviderResult<(u64, ByteStream)> {
        let copy = email_provider::MessageCopy::Kept;
        Ok((self.octets.length(copy), self.octets.read(copy)))
    }
}

impl ImapProvider {
    /// The message in the folder of sent mail, put there where nobody else does.
    pub(super) async fn sent_copy(
        &self,
        call: Call,
        sending: &Sending,
        message_id: &str,
        copy: &dyn Copy,
    ) -> ProviderResult<Option<MessageRef>> {
        let stores_sent = self.short(call).await?.quirks().stores_sent;
        let habit = match sending.habits.sent_copy {
            SentCopy::Append if stores_sent => SentCopy::Provider,
            habit => habit,
        };
        if habit != SentCopy::Append {
            let filed = self.wait_for_copy(call, message_id).await?;
            if filed.is_some() || habit == SentCopy::Provider {
                return Ok(filed);
            }
        }
        let _one_at_a_time = timeout_at(call.deadline, sending.filing.lock())
            .await
            .map_err(|_| ProviderError::from(Error::Timeout("an earlier copy")))?;
        let mut again = true;
        let since = self.sent_since();
        loop {
            let mut connection = self.short(call).await?;
            let Some(folder) = folder_of(&mut connection, FolderRole::Sent, call).await? else {
                return Ok(None);
            };
            if let Some(found) = find(&mut connection, &folder, message_id, since, call).await? {
                return Ok(Some(found));
            }
            // To read it may take a connection: nobody holds one while waiting for another longer than need be.
            drop(connection);
            let (length, octets) = copy.read().await?;
            let mut connection = self.short(call).await?;
            let appended = append(
                &mut connection,
                &folder,
                SystemFlags::SEEN,
                length,
                octets,
                call,
            );
            match appended.await {
                Ok(Some((validity, uid))) => return Ok(Some(reference(&folder, validity, uid))),
                Ok(None) => return find(&mut connection, &folder, message_id, since, call).await,
                // It may be there: whoever looks again finds it.
                Err(error) if error.kind == ErrorKind::OutcomeUnknown && again => again = false,
                Err(error) if error.kind == ErrorKind::OutcomeUnknown => {
                    return Err(ProviderError {
                        kind: ErrorKind::Unavailable,
                        ..error
                    });
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Copies of what is still looked for came on this day or later.
    fn sent_since(&self) -> NaiveDate {
        let now = self.sending.as_ref().map(|sending| sending.clock.now());
        let since = now.and_then(|now| now.checked_sub_signed(LOOKED_FOR));
        since.map(|since| since.date_naive()).unwrap_or_default()
    }

    /// Looks again and again, until the call's time is nearly over at most.
    async fn wait_for_copy(
        &self,
        call: Call,
        message_id: &str,
    ) -> ProviderResult<Option<MessageRef>> {
        let until = (Instant::now() + FILED_WITHIN).min(call.deadline);
        loop {
            let found = self.find_sent(call, message_id).await?;
            if found.is_some() || Instant::now() + 2 * BETWEEN_LOOKS > until {
                return Ok(found);
            }
            sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Whether the message is in the folder of sent mail.
    pub(super) async fn find_sent(
        &self,
        call: Call,
        message_id: &str,
    ) -> ProviderResult<Option<MessageRef>> {
        let since = self.sent_since();
        let mut connection = self.short(call).await?;
        match folder_of(&mut connection, FolderRole::Sent, call).await? {
            Some(folder) => find(&mut connection, &folder, message_id, since, call).await,
            None => Ok(None),
        }
    }
}

/// Appends a message and tells where, where the server does.
pub(super) async fn append(
    connection: &mut Connection,
    folder: &MailboxName,
    flags: SystemFlags,
    length: u64,
    octets: ByteStream,
    call: Call,
) -> ProviderResult<Option<(u32, u32)>> {
    let options = AppendOptions {
        flags,
        ..AppendOptions::default()
    };
    Ok(connection
        .append_stream(folder, options, length, octets, call.deadline)
        .await?)
}

/// The newest message with this Message-ID that came into a folder since then.
async fn find(
    connection: &mut Connection,
    folder: &MailboxName,
    message_id: &str,
    since: NaiveDate,
    call: Call,
) -> ProviderResult<Option<MessageRef>> {
    let state = select_to_change(connection, folder, call).await?;
    let found = with_id_since(connection, message_id, since, call).await?;
    Ok(found
        .last()
        .map(|uid| reference(folder, state.uid_validity, uid)))
}

/// The one of `found` that was not there before.
pub(super) fn newest_new(found: &UidSet, before: &UidSet) -> Option<u32> {
    found.last().filter(|uid| !before.contains(*uid))
}
