//! Sending and drafts, as far as they are this vendor's own.

use std::{sync::Arc, time::Duration};

use email_model::{AttachmentContent, FolderRole, Header, OutgoingAttachment, OutgoingMessage};
use email_provider::{
    Call, Clock as _, DraftQuery, Drafts, EmailProvider, ErrorKind, KeptDraft, MessageCopy,
    MessageRef, Outgoing, Priority, ProviderResult, Settled, Submission, Submitted, Submitter,
    SystemClock, Unsettled,
};
use fake_graph::{ErrorFault, ErrorKind as Refused, Truth, When};
use provider_conformance::{Bench, Purpose, answering, call, letter, octets, outgoing};
use tokio::time::Instant;

use crate::{
    steps::{append, bench, inbox},
    support::{EMAIL, GraphHarness, has_id},
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

#[tokio::test]
async fn what_is_small_is_kept_and_sent_octet_by_octet_under_one_id() {
    let desk = Desk::new().await;
    let mut message = desk.letter("small");
    message.attachments = vec![file("a.pdf", filling(100_000))];
    let header = |name: &str, value: &str| Header {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    message.headers = vec![header("Keywords", "one"), header("X-Own", "two")];
    message.list_headers = vec![header("List-Unsubscribe", "<https://x.example/u>")];
    let asked = outgoing(&message, Purpose::Draft);
    let kept = desk.create(&message).await.expect("a draft");
    assert_eq!(
        desk.truth(&kept.at).raw,
        octets(&asked, MessageCopy::Kept).await
    );
    let submitted = desk.submit(&kept).await.expect("it is sent");
    let at = submitted.at.clone().expect("its place");
    assert_eq!(at.key, kept.at.key, "the id before is the id after");
    assert_ne!(at.scope, kept.at.scope);
    let filed = desk
        .submitter()
        .file(call(), Submission::Draft(&kept.draft), &submitted);
    assert_eq!(filed.await.expect("an answer"), Some(at.clone()));
    assert!(!desk.truth(&at).draft);
    let sent = desk.harness.server.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].raw, octets(&asked, MessageCopy::Wire).await);
    assert_eq!(sent[0].recipients.len(), 3);
    let key = std::str::from_utf8(&at.key.0).ok();
    assert_eq!(sent[0].id.as_deref(), key);
}

#[tokio::test]
async fn large_attachments_go_up_in_ranges_and_arrive_whole() {
    let desk = Desk::new().await;
    let mut message = desk.letter("large");
    message.body.html = Some("<p>see <img src=\"cid:i@x\"></p>".to_owned());
    let mut picture = file("i.png", filling(9_000));
    (picture.inline, picture.content_id) = (true, Some("i@x".to_owned()));
    message.attachments = vec![
        file("one.pdf", filling(LARGE)),
        picture,
        file("two.pdf", filling(2_900_000)),
        file("empty.pdf", Vec::new()),
    ];
    let kept = desk.create(&message).await.expect("a draft");
    desk.submit(&kept).await.expect("it is sent");
    let sent = desk.harness.server.sent();
    assert_eq!(sent.len(), 1);
    assert!(has_id(&sent[0].raw, &message.message_id));
    let expected: Vec<_> = [LARGE, 9_000, 2_900_000, 0]
        .into_iter()
        .zip(["one.pdf", "i.png", "two.pdf", "empty.pdf"])
        .map(|(length, name)| (name.to_owned(), filling(length)))
        .collect();
    let arrived = files(&sent[0].raw);
    assert!(
        arrived == expected,
        "{:?}",
        arrived
            .iter()
            .map(|one| (&one.0, one.1.len()))
            .collect::<Vec<_>>()
    );
    assert_eq!(desk.count("upload.put"), 3);
    assert_eq!(desk.count("attachments.create"), 3);
    assert_eq!(desk.draft_count(), 0);
}

