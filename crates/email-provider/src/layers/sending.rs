//! The layers around the facets that send and keep drafts.

use async_trait::async_trait;

use super::{Layer, Layered, Operation};
use crate::{
    Call, DraftQuery, DraftRef, Drafts, ErrorKind, KeptDraft, MessageRef, Outgoing, ProviderError,
    ProviderResult, SendLimits, Settled, Submission, Submitted, Submitter, Unsettled,
};

impl<L: Layer> Layered<L> {
    fn sends(&self) -> ProviderResult<&dyn Submitter> {
        self.inner
            .submitter()
            .ok_or_else(|| unsupported("this mailbox cannot send"))
    }

    fn keeps_drafts(&self) -> ProviderResult<&dyn Drafts> {
        self.inner
            .drafts()
            .ok_or_else(|| unsupported("this mailbox cannot keep drafts"))
    }
}

fn unsupported(what: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Unsupported, what)
}

#[async_trait]
impl<L: Layer> Submitter for Layered<L> {
    fn limits(&self) -> SendLimits {
        let nothing = SendLimits {
            recipients: 0,
            octets: 0,
            internationalised: false,
            drafts_only: false,
        };
        self.inner.submitter().map_or(nothing, Submitter::limits)
    }

    async fn submit(&self, call: Call, submission: Submission<'_>) -> ProviderResult<Submitted> {
        let inner = self.sends()?;
        let run = || inner.submit(call, submission);
        self.layer.around(Operation::Submit, call, run).await
    }

    async fn settle(&self, call: Call, send: Unsettled<'_>) -> ProviderResult<Settled> {
        let inner = self.sends()?;
        let run = || inner.settle(call, send);
        self.layer.around(Operation::Settle, call, run).await
    }

    async fn file(
        &self,
        call: Call,
        submission: Submission<'_>,
        submitted: &Submitted,
    ) -> ProviderResult<Option<MessageRef>> {
        let inner = self.sends()?;
        let run = || inner.file(call, submission, submitted);
        self.layer.around(Operation::File, call, run).await
    }
}

#[async_trait]
impl<L: Layer> Drafts for Layered<L> {
    async fn create(&self, call: Call, outgoing: &Outgoing) -> ProviderResult<KeptDraft> {
        let inner = self.keeps_drafts()?;
        let run = || inner.create(call, outgoing);
        self.layer.around(Operation::CreateDraft, call, run).await
    }

    async fn replace(
        &self,
        call: Call,
        draft: &DraftRef,
        outgoing: &Outgoing,
    ) -> ProviderResult<KeptDraft> {
        let inner = self.keeps_drafts()?;
        let run = || inner.replace(call, draft, outgoing);
        self.layer.around(Operation::ReplaceDraft, call, run).await
    }

    async fn discard(&self, call: Call, draft: &DraftRef) -> ProviderResult<()> {
        let inner = self.keeps_drafts()?;
        let run = || inner.discard(call, draft);
        self.layer.around(Operation::DiscardDraft, call, run).await
    }

    async fn find(&self, call: Call, query: &DraftQuery) -> ProviderResult<Option<KeptDraft>> {
        let inner = self.keeps_drafts()?;
        let run = || inner.find(call, query);
        self.layer.around(Operation::FindDraft, call, run).await
    }
}
