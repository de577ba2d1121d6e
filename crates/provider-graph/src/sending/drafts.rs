//! Drafts: messages that are kept to be changed and sent.
//!
//! A draft is made of MIME, which says everything that a message can say, in the conversation that it belongs to. What is
//! too large for one request is made without its attachments, gets them one by one, and gets its `Message-ID` last: so
//! nobody who looks for it finds half of it.

use async_trait::async_trait;
use bytes::Bytes;
use email_model::OutgoingMessage;
use email_provider::{
    Call, DraftQuery, DraftRef, Drafts, ErrorKind, KeptDraft, MessageCopy, Outgoing, ProviderError,
    ProviderResult,
};
use reqwest::Method;
use serde_json::json;
use tokio::time::{Duration, Instant};

use super::{
    attaching,
    draft::{Draft, Mark},
    files, found, parts,
};
use crate::{
    api::Body,
    attachments,
    error::{self, Effect},
    ids::ItemId,
    mailbox::Mailbox,
    names,
    provider::GraphProvider,
    wire::Message,
};

/// How often a change that may be made twice is asked for.
const TRIES: u32 = 4;
/// What is left of a call's time to remove what came to nothing.
const TO_REMOVE: Duration = Duration::from_secs(3);

#[async_trait]
impl Drafts for GraphProvider {
    async fn create(&self, call: Call, outgoing: &Outgoing) -> ProviderResult<KeptDraft> {
        let files = files::mark(&outgoing.message).await?;
        create(&self.mailbox, call, outgoing, files).await
    }

    async fn replace(
        &self,
        call: Call,
        draft: &DraftRef,
        outgoing: &Outgoing,
    ) -> ProviderResult<KeptDraft> {
        replace(&self.mailbox, call, &Draft::of(draft)?, outgoing).await
    }

    async fn discard(&self, call: Call, draft: &DraftRef) -> ProviderResult<()> {
        let id = Draft::of(draft)?.id;
        // What was sent meanwhile must stay.
        found::draft(&self.mailbox, call, &id).await?;
        remove(&self.mailbox, call, &id).await
    }

    async fn find(&self, call: Call, query: &DraftQuery) -> ProviderResult<Option<KeptDraft>> {
        match query {
            DraftQuery::Message(at) => {
                let Some(id) = ItemId::of(at) else {
                    return Ok(None);
                };
                match found::draft(&self.mailbox, call, &id).await {
                    Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
                    found => Ok(found::kept(&found?, None, None)),
                }
            }
            DraftQuery::MessageId(message_id) => {
                let found = found::drafts(&self.mailbox, call, message_id).await?;
                Ok(found
                    .iter()
                    .find_map(|message| found::kept(message, None, None)))
            }
        }
    }
}

async fn create(
    mailbox: &Mailbox,
    call: Call,
    outgoing: &Outgoing,
    files: Mark,
) -> ProviderResult<KeptDraft> {
    let length = outgoing.octets.length(MessageCopy::Kept);
    if outgoing.octets.length(MessageCopy::Wire) > mailbox.largest_message {
        let most = mailbox.largest_message;
        return Err(error::invalid(&format!(
            "the message has more than {most} octets"
        )));
    }
    let fields = Some(parts::fields_mark(&outgoing.message));
    let made = if length <= parts::LARGEST_MIME as u64 {
        let octets = outgoing.octets.read(MessageCopy::Kept);
        let mime = parts::encoded(octets, length).await?;
        make(mailbox, call, outgoing, mime).await?
    } else {
        in_parts(mailbox, call, outgoing).await?
    };
    found::kept(&made, fields, Some(files)).ok_or_else(|| error::lost(Effect::Write))
}

