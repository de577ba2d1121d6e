//! Handing a message over: the intent is in the outbox before, the outcome after.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use email_model::Timestamp;
use email_provider::{
    Call, DraftQuery, Drafts, ErrorKind, Outgoing, Priority, ProviderError, Submission, Submitted,
    Submitter,
};
use gateway_store::{Account, SendRow, SendState};
use serde_json::json;
use tokio::task::JoinHandle;

use super::{
    lease::SendLease,
    record::{SendRecord, to_value},
};
use crate::{
    Gateway, OperationError, OperationErrorKind, OperationResult, SentView, journal::JournalHandle,
    mailboxes::OpenMailbox,
};

/// The slowest upload that is waited for, in octets a second.
const SLOWEST: u64 = 100 << 10;
/// How long the transfer of a draft may take of which the size is not known.
const DRAFT_TRANSFER: Duration = Duration::from_secs(600);
/// How long a caller waits for an answer: less than requests may take.
const ANSWERED_WITHIN: Duration = Duration::from_secs(100);
/// How often it is tried to note that a message was accepted.
const NOTED: u32 = 4;
/// Least time that a transfer is given.
const TRANSFER: Duration = Duration::from_secs(60);

/// A send that this process is at.
pub(super) struct Delivery<'a> {
    pub gateway: &'a Gateway,
    pub account: &'a Account,
    pub mailbox: OpenMailbox,
    pub journal: Arc<JournalHandle>,
    pub row: SendRow,
    pub lease: SendLease,
    pub record: SendRecord,
    /// The message, where it is at hand.
    pub outgoing: Option<Outgoing>,
}

impl Gateway {
    /// How long a transfer may take.
    pub(super) fn patience(&self, octets: Option<u64>) -> Duration {
        let transfer = octets.map_or(DRAFT_TRANSFER, |octets| {
            Duration::from_secs(octets / SLOWEST)
        });
        self.inner.config.call_deadline.max(TRANSFER) + transfer
    }
}

