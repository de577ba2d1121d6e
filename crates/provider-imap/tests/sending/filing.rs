//! Sent copies.

use std::time::Duration;

use email_model::{Address, Timestamp};
use email_provider::{
    DraftRef, EmailProvider, ErrorKind, MessageCopy, MessageRef, Outgoing, ProviderResult, Settled,
    Submission, Submitted, Unsettled,
};
use test_servers::{Dialect, Dovecot, Fault, FaultProxy, Postfix};

use crate::mailbox::*;

async fn file(
    provider: &dyn EmailProvider,
    outgoing: &Outgoing,
    time: Duration,
) -> ProviderResult<Option<MessageRef>> {
    let submitter = provider.submitter().expect("a submitter");
    let submission = Submission::Message(outgoing);
    submitter
        .file(call_within(time), submission, &Submitted::default())
        .await
}

pub async fn settle(provider: &dyn EmailProvider, message_id: &str) -> Settled {
    let send = Unsettled {
        message_id,
        draft: None,
        since: Timestamp::from_timestamp(1_700_000_000, 0).expect("as the test has it"),
    };
    let submitter = provider.submitter().expect("a submitter");
    submitter.settle(call(), send).await.expect("no error")
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn the_sent_copy_is_there_once_however_often_it_is_filed() {
    let (mailbox, _) = Mailbox::plain().await;
    let mut message = message(&mailbox.user, &[&somebody()]);
    message.bcc = vec![Address::bare("hidden@example.com")];
    let outgoing = outgoing(message);
    let provider = mailbox.provider.as_ref();
    assert_eq!(
        settle(provider, &outgoing.message_id).await,
        Settled::Unknown
    );
    mailbox.submit(&outgoing).await.unwrap();
    // Accepted, and not yet to be seen in the mailbox: SMTP tells nothing of what it took.
    assert_eq!(
        settle(provider, &outgoing.message_id).await,
        Settled::Unknown
    );
    let other = mailbox.reopen().await;
    let filed = futures::future::join_all([
        file(provider, &outgoing, LONG),
        file(provider, &outgoing, LONG),
        file(provider, &outgoing, LONG),
    ])
    .await;
    let first = filed[0].as_ref().unwrap().clone().expect("a place");
    for one in filed {
        assert_eq!(one.unwrap().as_ref(), Some(&first));
    }
    let again = file(other.as_ref(), &outgoing, LONG).await.unwrap();
    assert_eq!(again.as_ref(), Some(&first));
    let settled = settle(provider, &outgoing.message_id).await;
    assert_eq!(settled, Settled::Sent(Some(first)));
    let sent = mailbox.stored("Sent").await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].raw, octets(&outgoing, MessageCopy::Kept).await);
    assert!(sent[0].flags.contains("\\Seen"));
}

