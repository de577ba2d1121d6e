//! Directories in the Maildir format as mailboxes: an example of a backend, written by
//! `docs/adding-a-provider.md`.
//!
//! A Maildir is a directory with `new`, `cur` and `tmp` in it, one file a message; a message's flags are letters
//! at the end of its file's name (<https://cr.yp.to/proto/maildir.html>). Folders are directories of the same kind
//! beside them, named `.Work`, `.Work.Travel` (Maildir++). Any program may change any of it at any moment, and
//! nothing tells what has changed: so the change feed compares.
//!
//! Nothing in a directory sends mail, so the mailbox has neither a submitter nor drafts, and nothing is written
//! to say so: the gateway refuses what there is no facet for.

mod cursor;
mod error;
mod feed;
mod folders;
mod maildir;
mod plugin;
mod provider;
mod reading;
mod writing;

pub use plugin::MaildirPlugin;