#[tokio::test]
async fn an_upload_goes_on_where_it_was_interrupted() {
    for fault in 0..4 {
        let desk = Desk::new().await;
        let mut message = desk.letter("interrupted");
        message.attachments = vec![file("one.pdf", filling(LARGE))];
        match fault {
            // Not taken, and said so.
            0 => desk.strike(Refused::Unavailable, 2, "upload.put"),
            1 => desk.strike(Refused::TooManyRequests, 1, "upload.put"),
            // Taken, and the answer lost: also that to the last range.
            _ => desk.harness.server.faults(|faults| {
                faults.only = vec!["upload.put".to_owned()];
                faults.cut_connections = if fault == 2 {
                    When::once()
                } else {
                    When::Nth(0, 3)
                };
            }),
        }
        let kept = desk.create(&message).await.expect("a draft");
        desk.calm();
        desk.submit(&kept).await.expect("it is sent");
        let sent = desk.harness.server.sent();
        assert_eq!(sent.len(), 1);
        let arrived = files(&sent[0].raw);
        assert_eq!(arrived.len(), 1, "attached once");
        assert!(arrived[0].1 == filling(LARGE));
        assert!(desk.count("upload.get") >= 1, "it was asked how far it is");
        assert_eq!(desk.count("attachments.createUploadSession"), 1);
    }
}

#[tokio::test]
async fn a_post_of_an_attachment_whose_answer_is_lost_is_not_done_twice() {
    let desk = Desk::new().await;
    let mut message = desk.letter("posted");
    message.attachments = vec![
        file("one.pdf", filling(2_000_000)),
        file("two.pdf", filling(2_000_000)),
    ];
    desk.harness.server.faults(|faults| {
        faults.only = vec!["attachments.create".to_owned()];
        faults.cut_connections = When::once();
        faults.failures_after_effect = When::every(2);
    });
    let kept = desk.create(&message).await.expect("a draft");
    assert_eq!(files(&desk.truth(&kept.at).raw).len(), 2);
}

#[tokio::test]
async fn a_draft_that_cannot_be_finished_is_removed_and_never_found() {
    let desk = Desk::new().await;
    let mut message = desk.letter("half");
    message.attachments = vec![file("one.pdf", filling(LARGE))];
    desk.strike(Refused::AccessDenied, 9, "upload.put");
    let refused = kind(desk.create(&message).await);
    assert_eq!(refused, Some(ErrorKind::Forbidden));
    assert_eq!(desk.draft_count(), 0);
    // It cannot be removed either: it stays, under another Message-ID, until the same is kept again.
    desk.strike(Refused::Unavailable, 9, "messages.permanentDelete");
    assert!(desk.create(&message).await.is_err());
    assert_eq!(desk.draft_count(), 1);
    let query = DraftQuery::MessageId(message.message_id.clone());
    let found = desk.drafts().find(call(), &query).await;
    assert_eq!(found.expect("an answer"), None);
    desk.calm();
    desk.create(&message).await.expect("a draft");
    assert_eq!(desk.draft_count(), 1);
    let found = desk.drafts().find(call(), &query).await;
    assert!(found.expect("an answer").is_some());
}

#[tokio::test]
async fn a_draft_whose_making_is_not_known_of_is_found() {
    for length in [1_000, LARGE] {
        let desk = Desk::new().await;
        let mut message = desk.letter("unknown");
        message.attachments = vec![file("one.pdf", filling(length))];
        // The request that ends it.
        let last = if length == LARGE {
            "messages.update"
        } else {
            "messages.create"
        };
        desk.harness.server.faults(|faults| {
            faults.only = vec![last.to_owned()];
            faults.cut_connections = When::Always;
        });
        let made = kind(desk.create(&message).await);
        assert_eq!(made, Some(ErrorKind::OutcomeUnknown));
        desk.calm();
        let query = DraftQuery::MessageId(message.message_id.clone());
        let found = desk.drafts().find(call(), &query).await;
        let found = found.expect("an answer").expect("a draft");
        assert_eq!(files(&desk.truth(&found.at).raw).len(), 1);
        desk.submit(&found).await.expect("it is sent");
        assert_eq!(desk.sent(&message.message_id), 1);
    }
}

