//! That this process has a send: for a short time, prolonged while it is at it.
//!
//! Whoever has it stops before its time runs out: another process may then look for the message, and believe
//! that what it does not find was not sent.

use std::{sync::Arc, time::Duration};

use email_model::Timestamp;
use gateway_store::{ProlongSend, SendRow};
use tokio::{sync::watch, task::JoinHandle, time::Instant};

use crate::{Gateway, OperationResult};

/// What part of its time is left when a send is no longer acted upon: clocks differ, and what has just been
/// begun ends meanwhile.
const LEFT: u32 = 6;
/// How often it is prolonged in its time.
const PROLONGED: u32 = 3;
/// How often it is tried between two times at which it is prolonged, where the store fails.
const TRIED: u32 = 4;

/// A send that this process has, until this is dropped.
#[derive(Debug)]
pub(super) struct SendLease {
    version: Arc<tokio::sync::Mutex<i64>>,
    valid: Arc<watch::Sender<Instant>>,
    margin: Duration,
    keeper: JoinHandle<()>,
}

impl Drop for SendLease {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Gateway {
    /// Until when a send that is taken or written now is held.
    pub(super) fn held_until(&self) -> Timestamp {
        self.now() + self.inner.config.send_lease
    }

    /// Goes on holding a send that was opened or claimed by this process.
    pub(super) fn lease(&self, row: &SendRow) -> SendLease {
        let margin = self.inner.config.send_lease / LEFT;
        let left = row
            .held_until
            .and_then(|until| until.signed_duration_since(self.now()).to_std().ok())
            .unwrap_or_default()
            .saturating_sub(margin);
        let version = Arc::new(tokio::sync::Mutex::new(row.version));
        let valid = Arc::new(watch::Sender::new(Instant::now() + left));
        let keeper = Keeper {
            gateway: self.clone(),
            held: ProlongSend {
                account: row.account,
                id: row.id,
                version: row.version,
                now: self.now(),
                until: self.now(),
            },
            version: Arc::clone(&version),
            valid: Arc::clone(&valid),
        };
        SendLease {
            version,
            valid,
            margin,
            keeper: tokio::spawn(keeper.keep()),
        }
    }
}

impl SendLease {
    /// Writes the row, unless somebody else has written or taken it. It is not prolonged meanwhile, nor
    /// afterwards where it is given back by this.
    pub async fn write(&self, gateway: &Gateway, row: &mut SendRow) -> OperationResult<bool> {
        let begun = Instant::now();
        let left = row
            .held_until
            .and_then(|until| until.signed_duration_since(gateway.now()).to_std().ok());
        let mut version = self.version.lock().await;
        if !gateway.inner.store.write_send(row).await? {
            return Ok(false);
        }
        row.version += 1;
        *version = row.version;
        match left {
            Some(left) => {
                let until = begun + left.saturating_sub(self.margin);
                self.valid.send_replace(until);
            }
            None => self.keeper.abort(),
        }
        Ok(true)
    }

    /// Does this as long as the send is held. `None`: it was broken off, or not begun.
    pub async fn while_held<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.lost() => None,
            done = work => Some(done),
        }
    }

    async fn lost(&self) {
        let mut valid = self.valid.subscribe();
        loop {
            let until = *valid.borrow_and_update();
            if Instant::now() >= until {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                Ok(()) = valid.changed() => {}
            }
        }
    }
}

/// Prolongs it.
struct Keeper {
    gateway: Gateway,
    held: ProlongSend,
    version: Arc<tokio::sync::Mutex<i64>>,
    valid: Arc<watch::Sender<Instant>>,
}

impl Keeper {
    async fn keep(mut self) {
        let lease = self.gateway.inner.config.send_lease;
        let mut pause = lease / PROLONGED;
        loop {
            tokio::time::sleep(pause).await;
            let version = self.version.lock().await;
            let begun = Instant::now();
            self.held.version = *version;
            self.held.now = self.gateway.now();
            self.held.until = self.gateway.held_until();
            let prolonged = self.gateway.inner.store.prolong_send(&self.held).await;
            let (account, send) = (self.held.account, self.held.id.0);
            match prolonged {
                Ok(true) => {
                    self.valid.send_replace(begun + (lease - lease / LEFT));
                    pause = lease / PROLONGED;
                }
                Ok(false) => {
                    tracing::warn!(%account, send, "a send is no longer held");
                    self.valid.send_replace(begun);
                    return;
                }
                Err(error) => {
                    tracing::warn!(%account, send, %error, "a send could not be held on to");
                    pause = lease / PROLONGED / TRIED;
                }
            }
            drop(version);
        }
    }
}
