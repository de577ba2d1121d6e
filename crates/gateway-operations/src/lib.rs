//! What the gateway does, without HTTP and without SQL.
//!
//! [`Gateway`] is the whole of it: accounts and their sign-ins, reading and changing messages, and the
//! journal of each account with the passes, scans and tokens that make it a sync feed.

mod accounts;
mod config;
mod error;
mod folders;
mod gateway;
mod journal;
mod mailboxes;
mod messages;
mod oauth;
mod push;
mod sending;
mod sync;

pub use accounts::{
    AccountDetails, AccountInput, AccountView, AuthorizeRequest, Begun, Callback, FormFields,
    MalformedRequest, QuarantinedFolder, RecycleKey, ResponseType, Returning, SaveOptions,
    SavedAccount, SignInForm, Submitted, SyncProgress, Ticket,
};
pub use config::{CacheMode, OperationsConfig};
pub use error::{OperationError, OperationErrorKind, OperationResult};
pub use folders::{WellKnownChange, WellKnownFolders};
pub use gateway::{Gateway, GatewayContext};
pub use messages::{
    AttachmentDownload, ListRequest, MessagePage, MessageView, Omitted, ReadRequest, StatusChange,
};
pub use sending::{
    DraftView, FailedStep, Held, Idempotency, NewMessage, SavedDraft, ScheduledSend,
    ScheduledStatus, SendOptions, SendOutcome, SentView,
};
pub use sync::{
    DeletedPage, DeletedRecord, StartSync, SyncPageRequest, SyncStarted, TokenSeal, UpdatedPage,
};

pub use email_provider::{ByteStream, layers::BudgetState, oauth::Access};
pub use gateway_store::{
    Account, AccountFilter, AccountId, AccountPage, Application, ApplicationId, CredentialState,
    FolderRow, TokenStatus,
};
pub use push::Pushed;
