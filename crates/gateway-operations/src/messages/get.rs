//! Reading one message.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use email_model::{BodyType, MessageId, PartId};
use email_provider::{ByteStream, Call, MessageRef};
use futures::TryStreamExt as _;
use gateway_store::Account;

use super::{
    MessageView, ReadRequest, body,
    gather::{Gathered, Item, Wanted},
    resolve::{Places, is_absent, not_found},
    view::Found,
};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

/// Most octets of inline attachments that one answer carries.
const MOST_INLINE: usize = 20 << 20;
/// When to ask again for a conversation that is not known yet.
const ASK_AGAIN: std::time::Duration = std::time::Duration::from_secs(5);

impl Gateway {
    /// A message, read now: its content from memory where it was read before, its flags and folders
    /// from the journal where that was verified within the bound on freshness.
    ///
    /// # Errors
    /// `NotFound`; `RequestTimeout` where its conversation is asked for and not known yet.
    pub async fn message(
        &self,
        account: &Account,
        id: MessageId,
        request: ReadRequest,
    ) -> OperationResult<MessageView> {
        let call = self.interactive();
        let mut places = self.places(account, id).await?;
        let is_current = self.answers_from_memory(account, &places).await?;
        // The pass that proves the row may have ended after the row was read.
        if is_current && !places.reload().await? {
            return Err(not_found());
        }
        let found = loop {
            let Some(at) = places.next(call).await? else {
                return Err(not_found());
            };
            if let Some(found) = self.read(account, &places, &at, is_current, call).await? {
                break (found, at);
            }
        };
        let (found, at) = found;
        if request.require_thread_id {
            self.require_thread(account, &found).await?;
        }
        let body_type = request.body_type.unwrap_or(BodyType::Html);
        let directory = self.directory_of(account, &places.journal);
        let mut view = found.view(&directory, Some(body_type));
        if request.strip_quoted {
            view.body = view.body.map(|text| body::strip_quoted(&text, body_type));
        }
        if request.load_inlines {
            view.inline_content = self.inlines(account, &places, &at, &view, call).await?;
        }
        Ok(view)
    }

    async fn read(
        &self,
        account: &Account,
        places: &Places<'_>,
        at: &MessageRef,
        is_current: bool,
        call: Call,
    ) -> OperationResult<Option<Found>> {
        let item = Item {
            at: at.clone(),
            row: Some(places.row.clone()),
        };
        let wanted = Wanted {
            state: !is_current,
            content: true,
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
            (Some(Gathered::Found(found)), _) => Ok(Some(*found)),
            (Some(Gathered::Failed), Some(failure)) => Err(failure),
            (Some(Gathered::Failed), None) => Err(OperationError::new(
                OperationErrorKind::Provider,
                "the message could not be read",
            )),
            (Some(Gathered::Absent) | None, _) => Ok(None),
        }
    }

    /// Whether the content is in memory and the journal's flags and folders are fresh enough: the
    /// last pass is recent, and no change of ours came after it began.
    async fn answers_from_memory(
        &self,
        account: &Account,
        places: &Places<'_>,
    ) -> OperationResult<bool> {
        let Some(at) = places.first() else {
            return Ok(false);
        };
        let row = &places.row;
        if row.labels.is_none()
            || row.orphaned.is_some()
            || row.gone
            || self.inner.contents.get(account.id, row.id, at).is_none()
        {
            return Ok(false);
        }
        let journal = places.journal.journal().await?;
        let Some(verified) = self.verified_at(account.id, &journal) else {
            return Ok(false);
        };
        let age = (self.now() - verified).to_std().unwrap_or_default();
        let changed = self.inner.contents.last_change(account.id);
        Ok(age <= self.inner.config.freshness && changed.is_none_or(|changed| changed < verified))
    }

    async fn require_thread(&self, account: &Account, found: &Found) -> OperationResult<()> {
        let is_pending = match found.row.thread {
            None => true,
            Some(_) if !found.row.thread_provisional => false,
            // Nothing will settle it where no scan is under way.
            Some(_) => self
                .sync_progress(account)
                .await?
                .is_some_and(|progress| !progress.ready),
        };
        if !is_pending {
            return Ok(());
        }
        let message = "the conversation of this message is not known yet";
        Err(
            OperationError::new(OperationErrorKind::RequestTimeout, message)
                .with_retry_after(ASK_AGAIN),
        )
    }

    /// Bytes of inline attachments, as far as they fit.
    async fn inlines(
        &self,
        account: &Account,
        places: &Places<'_>,
        at: &MessageRef,
        view: &MessageView,
        call: Call,
    ) -> OperationResult<HashMap<PartId, Bytes>> {
        let mut contents = HashMap::new();
        let mut left = MOST_INLINE;
        let attachments = match &view.envelope {
            Some(envelope) => envelope.attachments.as_deref().unwrap_or_default(),
            None => &[],
        };
        for attachment in attachments {
            if !attachment.inline {
                continue;
            }
            let answer = places
                .mailbox
                .provider
                .attachment(call, at, &attachment.part, None)
                .await;
            let stream = match answer {
                Err(error) if is_absent(&error) => continue,
                answer => self.told(account, answer).await?,
            };
            let bytes = collect(stream, left).await;
            if let Some(bytes) = self.told(account, bytes).await? {
                left -= bytes.len();
                contents.insert(attachment.part.clone(), bytes);
            }
        }
        Ok(contents)
    }
}

/// All bytes of a stream; `None` if they are more than `most`.
async fn collect(
    mut stream: ByteStream,
    most: usize,
) -> Result<Option<Bytes>, email_provider::ProviderError> {
    let mut bytes = BytesMut::new();
    while let Some(some) = stream.try_next().await? {
        if some.len() > most - bytes.len() {
            return Ok(None);
        }
        bytes.extend_from_slice(&some);
    }
    Ok(Some(bytes.freeze()))
}
