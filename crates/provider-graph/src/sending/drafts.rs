//! Drafts: messages that are kept to be changed and sent.
//!
//! A draft is made of MIME, which says everything that a message can say, in the conversation that it belongs to. What is
//! too large for one request is made without its attachments, gets them one by one, and gets its `Message-ID` last: so
//! nobody who looks for it finds half of it.

use async_trait::async_trait;
use bytes::Bytes;
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

/// Gives a draft the `Message-ID` by which it is found.
async fn finish(
    mailbox: &Mailbox,
    call: Call,
    id: &ItemId,
    message_id: &str,
) -> ProviderResult<Message> {
    let body = Body::json(&json!({"internetMessageId": message_id}));
    let finished = mailbox
        .api
        .change_and_read(call, Method::PATCH, names::message(id), body, None);
    finished.await
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

/// In its place, under its id, unless header fields change: those are given when a draft is made and never again.
async fn replace(
    mailbox: &Mailbox,
    call: Call,
    draft: &Draft,
    outgoing: &Outgoing,
) -> ProviderResult<KeptDraft> {
    let message = &outgoing.message;
    let fields = parts::fields_mark(message);
    let files = files::mark(message).await?;
    let can_stay = match draft.fields {
        Some(before) => before == fields,
        None => parts::has_no_fields(message),
    };
    if !can_stay {
        return instead(mailbox, call, draft, outgoing, files).await;
    }
    let body = parts::properties(message).to_string();
    if body.len() > parts::LARGEST_REQUEST {
        return Err(error::invalid("body: it is too large to be changed"));
    }
    let changed: ProviderResult<Message> = mailbox
        .api
        .change_and_read(
            call,
            Method::PATCH,
            names::message(&draft.id),
            Body::Json(body.into()),
            Some(&draft.version),
        )
        .await;
    let mut changed = changed?;
    if draft.files != Some(files) {
        changed = refiled(mailbox, call, &draft.id, outgoing)
            .await
            .map_err(half_done)?;
    }
    found::kept(&changed, Some(fields), Some(files)).ok_or_else(|| error::lost(Effect::Write))
}

/// Other attachments in the place of all that there are.
async fn refiled(
    mailbox: &Mailbox,
    call: Call,
    draft: &ItemId,
    outgoing: &Outgoing,
) -> ProviderResult<Message> {
    for attachment in attachments::ids(mailbox, call, draft).await? {
        let address = names::attachment(draft, &attachment);
        match mailbox.api.write(call, Method::DELETE, address, None).await {
            Err(error) if error.kind == ErrorKind::NotFound => {}
            deleted => deleted.map(|_| ())?,
        }
    }
    let files = &outgoing.message.attachments;
    attaching::attach(mailbox, call, draft, files, 0).await?;
    found::message(mailbox, call, draft).await
}

fn half_done(error: ProviderError) -> ProviderError {
    ProviderError::new(
        ErrorKind::OutcomeUnknown,
        "the attachments of a draft were not all replaced",
    )
    .with_source(error)
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
