//! Listing, showing and removing accounts.

use std::time::Duration;

use email_provider::{Priority, oauth::Grant};
use gateway_store::{Account, AccountFilter, AccountId, AccountPage, Application, ApplicationId};

use super::{AccountDetails, AccountView};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

/// Accounts in a page that does not say how many.
const DEFAULT_LIMIT: u32 = 50;
/// Most accounts in a page.
const MOST: u32 = 500;
/// How long a ping waits for the provider.
const PING: Duration = Duration::from_secs(10);

impl Gateway {
    /// A page of an application's accounts, by number. At most 500; 50 where the filter says 0.
    pub async fn list_accounts(
        &self,
        application: &Application,
        mut filter: AccountFilter,
    ) -> OperationResult<AccountPage> {
        filter.limit = match filter.limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MOST),
        };
        let mut page = self.inner.store.accounts(application.id, &filter).await?;
        for account in &mut page.records {
            self.read_grant(account).await?;
        }
        Ok(page)
    }

    /// As [`Self::list_accounts`], of the accounts with this id of the provider's organisation. It is one of the details
    /// that the store keeps as they are, so that every account of the application is looked at.
    pub async fn list_accounts_of_organisation(
        &self,
        application: &Application,
        auth_org_id: &str,
        mut filter: AccountFilter,
    ) -> OperationResult<AccountPage> {
        let wanted = match filter.limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MOST),
        };
        let first = std::mem::take(&mut filter.offset);
        filter.limit = MOST;
        let (mut records, mut total) = (Vec::new(), 0);
        loop {
            let page = self.inner.store.accounts(application.id, &filter).await?;
            let Some(seen) = u32::try_from(page.records.len())
                .ok()
                .filter(|&seen| seen > 0)
            else {
                break;
            };
            filter.offset = filter.offset.saturating_add(seen);
            for account in page.records {
                if AccountDetails::of(&account).auth_org_id.as_deref() != Some(auth_org_id) {
                    continue;
                }
                if total >= u64::from(first) && records.len() < wanted as usize {
                    records.push(account);
                }
                total += 1;
            }
        }
        for account in &mut records {
            self.read_grant(account).await?;
        }
        Ok(AccountPage { records, total })
    }

    /// An account and what is known of its mailbox. With `ping` the mailbox is asked first, so that
    /// the state of the credentials is of now; one that cannot be reached is no error.
    pub async fn account_view(
        &self,
        mut account: Account,
        ping: bool,
    ) -> OperationResult<AccountView> {
        if ping && account.active {
            self.ping(&account).await?;
            let again = self.inner.store.account(account.id).await?;
            account = again.ok_or_else(|| OperationError::not_found("account"))?;
        }
        let mailbox = self.open_mailbox(account.id);
        let budget = mailbox.as_ref().map(|mailbox| mailbox.budget.state());
        let sync = self.sync_progress(&account).await?;
        let grant = self.read_grant(&mut account).await?;
        let scopes = grant.as_ref().map(|grant| grant.scopes.clone());
        Ok(AccountView {
            account,
            capabilities: mailbox.map(|mailbox| mailbox.provider.capabilities()),
            sync,
            budget: budget.filter(|budget| budget.units_at_most.is_some()),
            native_scopes: scopes.filter(|scopes| !scopes.is_empty()),
            auth_expires_at: grant.and_then(|grant| grant.expires_at),
        })
    }

    /// An account's grant as it is now, if it has one. What its owner granted may have become another access
    /// since the sign-in: each refresh tells, and the account shows it.
    async fn read_grant(&self, account: &mut Account) -> OperationResult<Option<Grant>> {
        let Ok(plugin) = self.plugin(&account.kind) else {
            return Ok(None);
        };
        let Some(oauth) = plugin.oauth() else {
            return Ok(None);
        };
        let row = self.inner.store.grant(account.id).await?;
        let open = |row| self.open_grant(account.id, &account.mailbox, &row).ok();
        let grant = row.and_then(open);
        if let Some(grant) = grant.as_ref().filter(|grant| !grant.scopes.is_empty()) {
            let mut details = AccountDetails::of(account);
            details.granted = Some(oauth.access_of(&grant.scopes));
            details.store_in(account)?;
        }
        Ok(grant)
    }

    async fn ping(&self, account: &Account) -> OperationResult<()> {
        let asking = async {
            let mailbox = self.mailbox(account).await?;
            let call = self.call(Priority::Interactive, PING);
            let answer = mailbox.provider.folders(call).await;
            self.told(account, answer).await.map(drop)
        };
        match tokio::time::timeout(PING, asking).await {
            Ok(Err(error)) if error.kind == OperationErrorKind::Internal => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes an account and all that is kept of it, then ends what was begun for it at the provider.
    pub async fn delete_account(&self, account: &Account) -> OperationResult<()> {
        let connection = self.connection_to_end(account).await;
        self.forget_account(account.id).await;
        self.inner.store.remove_account(account.id).await?;
        self.forget_all_of(account.id).await;
        self.end_connection(account.clone(), connection);
        Ok(self.inner.store.wake(account.id).await?)
    }

    /// Drops what this process holds in memory of an account.
    pub(crate) async fn forget_all_of(&self, account: AccountId) {
        self.forget_mailbox(account).await;
        self.inner.journals.forget(account);
        self.inner.contents.forget(account);
        self.inner.mailboxes.forget_budget(account);
        self.inner.grants.forget(account);
    }

    /// All accounts of an application, perhaps only of one service type.
    pub(super) async fn every_account(
        &self,
        application: ApplicationId,
        service_type: Option<&str>,
    ) -> OperationResult<Vec<Account>> {
        let mut accounts = Vec::new();
        loop {
            let filter = AccountFilter {
                service_type: service_type.map(str::to_owned),
                limit: MOST,
                offset: u32::try_from(accounts.len()).unwrap_or(u32::MAX),
            };
            let page = self.inner.store.accounts(application, &filter).await?;
            if page.records.is_empty() {
                return Ok(accounts);
            }
            accounts.extend(page.records);
        }
    }
}