impl Delivery<'_> {
    pub fn submitter(&self) -> OperationResult<&dyn Submitter> {
        self.mailbox.provider.submitter().ok_or_else(|| {
            OperationError::new(
                OperationErrorKind::NotSupported,
                "send: this mailbox cannot send",
            )
        })
    }

    pub fn drafts(&self) -> OperationResult<&dyn Drafts> {
        drafts_of(&self.mailbox)
    }

    pub fn octets(&self) -> Option<u64> {
        let copy = email_provider::MessageCopy::Kept;
        Some(self.outgoing.as_ref()?.octets.length(copy))
    }

    pub fn call(&self) -> Call {
        let patience = self.gateway.patience(self.octets());
        self.gateway.call(Priority::Interactive, patience)
    }

    /// What is handed over. `None`: it is no longer at hand.
    pub fn submission(&self) -> Option<Submission<'_>> {
        match (&self.record.draft, &self.outgoing) {
            (Some(draft), _) => Some(Submission::Draft(draft)),
            (None, Some(outgoing)) => Some(Submission::Message(outgoing)),
            (None, None) => None,
        }
    }

    /// Writes the row, still held by this process; due at once for whoever takes it over.
    ///
    /// # Errors
    /// `Conflict`: another process has it by now.
    pub async fn keep(&mut self, state: SendState) -> OperationResult<()> {
        let until = self.gateway.held_until();
        self.row.holder = Some(self.gateway.inner.process.clone());
        self.row.held_until = Some(until);
        let now = self.gateway.now();
        self.write(state, Some(now)).await
    }

    /// Writes the row and lets go of it: something is to be done at `due`, or it is at its end.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub async fn let_go(
        &mut self,
        state: SendState,
        due: Option<Timestamp>,
    ) -> OperationResult<()> {
        self.row.holder = None;
        self.row.held_until = None;
        if due.is_none() {
            self.row.content = None;
        }
        self.write(state, due).await?;
        if due.is_some() {
            self.gateway.inner.clerk.wake();
        }
        Ok(())
    }

    async fn write(&mut self, state: SendState, due: Option<Timestamp>) -> OperationResult<()> {
        self.row.state = state;
        self.row.due_at = due;
        self.row.record = to_value(&self.record)?;
        match self.lease.write(self.gateway, &mut self.row).await? {
            true => Ok(()),
            false => Err(in_progress()),
        }
    }

    /// Hands the message over and sees to its copy. The row is queued and held by this process.
    pub async fn deliver(mut self) -> OperationResult<SentView> {
        if self.record.draft.is_none() && self.submitter()?.limits().drafts_only {
            self.keep_as_draft().await?;
        }
        self.record.handed_over_at = Some(self.gateway.now());
        self.keep(SendState::Sending).await?;
        let call = self.call();
        let Some(submission) = self.submission() else {
            return Err(self.failed(gone()).await);
        };
        let submit = self.submitter()?.submit(call, submission);
        // Whoever takes over what is no longer held looks for it, and must find what there will ever be.
        let answer = self.lease.while_held(submit).await;
        match answer.unwrap_or_else(|| Err(broken_off())) {
            Ok(submitted) => {
                let view = self.accepted(submitted).await;
                if let Err(error) = self.gateway.note_success(self.account).await {
                    tracing::debug!(account = %self.account.id, %error, "a success was not noted");
                }
                Ok(view)
            }
            Err(error) if error.kind == ErrorKind::OutcomeUnknown => {
                self.record.attempts = 0;
                // The request may have waited long before it left: proofs count from now.
                self.record.handed_over_at = Some(self.gateway.now());
                match self.keep(SendState::Unknown).await {
                    Ok(()) => self.settle_soon().await,
                    Err(error) => {
                        tracing::warn!(account = %self.account.id, %error, "a send without an answer was not noted");
                        Err(unconfirmed(&self.record.message_id))
                    }
                }
            }
            Err(error) => {
                let error = self.gateway.note_failure(self.account, error).await;
                Err(self.failed(error).await)
            }
        }
    }

    /// The backend has accepted it: whatever fails from now on, it went out.
    pub async fn accepted(&mut self, submitted: Submitted) -> SentView {
        self.record.submitted = Some(submitted);
        self.record.attempts = 0;
        for attempt in 0..NOTED {
            match self.keep(SendState::Accepted).await {
                Ok(()) => break,
                Err(error) if error.kind == OperationErrorKind::Conflict => {
                    match self.take_back().await {
                        Ok(TakenBack::Held) => break,
                        Ok(TakenBack::Known) => return self.record.view(),
                        Err(error) => {
                            tracing::error!(account = %self.account.id, %error, "an accepted send was not noted");
                            return self.record.view();
                        }
                    }
                }
                Err(error) => {
                    tracing::error!(account = %self.account.id, %error, "an accepted send was not noted");
                    tokio::time::sleep(super::settling::wait(attempt)).await;
                }
            }
        }
        self.finish().await
    }

    /// Another process has taken over what was accepted meanwhile. What is known counts for more than what that
    /// process has looked for and not found.
    async fn take_back(&mut self) -> OperationResult<TakenBack> {
        loop {
            let store = &self.gateway.inner.store;
            let Some(row) = store.send(self.row.account, self.row.id).await? else {
                return Ok(TakenBack::Known);
            };
            match row.state {
                SendState::Queued
                | SendState::Unknown
                | SendState::Failed
                | SendState::Cancelled => {
                    self.row.version = row.version;
                    match self.keep(SendState::Accepted).await {
                        Err(error) if error.kind == OperationErrorKind::Conflict => {}
                        written => return written.map(|()| TakenBack::Held),
                    }
                }
                SendState::Accepted | SendState::Sent => {
                    self.record = SendRecord::of(&row)?;
                    return Ok(TakenBack::Known);
                }
                // Somebody asked for it again after it counted as failed.
                SendState::Sending => return Err(in_progress()),
            }
        }
    }

    /// Backends that send drafts only get it as one first. Nobody gets it by that.
    async fn keep_as_draft(&mut self) -> OperationResult<()> {
        let Some(outgoing) = self.outgoing.clone() else {
            return Err(self.failed(gone()).await);
        };
        let call = self.call();
        let drafts = self.drafts()?;
        let query = DraftQuery::MessageId(outgoing.message_id.clone());
        // An earlier try, of this process or one that died, may have kept it already.
        let before = match self.row.version > 0 {
            true => drafts.find(call, &query).await,
            false => Ok(None),
        };
        let kept = match before {
            Ok(Some(kept)) => Ok(kept),
            Ok(None) => match drafts.create(call, &outgoing).await {
                Err(error) if error.kind == ErrorKind::OutcomeUnknown => {
                    let found = drafts.find(call, &query).await;
                    found.and_then(|found| found.ok_or_else(not_kept))
                }
                answer => answer,
            },
            Err(error) => Err(error),
        };
        match self.gateway.told(self.account, kept).await {
            Ok(kept) => {
                self.record.draft = Some(kept.draft);
                self.keep(SendState::Queued).await
            }
            Err(error) => Err(self.failed(error).await),
        }
    }

    /// Learns of the draft that a process left behind which died before it noted it.
    pub async fn recall_draft(&mut self) -> OperationResult<()> {
        if self.record.draft.is_some() || !self.submitter()?.limits().drafts_only {
            return Ok(());
        }
        let query = DraftQuery::MessageId(self.record.message_id.clone());
        let found = self.drafts()?.find(self.gateway.background(), &query).await;
        let found = self.gateway.told(self.account, found).await?;
        self.record.draft = found.map(|kept| kept.draft);
        Ok(())
    }

    /// Nobody gets it.
    pub async fn failed(&mut self, error: OperationError) -> OperationError {
        self.record.failure = Some(error.message.clone());
        if self.record.draft.is_some() {
            // What another process has taken over may be sent by now: it is no draft to be thrown away.
            if let Err(other) = self.keep(self.row.state).await {
                return other;
            }
        }
        self.forget_expectation().await;
        if self.row.draft.is_none()
            && let Some(draft) = self.record.draft.take()
            && let Ok(drafts) = self.drafts()
            && let Err(error) = drafts.discard(self.gateway.background(), &draft).await
        {
            tracing::debug!(account = %self.account.id, %error, "what was to be sent is still a draft");
        }
        match self.let_go(SendState::Failed, None).await {
            Ok(()) => error,
            Err(other) => other,
        }
    }
}

