//! Downloads: attachments and raw messages, as streams.

use std::ops::Range;

use email_model::{Attachment, MessageId, PartId};
use email_provider::{ByteStream, Call, MessageRef, Priority, ProviderError};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use gateway_store::Account;

use super::{
    AttachmentDownload,
    gather::{Gathered, Item, Wanted},
    resolve::{Places, is_absent, not_found},
};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

impl Gateway {
    /// The raw message, byte for byte as the backend serves it.
    ///
    /// # Errors
    /// `NotFound`, told before the stream is handed out.
    pub async fn raw(&self, account: &Account, id: MessageId) -> OperationResult<ByteStream> {
        let call = self.download();
        let mut places = self.places(account, id).await?;
        while let Some(at) = places.next(call).await? {
            let answer = begun(places.mailbox.provider.raw(call, &at).await).await;
            match answer {
                Err(error) if is_absent(&error) => {}
                answer => return self.told(account, answer).await,
            }
        }
        Err(not_found())
    }

    /// An attachment, or the `range` of its decoded octets.
    ///
    /// # Errors
    /// `NotFound` for a message, or a part that is none of its attachments.
    pub async fn attachment(
        &self,
        account: &Account,
        id: MessageId,
        part: &PartId,
        range: Option<Range<u64>>,
    ) -> OperationResult<AttachmentDownload> {
        let call = self.download();
        let mut places = self.places(account, id).await?;
        let mut known = self.attachment_in_memory(account, &places, part);
        while let Some(at) = places.next(call).await? {
            if known.is_none() {
                let Some(attachments) = self.attachments(account, &places, &at, call).await? else {
                    continue;
                };
                let listed = attachments
                    .into_iter()
                    .find(|attachment| attachment.part == *part);
                known = Some(listed.ok_or_else(|| OperationError::not_found("attachment"))?);
            }
            let answer = places
                .mailbox
                .provider
                .attachment(call, &at, part, range.clone())
                .await;
            match (begun(answer).await, known.take()) {
                (Err(error), attachment) if is_absent(&error) => known = attachment,
                (answer, Some(attachment)) => {
                    let stream = self.told(account, answer).await?;
                    return Ok(AttachmentDownload { attachment, stream });
                }
                (_, None) => {}
            }
        }
        Err(not_found())
    }

    fn attachment_in_memory(
        &self,
        account: &Account,
        places: &Places<'_>,
        part: &PartId,
    ) -> Option<Attachment> {
        let listed =
            |attachments: &[Attachment]| attachments.iter().find(|one| one.part == *part).cloned();
        let row = &places.row;
        let content = places
            .first()
            .and_then(|at| self.inner.contents.get(account.id, row.id, at));
        match content {
            Some(content) => listed(content.envelope.attachments.as_deref()?),
            None => listed(places.journal.open_envelope(row)?.attachments.as_deref()?),
        }
    }

    /// The attachment list, from the provider. `None`: the message is not there.
    async fn attachments(
        &self,
        account: &Account,
        places: &Places<'_>,
        at: &MessageRef,
        call: Call,
    ) -> OperationResult<Option<Vec<Attachment>>> {
        let mut row = places.row.clone();
        // The list that is kept lacks the part: perhaps it is of the message before it was matched.
        row.envelope = None;
        let item = Item {
            at: at.clone(),
            row: Some(row),
        };
        let wanted = Wanted {
            state: false,
            content: false,
            snippet: false,
        };
        let gathering = self
            .gather(
                account,
                &places.mailbox,
                &places.journal,
                vec![item],
                wanted,
                call,
            )
            .await?;
        match (gathering.messages.into_iter().next(), gathering.failure) {
            (Some(Gathered::Found(found)), _) => {
                let content = found.content.as_ref().map(|content| &content.envelope);
                let envelope = content.or(found.envelope.as_ref());
                Ok(Some(
                    envelope
                        .and_then(|envelope| envelope.attachments.clone())
                        .unwrap_or_default(),
                ))
            }
            (Some(Gathered::Failed), Some(failure)) => Err(failure),
            (Some(Gathered::Failed), None) => Err(OperationError::new(
                OperationErrorKind::Provider,
                "the message could not be read",
            )),
            (Some(Gathered::Absent) | None, _) => Ok(None),
        }
    }

    /// A call that lasts as long as a client takes to read a large answer.
    fn download(&self) -> Call {
        self.call(Priority::Interactive, self.inner.config.background_deadline)
    }
}

/// The stream once its first bytes are there, so that what goes wrong before is still an error.
async fn begun(answer: Result<ByteStream, ProviderError>) -> Result<ByteStream, ProviderError> {
    let mut stream = answer?;
    match stream.try_next().await? {
        Some(first) => Ok(stream::iter([Ok(first)]).chain(stream).boxed()),
        // A stream that has ended is not asked again.
        None => Ok(stream::empty().boxed()),
    }
}
