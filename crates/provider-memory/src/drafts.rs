use async_trait::async_trait;
use bytes::Bytes;
use email_model::{Flags, FolderKey, FolderRole, Labels, Timestamp};
use email_provider::{
    Call, DraftQuery, DraftRef, Drafts, KeptDraft, MessageCopy, MessageRef, Outgoing,
    ProviderResult,
};
use serde::{Deserialize, Serialize};

use crate::{
    MemoryProvider, error, sending,
    state::{Message, Origin, State},
};

const FORMAT: u8 = 1;
/// Longest `Message-ID` kept in a reference: what fits a line (RFC 5322 section 2.1.1).
const LONGEST_ID: usize = 998;

/// What a [`DraftRef`] holds.
#[derive(Debug, Serialize, Deserialize)]
struct Known {
    at: MessageRef,
    /// How often it had been changed in its place.
    revision: u64,
    message_id: Option<String>,
}

impl Known {
    fn to_ref(&self) -> DraftRef {
        let mut bytes = vec![FORMAT];
        // Text and numbers alone: nothing of it can fail to be written.
        bytes.extend(serde_json::to_vec(self).unwrap_or_default());
        DraftRef(bytes)
    }

    fn from_ref(draft: &DraftRef) -> ProviderResult<Self> {
        match draft.0.split_first() {
            Some((&FORMAT, known)) => serde_json::from_slice(known).map_err(|_| error::no_draft()),
            _ => Err(error::no_draft()),
        }
    }
}

#[async_trait]
impl Drafts for MemoryProvider {
    async fn create(&self, call: Call, outgoing: &Outgoing) -> ProviderResult<KeptDraft> {
        let raw = self.kept(call, outgoing).await?;
        let work = |state: &mut State| {
            let folder = folder(state)?;
            let origin = sending::answering(state, outgoing.answers.as_ref());
            let message = state.message(raw, outgoing.message.date, origin);
            let at = state.place(&folder, message, labels())?;
            kept(state, &at)
        };
        self.mailbox.write(call, "create_draft", work).await
    }

    async fn replace(
        &self,
        call: Call,
        draft: &DraftRef,
        outgoing: &Outgoing,
    ) -> ProviderResult<KeptDraft> {
        let raw = self.kept(call, outgoing).await?;
        let work = |state: &mut State| {
            let at = current(state, draft)?;
            let at = rewrite(state, &at, raw, outgoing.message.date)?;
            kept(state, &at)
        };
        self.mailbox.write(call, "replace_draft", work).await
    }

    async fn discard(&self, call: Call, draft: &DraftRef) -> ProviderResult<()> {
        let work = |state: &mut State| {
            let at = latest(state, draft)?;
            state.expunge(&at)
        };
        self.mailbox.write(call, "discard_draft", work).await
    }

    async fn find(&self, call: Call, query: &DraftQuery) -> ProviderResult<Option<KeptDraft>> {
        let work = |state: &State| {
            let at = match query {
                DraftQuery::Message(at) => message(state, at).is_ok().then(|| at.clone()),
                DraftQuery::MessageId(id) => state.newest(FolderRole::Drafts, id),
            };
            at.map(|at| kept(state, &at)).transpose()
        };
        self.mailbox.read(call, "find_draft", work).await
    }
}

impl MemoryProvider {
    /// The octets of a draft.
    async fn kept(&self, call: Call, outgoing: &Outgoing) -> ProviderResult<Bytes> {
        let most = self.mailbox.state().outbox.limits.octets;
        sending::octets(call, outgoing, MessageCopy::Kept, most).await
    }
}

fn folder(state: &State) -> ProviderResult<FolderKey> {
    let drafts = state.role(FolderRole::Drafts);
    drafts.ok_or_else(|| error::unsupported("folder for drafts"))
}

fn labels() -> Labels {
    Labels::new(Flags::SEEN | Flags::DRAFT, Vec::new())
}

/// The draft that is there: a message among the drafts, by whomever it was made.
pub(crate) fn message<'a>(state: &'a State, at: &MessageRef) -> ProviderResult<&'a Message> {
    let (_, record) = state.find(at).map_err(|_| error::no_draft())?;
    let is_draft = |key: &FolderKey| state.has_role(key, FolderRole::Drafts);
    match record.folders.iter().any(is_draft) {
        true => Ok(&record.message),
        false => Err(error::no_draft()),
    }
}

/// Where the draft is that the reference names, if it is as it was.
pub(crate) fn current(state: &State, draft: &DraftRef) -> ProviderResult<MessageRef> {
    let known = Known::from_ref(draft)?;
    match message(state, &known.at) {
        Ok(message) if message.revision == known.revision => Ok(known.at),
        Ok(_) => Err(error::changed()),
        // Where a change makes another message of it, its id tells that it was one.
        Err(gone) => Err(successor(state, &known).map_or(gone, |_| error::changed())),
    }
}

/// Where the draft is, changed or not.
pub(crate) fn latest(state: &State, draft: &DraftRef) -> ProviderResult<MessageRef> {
    let known = Known::from_ref(draft)?;
    match message(state, &known.at) {
        Ok(_) => Ok(known.at),
        Err(gone) => successor(state, &known).ok_or(gone),
    }
}

fn successor(state: &State, known: &Known) -> Option<MessageRef> {
    let id = known.message_id.as_ref()?;
    state.newest(FolderRole::Drafts, id)
}

/// The `Message-ID` of the draft that the reference names, there or not.
pub(crate) fn message_id(draft: &DraftRef) -> Option<String> {
    Known::from_ref(draft).ok()?.message_id
}

/// Gives a draft another content: in its place, or as another message in the same conversation.
pub(crate) fn rewrite(
    state: &mut State,
    at: &MessageRef,
    raw: Bytes,
    received_at: Timestamp,
) -> ProviderResult<MessageRef> {
    let old = message(state, at)?;
    if state.shape.drafts_in_place {
        state.revise(at, raw)?;
        return Ok(at.clone());
    }
    let origin = Origin {
        thread: Some(old.thread.clone()),
        revision: old.revision + 1,
    };
    let folder = folder(state)?;
    let message = state.message(raw, received_at, origin);
    let now = state.place(&folder, message, labels())?;
    state.expunge(at)?;
    Ok(now)
}

fn kept(state: &State, at: &MessageRef) -> ProviderResult<KeptDraft> {
    let message = message(state, at)?;
    let message_id = sending::message_id(message).filter(|id| id.len() <= LONGEST_ID);
    let known = Known {
        at: at.clone(),
        revision: message.revision,
        message_id,
    };
    let link = || format!("https://memory.example/drafts/{}", message.id);
    Ok(KeptDraft {
        draft: known.to_ref(),
        at: at.clone(),
        web_link: state.shape.native_identity.then(link),
    })
}
