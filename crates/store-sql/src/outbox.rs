/// Implements [`gateway_store::Outbox`] for a store of [`crate::impl_store!`]. In a module of its own.
#[macro_export]
macro_rules! impl_outbox {
    ($store:ty, $session:ident) => {
        use $crate::reexports::{
            email_model::{DraftId, MessageId, Timestamp},
            gateway_store::{
                AccountId, ClaimSends, DraftRow, OpenedSend, Outbox, ProlongSend, SendId, SendRow,
                StoreResult,
            },
        };

        #[$crate::reexports::async_trait]
        impl Outbox for $store {
            async fn insert_draft(&self, account: AccountId, draft: &DraftRow) -> StoreResult<()> {
                $crate::write!(self, $session, drafts::insert(account, draft))
            }

            async fn draft(
                &self,
                account: AccountId,
                id: DraftId,
            ) -> StoreResult<Option<DraftRow>> {
                $crate::read!(self, $session, drafts::one(account, id))
            }

            async fn draft_of_message(
                &self,
                account: AccountId,
                message: MessageId,
            ) -> StoreResult<Option<DraftRow>> {
                $crate::read!(self, $session, drafts::of_message(account, message))
            }

            async fn write_draft(&self, account: AccountId, draft: &DraftRow) -> StoreResult<bool> {
                $crate::write!(self, $session, drafts::write(account, draft))
            }

            async fn remove_draft(&self, account: AccountId, id: DraftId) -> StoreResult<bool> {
                $crate::write!(self, $session, drafts::remove(account, id))
            }

            async fn open_send(&self, send: &SendRow) -> StoreResult<OpenedSend> {
                $crate::write!(self, $session, sends::open(send))
            }

            async fn send(&self, account: AccountId, id: SendId) -> StoreResult<Option<SendRow>> {
                $crate::read!(self, $session, sends::one(account, id))
            }

            async fn send_of_key(
                &self,
                account: AccountId,
                key: &[u8; 32],
            ) -> StoreResult<Option<SendRow>> {
                $crate::read!(self, $session, sends::of_key(account, key))
            }

            async fn send_of_draft(
                &self,
                account: AccountId,
                draft: DraftId,
            ) -> StoreResult<Option<SendRow>> {
                $crate::read!(self, $session, sends::of_draft(account, draft))
            }

            async fn write_send(&self, send: &SendRow) -> StoreResult<bool> {
                $crate::write!(self, $session, sends::write(send))
            }

            async fn claim_sends(&self, claim: &ClaimSends) -> StoreResult<Vec<SendRow>> {
                $crate::write!(self, $session, sends::claim(claim))
            }

            async fn prolong_send(&self, prolong: &ProlongSend) -> StoreResult<bool> {
                $crate::write!(self, $session, sends::prolong(prolong))
            }

            async fn release_sends(&self, holder: &str) -> StoreResult<()> {
                $crate::write!(self, $session, sends::release(holder))
            }

            async fn next_due_send(&self) -> StoreResult<Option<Timestamp>> {
                $crate::read!(self, $session, sends::next_due())
            }

            async fn forget_sends(&self, before: Timestamp, limit: u32) -> StoreResult<u64> {
                $crate::write!(self, $session, sends::forget(before, limit))
            }
        }
    };
}
