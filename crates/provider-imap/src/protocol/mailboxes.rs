//! Mailboxes as a whole: LIST, STATUS, NAMESPACE, CREATE and their kin.

use std::collections::HashMap;

use tokio::time::Instant;

use super::{
    capability::Capability,
    command::Command,
    connection::Connection,
    error::{Error, Result},
    list::{ListedMailbox, Namespaces},
    mailbox::MailboxName,
    mailbox_status::MailboxStatus,
    response_code::ResponseCode,
    untagged::Untagged,
};

/// Commands sent before the first answer is read.
const PIPELINE: usize = 20;

impl Connection {
    /// Every mailbox, with its special use where the server marks it and, if `with_status`, its state:
    /// in one round trip where the server can (RFC 5819), else `status` stays `None` and
    /// [`Connection::statuses`] is the way. The answer is complete: the tagged OK has been seen.
    ///
    /// # Errors
    /// `Protocol` where there are more than [`super::Limits::elements`] or one cannot be read.
    pub async fn list(
        &mut self,
        with_status: bool,
        deadline: Instant,
    ) -> Result<Vec<ListedMailbox>> {
        let options = self.list_options(with_status);
        match self.list_with(&options, deadline).await {
            // Offered and not understood; seen of Proton's bridge.
            Err(error) if error.is_answer() && !options.is_empty() => {
                self.list_with("", deadline).await
            }
            result => result,
        }
        .map_err(Error::of_the_server)
    }

    /// Whether the server lists a mailbox of exactly this name, in which messages can be.
    ///
    /// # Errors
    /// As of any command.
    pub async fn is_there(&mut self, mailbox: &MailboxName, deadline: Instant) -> Result<bool> {
        let mut found = false;
        let mut heed = |untagged| {
            let Untagged::List(listed) = untagged else {
                return Ok(false);
            };
            // A name may hold wildcards, which match others too.
            found |= listed.name == *mailbox && listed.is_selectable();
            Ok(true)
        };
        let command = Command::new("LIST \"\"").mailbox(mailbox)?;
        self.exec(command, deadline, &mut heed).await?;
        Ok(found)
    }

    fn list_options(&self, with_status: bool) -> String {
        let mut options = Vec::new();
        if self.has(Capability::LIST_EXTENDED) {
            if self.has(Capability::SPECIAL_USE) {
                options.push("SPECIAL-USE".to_owned());
            }
            if with_status && self.has(Capability::LIST_STATUS) {
                options.push(format!("STATUS ({})", self.status_items()));
            }
        }
        match options.is_empty() {
            true => String::new(),
            false => format!(" RETURN ({})", options.join(" ")),
        }
    }

    fn status_items(&self) -> String {
        let mut items = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN".to_owned();
        if self.has(Capability::CONDSTORE) {
            items.push_str(" HIGHESTMODSEQ");
        }
        if self.has(Capability::OBJECTID) {
            items.push_str(" MAILBOXID");
        }
        items
    }

    async fn list_with(&mut self, options: &str, deadline: Instant) -> Result<Vec<ListedMailbox>> {
        let most = self.limits.elements;
        let mut listed: Vec<ListedMailbox> = Vec::new();
        let mut statuses: HashMap<MailboxName, MailboxStatus> = HashMap::new();
        let mut heed = |untagged| {
            match untagged {
                Untagged::List(mailbox) => listed.push(mailbox),
                Untagged::MailboxStatus(name, status) => drop(statuses.insert(name, status)),
                _ => return Ok(false),
            }
            match listed.len() + statuses.len() > 2 * most {
                true => Err(Error::protocol("too many mailboxes")),
                false => Ok(true),
            }
        };
        self.exec(
            Command::new("LIST \"\" \"*\"").raw(options),
            deadline,
            &mut heed,
        )
        .await?;
        // Some servers list a mailbox twice, or INBOX in two spellings.
        let mut places: HashMap<MailboxName, usize> = HashMap::with_capacity(listed.len());
        let mut mailboxes: Vec<ListedMailbox> = Vec::with_capacity(listed.len());
        for mut mailbox in listed {
            mailbox.status = statuses.get(&mailbox.name).cloned();
            match places
                .get(&mailbox.name)
                .and_then(|&index| mailboxes.get_mut(index))
            {
                Some(first) => first.attributes |= mailbox.attributes,
                None => {
                    places.insert(mailbox.name.clone(), mailboxes.len());
                    mailboxes.push(mailbox);
                }
            }
        }
        Ok(mailboxes)
    }

