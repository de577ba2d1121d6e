//! Where a sent message is filed, on servers whose answers are written down.

use std::{sync::Arc, time::Duration};

use crate::play::{Opened, Play, at, call, key, kind, scope, selected};
use bytes::Bytes;
use email_model::OutgoingMessage;
use email_provider::{
    ByteStream, Call, EntryKey, ErrorKind, MessageCopy, MessageOctets, MessageRef, Outgoing,
    ProviderResult, ScopeKey, SendEnvelope, Submission, Submitted,
};
use futures::{StreamExt as _, stream};

const NOTHING: &str = "* SEARCH\r\n% OK";
const FOUND: &str = "* SEARCH 9\r\n% OK";
const SENT: &str = "* LIST (\\Sent) \"/\" \"Work\"\r\n% OK";

#[derive(Debug)]
struct Text;

impl MessageOctets for Text {
    fn length(&self, _: MessageCopy) -> u64 {
        8
    }

    fn read(&self, _: MessageCopy) -> ByteStream {
        stream::iter([Ok(Bytes::from_static(b"A: b\r\n\r\n"))]).boxed()
    }
}

async fn file(mailbox: &Opened, call: Call) -> ProviderResult<Option<MessageRef>> {
    let outgoing = Outgoing {
        message: Arc::new(OutgoingMessage::default()),
        message_id: "<a@b>".into(),
        envelope: SendEnvelope {
            sender: None,
            recipients: Vec::new(),
            internationalised: false,
        },
        octets: Arc::new(Text),
        answers: None,
    };
    let submitter = mailbox.provider.submitter().expect("a submitter");
    submitter
        .file(call, Submission::Message(&outgoing), &Submitted::default())
        .await
}

fn found() -> MessageRef {
    MessageRef {
        scope: ScopeKey("Work".into()),
        key: EntryKey(key(9).0),
    }
}

fn appends(mailbox: &Opened) -> usize {
    let heard = mailbox.heard();
    heard
        .iter()
        .filter(|line| line.starts_with("APPEND"))
        .count()
}

#[tokio::test]
async fn where_the_server_files_sent_mail_itself_it_is_waited_for_and_never_appended() {
    let play = |answers: &[&str]| {
        Play::new("IMAP4rev1 UIDPLUS X-GM-EXT-1 SPECIAL-USE")
            .on("LIST", &[SENT])
            .on("SELECT", &[&selected(20, 5)])
            .on("UID SEARCH", answers)
    };
    let mailbox = play(&[NOTHING, NOTHING, FOUND]).open().await;
    assert_eq!(file(&mailbox, call()).await.unwrap(), Some(found()));
    assert_eq!(appends(&mailbox), 0);
    assert_eq!((found(), scope()), (at(9), ScopeKey("Work".into())));

    let mailbox = play(&[NOTHING]).open().await;
    let short = Call {
        deadline: tokio::time::Instant::now() + Duration::from_secs(4),
        ..call()
    };
    assert_eq!(file(&mailbox, short).await.unwrap(), None);
    assert_eq!(appends(&mailbox), 0);
}

#[tokio::test]
async fn a_server_that_does_not_tell_where_it_put_a_message_is_asked() {
    for appended in ["% OK done", "% OK [APPENDUID 7 9] done"] {
        let mailbox = Play::new("IMAP4rev1 UIDPLUS")
            .on("LIST", &[SENT])
            .on("SELECT", &[&selected(20, 5)])
            .on("UID SEARCH", &[NOTHING, FOUND])
            .on("APPEND", &[appended])
            .open()
            .await;
        assert_eq!(file(&mailbox, call()).await.unwrap(), Some(found()));
        assert_eq!(appends(&mailbox), 1);
    }
}

#[tokio::test]
async fn a_mailbox_without_a_folder_for_it_keeps_no_copy() {
    let mailbox = Play::new("IMAP4rev1 UIDPLUS")
        .on("LIST", &["* LIST () \"/\" \"INBOX\"\r\n% OK"])
        .open()
        .await;
    assert_eq!(file(&mailbox, call()).await.unwrap(), None);
}

#[tokio::test]
async fn a_copy_is_looked_for_before_it_is_appended_again() {
    // The connection ends in place of an answer.
    let play = |answers: &[&str]| {
        Play::new("IMAP4rev1 UIDPLUS")
            .on("LIST", &[SENT])
            .on("SELECT", &[&selected(20, 5)])
            .on("UID SEARCH", answers)
            .on("APPEND", &[""])
    };
    let mailbox = play(&[NOTHING, FOUND]).open().await;
    assert_eq!(file(&mailbox, call()).await.unwrap(), Some(found()));
    assert_eq!(appends(&mailbox), 1);
    let mailbox = play(&[NOTHING]).open().await;
    assert_eq!(
        kind(file(&mailbox, call()).await),
        Some(ErrorKind::Unavailable)
    );
    assert_eq!(appends(&mailbox), 2);
}

#[tokio::test]
async fn a_copy_that_does_not_fit_is_refused_and_not_tried_again() {
    let mailbox = Play::new("IMAP4rev1 UIDPLUS")
        .on("LIST", &[SENT])
        .on("SELECT", &[&selected(20, 5)])
        .on("UID SEARCH", &[NOTHING])
        .on("APPEND", &["% NO [OVERQUOTA] full"])
        .open()
        .await;
    assert_eq!(
        kind(file(&mailbox, call()).await),
        Some(ErrorKind::Forbidden)
    );
    assert_eq!(appends(&mailbox), 1);
}