#[tokio::test]
async fn what_became_of_a_send_is_told_by_its_draft() {
    let desk = Desk::new().await;
    let message = desk.letter("lost");
    let id = &message.message_id;
    let kept = desk.create(&message).await.expect("a draft");
    // Nothing of it has arrived.
    desk.harness.server.faults(|faults| {
        faults.only = vec!["messages.send".to_owned()];
        faults.dropped_requests = When::once();
        faults.cut_connections = When::once();
    });
    let lost = kind(desk.submit(&kept).await);
    assert_eq!(lost, Some(ErrorKind::OutcomeUnknown));
    assert_eq!(desk.settle(id, &kept, 0).await, Settled::Unknown);
    assert_eq!(desk.settle(id, &kept, 3).await, Settled::NotSent);
    // All of it has, but the answer was lost.
    let lost = kind(desk.submit(&kept).await);
    assert!(matches!(lost, None | Some(ErrorKind::OutcomeUnknown)));
    let Settled::Sent(Some(at)) = desk.settle(id, &kept, 0).await else {
        panic!("it was sent");
    };
    assert_eq!(at.key, kept.at.key);
    assert_eq!(desk.sent(id), 1);
    let again = kind(desk.submit(&kept).await);
    assert_eq!(again, Some(ErrorKind::NotFound));
    assert_eq!(desk.sent(id), 1);
}

#[tokio::test]
async fn a_failure_after_the_effect_is_no_failure_to_send() {
    let desk = Desk::new().await;
    let message = desk.letter("after");
    let kept = desk.create(&message).await.expect("a draft");
    desk.harness.server.faults(|faults| {
        faults.only = vec!["messages.send".to_owned()];
        faults.failures_after_effect = When::once();
    });
    let failed = kind(desk.submit(&kept).await);
    assert_eq!(failed, Some(ErrorKind::OutcomeUnknown));
    let settled = desk.settle(&message.message_id, &kept, 0).await;
    assert!(matches!(settled, Settled::Sent(Some(_))));
    assert_eq!(desk.sent(&message.message_id), 1);
}

#[tokio::test]
async fn a_message_on_its_way_is_neither_sent_nor_not_sent() {
    let desk = Desk::new().await;
    let message = desk.letter("slow");
    let kept = desk.create(&message).await.expect("a draft");
    desk.harness
        .server
        .faults(|faults| faults.slow_sending = Duration::from_secs(600));
    let submitted = desk.submit(&kept).await.expect("it is accepted");
    let settled = desk.settle(&message.message_id, &kept, 9).await;
    assert_eq!(settled, Settled::Unknown);
    let late = Call {
        priority: Priority::Interactive,
        deadline: Instant::now() + Duration::from_millis(600),
    };
    let submission = Submission::Draft(&kept.draft);
    let filed = desk.submitter().file(late, submission, &submitted).await;
    assert_eq!(filed.expect("an answer"), None);
    desk.harness
        .server
        .clock()
        .advance(Duration::from_secs(700));
    let filed = desk.submitter().file(call(), submission, &submitted).await;
    assert_eq!(filed.expect("an answer"), submitted.at);
    let settled = desk.settle(&message.message_id, &kept, 9).await;
    assert_eq!(settled, Settled::Sent(submitted.at));
}

#[tokio::test]
async fn a_draft_keeps_its_id_when_it_is_replaced() {
    let desk = Desk::new().await;
    let mut message = desk.letter("first");
    message.attachments = vec![file("one.pdf", filling(LARGE))];
    message.in_reply_to = Some("<asked@x.example>".to_owned());
    let first = desk.create(&message).await.expect("a draft");
    // The text alone: one request.
    desk.harness.server.clear_requests();
    message.subject = Some("second".to_owned());
    let second = desk.replace(&first, &message).await.expect("a draft");
    assert_eq!(second.at, first.at);
    assert_ne!(second.draft, first.draft);
    assert_eq!(desk.harness.server.requests().len(), 1);
    assert_eq!(files(&desk.truth(&second.at).raw).len(), 1);
    // Other attachments: another draft, and the old one is gone, so that nobody comes upon half of one.
    message.attachments = vec![file("two.pdf", filling(10)), file("three.pdf", filling(20))];
    let third = desk.replace(&second, &message).await.expect("a draft");
    assert!(!desk.is_there(&first.at) && desk.draft_count() == 1);
    let names: Vec<_> = files(&desk.truth(&third.at).raw)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["two.pdf", "three.pdf"]);
    // Header fields are given once.
    message.in_reply_to = Some("<another@x.example>".to_owned());
    let fourth = desk.replace(&third, &message).await.expect("a draft");
    assert!(!desk.is_there(&third.at) && desk.draft_count() == 1);
    let stale = kind(desk.replace(&first, &message).await);
    assert_eq!(stale, Some(ErrorKind::NotFound));
    desk.submit(&fourth).await.expect("it is sent");
    let raw = String::from_utf8(desk.harness.server.sent()[0].raw.clone());
    assert!(
        raw.expect("ASCII")
            .contains("In-Reply-To: <another@x.example>\r\n")
    );
}

