//! IMAP and SMTP mailboxes

pub mod protocol;
