//! Drafts. A draft's id lasts; every change puts another message under it.

use async_trait::async_trait;
use email_provider::{
    Call, DraftQuery, DraftRef, Drafts, ErrorKind, KeptDraft, Outgoing, ProviderError,
    ProviderResult,
};
use serde::Deserialize;

use crate::{
    api::Hub,
    error,
    finding::Among,
    ids::{DraftId, HexId, PageToken},
    mailbox::{Mailbox, insisting},
    provider::GmailProvider,
    quota::Method,
    uploading::Destination,
    wire::Draft,
};

const FORMAT: u8 = 1;
/// Longest reference.
const LONGEST: usize = 4 << 10;
/// Pages of drafts that are looked through, of 500 each.
const MOST_PAGES: usize = 100;
const LARGEST_PAGE: &str = "500";

/// A draft, and the message that it was when the reference was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub draft: DraftId,
    pub message: HexId,
}

impl Known {
    /// `NotFound` for what is none of this mailbox's.
    pub(crate) fn of(draft: &DraftRef) -> ProviderResult<Self> {
        Self::parse(&draft.0).ok_or_else(error::no_draft)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (&FORMAT, rest) = bytes.split_first()? else {
            return None;
        };
        if rest.len() >= LONGEST {
            return None;
        }
        let (draft, message): (String, String) = postcard::from_bytes(rest).ok()?;
        Some(Self {
            draft: DraftId::parse(&draft)?,
            message: HexId::parse(&message)?,
        })
    }

    fn to_ref(&self) -> ProviderResult<DraftRef> {
        let ids = (self.draft.as_str(), self.message.as_str());
        let bytes = postcard::to_extend(&ids, vec![FORMAT]);
        bytes.map(DraftRef).map_err(|_| error::unreadable())
    }

    /// Whether nobody has changed it.
    pub(crate) fn is_still(&self, held: &Draft) -> bool {
        held.message.id == self.message.as_str()
    }

    fn kept(&self) -> ProviderResult<KeptDraft> {
        Ok(KeptDraft {
            draft: self.to_ref()?,
            at: self.message.at(),
            // No address of one draft in a browser is documented.
            web_link: None,
        })
    }
}

impl Draft {
    fn known(&self) -> Option<Known> {
        Some(Known {
            draft: DraftId::parse(&self.id)?,
            message: HexId::parse(&self.message.id)?,
        })
    }
}

#[async_trait]
impl Drafts for GmailProvider {
    async fn create(&self, call: Call, outgoing: &Outgoing) -> ProviderResult<KeptDraft> {
        let made = self.mailbox.put(call, outgoing, Destination::NewDraft);
        kept(made.await?)
    }

    /// What the draft holds now is looked at first. Between that and the change lies a moment in which
    /// somebody else may change it: the API has no way to forbid that.
    async fn replace(
        &self,
        call: Call,
        draft: &DraftRef,
        outgoing: &Outgoing,
    ) -> ProviderResult<KeptDraft> {
        let known = Known::of(draft)?;
        let held = self.mailbox.draft(call, &known.draft).await?;
        if !known.is_still(&held) {
            return Err(error::another_draft());
        }
        let to = Destination::Draft(&known.draft);
        kept(self.mailbox.put(call, outgoing, to).await?)
    }

    async fn discard(&self, call: Call, draft: &DraftRef) -> ProviderResult<()> {
        let known = Known::of(draft)?;
        let id = known.draft.as_str();
        let ask = |hub: Hub, mut seen| async move {
            let delete = hub.users().drafts_delete("me", id);
            delete.delegate(&mut seen).doit().await
        };
        let deleted = self.mailbox.api.write(call, Method::DraftsDelete, ask);
        deleted.await.map_err(no_draft)
    }

