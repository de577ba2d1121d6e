//! Permissions, by the last words of their names ("Microsoft Graph permissions reference").
//!
//! A token may also name them in full, as `https://graph.microsoft.com/Mail.Read`.

/// Reading mail, without bodies, previews and attachments.
pub const MAIL_READ_BASIC: &str = "Mail.ReadBasic";
/// Reading mail.
pub const MAIL_READ: &str = "Mail.Read";
/// Reading, changing and deleting mail, but not sending it.
pub const MAIL_READ_WRITE: &str = "Mail.ReadWrite";
/// Sending mail as the user.
pub const MAIL_SEND: &str = "Mail.Send";
/// The user's own profile.
pub const USER_READ: &str = "User.Read";
/// Reading the mailbox's settings, categories among them.
pub const MAILBOX_SETTINGS_READ: &str = "MailboxSettings.Read";
/// Changing them.
pub const MAILBOX_SETTINGS_READ_WRITE: &str = "MailboxSettings.ReadWrite";
/// Refresh tokens.
pub const OFFLINE_ACCESS: &str = "offline_access";
