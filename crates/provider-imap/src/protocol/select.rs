//! Selecting a mailbox.

use tokio::time::Instant;

use super::{
    capability::Capability,
    command::Command,
    connection::Connection,
    error::{Error, Result},
    fetch::take_keywords,
    fetch_response::FetchData,
    flags::FlagSet,
    mailbox::MailboxName,
    response_code::ResponseCode,
    splitter::Limits,
    uid_set::UidSet,
    untagged::Untagged,
};

/// The selected mailbox as SELECT told of it; `exists` is kept up to date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Which one.
    pub mailbox: MailboxName,
    /// It cannot be changed.
    pub read_only: bool,
    /// The UIDs' validity.
    pub uid_validity: u32,
    /// The next UID at the time of SELECT. Courier does not tell.
    pub uid_next: Option<u32>,
    /// Messages in it now. Where [`super::Quirks::select_cap`] is set: at most so many.
    pub exists: u32,
    /// The highest modification sequence at the time of SELECT; `None` where there are none.
    pub highest_mod_seq: Option<u64>,
    /// Flags that can be kept; `None` where the server does not tell: then all in use.
    pub permanent_flags: Option<FlagSet>,
    /// RFC 8474.
    pub mailbox_id: Option<String>,
    /// Something happened to it since SELECT, so that the numbers of that time are out of date.
    pub(super) changed: bool,
    examined: bool,
}

impl Selected {
    /// What every response may say of the selected mailbox.
    pub(super) fn note(&mut self, untagged: &Untagged) {
        match untagged {
            Untagged::Exists(count) => {
                self.changed |= self.exists != *count;
                self.exists = *count;
            }
            Untagged::Expunge(_) => {
                self.changed = true;
                self.exists = self.exists.saturating_sub(1);
            }
            Untagged::Vanished {
                earlier: false,
                uids,
            } => {
                self.changed = true;
                let gone = u32::try_from(uids.len()).unwrap_or(u32::MAX);
                self.exists = self.exists.saturating_sub(gone);
            }
            _ => {}
        }
    }
}

/// How to select.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SelectOptions {
    /// EXAMINE: nothing can be changed, not even by accident.
    pub read_only: bool,
    /// A mailbox that is selected already is asked for news, and selected again if there are any: the
    /// answer is the state after the call began. Otherwise it is taken as it is.
    pub fresh: bool,
    /// UIDVALIDITY and HIGHESTMODSEQ up to which the mailbox is known: tell what happened since. Only
    /// where [`Connection::has_qresync`].
    pub qresync: Option<(u32, u64)>,
}

/// A new or changed message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its UID.
    pub uid: u32,
    /// Its flags, where told.
    pub flags: Option<FlagSet>,
    /// Its modification sequence, where told.
    pub mod_seq: Option<u64>,
}

impl From<FetchData> for Change {
    fn from(data: FetchData) -> Self {
        Self {
            uid: data.uid,
            flags: data.flags,
            mod_seq: data.mod_seq,
        }
    }
}

/// A selected mailbox, and what happened in it.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Its state.
    pub state: Selected,
    /// New and changed messages, where asked for.
    pub changed: Vec<Change>,
    /// Messages that are gone, where asked for. May name some that were never known.
    pub vanished: UidSet,
    /// There was more than [`super::Limits::elements`] to tell: `changed` is not complete.
    pub overflow: bool,
}

/// What SELECT says until it is done.
#[derive(Default)]
struct Builder {
    exists: Option<u32>,
    uid_validity: Option<u32>,
    uid_next: Option<u32>,
    highest_mod_seq: Option<u64>,
    permanent_flags: Option<FlagSet>,
    mailbox_id: Option<String>,
    changed: Vec<Change>,
    vanished: UidSet,
    overflow: bool,
}

