use email_model::{FolderId, Timestamp};
use email_provider::oauth::Access;
use gateway_store::Account;
use serde::{Deserialize, Serialize};

use crate::{OperationError, OperationResult};

/// What [`Account::details`] holds: the wire contract's fields that the gateway only keeps, and the
/// choices that clients made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct AccountDetails {
    /// The brand behind the service type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_provider: Option<String>,
    /// A second address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email2: Option<String>,
    /// Name of the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The reading server, as a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_url: Option<String>,
    /// The sending server, as a URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_url2: Option<String>,
    /// The client's own organisation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_org_id: Option<String>,
    /// The provider's organisation id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_org_id: Option<String>,
    /// The provider's user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_user_id: Option<String>,
    /// The client's own user id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// IANA name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Whether sent mail is filed by the gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_to_sent: Option<bool>,
    /// Accept a certificate that nobody vouches for.
    pub trust_server: bool,
    /// Scopes, as the wire contract names them; empty: all.
    pub scopes: Vec<String>,
    /// What the owner of the mailbox granted, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granted: Option<Access>,
    /// When that was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth_obtained_at: Option<Timestamp>,
    /// The folder that takes archived messages, where a client chose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub well_known_archive: Option<FolderId>,
    /// The folder that holds sent messages, where a client chose one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub well_known_sent: Option<FolderId>,
}

impl AccountDetails {
    /// The account's details. What cannot be read counts as not given.
    pub fn of(account: &Account) -> Self {
        Self::deserialize(&account.details).unwrap_or_default()
    }

    pub(crate) fn store_in(&self, account: &mut Account) -> OperationResult<()> {
        account.details = serde_json::to_value(self)
            .map_err(|_| OperationError::internal("the account's details cannot be written"))?;
        Ok(())
    }
}
