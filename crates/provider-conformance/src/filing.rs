//! `file`: the sender's copy.

use email_mime::compose::Purpose;
use email_model::{Flags, FolderRole};
use email_provider::{Detail, ThreadHint, ThreadModel};

use crate::{
    Bench, Mail, call, letter,
    outgoing::{answering, outgoing},
};

/// One copy, with the hidden recipients, however often and on whichever connection it is asked for.
pub async fn the_senders_copy_is_filed_once(bench: &Bench) {
    let Some(submitter) = bench.submitter() else {
        return;
    };
    let message = letter(bench, "filed");
    let (handed, submitted) = bench.send(outgoing(&message, Purpose::Send)).await;
    let at = bench.filed(&handed, &submitted).await;
    assert!(
        submitted.at.is_none() || submitted.at == at,
        "told right at once"
    );
    for _ in 0..2 {
        let again = submitter
            .file(call(), handed.submission(), &submitted)
            .await;
        assert_eq!(again.expect("filed before"), at);
    }
    let other = bench.reopened().await;
    assert_eq!(other.filed(&handed, &submitted).await, at);
    let id = &message.message_id;
    bench.shows(FolderRole::Drafts, id, &[]).await;
    bench.shows(FolderRole::Sent, id, at.as_slice()).await;
    let Some(at) = at else { return };
    let fetched = bench.fetch(&at, Detail::Content).await.expect("there");
    let content = fetched.content.expect("content");
    let addresses = |list: &[email_model::Address]| -> Vec<Option<String>> {
        list.iter().map(|one| one.address.clone()).collect()
    };
    let envelope = &content.envelope;
    assert_eq!(addresses(&envelope.bcc), addresses(&message.bcc));
    assert_eq!(addresses(&envelope.to), addresses(&message.to));
    assert_eq!(envelope.subject, message.subject);
    let text = content.body.text.expect("a text");
    assert_eq!(
        Some(text.trim_end()),
        message.body.text.as_deref().map(str::trim_end)
    );
    let state = bench.state(&at).await;
    assert!(!state.labels.flags.contains(Flags::DRAFT), "{state:?}");
}

/// It is told where filing says, as the message that fetching tells, and nothing else is.
pub async fn the_senders_copy_is_told_by_the_feed(bench: &Bench) {
    let Some(_) = bench.submitter() else { return };
    let mut replicas = bench.replicas().await;
    let at = bench
        .sent(outgoing(&letter(bench, "told"), Purpose::Send))
        .await;
    let folder = bench.role(FolderRole::Sent).await;
    assert_eq!(at.is_some(), folder.is_some());
    if let (Some(at), Some(folder)) = (at, folder) {
        let told = bench.told(&mut replicas, &at).await;
        let truth = bench.fetch(&at, Detail::Envelope).await.expect("there");
        assert!(told.identity.is_none() || told.identity == truth.identity);
        assert!(told.thread.is_none() || told.thread == truth.thread);
        assert_eq!(bench.state(&at).await.folders, [folder]);
    }
    for replica in replicas {
        replica
            .assert_converges(bench, "after a message was sent")
            .await;
    }
}

/// An answer is in the conversation of what it answers, where the backend knows conversations; else its
/// copy says what it answers.
pub async fn an_answer_that_is_sent_is_in_the_conversation(bench: &Bench) {
    let Some(_) = bench.submitter() else { return };
    let question = Mail::new("asked", 0);
    let asked = bench.store(&bench.inbox().await, &question).await;
    let mut message = letter(bench, "answer");
    message.subject = Some(format!("Re: {}", question.subject));
    message.in_reply_to = Some(question.id.clone());
    message.references = vec![question.id.clone()];
    let outgoing = answering(&message, Purpose::Send, &asked);
    let Some(at) = bench.sent(outgoing).await else {
        assert_eq!(bench.role(FolderRole::Sent).await, None);
        return;
    };
    let asked = bench.fetch(&asked, Detail::Envelope).await.expect("there");
    let answer = bench.fetch(&at, Detail::Envelope).await.expect("there");
    match bench.provider.capabilities().threads {
        ThreadModel::Native => {
            assert!(matches!(answer.thread, Some(ThreadHint::Native(_))));
            assert_eq!(answer.thread, asked.thread);
        }
        ThreadModel::Derived => {
            let envelope = answer.envelope.expect("an envelope");
            assert_eq!(envelope.in_reply_to.as_ref(), Some(&question.id));
            assert_eq!(envelope.references, [question.id]);
        }
    }
}
