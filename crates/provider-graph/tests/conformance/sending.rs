//! Sending and drafts, as far as they are this vendor's own.

mod attachments;
mod drafts;
mod submitting;

use std::sync::Arc;

use email_model::{AttachmentContent, OutgoingAttachment, OutgoingMessage};
use email_provider::{
    Clock as _, Drafts, EmailProvider, ErrorKind, KeptDraft, MessageRef, ProviderResult, Settled,
    Submission, Submitted, Submitter, SystemClock, Unsettled,
};
use fake_graph::{ErrorFault, ErrorKind as Refused, Truth};
use provider_conformance::{Bench, Purpose, call, letter, outgoing};

use crate::{
    steps::bench,
    support::{GraphHarness, has_id},
};

/// Larger than what goes with one request.
const LARGE: usize = 9_000_000;

struct Desk {
    harness: GraphHarness,
    bench: Bench,
    provider: Arc<dyn EmailProvider>,
}

impl Desk {
    async fn new() -> Self {
        let harness = GraphHarness::start(|_| {}).await;
        let bench = bench(&harness).await;
        let provider = harness.open(&harness.context).await;
        Self {
            harness,
            bench,
            provider,
        }
    }

    fn drafts(&self) -> &dyn Drafts {
        self.provider.drafts().expect("drafts")
    }

    fn submitter(&self) -> &dyn Submitter {
        self.provider.submitter().expect("a submitter")
    }

    fn letter(&self, name: &str) -> OutgoingMessage {
        letter(&self.bench, name)
    }

    async fn create(&self, message: &OutgoingMessage) -> ProviderResult<KeptDraft> {
        let outgoing = outgoing(message, Purpose::Draft);
        self.drafts().create(call(), &outgoing).await
    }

    async fn replace(
        &self,
        kept: &KeptDraft,
        message: &OutgoingMessage,
    ) -> ProviderResult<KeptDraft> {
        let outgoing = outgoing(message, Purpose::Draft);
        self.drafts().replace(call(), &kept.draft, &outgoing).await
    }

    async fn submit(&self, kept: &KeptDraft) -> ProviderResult<Submitted> {
        let submission = Submission::Draft(&kept.draft);
        self.submitter().submit(call(), submission).await
    }

    async fn settle(&self, message_id: &str, kept: &KeptDraft, minutes: i64) -> Settled {
        let send = Unsettled {
            message_id,
            draft: Some(&kept.draft),
            since: SystemClock.now() - chrono::TimeDelta::minutes(minutes),
        };
        let settled = self.submitter().settle(call(), send).await;
        settled.expect("an answer")
    }

    fn truth(&self, at: &MessageRef) -> Truth {
        let id = std::str::from_utf8(&at.key.0).expect("an id");
        self.harness.user.message(id).expect("it is there")
    }

    fn is_there(&self, at: &MessageRef) -> bool {
        let id = std::str::from_utf8(&at.key.0).expect("an id");
        self.harness.user.message(id).is_some()
    }

    /// How many drafts there are of any kind.
    fn draft_count(&self) -> usize {
        let all = self.harness.user.messages();
        all.iter().filter(|truth| truth.draft).count()
    }

    fn sent(&self, message_id: &str) -> usize {
        let sent = self.harness.server.sent();
        sent.iter()
            .filter(|mail| has_id(&mail.raw, message_id))
            .count()
    }

    fn count(&self, method: &str) -> usize {
        let requests = self.harness.server.requests();
        let of_it = requests.iter().filter(|one| one.method == Some(method));
        of_it.count()
    }

    fn strike(&self, kind: Refused, times: u32, method: &str) {
        let fault = ErrorFault::always(kind).times(times).on(method);
        self.harness
            .server
            .faults(|faults| faults.errors.push(fault));
    }

    fn calm(&self) {
        self.harness.server.set_faults(Default::default());
    }
}

fn kind<T>(answer: ProviderResult<T>) -> Option<ErrorKind> {
    answer.err().map(|error| error.kind)
}

fn filling(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from((at * 37 + at / 253) % 256).unwrap_or(0))
        .collect()
}

fn file(name: &str, octets: Vec<u8>) -> OutgoingAttachment {
    OutgoingAttachment {
        name: Some(name.to_owned()),
        mime_type: Some("application/pdf".to_owned()),
        inline: false,
        content_id: None,
        content: AttachmentContent::Memory(octets.into()),
    }
}

/// The attachments' octets by their names.
fn files(raw: &[u8]) -> Vec<(String, Vec<u8>)> {
    let content = email_mime::parse(raw).expect("a message").content;
    let attachments = content.envelope.attachments.unwrap_or_default();
    let files = attachments.into_iter().map(|one| {
        let octets = email_mime::attachment(raw, &one.part).expect("its octets");
        (one.name.unwrap_or_default(), octets)
    });
    files.collect()
}
