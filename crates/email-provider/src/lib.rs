//! The seam between the gateway and a mail backend.
//!
//! A backend is a crate that implements [`EmailProvider`] (a signed-in mailbox) and
//! [`ProviderPlugin`] (how to get one), and is registered in a [`ProviderRegistry`]. What every
//! implementation must do is written as lists of behaviours in the doc comments of the trait, and
//! tested one by one by `provider_conformance!`.

mod capabilities;
mod change_feed;
mod clock;
mod error;
pub mod layers;
pub mod network;
pub mod oauth;
mod plugin;
mod provider;
pub mod push;
mod reading;
mod registry;
mod sending;
mod writing;

pub use capabilities::{Capabilities, FolderModel, SearchCapability, ThreadModel};
pub use change_feed::{
    ChangeNext, ChangePage, Entry, EntryState, Identity, MessageRef, Position, Removed, ScanDetail,
    ScanNext, ScanPage, ScanRequest, ScanWindow, ScopeState, Survey, ThreadHint,
};
pub use clock::{Clock, SystemClock};
pub use email_model::{Cursor, EntryKey, ScopeKey};
pub use error::{ErrorKind, ProviderError, ProviderResult};
pub use plugin::{
    AccountBudget, Charged, ConnectContext, ConnectedMailbox, Connection, CredentialField,
    MailboxIdentity, PluginInfo, ProviderPlugin, ServiceTypeInfo, SignIn, SignInError,
};
pub use provider::{Call, EmailProvider, Notifier, Priority};
pub use reading::{
    ByteStream, Detail, Fetched, Folder, NewFolder, SearchPage, SearchRequest, SearchScope,
};
pub use registry::ProviderRegistry;
pub use sending::{
    DraftQuery, DraftRef, Drafts, KeptDraft, MessageCopy, MessageOctets, Outgoing,
    RefusedRecipient, SendEnvelope, SendLimits, Settled, Submission, Submitted, Submitter,
    Unsettled,
};
pub use writing::{MessageEdit, Removal};
