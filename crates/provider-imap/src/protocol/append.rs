use chrono::{DateTime, FixedOffset};
use email_provider::ByteStream;
use tokio::time::Instant;

use super::{
    command::Command,
    connection::Connection,
    error::{Error, Result},
    flags::SystemFlags,
    mailbox::MailboxName,
    response_code::ResponseCode,
    untagged::StatusResponse,
};

/// What an appended message is to be besides its octets.
#[derive(Clone, Copy, Debug, Default)]
pub struct AppendOptions<'a> {
    /// System flags.
    pub flags: SystemFlags,
    /// Keywords.
    pub keywords: &'a [String],
    /// The time of receipt; now where it is `None`.
    pub received_at: Option<DateTime<FixedOffset>>,
}

impl Connection {
    /// Puts a message into a mailbox. Returns the mailbox's UIDVALIDITY and the message's UID where the
    /// server tells (RFC 4315): not all that offer UIDPLUS do. Line ends must be CRLF.
    ///
    /// # Errors
    /// `Invalid` where the message is larger than the server takes or holds NUL; `No` with TRYCREATE where
    /// the mailbox does not exist; `OutcomeUnknown` where the connection was lost: the message may be
    /// there.
    pub async fn append(
        &mut self,
        mailbox: &MailboxName,
        options: AppendOptions<'_>,
        message: Vec<u8>,
        deadline: Instant,
    ) -> Result<Option<(u32, u32)>> {
        if message.contains(&0) {
            return Err(Error::Invalid("a message must not hold NUL".into()));
        }
        let command = self.append_command(mailbox, options, message.len() as u64)?;
        let done = self.run(command.literal(message), deadline).await?;
        Ok(appended(&done))
    }

    /// As [`Connection::append`], for a message that is read while it is written: in bounded memory, however large
    /// it is.
    ///
    /// # Errors
    /// As [`Connection::append`]; `Source` where the message cannot be read or is not of this length: nothing was
    /// appended then.
    pub async fn append_stream(
        &mut self,
        mailbox: &MailboxName,
        options: AppendOptions<'_>,
        length: u64,
        message: ByteStream,
        deadline: Instant,
    ) -> Result<Option<(u32, u32)>> {
        let command = self.append_command(mailbox, options, length)?;
        let done = self
            .exec_streaming(command, length, message, deadline)
            .await?;
        Ok(appended(&done))
    }

    /// The command up to the message.
    fn append_command(
        &mut self,
        mailbox: &MailboxName,
        options: AppendOptions<'_>,
        length: u64,
    ) -> Result<Command> {
        let limit = self.capabilities.append_limit;
        if limit.is_some_and(|limit| length > limit) {
            return Err(Error::Invalid(
                "the message is larger than the mailbox takes".into(),
            ));
        }
        let mut command = Command::changing("APPEND")
            .mailbox(mailbox)?
            .flags(options.flags, options.keywords)?;
        if let Some(received_at) = options.received_at {
            command = command.word(received_at.format("\"%d-%b-%Y %H:%M:%S %z\""));
        }
        self.note_change();
        Ok(command.raw(" "))
    }
}

fn appended(done: &StatusResponse) -> Option<(u32, u32)> {
    match &done.code {
        Some(ResponseCode::AppendUid(uid_validity, uids)) if uids.len() == 1 => {
            uids.first().map(|uid| (*uid_validity, uid))
        }
        _ => None,
    }
}