/// What a process knows of a send that was taken from it.
enum TakenBack {
    /// It has it again.
    Held,
    /// The outbox knows as much.
    Known,
}

pub(super) fn drafts_of(mailbox: &OpenMailbox) -> OperationResult<&dyn Drafts> {
    mailbox.provider.drafts().ok_or_else(|| {
        OperationError::new(
            OperationErrorKind::NotSupported,
            "drafts: this mailbox cannot keep drafts",
        )
    })
}

/// The answer of a send that goes on by itself, while a caller can be told of it. Its `Message-ID` is known once the
/// message is.
pub(super) async fn answer_in_time<T>(
    sending: JoinHandle<OperationResult<T>>,
    message_id: &OnceLock<String>,
) -> OperationResult<T> {
    answer_within(ANSWERED_WITHIN, sending, message_id).await
}

/// The same within another time.
pub(super) async fn answer_within<T>(
    limit: Duration,
    sending: JoinHandle<OperationResult<T>>,
    message_id: &OnceLock<String>,
) -> OperationResult<T> {
    match tokio::time::timeout(limit, sending).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Err(open_ended(
            "the gateway failed while the message was being sent: it may have gone out",
            message_id.get(),
        )),
        Err(_) => Err(open_ended(
            "the message is still being handed over: it may yet go out, and is not sent a second time",
            message_id.get(),
        )),
    }
}

/// Somebody is at this send.
pub(super) fn in_progress() -> OperationError {
    OperationError::new(
        OperationErrorKind::Conflict,
        "this message is being sent: ask again",
    )
    .with_retry_after(Duration::from_secs(1))
}

/// It was handed over and no answer came.
pub(super) fn unconfirmed(message_id: &String) -> OperationError {
    open_ended(
        "the message was handed over and no answer came: it may have gone out, and is not sent again",
        Some(message_id),
    )
}

/// What became of it cannot be told. Whoever asked without a key knows the message by its `Message-ID`, should it
/// turn up.
fn open_ended(message: &str, message_id: Option<&String>) -> OperationError {
    OperationError {
        original: message_id.map(|id| json!({ "internetMessageId": id })),
        ..OperationError::new(OperationErrorKind::SendUnconfirmed, message)
    }
}

fn gone() -> OperationError {
    OperationError::new(
        OperationErrorKind::Provider,
        "what was to be sent is no longer there",
    )
}

/// The outbox could not be told for too long that this process is at it.
fn broken_off() -> ProviderError {
    ProviderError::new(
        ErrorKind::OutcomeUnknown,
        "the message was being handed over and is no longer this process's",
    )
}

fn not_kept() -> ProviderError {
    ProviderError::new(
        ErrorKind::Unavailable,
        "the message could not be handed over",
    )
}