#[tokio::test]
async fn a_draft_of_somebody_else_stays_in_its_place_with_other_attachments() {
    let desk = Desk::new().await;
    let mut message = desk.letter("theirs");
    message.attachments = vec![file("one.pdf", filling(10))];
    let kept = desk.create(&message).await.expect("a draft");
    let query = DraftQuery::Message(kept.at.clone());
    let found = desk.drafts().find(call(), &query).await;
    let found = found.expect("an answer").expect("a draft");
    message.attachments = vec![file("two.pdf", filling(20)), file("three.pdf", filling(30))];
    let replaced = desk.replace(&found, &message).await.expect("a draft");
    assert_eq!(replaced.at, kept.at);
    let raw = desk.truth(&replaced.at).raw;
    let names: Vec<_> = files(&raw).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["two.pdf", "three.pdf"]);
    desk.submit(&replaced).await.expect("it is sent");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_made_once() {
    for is_done in [false, true] {
        let desk = Desk::new().await;
        let mut message = desk.letter("changed");
        let kept = desk.create(&message).await.expect("a draft");
        desk.harness.server.faults(|faults| {
            faults.only = vec!["messages.update".to_owned()];
            match is_done {
                true => faults.cut_connections = When::once(),
                false => faults.dropped_requests = When::once(),
            }
        });
        message.subject = Some("another".to_owned());
        let replaced = desk.replace(&kept, &message).await.expect("a draft");
        let raw = String::from_utf8(desk.truth(&replaced.at).raw).expect("ASCII");
        assert!(raw.contains("Subject: another\r\n"));
        desk.submit(&replaced).await.expect("it is sent");
    }
}

#[tokio::test]
async fn what_somebody_else_has_changed_is_neither_replaced_nor_sent() {
    let desk = Desk::new().await;
    let mut message = desk.letter("mine");
    let kept = desk.create(&message).await.expect("a draft");
    let truth = desk.truth(&kept.at);
    desk.harness
        .user
        .edit_draft(&truth.id, &truth.raw[..truth.raw.len() - 3]);
    let conflict = Some(ErrorKind::Conflict);
    assert_eq!(kind(desk.submit(&kept).await), conflict);
    assert_eq!(kind(desk.replace(&kept, &message).await), conflict);
    message.in_reply_to = Some("<asked@x.example>".to_owned());
    assert_eq!(kind(desk.replace(&kept, &message).await), conflict);
    assert_eq!(desk.draft_count(), 1);
    let query = DraftQuery::Message(kept.at.clone());
    let found = desk.drafts().find(call(), &query).await;
    let found = found.expect("an answer").expect("a draft");
    desk.submit(&found).await.expect("as it is now");
    // It is no draft any more, and stays where it is.
    let gone = desk.drafts().discard(call(), &found.draft).await;
    assert_eq!(kind(gone), Some(ErrorKind::NotFound));
    assert!(desk.is_there(&found.at));
}

