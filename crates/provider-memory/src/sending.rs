mod letter;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use email_model::FolderRole;
use email_provider::{
    Call, DraftRef, MessageCopy, MessageRef, Outgoing, ProviderResult, SendLimits, Settled,
    Submission, Submitted, Submitter, Unsettled,
};
use futures::TryStreamExt as _;
use tokio::time::timeout_at;

use letter::Letter;
pub(crate) use letter::message_id;

use crate::{
    MemoryProvider, drafts, error,
    state::{Message, Origin, State},
};

#[async_trait]
impl Submitter for MemoryProvider {
    fn limits(&self) -> SendLimits {
        self.mailbox.state().outbox.limits
    }

    async fn submit(&self, call: Call, submission: Submission<'_>) -> ProviderResult<Submitted> {
        let outgoing = match submission {
            Submission::Message(outgoing) => outgoing,
            Submission::Draft(draft) => {
                let work = |state: &mut State| send_draft(state, &drafts::current(state, draft)?);
                return self.mailbox.write(call, "submit", work).await;
            }
        };
        let limits = self.limits();
        if limits.drafts_only {
            return Err(error::invalid("only drafts are sent"));
        }
        let letter = Letter {
            sender: outgoing.envelope.sender.clone(),
            recipients: outgoing.envelope.recipients.clone(),
            wire: octets(call, outgoing, MessageCopy::Wire, limits.octets).await?,
        };
        let kept = octets(call, outgoing, MessageCopy::Kept, u64::MAX).await?;
        let work = |state: &mut State| {
            let refused = letter.send(&mut state.outbox)?;
            let at = match state.shape.files_sent {
                true => {
                    let copy = copy(state, outgoing, kept);
                    state.file_sent(copy)?
                }
                false => None,
            };
            Ok(Submitted {
                // Numbers are given by the store of messages, of which the transport knows nothing.
                at: at.filter(|_| state.shape.native_identity),
                refused,
                receipt: Vec::new(),
            })
        };
        self.mailbox.write(call, "submit", work).await
    }

    async fn settle(&self, call: Call, send: Unsettled<'_>) -> ProviderResult<Settled> {
        let work = |state: &State| Ok(settled(state, send));
        self.mailbox.read(call, "settle", work).await
    }

    async fn file(
        &self,
        call: Call,
        submission: Submission<'_>,
        submitted: &Submitted,
    ) -> ProviderResult<Option<MessageRef>> {
        let told = submitted.at.as_ref();
        match submission {
            Submission::Message(outgoing) => {
                let raw = octets(call, outgoing, MessageCopy::Kept, u64::MAX).await?;
                let work = |state: &mut State| {
                    let id = Some(outgoing.message_id.as_str());
                    let make = |state: &mut State| copy(state, outgoing, raw);
                    filed(state, told, id, Some(make))
                };
                self.mailbox.write(call, "file", work).await
            }
            Submission::Draft(draft) => {
                let work = |state: &mut State| file_draft(state, told, draft);
                self.mailbox.write(call, "file", work).await
            }
        }
    }
}

/// The octets of a copy, read before anything is done with them.
pub(crate) async fn octets(
    call: Call,
    outgoing: &Outgoing,
    copy: MessageCopy,
    most: u64,
) -> ProviderResult<Bytes> {
    let length = outgoing.octets.length(copy);
    if length > most {
        return Err(error::invalid("the message is too large"));
    }
    let collect = outgoing
        .octets
        .read(copy)
        .try_fold(Vec::new(), |mut all, chunk| async move {
            all.extend_from_slice(&chunk);
            Ok(all)
        });
    let all = timeout_at(call.deadline, collect)
        .await
        .map_err(|_| error::late(false))??;
    match u64::try_from(all.len()) == Ok(length) {
        true => Ok(all.into()),
        false => Err(error::invalid("the message is not as long as it says")),
    }
}

/// What a message that answers another one comes from.
pub(crate) fn answering(state: &State, answers: Option<&MessageRef>) -> Origin {
    let answered = answers.and_then(|at| state.find(at).ok());
    Origin {
        thread: answered.map(|(_, record)| record.message.thread.clone()),
        revision: 0,
    }
}

/// The sender's copy of a message.
fn copy(state: &mut State, outgoing: &Outgoing, kept: Bytes) -> Arc<Message> {
    let origin = answering(state, outgoing.answers.as_ref());
    state.message(kept, outgoing.message.date, origin)
}

/// Sends a draft. Where the server does so by itself, it is no draft any more.
fn send_draft(state: &mut State, at: &MessageRef) -> ProviderResult<Submitted> {
    let draft = Arc::clone(&state.find(at)?.1.message);
    let letter = Letter::of_draft(&draft)?;
    let refused = letter.send(&mut state.outbox)?;
    let filed = match state.shape.files_sent {
        true => {
            let copy = match state.shape.drafts_in_place {
                true => draft,
                false => copy_of_draft(state, &draft),
            };
            if state.sends_drafts() {
                state.expunge(at)?;
            }
            state.file_sent(copy)?
        }
        false => None,
    };
    Ok(Submitted {
        at: filed.filter(|_| state.shape.native_identity),
        refused,
        receipt: Vec::new(),
    })
}

fn copy_of_draft(state: &mut State, draft: &Message) -> Arc<Message> {
    let origin = Origin {
        thread: Some(draft.thread.clone()),
        revision: 0,
    };
    state.message(letter::identified(draft), draft.received_at, origin)
}

/// Where the one copy is; made where it is not there and the server does not make it.
fn filed(
    state: &mut State,
    told: Option<&MessageRef>,
    message_id: Option<&str>,
    make: Option<impl FnOnce(&mut State) -> Arc<Message>>,
) -> ProviderResult<Option<MessageRef>> {
    let told = told.filter(|at| state.find(at).is_ok()).cloned();
    let by_id = || state.newest(FolderRole::Sent, message_id?);
    let there = told.or_else(by_id);
    match make {
        Some(make) if there.is_none() && !state.shape.files_sent => {
            let copy = make(state);
            state.file_sent(copy)
        }
        _ => Ok(there),
    }
}

/// Files the copy of a draft and removes the draft. One that is gone was removed before, and one that is
/// another by now is not what was sent.
fn file_draft(
    state: &mut State,
    told: Option<&MessageRef>,
    draft: &DraftRef,
) -> ProviderResult<Option<MessageRef>> {
    let at = drafts::current(state, draft).ok();
    let sent = at.as_ref().and_then(|at| state.find(at).ok());
    let sent = sent.map(|(_, record)| Arc::clone(&record.message));
    let make = sent.map(|draft| move |state: &mut State| copy_of_draft(state, &draft));
    let filed = filed(state, told, drafts::message_id(draft).as_deref(), make)?;
    if let Some(at) = at {
        state.expunge(&at)?;
    }
    Ok(filed)
}

fn settled(state: &State, send: Unsettled<'_>) -> Settled {
    if let Some(at) = state.newest(FolderRole::Sent, send.message_id) {
        return Settled::Sent(Some(at));
    }
    // Where sending a draft ends it in the same moment, one that is there was not sent.
    let is_there = |draft| drafts::latest(state, draft).is_ok();
    match state.sends_drafts() && send.draft.is_some_and(is_there) {
        true => Settled::NotSent,
        false => Settled::Unknown,
    }
}