    /// The state of one mailbox.
    ///
    /// # Errors
    /// `No` where it does not exist or cannot be selected.
    pub async fn status(
        &mut self,
        mailbox: &MailboxName,
        deadline: Instant,
    ) -> Result<MailboxStatus> {
        let answers = self
            .statuses(std::slice::from_ref(mailbox), deadline)
            .await?;
        answers
            .into_iter()
            .next()
            .unwrap_or_else(|| Err(Error::protocol("STATUS without an answer")))
    }

    /// The states of several mailboxes, in their order, without a round trip for each.
    ///
    /// # Errors
    /// The outer one is a lost connection, the inner ones are the server's refusals.
    pub async fn statuses(
        &mut self,
        mailboxes: &[MailboxName],
        deadline: Instant,
    ) -> Result<Vec<Result<MailboxStatus>>> {
        let items = format!("({})", self.status_items());
        let mut answers = Vec::with_capacity(mailboxes.len());
        for group in mailboxes.chunks(PIPELINE) {
            let mut statuses: HashMap<MailboxName, MailboxStatus> = HashMap::new();
            let mut heed = |untagged| {
                let Untagged::MailboxStatus(name, status) = untagged else {
                    return Ok(false);
                };
                if group.contains(&name) {
                    statuses.insert(name, status);
                }
                Ok(true)
            };
            let commands: Result<Vec<Command>> = group
                .iter()
                .map(|name| Ok(Command::new("STATUS").mailbox(name)?.word(&items)))
                .collect();
            let results = self.pipeline(commands?, deadline, &mut heed).await?;
            for (name, result) in group.iter().zip(results) {
                let missing = || Error::protocol("STATUS without an answer");
                answers.push(result.and_then(|_| statuses.remove(name).ok_or_else(missing)));
            }
        }
        Ok(answers)
    }

    /// Where mailboxes can be; nothing where the server does not tell.
    ///
    /// # Errors
    /// As of any command.
    pub async fn namespace(&mut self, deadline: Instant) -> Result<Namespaces> {
        let mut namespaces = Namespaces::default();
        if self.has(Capability::NAMESPACE) {
            let mut heed = |untagged| {
                if let Untagged::Namespace(found) = untagged {
                    namespaces = found;
                }
                Ok(false)
            };
            self.exec(Command::new("NAMESPACE"), deadline, &mut heed)
                .await?;
        }
        Ok(namespaces)
    }

    /// Makes a mailbox.
    ///
    /// # Errors
    /// `No` where it exists, always with ALREADYEXISTS then, or may not be made; `OutcomeUnknown` where
    /// the connection was lost.
    pub async fn create(&mut self, mailbox: &MailboxName, deadline: Instant) -> Result<()> {
        match self
            .run(Command::changing("CREATE").mailbox(mailbox)?, deadline)
            .await
        {
            Ok(_) => Ok(()),
            // Courier gives no reason.
            Err(Error::No(mut status)) if status.code.is_none() => {
                if self.status(mailbox, deadline).await.is_ok() {
                    status.code = Some(ResponseCode::AlreadyExists);
                }
                Err(Error::No(status))
            }
            Err(error) => Err(error),
        }
    }

    /// Subscribes to a mailbox, so that other programs show it.
    ///
    /// # Errors
    /// As of any command.
    pub async fn subscribe(&mut self, mailbox: &MailboxName, deadline: Instant) -> Result<()> {
        self.run(Command::new("SUBSCRIBE").mailbox(mailbox)?, deadline)
            .await
            .map(drop)
    }

    /// Removes a mailbox and the messages in it.
    ///
    /// # Errors
    /// As [`Connection::create`].
    pub async fn delete(&mut self, mailbox: &MailboxName, deadline: Instant) -> Result<()> {
        self.run(Command::changing("DELETE").mailbox(mailbox)?, deadline)
            .await
            .map(drop)
    }

    /// Renames a mailbox and those below it.
    ///
    /// # Errors
    /// As [`Connection::create`].
    pub async fn rename(
        &mut self,
        from: &MailboxName,
        to: &MailboxName,
        deadline: Instant,
    ) -> Result<()> {
        self.run(
            Command::changing("RENAME").mailbox(from)?.mailbox(to)?,
            deadline,
        )
        .await
        .map(drop)
    }
}