impl Builder {
    fn take(&mut self, untagged: Untagged, limits: &Limits, keywords: &mut usize) -> Result<()> {
        match untagged {
            Untagged::Exists(count) => self.exists = Some(count),
            Untagged::Fetch(data) if data.uid != 0 => match self.changed.len() < limits.elements {
                true => {
                    take_keywords(keywords, data.flags.as_ref())?;
                    self.changed.push(data.into());
                }
                false => self.overflow = true,
            },
            Untagged::Vanished { uids, .. } => self.vanished = self.vanished.union(&uids),
            Untagged::Status(status) => match status.code {
                Some(ResponseCode::UidValidity(validity)) => self.uid_validity = Some(validity),
                Some(ResponseCode::UidNext(uid)) => self.uid_next = Some(uid),
                // Zero is no modification sequence (RFC 7162 section 3.1.2.1).
                Some(ResponseCode::HighestModSeq(highest)) => {
                    self.highest_mod_seq = Some(highest).filter(|h| *h > 0);
                }
                Some(ResponseCode::NoModSeq) => self.highest_mod_seq = None,
                Some(ResponseCode::PermanentFlags(flags)) => self.permanent_flags = Some(flags),
                Some(ResponseCode::MailboxId(id)) => self.mailbox_id = Some(id),
                // RFC 7162 section 3.2.11: what came before was about the mailbox selected before.
                Some(ResponseCode::Closed) => *self = Self::default(),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

impl Connection {
    /// Selects a mailbox, or keeps it selected.
    ///
    /// # Errors
    /// `No` where it does not exist or cannot be selected. Afterwards none is selected.
    pub async fn select(
        &mut self,
        mailbox: &MailboxName,
        options: SelectOptions,
        deadline: Instant,
    ) -> Result<Selection> {
        if options.qresync.is_none()
            && self.keeps(mailbox, options)
            && (!options.fresh || self.has_no_news(deadline).await?)
            && let Some(state) = self.selected.clone()
        {
            return Ok(Selection {
                state,
                changed: Vec::new(),
                vanished: UidSet::new(),
                overflow: false,
            });
        }
        let parameters = self.select_parameters(options)?;
        match self
            .select_with(mailbox, options, &parameters, deadline)
            .await
        {
            // CONDSTORE is offered and not understood.
            Err(Error::Bad(_)) if options.qresync.is_none() && !parameters.is_empty() => {
                self.select_with(mailbox, options, "", deadline).await
            }
            result => result,
        }
    }

    /// Leaves the selected mailbox, so that nothing is said of it any more.
    ///
    /// # Errors
    /// As of any command.
    pub async fn unselect(&mut self, deadline: Instant) -> Result<()> {
        if self.selected.is_some() && self.has(Capability::UNSELECT) {
            self.run(Command::new("UNSELECT"), deadline).await?;
        }
        self.selected = None;
        Ok(())
    }

    /// The selected mailbox, for commands that need one.
    pub(super) fn need_selected(&self) -> Result<&Selected> {
        self.selected
            .as_ref()
            .ok_or_else(|| Error::Invalid("no mailbox is selected".into()))
    }

    /// Notes that we ourselves changed the selected mailbox.
    pub(super) fn note_change(&mut self) {
        if let Some(selected) = &mut self.selected {
            selected.changed = true;
        }
    }

    fn keeps(&self, mailbox: &MailboxName, options: SelectOptions) -> bool {
        let fits = |s: &Selected| s.mailbox == *mailbox && (options.read_only || !s.examined);
        self.selected.as_ref().is_some_and(fits)
    }

    /// Asks by NOOP, but only where modification sequences are kept: Courier, which keeps none, goes
    /// on showing a mailbox to whoever has it selected after it was deleted, or made anew.
    async fn has_no_news(&mut self, deadline: Instant) -> Result<bool> {
        if self.selected.as_ref().is_some_and(|s| s.changed) || !self.has(Capability::CONDSTORE) {
            return Ok(false);
        }
        self.run(Command::new("NOOP"), deadline).await?;
        Ok(self.selected.as_ref().is_some_and(|s| !s.changed))
    }

    /// CONDSTORE is asked for each time: some servers track modification sequences only then.
    fn select_parameters(&self, options: SelectOptions) -> Result<String> {
        match options.qresync {
            Some(_) if !self.qresync => Err(Error::Unsupported("QRESYNC")),
            Some((uid_validity, mod_seq)) => Ok(format!(" (QRESYNC ({uid_validity} {mod_seq}))")),
            None if self.has(Capability::CONDSTORE) => Ok(" (CONDSTORE)".into()),
            None => Ok(String::new()),
        }
    }

    async fn select_with(
        &mut self,
        mailbox: &MailboxName,
        options: SelectOptions,
        parameters: &str,
        deadline: Instant,
    ) -> Result<Selection> {
        let name = if options.read_only {
            "EXAMINE"
        } else {
            "SELECT"
        };
        let command = Command::new(name).mailbox(mailbox)?.raw(parameters);
        self.selected = None;
        let (mut builder, limits) = (Builder::default(), self.limits);
        let mut keywords = limits.keywords;
        let mut heed = |untagged| {
            builder
                .take(untagged, &limits, &mut keywords)
                .map(|()| true)
        };
        let done = self.exec(command, deadline, &mut heed).await?;
        let missing = |what| move || Error::protocol(format!("SELECT without {what}"));
        let state = Selected {
            mailbox: mailbox.clone(),
            read_only: options.read_only || done.code == Some(ResponseCode::ReadOnly),
            uid_validity: builder.uid_validity.ok_or_else(missing("UIDVALIDITY"))?,
            uid_next: builder.uid_next,
            exists: builder.exists.ok_or_else(missing("EXISTS"))?,
            highest_mod_seq: builder.highest_mod_seq,
            permanent_flags: builder.permanent_flags,
            mailbox_id: builder.mailbox_id,
            changed: false,
            examined: options.read_only,
        };
        self.selected = Some(state.clone());
        Ok(Selection {
            state,
            changed: builder.changed,
            vanished: builder.vanished,
            overflow: builder.overflow,
        })
    }
}