/// Makes a draft; one that answers a message of the mailbox is made as its answer, so that it is of its conversation.
async fn make(
    mailbox: &Mailbox,
    call: Call,
    outgoing: &Outgoing,
    mime: Bytes,
) -> ProviderResult<Message> {
    let make = |address, mime| {
        let body = Body::Mime(mime);
        mailbox
            .api
            .change_and_read(call, Method::POST, address, body, None)
    };
    if let Some(answered) = outgoing.answers.as_ref().and_then(ItemId::of) {
        match make(names::reply(&answered), mime.clone()).await {
            // It is gone meanwhile.
            Err(error) if error.kind == ErrorKind::NotFound => {}
            made => return made,
        }
    }
    make(names::messages(), mime).await
}

async fn in_parts(mailbox: &Mailbox, call: Call, outgoing: &Outgoing) -> ProviderResult<Message> {
    let message = &outgoing.message;
    let unfinished = parts::unfinished(&outgoing.message_id);
    let mime = parts::without_files(message, unfinished.clone())?;
    // What an earlier try has left, if it came to its end in the middle.
    for left in found::drafts(mailbox, call, &unfinished).await? {
        if let Some(id) = ItemId::parse(&left.id) {
            clear(mailbox, call, &id).await;
        }
    }
    let made = make(mailbox, call, outgoing, mime).await;
    let made = made.map_err(came_to_nothing)?;
    let id = ItemId::parse(&made.id).ok_or_else(error::unreadable)?;
    let left = call.deadline.saturating_duration_since(Instant::now());
    let most = Call {
        deadline: call.deadline - TO_REMOVE.min(left / 4),
        ..call
    };
    let finished = match attaching::attach(mailbox, most, &id, &message.attachments, 0).await {
        Ok(()) => finish(mailbox, most, &id, &outgoing.message_id).await,
        Err(error) => Err(came_to_nothing(error)),
    };
    if let Err(error) = &finished
        && error.kind != ErrorKind::OutcomeUnknown
    {
        clear(mailbox, call, &id).await;
    }
    finished
}

/// Gives a draft the `Message-ID` by which it is found. It may be given twice.
async fn finish(
    mailbox: &Mailbox,
    call: Call,
    id: &ItemId,
    message_id: &str,
) -> ProviderResult<Message> {
    let body = Body::json(&json!({"internetMessageId": message_id}));
    let mut tries = 0;
    loop {
        let (address, body) = (names::message(id), body.clone());
        let finished = mailbox
            .api
            .change_and_read(call, Method::PATCH, address, body, None)
            .await;
        let error = match finished {
            Err(error) if may_pass(&error) => error,
            finished => return finished,
        };
        tries += 1;
        if tries == TRIES || !attaching::waited(call, tries, &error).await {
            return Err(error);
        }
    }
}

fn may_pass(error: &ProviderError) -> bool {
    error.is_transient() || error.kind == ErrorKind::OutcomeUnknown
}

/// Nothing that anybody finds has come of it.
fn came_to_nothing(error: ProviderError) -> ProviderError {
    match error.kind {
        ErrorKind::OutcomeUnknown => ProviderError {
            kind: ErrorKind::Unavailable,
            ..error
        },
        _ => error,
    }
}

/// Removes what nobody will ask for. What stays nevertheless is removed when the same message is kept again.
async fn clear(mailbox: &Mailbox, call: Call, id: &ItemId) {
    if let Err(error) = remove(mailbox, call, id).await {
        tracing::info!(%error, "an unfinished draft is left");
    }
}

/// For good where the mailbox allows that, else into the trash: <https://learn.microsoft.com/graph/api/message-permanentdelete>
/// is not there in every cloud.
async fn remove(mailbox: &Mailbox, call: Call, id: &ItemId) -> ProviderResult<()> {
    let end = names::message_end(id);
    match mailbox.api.write(call, Method::POST, end, None).await {
        Err(error) if matches!(error.kind, ErrorKind::Forbidden | ErrorKind::Invalid) => {
            let message = names::message(id);
            let deleted = mailbox.api.write(call, Method::DELETE, message, None);
            deleted.await.map(|_| ())
        }
        done => done.map(|_| ()),
    }
}

