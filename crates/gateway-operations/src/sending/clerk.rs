//! Who does what is left to be done about the outbox: scheduled sends whose time has come, sends that a process
//! left behind when it died, copies that could not be filed at once.

use std::time::Duration;

use gateway_store::{ClaimSends, SendRow, SendState};
use tokio::{sync::Notify, task::JoinSet};

use super::{delivery::Delivery, record::SendRecord};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

/// Sends that are seen to at the same time.
const AT_ONCE: usize = 8;
/// Between two looks for what another process left behind or scheduled.
const LOOK: Duration = Duration::from_secs(5);
/// Between two looks where nobody else can schedule anything.
const LOOK_ALONE: Duration = Duration::from_secs(60);
/// How long the outbox remembers what is at its end.
const REMEMBERED: chrono::Duration = chrono::Duration::days(7);
/// Between two looks for what is to be forgotten.
const FORGET: Duration = Duration::from_secs(3_600);
/// How many rows are forgotten at once.
const FORGOTTEN: u32 = 500;

/// Wakes the clerk of this process.
#[derive(Debug, Default)]
pub(crate) struct Clerk {
    wake: Notify,
}

impl Clerk {
    /// There may be something to do, now or at a time that was not known.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}

impl Gateway {
    /// Sees to the outbox until the gateway stops.
    pub(crate) async fn keep_outbox(&self) {
        let mut under_way = JoinSet::new();
        let mut forget_at = tokio::time::Instant::now();
        loop {
            while under_way.try_join_next().is_some() {}
            if tokio::time::Instant::now() >= forget_at {
                forget_at = tokio::time::Instant::now() + FORGET;
                self.forget_sends().await;
            }
            let room = AT_ONCE.saturating_sub(under_way.len());
            let claimed = self.claim_sends(room).await;
            for row in claimed {
                let gateway = self.clone();
                under_way.spawn(async move { gateway.see_to(row).await });
            }
            let pause = self.pause().await;
            tokio::select! {
                () = self.inner.stopping.cancelled() => break,
                () = self.inner.clerk.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
                Some(_) = under_way.join_next(), if under_way.len() >= AT_ONCE => {}
            }
        }
        while under_way.join_next().await.is_some() {}
    }

    async fn claim_sends(&self, room: usize) -> Vec<SendRow> {
        let Ok(limit @ 1..) = u32::try_from(room) else {
            return Vec::new();
        };
        let claim = ClaimSends {
            holder: self.inner.process.clone(),
            now: self.now(),
            lasts: self.inner.config.send_lease,
            limit,
        };
        self.inner
            .store
            .claim_sends(&claim)
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(%error, "the outbox could not be looked through");
                Vec::new()
            })
    }

    /// How long there is nothing to do.
    async fn pause(&self) -> Duration {
        let longest = match self.inner.store.is_shared() {
            true => LOOK,
            false => LOOK_ALONE,
        };
        match self.inner.store.next_due_send().await {
            Ok(Some(due)) => {
                let pause = due.signed_duration_since(self.now()).to_std();
                pause
                    .unwrap_or_default()
                    .clamp(Duration::from_millis(50), longest)
            }
            Ok(None) => longest,
            Err(error) => {
                tracing::warn!(%error, "the outbox could not be looked through");
                LOOK
            }
        }
    }

    async fn forget_sends(&self) {
        let before = self.now() - REMEMBERED;
        loop {
            match self.inner.store.forget_sends(before, FORGOTTEN).await {
                Ok(count) if count >= u64::from(FORGOTTEN) => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::warn!(%error, "the outbox could not be tidied");
                    return;
                }
            }
        }
    }

    async fn see_to(&self, row: SendRow) {
        let (account, id) = (row.account, row.id);
        if let Err(error) = self.try_to_see_to(row).await
            && error.kind != OperationErrorKind::Conflict
        {
            tracing::warn!(%account, send = id.0, %error, "a send could not be seen to");
        }
    }

    async fn try_to_see_to(&self, mut row: SendRow) -> OperationResult<()> {
        let record = SendRecord::of(&row)?;
        let Some(account) = self.inner.store.account(row.account).await? else {
            return Ok(());
        };
        let lease = self.lease(&row);
        let (mailbox, journal) = match self.reach(&account).await {
            Ok(reached) => reached,
            Err(error) => return self.out_of_reach(row, record, error).await,
        };
        let outgoing = self.outgoing_again(&row, &record);
        row.holder = Some(self.inner.process.clone());
        let mut delivery = Delivery {
            gateway: self,
            account: &account,
            mailbox,
            journal,
            row,
            lease,
            record,
            outgoing,
        };
        match delivery.row.state {
            SendState::Queued if delivery.record.scheduled_for.is_some() => {
                delivery.send_scheduled().await
            }
            SendState::Queued => {
                if let Err(error) = delivery.recall_draft().await {
                    tracing::debug!(account = %account.id, %error, "what was to be sent may still be a draft");
                }
                let stopped = OperationError::new(
                    OperationErrorKind::Internal,
                    "the gateway was stopped before the message was handed over",
                );
                delivery.failed(stopped).await;
                Ok(())
            }
            SendState::Sending | SendState::Unknown => {
                if delivery.row.state == SendState::Sending {
                    // A request of the process that died may have left until now.
                    delivery.record.handed_over_at = Some(self.now());
                }
                delivery.keep(SendState::Unknown).await?;
                match delivery.settle().await? {
                    Some(_) => Ok(()),
                    None => delivery.look_again_later().await,
                }
            }
            SendState::Accepted => {
                delivery.finish().await;
                Ok(())
            }
            SendState::Sent | SendState::Failed | SendState::Cancelled => {
                let state = delivery.row.state;
                delivery.let_go(state, None).await
            }
        }
    }
}
