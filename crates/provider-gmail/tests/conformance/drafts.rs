//! What the suite does not ask of drafts: costs, lost answers, and what is proven of one that was to be sent.

use email_model::Timestamp;
use email_provider::{
    DraftQuery, DraftRef, EmailProvider, ErrorKind, KeptDraft, MessageCopy, Settled, Submission,
    Unsettled,
};
use provider_conformance::{Harness as _, Purpose, call, letter, moment, octets, outgoing};

use crate::{
    sending::{composed, kind, truth},
    steps::bench,
    support::{EMAIL, GmailHarness},
};

async fn kept(harness: &GmailHarness, provider: &dyn EmailProvider, name: &str) -> KeptDraft {
    let outgoing = outgoing(&letter(&bench(harness).await, name), Purpose::Draft);
    let drafts = provider.drafts().expect("it keeps drafts");
    drafts.create(call(), &outgoing).await.expect("a draft")
}

async fn settle(
    provider: &dyn EmailProvider,
    message_id: &str,
    draft: &DraftRef,
    since: Timestamp,
) -> Settled {
    let send = Unsettled {
        message_id,
        draft: Some(draft),
        since,
    };
    let submitter = provider.submitter().expect("it sends");
    submitter.settle(call(), send).await.expect("an answer")
}

fn now() -> Timestamp {
    email_provider::Clock::now(&email_provider::SystemClock)
}

#[tokio::test]
async fn a_draft_is_made_changed_sent_and_discarded_at_its_price() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let drafts = provider.drafts().expect("it keeps drafts");
    let submitter = provider.submitter().expect("it sends");
    let outgoing = composed(&harness, "priced").await;
    let mut spent = harness.server.units(EMAIL);
    let mut price = || {
        let before = std::mem::replace(&mut spent, harness.server.units(EMAIL));
        spent - before
    };
    let first = drafts.create(call(), &outgoing).await.expect("a draft");
    assert_eq!(price(), 10);
    assert_eq!(
        truth(&harness, &first.at).raw,
        octets(&outgoing, MessageCopy::Kept).await
    );
    let second = drafts.replace(call(), &first.draft, &outgoing).await;
    let second = second.expect("a changed draft");
    assert_eq!(price(), 20 + 15);
    assert_ne!(second.at, first.at, "each change makes another message");
    let submitted = submitter
        .submit(call(), Submission::Draft(&second.draft))
        .await
        .expect("sent");
    assert_eq!(price(), 20 + 1 + 100);
    assert_ne!(submitted.at, Some(second.at));
    let third = drafts.create(call(), &outgoing).await.expect("a draft");
    price();
    drafts
        .discard(call(), &third.draft)
        .await
        .expect("discarded");
    assert_eq!(price(), 10);
    assert_eq!(harness.server.sent().len(), 1);
}

#[tokio::test]
async fn a_draft_whose_making_is_unknown_is_there_once_and_found() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let drafts = provider.drafts().expect("it keeps drafts");
    let outgoing = composed(&harness, "unknown").await;
    for fault in ["cut", "truncated"] {
        harness.server.faults(|faults| {
            faults.only = vec!["gmail.users.drafts.create".to_owned()];
            faults.cut_connections = if fault == "cut" { 1.0 } else { 0.0 };
            faults.truncated_bodies = if fault == "cut" { 0.0 } else { 1.0 };
        });
        let made = drafts.create(call(), &outgoing).await;
        assert_eq!(kind(made), Some(ErrorKind::OutcomeUnknown), "{fault}");
        let query = DraftQuery::MessageId(outgoing.message_id.clone());
        let found = drafts.find(call(), &query).await.expect("an answer");
        let found = found.expect("it was made");
        assert_eq!(harness.user.messages().len(), 1, "{fault}");
        drafts
            .discard(call(), &found.draft)
            .await
            .expect("discarded");
    }
}

#[tokio::test]
async fn the_newest_of_several_drafts_is_found() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let drafts = provider.drafts().expect("it keeps drafts");
    let outgoing = composed(&harness, "twice").await;
    drafts.create(call(), &outgoing).await.expect("a draft");
    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    let newer = drafts.create(call(), &outgoing).await.expect("a draft");
    let query = DraftQuery::MessageId(outgoing.message_id.clone());
    let found = drafts.find(call(), &query).await.expect("an answer");
    assert_eq!(found, Some(newer));
}

