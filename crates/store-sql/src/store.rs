/// Implements [`gateway_store::Store`] for a store with a [`crate::Session`] and these methods of its
/// own: `reader` (a connection), `snapshot` (a transaction that reads one moment's state) and `writer`
/// (a transaction that writes); and `migrate_schema`, `sizes`, `load_rows`, `write_rows`, `send_wake`,
/// `receive_wakes` and `end`, each for the method of the trait that it resembles. `shared`: whether several
/// processes may serve from it at once.
#[macro_export]
macro_rules! impl_store {
    ($store:ty, $session:ident, shared = $shared:literal) => {
        use $crate::reexports::{
            email_model::{EntryKey, MessageId, ThreadId, Timestamp},
            futures::stream::BoxStream,
            gateway_store::{
                AccessTokenHash, Account, AccountFilter, AccountId, AccountPage, Application,
                ApplicationId, CodeHash, Commit, CredentialState, EntryRow, FolderRow, GrantRow,
                Journal, Lease, LeaseRequest, LoadRequest, Loaded, MessageRow, NewJournal,
                PendingSignIn, Redeemed, ScopeNumber, ScopeRow, Seq, StateHash, Store, StoreResult,
                Stream, TableSize,
            },
        };

        #[$crate::reexports::async_trait]
        impl Store for $store {
            async fn migrate(&self) -> StoreResult<()> {
                self.migrate_schema().await?;
                $crate::purge!(self, $session);
                Ok(())
            }

            async fn ping(&self) -> StoreResult<()> {
                $crate::read!(self, $session, settings::ping())
            }

            async fn setting(&self, name: &str) -> StoreResult<Option<Vec<u8>>> {
                $crate::read!(self, $session, settings::get(name))
            }

            async fn init_setting(&self, name: &str, value: &[u8]) -> StoreResult<Vec<u8>> {
                $crate::write!(self, $session, settings::init(name, value))
            }

            async fn holds_sealed(&self) -> StoreResult<bool> {
                $crate::read!(self, $session, settings::holds_sealed())
            }

            async fn table_sizes(&self) -> StoreResult<Vec<TableSize>> {
                self.sizes().await
            }

            async fn put_application(&self, application: &Application) -> StoreResult<Application> {
                $crate::write!(self, $session, applications::put(application))
            }

            async fn applications(&self) -> StoreResult<Vec<Application>> {
                $crate::read!(self, $session, applications::all())
            }

            async fn application(&self, client_id: &str) -> StoreResult<Option<Application>> {
                $crate::read!(self, $session, applications::one(client_id))
            }

            async fn remove_application(&self, client_id: &str) -> StoreResult<bool> {
                let removed = $crate::write!(self, $session, removal::application(client_id))?;
                $crate::purge!(self, $session);
                Ok(removed)
            }

            async fn insert_account(
                &self,
                account: &Account,
                grant: Option<&[u8]>,
            ) -> StoreResult<()> {
                $crate::write!(self, $session, grants::insert_account(account, grant))
            }

            async fn update_account(&self, account: &Account) -> StoreResult<()> {
                $crate::write!(self, $session, accounts::update(account))
            }

            async fn reconnect_account(
                &self,
                account: &Account,
                grant: Option<&[u8]>,
            ) -> StoreResult<()> {
                $crate::write!(self, $session, grants::reconnect_account(account, grant))
            }

            async fn set_credentials(
                &self,
                account: AccountId,
                state: &CredentialState,
            ) -> StoreResult<()> {
                $crate::write!(self, $session, accounts::set_credentials(account, state))
            }

            async fn account(&self, account: AccountId) -> StoreResult<Option<Account>> {
                $crate::read!(self, $session, accounts::one(account))
            }

            async fn accounts(
                &self,
                application: ApplicationId,
                filter: &AccountFilter,
            ) -> StoreResult<AccountPage> {
                $crate::snapshot!(self, $session, accounts::page(application, filter))
            }

            async fn find_accounts(
                &self,
                application: ApplicationId,
                email: Option<&str>,
                mailbox: Option<&str>,
            ) -> StoreResult<Vec<Account>> {
                $crate::read!(self, $session, accounts::find(application, email, mailbox))
            }

            async fn accounts_at(
                &self,
                kind: &str,
                mailbox: Option<&str>,
                email: Option<&str>,
                limit: u32,
            ) -> StoreResult<Vec<AccountId>> {
                $crate::read!(self, $session, accounts::at(kind, mailbox, email, limit))
            }

            async fn synchronised_accounts(
                &self,
                after: AccountId,
                limit: u32,
            ) -> StoreResult<Vec<AccountId>> {
                $crate::read!(self, $session, accounts::synchronised(after, limit))
            }

            async fn remove_account(&self, account: AccountId) -> StoreResult<bool> {
                let removed = $crate::write!(self, $session, removal::account(account))?;
                $crate::purge!(self, $session);
                Ok(removed)
            }

            async fn add_access_token(
                &self,
                account: AccountId,
                hash: &AccessTokenHash,
                now: Timestamp,
                keep: u32,
            ) -> StoreResult<()> {
                $crate::write!(self, $session, tokens::add(account, hash, now, keep))
            }

            async fn account_of_token(
                &self,
                hash: &AccessTokenHash,
            ) -> StoreResult<Option<Account>> {
                $crate::read!(self, $session, tokens::account(hash))
            }

            async fn remove_access_token(&self, hash: &AccessTokenHash) -> StoreResult<bool> {
                $crate::write!(self, $session, tokens::remove(hash))
            }

            async fn remove_access_tokens(&self, account: AccountId) -> StoreResult<()> {
                $crate::write!(self, $session, tokens::remove_all(account))
            }

            async fn grant(&self, account: AccountId) -> StoreResult<Option<GrantRow>> {
                $crate::read!(self, $session, grants::one(account))
            }

            async fn hold_grant(&self, request: &LeaseRequest) -> StoreResult<Option<GrantRow>> {
                $crate::write!(self, $session, grants::hold(request))
            }

            async fn release_grant(&self, account: AccountId, holder: &str) -> StoreResult<()> {
                $crate::write!(self, $session, grants::release(account, holder))
            }

            async fn replace_grant(
                &self,
                account: AccountId,
                version: i64,
                secret: &[u8],
            ) -> StoreResult<bool> {
                $crate::write!(self, $session, grants::replace(account, version, secret))
            }

            async fn set_grant_state(
                &self,
                account: AccountId,
                version: i64,
                state: &CredentialState,
            ) -> StoreResult<bool> {
                $crate::write!(self, $session, grants::set_state(account, version, state))
            }

            async fn put_sign_in(
                &self,
                state: &StateHash,
                pending: &PendingSignIn,
                now: Timestamp,
            ) -> StoreResult<()> {
                $crate::write!(self, $session, sign_ins::put(state, pending, now))
            }

            async fn sign_in(
                &self,
                state: &StateHash,
                now: Timestamp,
            ) -> StoreResult<Option<PendingSignIn>> {
                $crate::read!(self, $session, sign_ins::one(state, now))
            }

            async fn take_sign_in(
                &self,
                state: &StateHash,
                now: Timestamp,
            ) -> StoreResult<Option<PendingSignIn>> {
                $crate::write!(self, $session, sign_ins::take(state, now))
            }

            async fn put_code(
                &self,
                code: &CodeHash,
                account: AccountId,
                expires_at: Timestamp,
                now: Timestamp,
            ) -> StoreResult<()> {
                $crate::write!(
                    self,
                    $session,
                    sign_ins::put_code(code, account, expires_at, now)
                )
            }

            async fn redeem_code(
                &self,
                code: &CodeHash,
                application: ApplicationId,
                token: &AccessTokenHash,
                now: Timestamp,
                keep: u32,
            ) -> StoreResult<Redeemed> {
                $crate::write!(
                    self,
                    $session,
                    sign_ins::redeem(code, application, token, now, keep)
                )
            }

            async fn journal(&self, account: AccountId) -> StoreResult<Option<Journal>> {
                $crate::read!(self, $session, journals::one(account))
            }

            async fn open_journal(
                &self,
                account: AccountId,
                new: &NewJournal,
            ) -> StoreResult<Journal> {
                $crate::write!(self, $session, journals::open(account, new))
            }

            async fn reset_journal(
                &self,
                account: AccountId,
                new: &NewJournal,
            ) -> StoreResult<Journal> {
                let journal = $crate::write!(self, $session, journals::reset(account, new))?;
                $crate::purge!(self, $session);
                Ok(journal)
            }

            async fn scopes(&self, account: AccountId) -> StoreResult<Vec<ScopeRow>> {
                $crate::read!(self, $session, journals::scopes(account))
            }

            async fn folders(&self, account: AccountId) -> StoreResult<Vec<FolderRow>> {
                $crate::read!(self, $session, journals::folders(account))
            }

            async fn load(&self, account: AccountId, request: &LoadRequest) -> StoreResult<Loaded> {
                self.load_rows(account, request).await
            }

            async fn message(
                &self,
                account: AccountId,
                id: MessageId,
            ) -> StoreResult<Option<(MessageRow, Vec<EntryRow>)>> {
                $crate::snapshot!(self, $session, messages::one(account, id))
            }

            async fn thread(
                &self,
                account: AccountId,
                thread: ThreadId,
                limit: u32,
            ) -> StoreResult<Vec<MessageRow>> {
                $crate::read!(self, $session, messages::thread(account, thread, limit))
            }

            async fn scope_entries(
                &self,
                account: AccountId,
                scope: ScopeNumber,
                after: Option<&EntryKey>,
                limit: u32,
            ) -> StoreResult<Vec<EntryRow>> {
                $crate::read!(
                    self,
                    $session,
                    messages::scope_entries(account, scope, after, limit)
                )
            }

            async fn count_entries(
                &self,
                account: AccountId,
                scope: ScopeNumber,
            ) -> StoreResult<u64> {
                $crate::read!(self, $session, messages::count_entries(account, scope))
            }

            async fn walk(
                &self,
                account: AccountId,
                after: i64,
                upto: Seq,
                since: Option<Timestamp>,
                limit: u32,
            ) -> StoreResult<Vec<MessageRow>> {
                $crate::read!(
                    self,
                    $session,
                    messages::walk(account, after, upto, since, limit)
                )
            }

            async fn changes(
                &self,
                account: AccountId,
                stream: Stream,
                after: Seq,
                upto: Seq,
                limit: u32,
            ) -> StoreResult<Vec<MessageRow>> {
                $crate::read!(
                    self,
                    $session,
                    messages::changes(account, stream, after, upto, limit)
                )
            }

            async fn orphans(
                &self,
                account: AccountId,
                before_tick: i64,
                after: Option<MessageId>,
                limit: u32,
            ) -> StoreResult<Vec<MessageRow>> {
                $crate::read!(
                    self,
                    $session,
                    messages::orphans(account, before_tick, after, limit)
                )
            }

            async fn has_orphans(&self, account: AccountId) -> StoreResult<bool> {
                $crate::read!(self, $session, messages::has_orphans(account))
            }

            async fn commit(&self, account: AccountId, commit: &Commit) -> StoreResult<i64> {
                $crate::retrying(|| self.write_rows(account, commit)).await
            }

            fn is_shared(&self) -> bool {
                $shared
            }

            async fn lease(&self, request: &LeaseRequest) -> StoreResult<Option<Lease>> {
                $crate::write!(self, $session, leases::take(request))
            }

            async fn release(&self, account: AccountId, holder: &str) -> StoreResult<()> {
                $crate::write!(self, $session, leases::release(account, holder))
            }

            async fn wake(&self, account: AccountId) -> StoreResult<()> {
                self.send_wake(account).await
            }

            async fn wakes(&self) -> StoreResult<BoxStream<'static, AccountId>> {
                self.receive_wakes().await
            }

            async fn close(&self) {
                self.end().await;
            }
        }
    };
}
