//! What can be made to go wrong with sending and drafts.

use std::time::Duration;

use email_model::{Address, Body, Flags, FolderRole, OutgoingMessage, Timestamp};
use email_provider::{
    Call, ChangeNext, Detail, DraftQuery, Drafts as _, EmailProvider as _, Entry, ErrorKind,
    Outgoing, ProviderResult, ScopeKey, SendLimits, Settled, Submission, Submitted, Submitter as _,
    Unsettled,
};
use provider_conformance::{Purpose, call, outgoing};
use provider_memory::{Fault, MemoryMailbox, MemoryProvider, NewMail, Shape};

fn opened(shape: Shape) -> (MemoryMailbox, MemoryProvider) {
    let mailbox = MemoryMailbox::new("ann@memory.example", shape, 1);
    let provider = MemoryProvider::new(mailbox.clone());
    (mailbox, provider)
}

fn letter(text: &str) -> Outgoing {
    let message = OutgoingMessage {
        message_id: "<letter@memory.example>".to_owned(),
        date: Timestamp::from_timestamp(1_700_000_000, 0).expect("a time that exists"),
        from: Some(Address::bare("ann@memory.example")),
        to: vec![Address::bare("bob@reader.example")],
        body: Body {
            text: Some(text.to_owned()),
            html: None,
        },
        ..OutgoingMessage::default()
    };
    outgoing(&message, Purpose::Send)
}

async fn send(provider: &MemoryProvider, letter: &Outgoing) -> ProviderResult<Submitted> {
    provider.submit(call(), Submission::Message(letter)).await
}

async fn settle(provider: &MemoryProvider, letter: &Outgoing) -> Settled {
    let send = Unsettled {
        message_id: &letter.message_id,
        draft: None,
        since: letter.message.date,
    };
    let settled = provider.settle(call(), send).await;
    settled.expect("what cannot be told is no error")
}

fn kind<T>(answer: ProviderResult<T>) -> Option<ErrorKind> {
    answer.err().map(|error| error.kind)
}

#[tokio::test]
async fn a_message_whose_answer_is_lost_was_sent() {
    for (shape, is_proven) in [(Shape::folders(), false), (Shape::labels(), true)] {
        let (mailbox, provider) = opened(shape);
        let letter = letter("Hello");
        mailbox.inject(Some("submit"), Fault::LoseAnswer, 1);
        let lost = kind(send(&provider, &letter).await);
        assert_eq!(lost, Some(ErrorKind::OutcomeUnknown));
        assert_eq!(mailbox.sent_mail().len(), 1);
        let settled = settle(&provider, &letter).await;
        assert_eq!(matches!(settled, Settled::Sent(Some(_))), is_proven);
        assert_ne!(settled, Settled::NotSent);
    }
}

#[tokio::test]
async fn a_message_that_fails_or_stalls_is_not_sent() {
    let (mailbox, provider) = opened(Shape::folders());
    let letter = letter("Hello");
    mailbox.inject(Some("submit"), Fault::Fail(ErrorKind::Unavailable), 1);
    assert_eq!(
        kind(send(&provider, &letter).await),
        Some(ErrorKind::Unavailable)
    );
    mailbox.inject(Some("submit"), Fault::Stall(Duration::from_secs(60)), 1);
    let hurried = Call {
        deadline: tokio::time::Instant::now() + Duration::from_millis(10),
        ..call()
    };
    let late = provider.submit(hurried, Submission::Message(&letter)).await;
    assert_eq!(kind(late), Some(ErrorKind::OutcomeUnknown));
    assert_eq!(mailbox.sent_mail(), []);
}

