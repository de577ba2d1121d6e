//! What happens in the mailbox, step by step.

use anyhow::{Context, Result};
use bytes::Bytes;
use chrono::{DateTime, TimeDelta};
use email_model::{Flags, FolderKey, FolderRole};
use provider_memory::{MemoryMailbox, NewMail, Shape};

/// Entries on a page, of scans and of changes.
const PAGE: usize = 4;

/// The mailbox.
#[derive(Debug)]
pub struct Mailbox {
    pub mailbox: MemoryMailbox,
    inbox: FolderKey,
    archive: FolderKey,
    projects: FolderKey,
}

impl Mailbox {
    /// Steps after the first sync.
    pub const STEPS: usize = 6;

    /// Ten messages in the inbox, three in a folder, one in the archive.
    pub fn new(name: &str, shape: Shape) -> Result<Self> {
        let shape = Shape {
            page: PAGE,
            ..shape
        };
        let mailbox = MemoryMailbox::new(name, shape, 1);
        for role in [
            FolderRole::Drafts,
            FolderRole::Sent,
            FolderRole::Trash,
            FolderRole::Junk,
        ] {
            if let Some(folder) = mailbox.folder(role) {
                mailbox.delete_folder(&folder)?;
            }
        }
        let inbox = mailbox.folder(FolderRole::Inbox).context("an inbox")?;
        // Label mailboxes archive by taking a label away.
        let archive = match mailbox.folder(FolderRole::Archive) {
            Some(archive) => archive,
            None => mailbox.create_folder("Archive", None)?,
        };
        let projects = mailbox.create_folder("Projects", None)?;
        let this = Self {
            mailbox,
            inbox,
            archive,
            projects,
        };
        for number in 0..10 {
            this.deliver(&this.inbox, number, "")?;
        }
        for number in 10..13 {
            this.deliver(&this.projects, number, "")?;
        }
        this.deliver(&this.archive, 13, "")?;
        Ok(this)
    }

    /// What happens before the client syncs for this time, from 1 on; it happens once.
    pub fn happen(&mut self, step: usize) -> Result<()> {
        match step {
            // Arrivals over two pages, and flags. The first is a reply whose parent is yet to come.
            1 => {
                self.deliver(&self.inbox, 20, "In-Reply-To: <40@example.org>\r\n")?;
                for number in 21..25 {
                    self.deliver(&self.inbox, number, "")?;
                }
                self.flag(&self.inbox, 0, Flags::SEEN)?;
                self.label(&self.inbox, 8, &self.projects)?;
                self.label(&self.inbox, 2, &self.projects)?;
                self.flag(&self.projects, 10, Flags::FLAGGED)
            }
            // Moves, against each other and with a flag on the way.
            2 => {
                self.flag(&self.inbox, 2, Flags::SEEN)?;
                self.relocate(&self.inbox, 1, &self.archive)?;
                self.relocate(&self.inbox, 2, &self.archive)?;
                self.relocate(&self.archive, 13, &self.inbox)?;
                self.relocate(&self.projects, 11, &self.inbox)
            }
            // Ends, one of them of a message that moved.
            3 => {
                self.expunge(&self.inbox, 3)?;
                self.expunge(&self.inbox, 4)?;
                self.expunge(&self.archive, 1)
            }
            // A folder gets another name, and a message while it does.
            4 => {
                self.deliver(&self.projects, 30, "")?;
                self.projects = self.mailbox.rename_folder(&self.projects, "Plans")?;
                Ok(())
            }
            // All keys of the inbox are new or, where they are for life, its history is forgotten: nothing else tells what
            // happened meanwhile.
            5 => {
                self.deliver(&self.inbox, 31, "")?;
                self.expunge(&self.inbox, 5)?;
                self.flag(&self.inbox, 6, Flags::SEEN | Flags::FLAGGED)?;
                self.relocate(&self.inbox, 7, &self.projects)?;
                let tells_states = !self.mailbox.shape().bare_scan;
                if !self.mailbox.reset_keys(&self.inbox)? && tells_states {
                    self.mailbox.forget_cursors();
                }
                Ok(())
            }
            // The parent, of a conversation of its own, which the reply joins. One comes back, which is
            // the same message where messages have no ids of their own.
            _ => {
                self.deliver(&self.inbox, 40, "References: <root@example.org>\r\n")?;
                let is_same = !self.mailbox.shape().native_identity;
                self.deliver(&self.inbox, if is_same { 3 } else { 41 }, "")
            }
        }
    }

    /// The folders of each message.
    pub fn places(&self) -> Vec<Vec<String>> {
        let messages = self.mailbox.dump().into_iter();
        let folders = messages.map(|mut stored| {
            stored.folders.sort();
            stored.folders
        });
        let mut all: Vec<_> = folders.collect();
        all.sort();
        all
    }

    fn deliver(&self, folder: &FolderKey, number: i64, header: &str) -> Result<()> {
        let raw = format!(
            "Message-ID: <{number}@example.org>\r\nDate: Mon, 6 Jan 2025 10:00:00 +0000\r\n{header}\
             From: Bob <bob@example.org>\r\nTo: ann@example.org\r\nSubject: Message {number}\r\n\r\nText {number}\r\n"
        );
        let first = DateTime::from_timestamp(1_736_000_000, 0).context("a time")?;
        let mail = NewMail {
            raw: Bytes::from(raw),
            received_at: first + TimeDelta::minutes(number),
            flags: Flags::empty(),
            keywords: Vec::new(),
        };
        self.mailbox.deliver(folder, mail)?;
        Ok(())
    }

    fn find(&self, folder: &FolderKey, number: i64) -> Result<email_provider::MessageRef> {
        let id = format!("<{number}@example.org>");
        self.mailbox
            .find(folder, &id)
            .with_context(|| format!("{id} is not in {folder}"))
    }

    fn flag(&self, folder: &FolderKey, number: i64, flags: Flags) -> Result<()> {
        let at = self.find(folder, number)?;
        Ok(self.mailbox.set_labels(&at, flags, Vec::new())?)
    }

    /// One more label, where messages have labels.
    fn label(&self, folder: &FolderKey, number: i64, label: &FolderKey) -> Result<()> {
        if self.mailbox.shape().labels {
            let at = self.find(folder, number)?;
            self.mailbox.copy_message(&at, label)?;
        }
        Ok(())
    }

    fn relocate(&self, from: &FolderKey, number: i64, to: &FolderKey) -> Result<()> {
        let at = self.find(from, number)?;
        self.mailbox.move_message(&at, from, to)?;
        Ok(())
    }

    fn expunge(&self, folder: &FolderKey, number: i64) -> Result<()> {
        let at = self.find(folder, number)?;
        Ok(self.mailbox.expunge(&at)?)
    }
}
