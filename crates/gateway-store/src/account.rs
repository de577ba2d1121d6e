use email_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An account, as applications see it: 1 to 2^53 - 1, random.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AccountId(pub i64);

impl std::fmt::Display for AccountId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// An application: the owner of accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ApplicationId(pub i64);

/// An application that uses the gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its number: 1 to 2^53 - 1, random.
    pub id: ApplicationId,
    /// What it signs in with; unique.
    pub client_id: String,
    /// SHA-256 of its secret.
    pub secret_hash: [u8; 32],
    /// Where a sign-in may return to, exactly.
    pub return_urls: Vec<String>,
    /// Whether a sign-in may return an account token at once.
    pub token_response: bool,
    /// Since when.
    pub created_at: Timestamp,
}

/// What is known of the credentials of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenStatus {
    /// They work.
    Active,
    /// The provider refused them lately; calls are still tried now and then.
    Invalid,
    /// They will never work again.
    Dead,
}

/// The state of the credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialState {
    /// Their status.
    pub status: TokenStatus,
    /// Why, for people.
    pub error: Option<String>,
    /// When the provider last refused them.
    pub refused_at: Option<Timestamp>,
}

impl Default for CredentialState {
    fn default() -> Self {
        Self {
            status: TokenStatus::Active,
            error: None,
            refused_at: None,
        }
    }
}

/// A connected mailbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// Whose it is.
    pub application: ApplicationId,
    /// Kind of the backend: looked up in the registry.
    pub kind: String,
    /// Service type as the client named it.
    pub service_type: String,
    /// Whose mailbox it is: kind and proved subject. Two accounts may share one.
    pub mailbox: String,
    /// Its address.
    pub email: Option<String>,
    /// Login name.
    pub login: String,
    /// Accepts calls.
    pub active: bool,
    /// The wire contract's other fields (names, organisation, time zone, scopes, URLs …), and the
    /// operators' and users' settings (roles of folders). The operations' own form.
    pub details: Value,
    /// The plugin's settings; not secret.
    pub connection_settings: Value,
    /// The plugin's secret, sealed for (`account`, id, `secret`). Empty where the account is connected by
    /// OAuth: it has a grant then, which changes without the account.
    pub connection_secret: Vec<u8>,
    /// State of the credentials.
    pub credentials: CredentialState,
    /// Since when.
    pub created_at: Timestamp,
    /// Last changed by a client.
    pub updated_at: Timestamp,
}

/// Which accounts of an application to list.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Only this service type.
    pub service_type: Option<String>,
    /// Most records wanted.
    pub limit: u32,
    /// Records to leave out from the beginning.
    pub offset: u32,
}

/// A page of accounts, by id.
#[derive(Clone, Debug)]
pub struct AccountPage {
    /// The accounts.
    pub records: Vec<Account>,
    /// All that the filter takes.
    pub total: u64,
}

/// SHA-256 of an account token.
pub type AccessTokenHash = [u8; 32];
