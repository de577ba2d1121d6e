//! IMAP and SMTP mailboxes
