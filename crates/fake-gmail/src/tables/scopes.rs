//! OAuth scopes, by the last words of their names.

/// Everything, permanent deletion included.
pub const FULL: &str = "https://mail.google.com/";
/// All but permanent deletion.
pub const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";
/// All reading.
pub const READONLY: &str = "https://www.googleapis.com/auth/gmail.readonly";
/// Headers and labels, without bodies and search.
pub const METADATA: &str = "https://www.googleapis.com/auth/gmail.metadata";
/// Drafts and sending.
pub const COMPOSE: &str = "https://www.googleapis.com/auth/gmail.compose";
/// Sending alone.
pub const SEND: &str = "https://www.googleapis.com/auth/gmail.send";
/// Putting messages in.
pub const INSERT: &str = "https://www.googleapis.com/auth/gmail.insert";
/// The labels themselves.
pub const LABELS: &str = "https://www.googleapis.com/auth/gmail.labels";
/// Reading and changing settings.
pub const SETTINGS_BASIC: &str = "https://www.googleapis.com/auth/gmail.settings.basic";
/// Drafts and sending from an add-on.
pub const ADDONS_CURRENT_ACTION_COMPOSE: &str =
    "https://www.googleapis.com/auth/gmail.addons.current.action.compose";
/// Messages at hand in an add-on.
pub const ADDONS_CURRENT_MESSAGE_ACTION: &str =
    "https://www.googleapis.com/auth/gmail.addons.current.message.action";
/// Their headers.
pub const ADDONS_CURRENT_MESSAGE_METADATA: &str =
    "https://www.googleapis.com/auth/gmail.addons.current.message.metadata";
/// Their content.
pub const ADDONS_CURRENT_MESSAGE_READONLY: &str =
    "https://www.googleapis.com/auth/gmail.addons.current.message.readonly";