    async fn find(&self, call: Call, query: &DraftQuery) -> ProviderResult<Option<KeptDraft>> {
        let message = match query {
            DraftQuery::Message(at) => HexId::of(at),
            DraftQuery::MessageId(id) => {
                self.mailbox.by_message_id(call, id, Among::Drafts).await?
            }
        };
        match message {
            Some(message) => self.mailbox.draft_of(call, &message).await,
            None => Ok(None),
        }
    }
}

/// What an answer tells of a draft that was put. It is there, but cannot be named where the answer was lost.
fn kept(answer: Option<Draft>) -> ProviderResult<KeptDraft> {
    match answer.and_then(|draft| draft.known()) {
        Some(known) => known.kept(),
        None => Err(error::lost(error::Effect::Write)),
    }
}

fn no_draft(error: ProviderError) -> ProviderError {
    match error.kind {
        ErrorKind::NotFound => error::no_draft().with_source(error),
        _ => error,
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct DraftList {
    drafts: Vec<Draft>,
    next_page_token: Option<String>,
}

impl Mailbox {
    /// A draft and the message that it is now.
    pub(crate) async fn draft(&self, call: Call, id: &DraftId) -> ProviderResult<Draft> {
        self.get_draft(call, id, "format=minimal&fields=id,message/id")
            .await
    }

    /// The same with the message's header.
    pub(crate) async fn draft_with_headers(
        &self,
        call: Call,
        id: &DraftId,
    ) -> ProviderResult<Draft> {
        self.get_draft(
            call,
            id,
            "format=metadata&fields=id,message(id,payload/headers)",
        )
        .await
    }

    async fn get_draft(&self, call: Call, id: &DraftId, wanted: &str) -> ProviderResult<Draft> {
        let path = format!("gmail/v1/users/me/drafts/{}?{wanted}", id.as_str());
        let read = || self.api.read::<Draft>(call, Method::DraftsGet, &path);
        let draft = insisting(call, ProviderError::is_transient, read).await;
        let draft = draft.map_err(no_draft)?;
        match draft.id == id.as_str() {
            true => Ok(draft),
            false => Err(error::unreadable()),
        }
    }

    /// The draft that a message is, found in the list of all of them: newest first.
    async fn draft_of(&self, call: Call, message: &HexId) -> ProviderResult<Option<KeptDraft>> {
        let mut page: Option<PageToken> = None;
        for _ in 0..MOST_PAGES {
            let path = list_path(page.as_ref());
            let list: DraftList = match self.api.read(call, Method::DraftsList, &path).await {
                // The place is no longer good: once more from the beginning.
                Err(error) if error.kind == ErrorKind::Invalid && page.is_some() => {
                    page = None;
                    continue;
                }
                list => list?,
            };
            let mut known = list.drafts.iter().filter_map(Draft::known);
            if let Some(known) = known.find(|known| known.message == *message) {
                return known.kept().map(Some);
            }
            page = PageToken::next(list.next_page_token)?;
            if page.is_none() {
                break;
            }
        }
        Ok(None)
    }
}

fn list_path(page: Option<&PageToken>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("maxResults", LARGEST_PAGE)
        .append_pair("fields", "drafts(id,message/id),nextPageToken");
    if let Some(page) = page {
        query.append_pair("pageToken", page.as_str());
    }
    format!("gmail/v1/users/me/drafts?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_read_back_and_what_is_none_is_not_found() {
        let known = Known {
            draft: DraftId::parse("r-123").unwrap(),
            message: HexId::parse("1f").unwrap(),
        };
        let draft = known.to_ref().unwrap();
        assert_eq!(draft.0[0], FORMAT);
        assert_eq!(Known::of(&draft).unwrap(), known);
        let hostile = postcard::to_extend(&("../x", "1f"), vec![FORMAT]).unwrap();
        for odd in [
            vec![],
            vec![FORMAT],
            vec![9, 1],
            hostile,
            vec![FORMAT; 5_000],
        ] {
            let refused = Known::of(&DraftRef(odd)).unwrap_err();
            assert_eq!(refused.kind, ErrorKind::NotFound);
        }
    }
}
