//! Messages put into the mailbox: sent, or kept as drafts.

use std::sync::Arc;

use email_provider::{Call, ErrorKind, MessageRef, Outgoing, ProviderError, ProviderResult};
use hyper::Method as HttpMethod;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{
    api::Upload,
    ids::{DraftId, HexId},
    mailbox::{Mailbox, insisting},
    quota::Method,
    wanted::{self, path},
    wire::Message,
};

/// What becomes of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Destination<'a> {
    /// It is sent.
    Recipients,
    /// It becomes a draft.
    NewDraft,
    /// It takes the place of a draft's content.
    Draft(&'a DraftId),
}

impl Destination<'_> {
    fn upload(self, outgoing: &Outgoing, thread: Option<&HexId>) -> Upload {
        let message = match thread {
            Some(thread) => json!({ "threadId": thread.as_str() }),
            None => json!({}),
        };
        let in_draft = |message: Value| json!({ "message": message });
        let (method, verb, path, fields, metadata) = match self {
            Self::Recipients => (
                Method::MessagesSend,
                HttpMethod::POST,
                "gmail/v1/users/me/messages/send".to_owned(),
                "id",
                message,
            ),
            Self::NewDraft => (
                Method::DraftsCreate,
                HttpMethod::POST,
                "gmail/v1/users/me/drafts".to_owned(),
                "id,message/id",
                in_draft(message),
            ),
            Self::Draft(draft) => (
                Method::DraftsUpdate,
                HttpMethod::PUT,
                format!("gmail/v1/users/me/drafts/{}", draft.as_str()),
                "id,message/id",
                in_draft(message),
            ),
        };
        Upload {
            method,
            verb,
            path,
            fields,
            metadata,
            octets: Arc::clone(&outgoing.octets),
        }
    }
}

impl Mailbox {
    /// Hands a message over, in the conversation of the one that it answers. `None`: it was taken, but what
    /// became of it was not told.
    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        call: Call,
        outgoing: &Outgoing,
        to: Destination<'_>,
    ) -> ProviderResult<Option<T>> {
        let thread = match &outgoing.answers {
            Some(answered) => self.thread_of(call, answered).await?,
            None => None,
        };
        let upload = to.upload(outgoing, thread.as_ref());
        let put = self.api.upload(call, &upload).await;
        match put {
            // The conversation may have gone in between; nothing was taken.
            Err(error) if error.kind == ErrorKind::NotFound && thread.is_some() => {
                self.api.upload(call, &to.upload(outgoing, None)).await
            }
            put => put,
        }
    }

    /// A message's conversation, `None` where it is not there any more.
    async fn thread_of(&self, call: Call, at: &MessageRef) -> ProviderResult<Option<HexId>> {
        let Some(id) = HexId::of(at) else {
            return Ok(None);
        };
        let path = path(&id, wanted::THREAD);
        // What a list named may not be found at first: lists and messages are not of one replica.
        let may_pass =
            |error: &ProviderError| error.is_transient() || error.kind == ErrorKind::NotFound;
        let read = || self.api.read::<Message>(call, Method::MessagesGet, &path);
        match insisting(call, may_pass, read).await {
            Ok(message) => Ok(HexId::parse(&message.thread_id)),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
