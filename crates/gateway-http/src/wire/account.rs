//! Connected mailboxes.

mod budget;
mod input;
mod mailbox;

use chrono::{DateTime, Utc};
use gateway_operations::{Account, AccountDetails, AccountPage, AccountView, SavedAccount};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use input::ApiAccountInDto;

use self::{
    budget::Budget,
    mailbox::{MailboxCapabilities, SyncProgress},
};
use super::literals::{AccountType, Scope, TokenStatus};

/// A connected mailbox.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiAccountOutDto {
    /// Its number.
    id: i64,
    /// The service account above it.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<i64>,
    /// Service type, one of those that this gateway has a backend for.
    service_type: String,
    /// The brand behind the service type.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_provider: Option<String>,
    /// Accepts calls.
    active: bool,
    /// What is known of its credentials.
    token_status: TokenStatus,
    /// Why they do not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_error: Option<String>,
    /// What it is.
    #[serde(rename = "type")]
    account_type: AccountType,
    /// It is a service account.
    daemon: bool,
    /// Login name.
    login_string: String,
    /// Address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// A second address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email2: Option<String>,
    /// Address of the mailbox.
    #[serde(skip_serializing_if = "Option::is_none")]
    mailbox_address: Option<String>,
    /// Name of its owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// A second name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name2: Option<String>,
    /// Reading server.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_url: Option<String>,
    /// Sending server.
    #[serde(skip_serializing_if = "Option::is_none")]
    server_url2: Option<String>,
    /// The client's own organisation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_org_id: Option<String>,
    /// The provider's user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_user_id: Option<String>,
    /// The provider's organisation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_org_id: Option<String>,
    /// IANA name of the time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    timezone: Option<String>,
    /// When its newest token was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_issued_at: Option<DateTime<Utc>>,
    /// What its tokens allow.
    auth_scopes: Vec<Scope>,
    /// What the provider allows, in its own words.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_native_scopes: Option<Vec<String>>,
    /// When the provider gave its credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_obtained_at: Option<DateTime<Utc>>,
    /// When they run out.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_expires_at: Option<DateTime<Utc>>,
    /// The client's own user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// Whether sent mail is filed by the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_to_sent: Option<bool>,
    /// A certificate that nobody vouches for is accepted.
    trust_server: bool,
    /// Since when.
    created_at: DateTime<Utc>,
    /// Last changed by a client.
    updated_at: DateTime<Utc>,
    /// When a token of it was last used.
    #[serde(skip_serializing_if = "Option::is_none")]
    token_last_activity: Option<DateTime<Utc>>,
    /// What its mailbox can do, once it was opened. Addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<MailboxCapabilities>,
    /// How far it is synchronised, once a sync was started. Addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    sync: Option<SyncProgress>,
    /// What may be spent at the provider, where that is bounded and the mailbox was opened. Addition.
    #[serde(skip_serializing_if = "Option::is_none")]
    budget: Option<Budget>,
}

impl From<Account> for ApiAccountOutDto {
    fn from(account: Account) -> Self {
        let details = AccountDetails::of(&account);
        let auth_scopes = scopes(&details);
        Self {
            id: account.id.0,
            parent_id: None,
            service_type: account.service_type,
            service_provider: details.service_provider,
            active: account.active,
            token_status: account.credentials.status.into(),
            token_error: account.credentials.error,
            account_type: AccountType::Personal,
            daemon: false,
            login_string: account.login,
            mailbox_address: account.email.clone(),
            email: account.email,
            email2: details.email2,
            name: details.name,
            name2: None,
            server_url: details.server_url,
            server_url2: details.server_url2,
            client_org_id: details.client_org_id,
            auth_user_id: details.auth_user_id,
            auth_org_id: details.auth_org_id,
            timezone: details.timezone,
            token_issued_at: None,
            auth_scopes,
            auth_native_scopes: None,
            auth_obtained_at: details.auth_obtained_at,
            auth_expires_at: None,
            user_id: details.user_id,
            copy_to_sent: details.copy_to_sent,
            trust_server: details.trust_server,
            created_at: account.created_at,
            updated_at: account.updated_at,
            token_last_activity: None,
            capabilities: None,
            sync: None,
            budget: None,
        }
    }
}

/// No scopes given are all of them; more than the mailbox's owner granted is none.
fn scopes(details: &AccountDetails) -> Vec<Scope> {
    let named = details.scopes.iter().filter_map(|name| Scope::named(name));
    let mut scopes: Vec<_> = named.collect();
    if details.scopes.is_empty() {
        scopes.push(Scope::All);
    }
    match details.granted {
        Some(granted) => Scope::within(&scopes, granted),
        None => scopes,
    }
}

impl From<AccountView> for ApiAccountOutDto {
    fn from(view: AccountView) -> Self {
        Self {
            capabilities: view.capabilities.map(Into::into),
            sync: view.sync.map(Into::into),
            budget: view.budget.and_then(Budget::of),
            auth_native_scopes: view.native_scopes,
            auth_expires_at: view.auth_expires_at,
            ..view.account.into()
        }
    }
}

/// A page of accounts.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountsPage {
    /// Records left out from the beginning.
    offset: u32,
    /// How many there are in all.
    total_size: u64,
    /// Nothing comes after this page.
    done: bool,
    /// The accounts.
    records: Vec<ApiAccountOutDto>,
}

impl AccountsPage {
    /// The page that begins at `offset`.
    pub(crate) fn new(offset: u32, page: AccountPage) -> Self {
        let end = u64::from(offset) + page.records.len() as u64;
        Self {
            offset,
            total_size: page.total,
            // An empty page ends a walk even if accounts went meanwhile.
            done: page.records.is_empty() || end >= page.total,
            records: page.records.into_iter().map(Into::into).collect(),
        }
    }
}

/// A saved account.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccountSaveResult {
    /// Its number.
    account_id: i64,
    /// A new token for it; older ones stay valid.
    access_token: String,
    /// The client's own user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    /// A token of the client's user.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_session: Option<String>,
}

impl From<SavedAccount> for AccountSaveResult {
    fn from(saved: SavedAccount) -> Self {
        Self {
            account_id: saved.account.id.0,
            access_token: saved.access_token.expose_secret().to_owned(),
            user_id: AccountDetails::of(&saved.account).user_id,
            user_session: None,
        }
    }
}
