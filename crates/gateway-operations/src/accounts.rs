//! Applications, accounts, their tokens and sign-ins.

mod authentication;
mod connect;
mod details;
mod manage;
mod reach;
mod recycle;
mod resolve;
pub(crate) mod secrets;
mod sign_in;
mod throttle;
mod validate;
mod write;

pub use details::AccountDetails;
pub use sign_in::{
    AuthorizeRequest, Begun, Callback, FormFields, MalformedRequest, ResponseType, Returning,
    SignInForm, Submitted, Ticket,
};

use chrono::{DateTime, Utc};
use email_provider::{Capabilities, layers::BudgetState};
use gateway_store::Account;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// An account as a client wants it: the wire contract's fields.
#[derive(Clone, Debug, Default)]
pub struct AccountInput {
    /// Service type, as named by a registered backend.
    pub service_type: String,
    /// The brand behind it, as the client says.
    pub service_provider: Option<String>,
    /// Accepts calls.
    pub active: bool,
    /// The mailbox's address.
    pub email: Option<String>,
    /// A second address.
    pub email2: Option<String>,
    /// Login name.
    pub login: Option<String>,
    /// Password.
    pub password: Option<SecretString>,
    /// Access token or password.
    pub auth_string1: Option<SecretString>,
    /// Refresh token.
    pub auth_string2: Option<SecretString>,
    /// What the provider says of the user, straight from its token endpoint: never from a client.
    pub id_token: Option<SecretString>,
    /// When the access token ends.
    pub auth_expires_at: Option<DateTime<Utc>>,
    /// The provider's own names for what it granted; empty: unknown.
    pub granted_scopes: Vec<String>,
    /// Reading server.
    pub server_url: Option<String>,
    /// Sending server.
    pub server_url2: Option<String>,
    /// Name of the owner.
    pub name: Option<String>,
    /// The client's own organisation id.
    pub client_org_id: Option<String>,
    /// The provider's organisation id.
    pub auth_org_id: Option<String>,
    /// The provider's user id.
    pub auth_user_id: Option<String>,
    /// The client's own user id.
    pub user_id: Option<String>,
    /// IANA name.
    pub timezone: Option<String>,
    /// Whether sent mail is filed by the gateway.
    pub copy_to_sent: Option<bool>,
    /// Accept a certificate that nobody vouches for.
    pub trust_server: bool,
    /// Scopes, as the wire contract names them.
    pub scopes: Vec<String>,
}

/// By which fields an existing account is proposed for reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RecycleKey {
    /// Address.
    Email,
    /// Provider's organisation.
    OrgId,
    /// Client's user.
    UserId,
    /// Server.
    ServerUrl,
    /// Login name.
    Username,
    /// Client's organisation.
    ClientOrgId,
}

/// How to save an account.
#[derive(Clone, Debug, Default)]
pub struct SaveOptions {
    /// Empty: by address and service type.
    pub recycle_keys: Vec<RecycleKey>,
    /// Sign in before saving; a failure saves nothing.
    pub ensure_access: bool,
}

/// A saved account.
#[derive(Debug)]
pub struct SavedAccount {
    /// The account.
    pub account: Account,
    /// A new token for it.
    pub access_token: SecretString,
}

/// How far an account is synchronised.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncProgress {
    /// The asked-for window has been scanned.
    pub ready: bool,
    /// Messages found so far.
    pub messages: u64,
    /// Messages in all, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Start of the last level pass: changes before it are in the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<DateTime<Utc>>,
    /// Start of the last comparison in full.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inventoried_at: Option<DateTime<Utc>>,
    /// Folders that cannot be read now, with the reason.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quarantined: Vec<QuarantinedFolder>,
}

/// A folder that cannot be read now.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuarantinedFolder {
    /// The folder's path.
    pub folder: String,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// An account and what is known of its mailbox.
#[derive(Debug)]
pub struct AccountView {
    /// As stored.
    pub account: Account,
    /// The mailbox's facts, once it was opened.
    pub capabilities: Option<Capabilities>,
    /// Once a sync was started.
    pub sync: Option<SyncProgress>,
    /// What may be spent at the provider, where that is bounded and the mailbox was opened.
    pub budget: Option<BudgetState>,
    /// The provider's own names for what it granted, where it is connected by OAuth and that is known.
    pub native_scopes: Option<Vec<String>>,
    /// When the access token ends, likewise.
    pub auth_expires_at: Option<DateTime<Utc>>,
}

/// What connecting accounts needs to remember.
#[derive(Debug, Default)]
pub(crate) struct Connecting {
    /// Held while a sign-in becomes an account.
    saving: tokio::sync::Mutex<()>,
    throttle: throttle::ConnectThrottle,
}
