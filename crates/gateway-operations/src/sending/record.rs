//! What the outbox keeps of a send beside its state.

use email_model::{
    AttachmentContent, MessageId, OutgoingAttachment, OutgoingMessage, ThreadId, Timestamp,
};
use email_provider::{DraftRef, MessageRef, Submitted};
use gateway_store::{SendId, SendRow, StoreError, sealing::Place};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{FailedStep, SentView};
use crate::{Gateway, OperationError, OperationResult};

/// Largest message that is kept until its copy is filed, in octets.
const MOST_CONTENT: usize = 1 << 20;

/// The operations' own part of a row of the outbox.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct SendRecord {
    /// `Message-ID`, with angle brackets.
    pub message_id: String,
    /// `Date`.
    pub date: Timestamp,
    pub return_ids: bool,
    /// Keywords that the copy is to get.
    pub keywords: Vec<String>,
    /// What is handed over, where that is a draft.
    pub draft: Option<DraftRef>,
    /// The message that it answers.
    pub answers: Option<MessageRef>,
    /// When it was to be sent, where a time was asked for.
    pub scheduled_for: Option<Timestamp>,
    pub handed_over_at: Option<Timestamp>,
    pub submitted: Option<Submitted>,
    /// How often something was tried in vain in its present state.
    pub attempts: u32,
    pub outcome: Option<Outcome>,
    /// Why nobody gets it.
    pub failure: Option<String>,
    /// It came to nothing before anybody was told of it: it may be asked for again.
    #[serde(default)]
    pub never_begun: bool,
}

/// What is answered of a message that went out.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Outcome {
    pub id: Option<MessageId>,
    pub thread: Option<ThreadId>,
    pub keywords_failed: bool,
    pub copy_missing: bool,
    /// Recipients that were refused, and whatever else people should know.
    pub remarks: Vec<String>,
}

/// The operations' own part of a draft's row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct DraftRecord {
    /// The backend's name for it.
    pub draft: DraftRef,
    /// `Message-ID`, with angle brackets.
    pub message_id: String,
    pub web_link: Option<String>,
    /// The message that it answers.
    pub answers: Option<MessageRef>,
    /// Its newest send.
    pub send: Option<i64>,
    /// Somebody else has changed it: the backend is to be asked for its name anew.
    pub stale: bool,
}

impl SendRecord {
    pub fn of(row: &SendRow) -> OperationResult<Self> {
        read(&row.record)
    }

    /// The answer to the client.
    pub fn view(&self) -> SentView {
        let outcome = self.outcome.clone().unwrap_or_default();
        let mut failed_steps = Vec::new();
        if outcome.keywords_failed {
            failed_steps.push(FailedStep::Keywords);
        }
        if self.return_ids && outcome.id.is_none() {
            failed_steps.push(FailedStep::ReturnIds);
        }
        let told = |id| self.return_ids.then_some(id);
        SentView {
            id: outcome.id.and_then(told),
            thread: outcome.thread.filter(|_| self.return_ids),
            submitted_message_id: Some(self.message_id.clone()),
            failed_steps,
            error_message: (!outcome.remarks.is_empty()).then(|| outcome.remarks.join("; ")),
        }
    }
}

impl DraftRecord {
    pub fn of(record: &Value) -> OperationResult<Self> {
        read(record)
    }
}

fn read<T: DeserializeOwned>(record: &Value) -> OperationResult<T> {
    T::deserialize(record)
        .map_err(|_| OperationError::from(StoreError::Damaged("a record of the outbox".into())))
}

pub(super) fn to_value<T: Serialize>(record: &T) -> OperationResult<Value> {
    serde_json::to_value(record)
        .map_err(|_| OperationError::internal("a record of the outbox cannot be written"))
}

impl Gateway {
    /// What is to be kept of a message until its copy is filed: all of it, sealed, unless it is large.
    pub(super) fn seal_content(
        &self,
        id: SendId,
        message: &OutgoingMessage,
    ) -> OperationResult<Option<Vec<u8>>> {
        let files = &message.attachments;
        let is_spooled =
            |file: &OutgoingAttachment| matches!(file.content, AttachmentContent::Spooled { .. });
        let octets: u64 = files.iter().map(|file| file.content.size()).sum();
        if octets > MOST_CONTENT as u64 || files.iter().any(is_spooled) {
            return Ok(None);
        }
        let plain = postcard::to_allocvec(message)
            .map_err(|_| OperationError::internal("a message cannot be written"))?;
        if plain.len() > MOST_CONTENT {
            return Ok(None);
        }
        let row = id.0.to_string();
        let sealed = self.inner.sealer.seal(place(&row), &plain);
        let sealed = sealed.map_err(|_| OperationError::internal("sealing failed"))?;
        Ok(Some(sealed))
    }

    /// What [`Self::seal_content`] kept.
    pub(super) fn open_content(&self, row: &SendRow) -> Option<OutgoingMessage> {
        let name = row.id.0.to_string();
        let plain = self.inner.sealer.open(place(&name), row.content.as_ref()?);
        postcard::from_bytes(&plain.ok()?).ok()
    }
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "send",
        row,
        column: "content",
    }
}