#[tokio::test]
async fn a_copy_whose_connection_is_cut_is_there_once_in_the_end() {
    let dovecot = Dovecot::shared(Dialect::Qresync).await.unwrap();
    let postfix = Postfix::shared().await.unwrap();
    let proxy = FaultProxy::to_port(dovecot.imap_port()).unwrap();
    let user = "dave@test.local";
    let smtp = plain(postfix.plain_port());
    let mailbox = Mailbox::on(proxy.port(), dovecot.imap_port(), user, &smtp, None).await;
    let (up, down) = proxy.bytes();
    let measured = outgoing(message(user, &[&somebody()]));
    let provider = mailbox.reopen().await;
    file(provider.as_ref(), &measured, LONG).await.unwrap();
    let (up_after, down_after) = proxy.bytes();
    let (up, down) = (up_after - up, down_after - down);
    let mut faults: Vec<Fault> = (1..up).step_by(97).map(Fault::CutUploadAfter).collect();
    faults.extend((up - 4..=up).map(Fault::CutUploadAfter));
    faults.extend((1..down).step_by(211).map(Fault::CutAfter));
    faults.extend((down - 4..=down).map(Fault::CutAfter));
    let mut ids = Vec::new();
    for fault in faults {
        let outgoing = outgoing(message(user, &[&somebody()]));
        ids.push(outgoing.message_id.clone());
        let provider = mailbox.reopen().await;
        proxy.set(fault).await.unwrap();
        if let Err(error) = file(provider.as_ref(), &outgoing, LONG).await {
            assert_eq!(error.kind, ErrorKind::Unavailable, "{fault:?}: {error}");
        }
        proxy.set(Fault::Pass).await.unwrap();
        let filed = file(provider.as_ref(), &outgoing, LONG).await.unwrap();
        assert!(filed.is_some(), "{fault:?}");
    }
    let sent = mailbox.stored("Sent").await;
    for id in ids {
        let is_it = |raw: &[u8]| String::from_utf8_lossy(raw).contains(&id);
        assert_eq!(sent.iter().filter(|mail| is_it(&mail.raw)).count(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_told_of_a_send_is_unknown() {
    let dovecot = Dovecot::shared(Dialect::Qresync).await.unwrap();
    let postfix = Postfix::shared().await.unwrap();
    let proxy = FaultProxy::to_port(dovecot.imap_port()).unwrap();
    let smtp = plain(postfix.plain_port());
    let user = "carol@test.local";
    let mailbox = Mailbox::on(proxy.port(), dovecot.imap_port(), user, &smtp, None).await;
    proxy.set(Fault::Refuse).await.unwrap();
    proxy.cut_now();
    let settled = settle(mailbox.provider.as_ref(), "<nobody@example.com>").await;
    assert_eq!(settled, Settled::Unknown);
}

/// A draft of some size, kept through a proxy in front of the reading server.
struct Drafted {
    proxy: FaultProxy,
    mailbox: Mailbox,
    postfix: &'static Postfix,
}

impl Drafted {
    async fn new(user: &str) -> Self {
        let dovecot = Dovecot::shared(Dialect::Qresync).await.expect("Dovecot");
        let postfix = Postfix::shared().await.expect("Postfix");
        let proxy = FaultProxy::to_port(dovecot.imap_port()).expect("a proxy");
        let smtp = plain(postfix.plain_port());
        let port = dovecot.imap_port();
        let mailbox = Mailbox::on(proxy.port(), port, user, &smtp, None).await;
        Self {
            proxy,
            mailbox,
            postfix,
        }
    }

    async fn create(&self, to: &str) -> (Outgoing, DraftRef) {
        let mut message = message(&self.mailbox.user, &[to]);
        message.body.text = Some("a line of a long draft\n".repeat(30_000));
        let outgoing = draft(message);
        let drafts = self.mailbox.provider.drafts().expect("drafts");
        let kept = drafts.create(call(), &outgoing).await.expect("a draft");
        (outgoing, kept.draft)
    }
}

#[tokio::test]
async fn a_draft_whose_reading_is_cut_reaches_nobody() {
    let drafted = Drafted::new("u0190@test.local").await;
    let to = somebody();
    let (_, draft) = drafted.create(&to).await;
    for at in [1, 2_000, 100_000, 300_000, 600_000] {
        let provider = drafted.mailbox.reopen().await;
        drafted.proxy.set(Fault::CutAfter(at)).await.unwrap();
        let submitter = provider.submitter().unwrap();
        let sent = submitter.submit(call(), Submission::Draft(&draft)).await;
        assert_eq!(kind(sent), Some(ErrorKind::Unavailable), "{at}");
    }
    assert_eq!(drafted.postfix.delivered(&to).await.unwrap(), []);
    drafted.proxy.set(Fault::Pass).await.unwrap();
    let submitter = drafted.mailbox.provider.submitter().unwrap();
    let submission = Submission::Draft(&draft);
    submitter.submit(call(), submission).await.unwrap();
    assert_eq!(drafted.postfix.delivered(&to).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_sent_draft_whose_filing_is_cut_is_in_the_end_one_copy_and_no_draft() {
    let drafted = Drafted::new("u0191@test.local").await;
    let faults = [3_000, 300_000, 690_000, 700_000].map(Fault::CutAfter);
    let uploads = [200, 1_000, 5_000, 400_000, 680_000, 692_000].map(Fault::CutUploadAfter);
    let mut ids = Vec::new();
    for fault in faults.into_iter().chain(uploads) {
        let (outgoing, draft) = drafted.create(&somebody()).await;
        ids.push(outgoing.message_id);
        let submission = Submission::Draft(&draft);
        let submitter = drafted.mailbox.provider.submitter().unwrap();
        let submitted = submitter.submit(call(), submission).await.unwrap();
        let provider = drafted.mailbox.reopen().await;
        drafted.proxy.set(fault).await.unwrap();
        let cut = provider.submitter().unwrap();
        // Whatever it says: what counts is what is there in the end.
        let _ = cut.file(call(), submission, &submitted).await;
        drafted.proxy.set(Fault::Pass).await.unwrap();
        let filed = submitter.file(call(), submission, &submitted).await;
        assert!(filed.unwrap().is_some(), "{fault:?}");
    }
    let sent = drafted.mailbox.stored("Sent").await;
    for id in ids {
        let is_it = |raw: &[u8]| String::from_utf8_lossy(raw).contains(&id);
        assert_eq!(sent.iter().filter(|mail| is_it(&mail.raw)).count(), 1);
    }
    assert_eq!(drafted.mailbox.stored("Drafts").await.len(), 0);
}