#[tokio::test]
async fn a_draft_that_is_still_there_was_not_sent_where_the_server_sends_drafts() {
    for (shape, expected) in [
        (Shape::folders(), Settled::Unknown),
        (Shape::labels(), Settled::NotSent),
        (Shape::delta(), Settled::NotSent),
    ] {
        let (mailbox, provider) = opened(shape);
        let letter = letter("Hello");
        let draft = provider.create(call(), &letter).await.unwrap().draft;
        mailbox.inject(Some("submit"), Fault::Fail(ErrorKind::OutcomeUnknown), 1);
        let lost = provider.submit(call(), Submission::Draft(&draft)).await;
        assert_eq!(kind(lost), Some(ErrorKind::OutcomeUnknown));
        let send = Unsettled {
            message_id: &letter.message_id,
            draft: Some(&draft),
            since: letter.message.date,
        };
        assert_eq!(provider.settle(call(), send).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_copy_that_is_held_back_is_found_when_it_is_released() {
    let (mailbox, provider) = opened(Shape::labels());
    let letter = letter("Hello");
    mailbox.hold_sent_copies();
    let submitted = send(&provider, &letter).await.unwrap();
    assert_eq!(submitted.at, None);
    let submission = Submission::Message(&letter);
    let filed = provider.file(call(), submission, &submitted).await.unwrap();
    assert_eq!(filed, None);
    assert_eq!(settle(&provider, &letter).await, Settled::Unknown);
    mailbox.release_sent_copies().unwrap();
    let filed = provider.file(call(), submission, &submitted).await.unwrap();
    assert!(filed.is_some());
    assert_eq!(settle(&provider, &letter).await, Settled::Sent(filed));
}

#[tokio::test]
async fn a_refused_sender_may_not_send() {
    let (mailbox, provider) = opened(Shape::folders());
    mailbox.refuse("Ann@memory.example");
    let refused = send(&provider, &letter("Hello")).await;
    assert_eq!(kind(refused), Some(ErrorKind::Forbidden));
    assert_eq!(mailbox.sent_mail(), []);
}

#[tokio::test]
async fn no_more_is_sent_than_the_limit() {
    let (mailbox, provider) = opened(Shape::folders());
    let limits = SendLimits {
        octets: 500,
        ..provider.limits()
    };
    mailbox.limit_sending(limits);
    assert_eq!(provider.limits(), limits);
    assert!(send(&provider, &letter("Hello")).await.is_ok());
    let refused = send(&provider, &letter(&"Hello ".repeat(100))).await;
    assert_eq!(kind(refused), Some(ErrorKind::Invalid));
}

/// The entries of one scope, told since this cursor.
async fn told(
    provider: &MemoryProvider,
    scope: &str,
    since: &email_provider::Cursor,
) -> Vec<Entry> {
    let scope = ScopeKey(scope.to_owned());
    let page = provider.changes(call(), &scope, since, 100).await;
    let page = page.expect("changes");
    assert!(matches!(page.next, ChangeNext::CaughtUp(_)));
    page.entries
}

#[tokio::test]
async fn a_draft_that_is_changed_and_sent_at_once_is_told_as_revised() {
    let shape = Shape {
        cursor_at_end_of_scan: false,
        ..Shape::delta()
    };
    let (mailbox, provider) = opened(shape);
    let sent = mailbox.folder(FolderRole::Sent).unwrap().0;
    let scope = ScopeKey(sent.clone());
    let begun = provider.begin(call(), &scope).await.unwrap().unwrap();
    for is_changed in [false, true] {
        let mut draft = provider
            .create(call(), &letter("Hello"))
            .await
            .unwrap()
            .draft;
        if is_changed {
            let changed = letter("Hello again");
            let kept = provider.replace(call(), &draft, &changed).await.unwrap();
            draft = kept.draft;
        }
        let submitted = provider
            .submit(call(), Submission::Draft(&draft))
            .await
            .unwrap();
        let at = submitted.at.unwrap();
        let entries = told(&provider, &sent, &begun).await;
        let entry = entries.iter().find(|entry| entry.key == at.key).unwrap();
        assert_eq!(entry.revised, is_changed);
    }
}

#[tokio::test]
async fn a_draft_without_an_id_gets_one_when_it_is_sent() {
    for shape in [Shape::folders(), Shape::listing(), Shape::labels()] {
        let (mailbox, provider) = opened(shape);
        let drafts = mailbox.folder(FolderRole::Drafts).unwrap();
        let raw = "From: ann@memory.example\r\nTo: bob@reader.example\r\n\
                   Bcc: cleo@reader.example\r\n\r\nHello\r\n";
        let mail = NewMail {
            raw: raw.into(),
            received_at: letter("").message.date,
            flags: Flags::DRAFT,
            keywords: Vec::new(),
        };
        let at = mailbox.deliver(&drafts, mail).unwrap();
        let query = DraftQuery::Message(at);
        let draft = provider.find(call(), &query).await.unwrap().unwrap().draft;
        let submission = Submission::Draft(&draft);
        let submitted = provider.submit(call(), submission).await.unwrap();
        let mut places = Vec::new();
        for _ in 0..2 {
            places.push(provider.file(call(), submission, &submitted).await.unwrap());
        }
        let at = places.pop().flatten().expect("a copy");
        assert_eq!(places, [Some(at.clone())]);
        let fetched = provider
            .fetch(call(), &[at], Detail::Envelope)
            .await
            .unwrap();
        let envelope = fetched[0].envelope.clone().unwrap();
        assert_eq!(envelope.bcc.len(), 1);
        let sent = mailbox.sent_mail().pop().unwrap();
        assert_eq!(
            sent.recipients,
            ["bob@reader.example", "cleo@reader.example"]
        );
        let id = envelope.message_id.expect("an id");
        let wire = format!(
            "Message-ID: {id}\r\n{}",
            raw.replace("Bcc: cleo@reader.example\r\n", "")
        );
        assert_eq!(sent.octets, wire.as_bytes());
        assert_eq!(mailbox.contents(&drafts), []);
    }
}

#[tokio::test]
async fn an_answer_is_in_the_conversation_of_what_it_is_said_to_answer() {
    let (mailbox, provider) = opened(Shape::labels());
    let inbox = mailbox.folder(FolderRole::Inbox).unwrap();
    let mail = NewMail {
        raw: "From: bob@reader.example\r\n\r\nWell?\r\n".into(),
        received_at: letter("").message.date,
        flags: Flags::empty(),
        keywords: Vec::new(),
    };
    let question = mailbox.deliver(&inbox, mail).unwrap();
    let answer = Outgoing {
        answers: Some(question.clone()),
        ..letter("Well.")
    };
    let draft = provider.create(call(), &answer).await.unwrap();
    let sent = send(&provider, &answer).await.unwrap().at.unwrap();
    let refs = [question, draft.at, sent];
    let fetched = provider.fetch(call(), &refs, Detail::Envelope).await;
    let fetched = fetched.unwrap();
    assert_eq!(fetched.len(), 3);
    assert!(fetched.iter().all(|one| one.thread == fetched[0].thread));
}