#[tokio::test]
async fn an_answer_is_of_the_conversation_however_large_it_is() {
    for length in [10, LARGE] {
        let desk = Desk::new().await;
        let inbox = inbox(&desk.harness);
        let asked = append(&desk.harness, &inbox, &["asked"]).await;
        let asked = MessageRef {
            scope: email_provider::ScopeKey(inbox.0.clone()),
            key: asked[0].clone(),
        };
        let question = desk.truth(&asked);
        let mut message = desk.letter("answer");
        message.attachments = vec![file("one.pdf", filling(length))];
        message.subject = Some("Re: About asked".to_owned());
        message.in_reply_to = Some("<asked@conformance.example>".to_owned());
        message.references = vec!["<asked@conformance.example>".to_owned()];
        let create = async |outgoing: Outgoing| desk.drafts().create(call(), &outgoing).await;
        let answer = create(answering(&message, Purpose::Draft, &asked)).await;
        let answer = answer.expect("a draft");
        assert_eq!(desk.count("messages.createReply"), 1);
        desk.submit(&answer).await.expect("it is sent");
        let raw = &desk.harness.server.sent()[0].raw;
        let id = String::from_utf8_lossy(raw).into_owned();
        assert!(id.contains("\r\nIn-Reply-To: <asked@conformance.example>\r\n"));
        assert_eq!(files(raw).len(), 1);
        assert_eq!(desk.truth(&answer.at).conversation, question.conversation);
        // Where what it answers is gone, it is a message of its own.
        desk.harness
            .user
            .delete_permanently(std::str::from_utf8(&asked.key.0).expect("an id"));
        message.message_id = "<again@conformance.example>".to_owned();
        let again = create(answering(&message, Purpose::Draft, &asked)).await;
        assert!(desk.is_there(&again.expect("a draft").at));
    }
}

#[tokio::test]
async fn what_the_mailbox_refuses_is_told_in_the_gateways_terms() {
    let desk = Desk::new().await;
    let mut foreign = desk.letter("foreign");
    foreign.from = Some(email_model::Address::bare("eve@contoso.example"));
    let kept = desk.create(&foreign).await.expect("a draft");
    assert_eq!(kind(desk.submit(&kept).await), Some(ErrorKind::Forbidden));
    desk.harness.user.add_alias("eve@contoso.example");
    desk.submit(&kept).await.expect("it is sent");
    let message = desk.letter("often");
    let kept = desk.create(&message).await.expect("a draft");
    desk.strike(Refused::TooManyRequests, 1, "messages.send");
    assert_eq!(kind(desk.submit(&kept).await), Some(ErrorKind::RateLimited));
    assert_eq!(desk.sent(&message.message_id), 0);
    desk.submit(&kept).await.expect("it is sent");
    assert_eq!(desk.sent(&message.message_id), 1);
    desk.harness
        .is_careless
        .store(true, std::sync::atomic::Ordering::Relaxed);
}

#[tokio::test]
async fn header_fields_that_a_large_message_would_lose_are_refused() {
    let desk = Desk::new().await;
    let mut message = desk.letter("fields");
    message.attachments = vec![file("one.pdf", filling(LARGE))];
    let header = |name: &str| Header {
        name: name.to_owned(),
        value: "<https://x.example/u>".to_owned(),
    };
    message.list_headers = vec![header("List-Unsubscribe")];
    let refused = desk.create(&message).await.expect_err("refused");
    assert_eq!(refused.kind, ErrorKind::Invalid);
    assert!(refused.message.contains("List-Unsubscribe"), "{refused}");
    assert_eq!(desk.draft_count(), 0);
    message.list_headers.clear();
    message.headers = ["X-1", "X-2", "X-3", "X-4", "X-5", "X-6"]
        .map(header)
        .to_vec();
    let kept = desk.create(&message).await.expect("a draft");
    desk.submit(&kept).await.expect("it is sent");
    let raw = String::from_utf8_lossy(&desk.harness.server.sent()[0].raw).into_owned();
    assert!(raw.contains("\r\nX-6: "), "{:.2000}", raw);
}

#[tokio::test]
async fn a_message_is_sent_by_its_own_mailbox_alone() {
    let desk = Desk::new().await;
    let message = desk.letter("no-draft");
    let outgoing = outgoing(&message, Purpose::Send);
    let submission = Submission::Message(&outgoing);
    let refused = desk.submitter().submit(call(), submission).await;
    assert_eq!(kind(refused), Some(ErrorKind::Unsupported));
    assert!(desk.submitter().limits().drafts_only);
    assert_eq!(
        message.from.and_then(|from| from.address).as_deref(),
        Some(EMAIL)
    );
    assert!(
        desk.provider
            .capabilities()
            .roles
            .contains(&FolderRole::Sent)
    );
}
