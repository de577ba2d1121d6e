//! By what a message is recognised.

use std::collections::BTreeSet;

use email_provider::{
    Detail, Fetched, Identity, MessageEdit, MessageRef, ScanDetail, ScanWindow, ThreadHint,
    ThreadModel,
};

use crate::{Bench, Mail, call, scan_all};

async fn fetched(bench: &Bench, at: &MessageRef) -> Fetched {
    bench
        .fetch(at, Detail::Envelope)
        .await
        .expect("the message is there")
}

async fn identity(bench: &Bench, at: &MessageRef) -> Identity {
    fetched(bench, at).await.identity.expect("an identity")
}

/// The same message is recognised in its new folder, whoever moved it.
pub async fn identity_survives_a_move(bench: &Bench) {
    let (inbox, target) = (bench.inbox().await, bench.folder("Target").await);
    let mail = Mail::new("moving", 0);
    let at = bench.store(&inbox, &mail).await;
    let before = identity(bench, &at).await;
    let native = bench.provider.capabilities().native_identity;
    assert_eq!(
        matches!(before, Identity::Native(_)),
        native,
        "as the capabilities say"
    );
    bench.harness.move_message(&inbox, &mail.id, &target).await;
    let moved = bench.located(&target, &mail.id).await;
    assert_eq!(identity(bench, &moved).await, before);
    let edit = MessageEdit {
        move_to: Some(inbox.clone()),
        ..MessageEdit::default()
    };
    bench
        .provider
        .update(call(), &moved, &edit)
        .await
        .expect("a move back");
    let back = bench.located(&inbox, &mail.id).await;
    assert_eq!(identity(bench, &back).await, before);
}

/// Messages that differ in anything are not taken for one.
pub async fn different_messages_have_different_identities(bench: &Bench) {
    let mut mails: Vec<Mail> = (0..3)
        .map(|n| Mail::new(&format!("distinct-{n}"), 0))
        .collect();
    for (at, mail) in mails.iter_mut().enumerate() {
        mail.subject = "The same".to_owned();
        mail.text = format!("{at}\r\n");
    }
    let refs = bench.stored(&bench.inbox().await, &mails).await;
    let mut identities = BTreeSet::new();
    for at in &refs {
        identities.insert(identity(bench, at).await.to_bytes());
    }
    assert_eq!(identities.len(), mails.len());
}

/// Where a listing tells an identity or a conversation, it is the one that fetching tells.
pub async fn feed_and_fetch_tell_the_same_identity(bench: &Bench) {
    let mails: Vec<Mail> = (0..5)
        .map(|n| Mail::new(&format!("told-{n}"), n * 60))
        .collect();
    let refs = bench.stored(&bench.inbox().await, &mails).await;
    let window = ScanWindow::default();
    for entry in scan_all(bench, &refs[0].scope, window, ScanDetail::Envelopes, 100).await {
        let at = MessageRef {
            scope: refs[0].scope.clone(),
            key: entry.key,
        };
        let truth = fetched(bench, &at).await;
        assert!(entry.identity.is_none() || entry.identity == truth.identity);
        assert!(entry.thread.is_none() || entry.thread == truth.thread);
    }
}

/// A reply is in the conversation of what it answers, where the backend knows conversations; else
/// its envelope says what it answers.
pub async fn a_reply_belongs_to_the_conversation(bench: &Bench) {
    let question = Mail::new("question", 0);
    let mut answer = Mail::new("answer", 60);
    answer.subject = format!("Re: {}", question.subject);
    answer.headers.push(format!("In-Reply-To: {}", question.id));
    answer.headers.push(format!("References: {}", question.id));
    let other = Mail::new("other", 120);
    let refs = bench
        .stored(&bench.inbox().await, &[question.clone(), answer, other])
        .await;
    let mut hints = Vec::new();
    for at in &refs {
        hints.push(fetched(bench, at).await.thread.expect("a hint"));
    }
    match bench.provider.capabilities().threads {
        ThreadModel::Native => {
            assert!(matches!(hints[0], ThreadHint::Native(_)));
            assert_eq!(hints[0], hints[1]);
            assert_ne!(hints[0], hints[2]);
        }
        ThreadModel::Derived => {
            assert!(hints.iter().all(|hint| *hint == ThreadHint::Derive));
            let envelope = fetched(bench, &refs[1])
                .await
                .envelope
                .expect("an envelope");
            assert_eq!(envelope.in_reply_to.as_ref(), Some(&question.id));
            assert_eq!(envelope.references, [question.id]);
        }
    }
}