/// In its place, under its id, where one request does it: else a new draft is made before the old one goes, since nobody must
/// come upon half of one. What somebody else has made, in a conversation perhaps, always stays in its place.
async fn replace(
    mailbox: &Mailbox,
    call: Call,
    draft: &Draft,
    outgoing: &Outgoing,
) -> ProviderResult<KeptDraft> {
    let message = &outgoing.message;
    let fields = parts::fields_mark(message);
    let files = files::mark(message).await?;
    let have_fields_changed = match draft.fields {
        Some(before) => before != fields,
        None => !parts::has_no_fields(message),
    };
    let have_files_changed = draft.files.is_some_and(|before| before != files);
    if have_fields_changed || have_files_changed {
        return instead(mailbox, call, draft, outgoing, files).await;
    }
    let mut changed = change(mailbox, call, draft, message).await?;
    if draft.files.is_none() {
        changed = refiled(mailbox, call, changed, outgoing)
            .await
            .map_err(came_to_nothing)?;
    }
    found::kept(&changed, Some(fields), Some(files)).ok_or_else(|| error::lost(Effect::Write))
}

/// Changes all but header fields and attachments. That it is for one version makes it harmless to ask again.
async fn change(
    mailbox: &Mailbox,
    call: Call,
    draft: &Draft,
    message: &OutgoingMessage,
) -> ProviderResult<Message> {
    let body = parts::properties(message).to_string();
    if body.len() > parts::LARGEST_REQUEST {
        return Err(error::invalid("body: it is too large to be changed"));
    }
    let body = Body::Json(body.into());
    let mut tries = 0;
    loop {
        let (address, body) = (names::message(&draft.id), body.clone());
        let version = Some(draft.version.as_str());
        let changed = mailbox
            .api
            .change_and_read(call, Method::PATCH, address, body, version)
            .await;
        let error = match changed {
            Err(error) if may_pass(&error) => error,
            changed => return changed,
        };
        tries += 1;
        if tries == TRIES || !attaching::waited(call, tries, &error).await {
            return Err(error);
        }
        if error.kind == ErrorKind::OutcomeUnknown {
            let now = found::draft(mailbox, call, &draft.id).await;
            let now = now.map_err(|_| error)?;
            if now.change_key.as_deref() != Some(&draft.version) {
                return Ok(now);
            }
        }
    }
}

/// Other attachments in the place of all that there are. Where that ends halfway, the draft is another version, which a
/// reference to the old one neither changes nor sends.
async fn refiled(
    mailbox: &Mailbox,
    call: Call,
    changed: Message,
    outgoing: &Outgoing,
) -> ProviderResult<Message> {
    let draft = ItemId::parse(&changed.id).ok_or_else(error::unreadable)?;
    let before = attachments::ids(mailbox, call, &draft).await?;
    let files = &outgoing.message.attachments;
    if before.is_empty() && files.is_empty() {
        return Ok(changed);
    }
    for attachment in before {
        let address = names::attachment(&draft, &attachment);
        match mailbox.api.write(call, Method::DELETE, address, None).await {
            Err(error) if error.kind == ErrorKind::NotFound => {}
            deleted => deleted.map(|_| ())?,
        }
    }
    attaching::attach(mailbox, call, &draft, files, 0).await?;
    found::message(mailbox, call, &draft).await
}

/// A new draft, and then no more the old one.
async fn instead(
    mailbox: &Mailbox,
    call: Call,
    draft: &Draft,
    outgoing: &Outgoing,
    files: Mark,
) -> ProviderResult<KeptDraft> {
    let old = found::draft(mailbox, call, &draft.id).await?;
    if old.change_key.as_deref() != Some(&draft.version) {
        return Err(error::changed_elsewhere());
    }
    let kept = create(mailbox, call, outgoing, files).await?;
    match remove(mailbox, call, &draft.id).await {
        Err(error) if error.kind != ErrorKind::NotFound => Err(ProviderError::new(
            ErrorKind::OutcomeUnknown,
            "the draft that was replaced is there still",
        )
        .with_source(error)),
        _ => Ok(kept),
    }
}
