//! Which account a sign-in is proposed to take over.

use email_provider::ConnectedMailbox;
use gateway_store::{Account, Application};

use super::{AccountDetails, AccountInput, RecycleKey, SaveOptions};
use crate::{Gateway, OperationResult};

/// The account that the keys propose: of several, the one with this mailbox, else the oldest.
pub(super) async fn propose(
    gateway: &Gateway,
    application: &Application,
    input: &AccountInput,
    mailbox: &ConnectedMailbox,
    identity: &str,
    options: &SaveOptions,
) -> OperationResult<Option<Account>> {
    let keys = match options.recycle_keys.as_slice() {
        [] => &[RecycleKey::Email],
        keys => keys,
    };
    let wanted = Wanted { input, mailbox };
    let email = keys
        .contains(&RecycleKey::Email)
        .then(|| wanted.email())
        .flatten();
    let mut accounts = match email {
        Some(email) => {
            gateway
                .inner
                .store
                .find_accounts(application.id, Some(email), None)
                .await?
        }
        None if keys == [RecycleKey::Email] => {
            gateway
                .inner
                .store
                .find_accounts(application.id, None, Some(identity))
                .await?
        }
        None => {
            gateway
                .every_account(application.id, Some(&input.service_type))
                .await?
        }
    };
    accounts.retain(|account| {
        account.service_type == input.service_type
            && (account.mailbox == identity && keys == [RecycleKey::Email]
                || keys.iter().all(|key| wanted.fits(*key, account)))
    });
    accounts.sort_by_key(|account| (account.mailbox != identity, account.created_at, account.id));
    Ok(accounts.into_iter().next())
}

struct Wanted<'a> {
    input: &'a AccountInput,
    mailbox: &'a ConnectedMailbox,
}

impl Wanted<'_> {
    fn email(&self) -> Option<&str> {
        self.mailbox
            .email
            .as_deref()
            .or(self.input.email.as_deref())
    }

    /// Whether the account agrees in this field. A field that is not there agrees with nothing.
    fn fits(&self, key: RecycleKey, account: &Account) -> bool {
        let details = AccountDetails::of(account);
        let equal = |wanted: Option<&str>, has: Option<&str>| wanted.is_some() && wanted == has;
        match key {
            RecycleKey::Email => match (self.email(), account.email.as_deref()) {
                (Some(wanted), Some(has)) => wanted.to_lowercase() == has.to_lowercase(),
                _ => false,
            },
            RecycleKey::OrgId => equal(
                self.input.auth_org_id.as_deref(),
                details.auth_org_id.as_deref(),
            ),
            RecycleKey::UserId => equal(self.input.user_id.as_deref(), details.user_id.as_deref()),
            RecycleKey::ServerUrl => equal(
                self.mailbox
                    .server_url
                    .as_deref()
                    .or(self.input.server_url.as_deref()),
                details.server_url.as_deref(),
            ),
            RecycleKey::Username => self.mailbox.login == account.login,
            RecycleKey::ClientOrgId => equal(
                self.input.client_org_id.as_deref(),
                details.client_org_id.as_deref(),
            ),
        }
    }
}