#[tokio::test]
async fn a_draft_among_hundreds_is_found_by_its_message() {
    let harness = GmailHarness::start(|faults| faults.empty_pages = 0.3).await;
    let provider = harness.provider().await;
    let first = kept(&harness, provider.as_ref(), "first").await;
    for n in 0..600 {
        harness
            .user
            .create_draft(format!("Subject: {n}\r\n\r\n").as_bytes());
    }
    let drafts = provider.drafts().expect("it keeps drafts");
    let query = DraftQuery::Message(first.at.clone());
    let found = drafts.find(call(), &query).await.expect("an answer");
    assert_eq!(found, Some(first));
}

#[tokio::test]
async fn that_a_draft_was_not_sent_is_proven_once_nothing_is_under_way_any_more() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let message = letter(&bench(&harness).await, "waiting");
    let drafts = provider.drafts().expect("it keeps drafts");
    let outgoing = outgoing(&message, Purpose::Draft);
    let draft = drafts.create(call(), &outgoing).await.expect("a draft");
    let id = message.message_id.as_str();
    let settled = settle(provider.as_ref(), id, &draft.draft, now()).await;
    assert_eq!(settled, Settled::Unknown, "it may be under way");
    let settled = settle(provider.as_ref(), id, &draft.draft, moment(0)).await;
    assert_eq!(settled, Settled::NotSent);
    let changed = drafts.replace(call(), &draft.draft, &outgoing).await;
    changed.expect("a changed draft");
    let settled = settle(provider.as_ref(), id, &draft.draft, moment(0)).await;
    assert_eq!(settled, Settled::Unknown, "it is another one by now");
}

#[tokio::test]
async fn a_draft_whose_sending_got_no_answer_is_found_among_what_was_sent() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let message = letter(&bench(&harness).await, "unheard");
    let drafts = provider.drafts().expect("it keeps drafts");
    let draft = drafts
        .create(call(), &outgoing(&message, Purpose::Draft))
        .await;
    let draft = draft.expect("a draft").draft;
    harness.server.faults(|faults| {
        faults.only = vec!["gmail.users.drafts.send".to_owned()];
        faults.cut_connections = 1.0;
    });
    let submitter = provider.submitter().expect("it sends");
    let sent = submitter.submit(call(), Submission::Draft(&draft)).await;
    assert_eq!(kind(sent), Some(ErrorKind::OutcomeUnknown));
    let settled = settle(provider.as_ref(), &message.message_id, &draft, now()).await;
    let Settled::Sent(Some(at)) = settled else {
        panic!("{settled:?}");
    };
    assert_eq!(truth(&harness, &at).labels, ["SENT"]);
    assert_eq!(harness.server.sent().len(), 1);
}

#[tokio::test]
async fn a_draft_of_a_foreign_sender_is_not_sent_as_somebody_else() {
    let harness = GmailHarness::start(|_| {}).await;
    let provider = harness.provider().await;
    let drafts = provider.drafts().expect("it keeps drafts");
    let submitter = provider.submitter().expect("it sends");
    for (from, expected) in [
        (
            "From: \"ann@gmail.example\" <boss@company.example>\r\n",
            Some(ErrorKind::Forbidden),
        ),
        ("From: nobody at all\r\n", Some(ErrorKind::Forbidden)),
        ("From: Ann <ann@gmail.example>\r\n", None),
        ("", None),
    ] {
        let raw =
            format!("{from}To: bob@reader.example\r\nMessage-ID: <by-hand@x.example>\r\n\r\n");
        harness.user.create_draft(raw.as_bytes());
        let query = DraftQuery::MessageId("<by-hand@x.example>".to_owned());
        let found = drafts.find(call(), &query).await.expect("an answer");
        let draft = found.expect("a draft").draft;
        let sent = submitter.submit(call(), Submission::Draft(&draft)).await;
        assert_eq!(kind(sent), expected, "{from}");
        drafts.discard(call(), &draft).await.ok();
    }
}
