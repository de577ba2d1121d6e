//! Attachments that do not fit into the request that makes a draft:
//! <https://learn.microsoft.com/graph/outlook-large-attachments>.

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::BytesMut;
use email_model::OutgoingAttachment;
use email_provider::{Call, ErrorKind, ProviderError, ProviderResult};
use reqwest::Method;
use serde_json::json;
use url::Url;

use super::{files, parts};
use crate::{
    api::{Chunk, Interrupted, Uploaded},
    attachments, error,
    ids::ItemId,
    mailbox::Mailbox,
    names, wait,
    wire::UploadSession,
};

/// Largest attachment that is posted: less than 3 MB, and in base64 less than the 4 MB of a request.
const LARGEST_POSTED: u64 = 2_950_000;
/// Octets of a range: a multiple of 320 KiB, below 4 MB.
const RANGE: u64 = 12 * (320 << 10);
/// How often an attachment is begun.
const TRIES: u32 = 4;
/// How often in a row a range may come to nothing.
const MOST_INTERRUPTIONS: u32 = 6;
/// Before the first of them is tried again; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Attaches in order to a draft that has so many attachments already.
pub(super) async fn attach(
    mailbox: &Mailbox,
    call: Call,
    draft: &ItemId,
    attachments: &[OutgoingAttachment],
    already: usize,
) -> ProviderResult<()> {
    for (attachment, already) in attachments.iter().zip(already..) {
        attach_one(mailbox, call, draft, attachment, already).await?;
    }
    Ok(())
}

/// Where a try came to nothing, the draft tells whether it did.
async fn attach_one(
    mailbox: &Mailbox,
    call: Call,
    draft: &ItemId,
    attachment: &OutgoingAttachment,
    already: usize,
) -> ProviderResult<()> {
    let mut tries = 0;
    loop {
        let attached = match attachment.content.size() <= LARGEST_POSTED {
            true => post(mailbox, call, draft, attachment).await,
            false => upload(mailbox, call, draft, attachment).await,
        };
        let error = match attached {
            Err(error) if error.is_transient() || error.kind == ErrorKind::OutcomeUnknown => error,
            done => return done,
        };
        tries += 1;
        if tries == TRIES || !waited(call, tries, &error).await {
            return Err(error);
        }
        if count(mailbox, call, draft).await? > already {
            return Ok(());
        }
    }
}

async fn count(mailbox: &Mailbox, call: Call, draft: &ItemId) -> ProviderResult<usize> {
    let mut tries = 0;
    loop {
        match attachments::ids(mailbox, call, draft).await {
            Err(error) if error.is_transient() && tries < TRIES => {
                tries += 1;
                if !waited(call, tries, &error).await {
                    return Err(error);
                }
            }
            ids => return Ok(ids?.len()),
        }
    }
}

/// Waits as long as the server asks for, or longer each time; false where the call ends before.
pub(super) async fn waited(call: Call, tries: u32, error: &ProviderError) -> bool {
    let usual = FIRST_WAIT * 2_u32.pow(tries.min(8) - 1);
    wait(call, error.retry_after.unwrap_or(usual)).await
}

async fn post(
    mailbox: &Mailbox,
    call: Call,
    draft: &ItemId,
    attachment: &OutgoingAttachment,
) -> ProviderResult<()> {
    let size = usize::try_from(attachment.content.size()).unwrap_or(usize::MAX);
    let octets = files::octets(&attachment.content, 0, size).await?;
    let mut body = parts::attachment(attachment);
    body["@odata.type"] = json!("#microsoft.graph.fileAttachment");
    body["contentBytes"] = json!(BASE64_STANDARD.encode(octets));
    let address = names::attachments(draft);
    let posted = mailbox.api.write(call, Method::POST, address, Some(&body));
    posted.await.map(|_| ())
}

async fn upload(
    mailbox: &Mailbox,
    call: Call,
    draft: &ItemId,
    attachment: &OutgoingAttachment,
) -> ProviderResult<()> {
    let size = attachment.content.size();
    let mut item = parts::attachment(attachment);
    item["attachmentType"] = json!("file");
    item["size"] = json!(size);
    let body = json!({"AttachmentItem": item});
    let session: UploadSession = mailbox.api.make(call, names::uploads(draft), &body).await?;
    let url = mailbox.api.upload_url(&session.upload_url)?;
    // At most a range.
    let range = usize::try_from(RANGE.min(size)).unwrap_or_default();
    let mut memory = BytesMut::with_capacity(range);
    let mut at = 0;
    let mut interruptions = 0;
    while at < size {
        let length = usize::try_from(size - at).map_or(range, |left| left.min(range));
        let chunk = Chunk {
            octets: files::octets_in(memory, &attachment.content, at, length).await?,
            start: at,
            total: size,
        };
        let after = at + length as u64;
        let answer = mailbox.api.upload(call, &url, &chunk).await;
        // A connection that is still busy with it keeps it.
        memory = chunk.octets.try_into_mut().unwrap_or_default();
        let uploaded = match answer {
            Ok(Uploaded::UpTo(next)) => Uploaded::UpTo(next.or(Some(after))),
            Ok(uploaded) => uploaded,
            Err(Interrupted::Never(error)) => return Err(error),
            Err(Interrupted::Perhaps(error)) => {
                interruptions += 1;
                look(mailbox, call, &url, &mut interruptions, error).await?
            }
        };
        let next = match uploaded {
            Uploaded::All => return Ok(()),
            Uploaded::Gone => return Err(ended()),
            Uploaded::UpTo(next) => next.unwrap_or(at),
        };
        match next > at {
            true => interruptions = 0,
            false => interruptions += 1,
        }
        if interruptions > MOST_INTERRUPTIONS {
            return Err(ended());
        }
        at = next;
    }
    // All was taken, and nothing said about it.
    Err(ended())
}

/// How far an upload is after a range that may have been taken or not.
async fn look(
    mailbox: &Mailbox,
    call: Call,
    url: &Url,
    interruptions: &mut u32,
    mut error: ProviderError,
) -> ProviderResult<Uploaded> {
    while *interruptions <= MOST_INTERRUPTIONS {
        if !waited(call, *interruptions, &error).await {
            return Err(error);
        }
        match mailbox.api.uploaded(call, url).await {
            Ok(uploaded) => return Ok(uploaded),
            Err(Interrupted::Never(error)) => return Err(error),
            Err(Interrupted::Perhaps(again)) => error = again,
        }
        *interruptions += 1;
    }
    Err(error)
}

fn ended() -> ProviderError {
    error::unavailable("an upload has ended before its time")
}
