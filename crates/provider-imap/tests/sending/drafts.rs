//! Drafts from their creation to being sent.

use email_model::{Address, OutgoingMessage};
use email_provider::{
    DraftQuery, DraftRef, Drafts, ErrorKind, KeptDraft, MessageCopy, Outgoing, ProviderResult,
    Settled, Submission, Submitted,
};
use test_servers::{Courier, Postfix};

use crate::{filing::settle, mailbox::*};

/// A mailbox on each server, with the name of its folder of drafts.
struct Desk {
    mailbox: Mailbox,
    folder: &'static str,
    sent: &'static str,
    postfix: &'static Postfix,
    _courier: Option<Courier>,
}

impl Desk {
    async fn dovecot() -> Self {
        let (mailbox, postfix) = Mailbox::plain().await;
        Self {
            mailbox,
            folder: "Drafts",
            sent: "Sent",
            postfix,
            _courier: None,
        }
    }

    async fn courier() -> Self {
        let courier = Courier::start().await.expect("as the test has it");
        let postfix = Postfix::shared().await.expect("as the test has it");
        let (port, user) = (courier.imap_port(), "alice@test.local");
        let smtp = plain(postfix.plain_port());
        Self {
            mailbox: Mailbox::on(port, port, user, &smtp, None).await,
            folder: "INBOX.Drafts",
            sent: "INBOX.Sent",
            postfix,
            _courier: Some(courier),
        }
    }

    async fn both() -> [Self; 2] {
        [Self::dovecot().await, Self::courier().await]
    }

    fn drafts(&self) -> &dyn Drafts {
        self.mailbox.provider.drafts().expect("drafts")
    }

    async fn create(&self, outgoing: &Outgoing) -> KeptDraft {
        self.drafts()
            .create(call(), outgoing)
            .await
            .expect("as the test has it")
    }

    async fn replace(&self, draft: &DraftRef, outgoing: &Outgoing) -> ProviderResult<KeptDraft> {
        self.drafts().replace(call(), draft, outgoing).await
    }

    async fn find(&self, query: DraftQuery) -> Option<KeptDraft> {
        self.drafts()
            .find(call(), &query)
            .await
            .expect("as the test has it")
    }

    async fn find_id(&self, outgoing: &Outgoing) -> Option<KeptDraft> {
        self.find(DraftQuery::MessageId(outgoing.message_id.clone()))
            .await
    }

    /// The octets of every draft that is there.
    async fn stored(&self) -> Vec<Vec<u8>> {
        let stored = self.mailbox.stored(self.folder).await;
        stored.into_iter().map(|mail| mail.raw).collect()
    }

    /// Puts a draft there as another program does.
    async fn write_elsewhere(&self, raw: &[u8]) -> u32 {
        let mut client = self.mailbox.client().await;
        client
            .append(self.folder, raw, &["\\Draft"], None)
            .await
            .expect("as the test has it");
        client
            .select(self.folder)
            .await
            .expect("as the test has it");
        client
            .uid_search("ALL")
            .await
            .expect("as the test has it")
            .into_iter()
            .max()
            .expect("as the test has it")
    }

    async fn remove_elsewhere(&self, uid: u32) {
        let mut client = self.mailbox.client().await;
        client
            .select(self.folder)
            .await
            .expect("as the test has it");
        client
            .store(&uid.to_string(), "+FLAGS", &["\\Deleted"])
            .await
            .expect("as the test has it");
        client
            .expunge(&uid.to_string())
            .await
            .expect("as the test has it");
    }

    async fn submit(&self, draft: &DraftRef) -> ProviderResult<Submitted> {
        let submitter = self
            .mailbox
            .provider
            .submitter()
            .expect("as the test has it");
        submitter.submit(call(), Submission::Draft(draft)).await
    }
}

/// The same message with another text.
fn revised(message: &OutgoingMessage, text: &str) -> Outgoing {
    let mut message = message.clone();
    message.body.text = Some(text.to_owned());
    draft(message)
}

fn uid(kept: &KeptDraft) -> u32 {
    u32::from_be_bytes(kept.at.key.0[4..].try_into().expect("as the test has it"))
}

#[tokio::test]
async fn a_draft_is_kept_found_changed_and_discarded() {
    for desk in Desk::both().await {
        let mut first = message(&desk.mailbox.user, &["to@example.com"]);
        first.bcc = vec![Address::bare("hidden@example.com")];
        let second = revised(&first, "second\n");
        let first = draft(first);
        assert_eq!(desk.find_id(&first).await, None);
        let kept = desk.create(&first).await;
        assert_eq!(
            desk.stored().await,
            [octets(&first, MessageCopy::Kept).await]
        );
        let flags = desk.mailbox.stored(desk.folder).await[0].flags.clone();
        assert!(flags.contains("\\Draft") && flags.contains("\\Seen"));
        assert_eq!(desk.find_id(&first).await.as_ref(), Some(&kept));
        let by_message = desk.find(DraftQuery::Message(kept.at.clone())).await;
        assert_eq!(by_message.as_ref(), Some(&kept));

        let changed = desk.replace(&kept.draft, &second).await.unwrap();
        assert_eq!(
            desk.stored().await,
            [octets(&second, MessageCopy::Kept).await]
        );
        assert_eq!(desk.find_id(&first).await.as_ref(), Some(&changed));
        assert_eq!(desk.find(DraftQuery::Message(kept.at.clone())).await, None);
        let stale = desk.replace(&kept.draft, &first).await;
        assert_eq!(kind(stale), Some(ErrorKind::Conflict));

        desk.drafts().discard(call(), &changed.draft).await.unwrap();
        assert!(desk.stored().await.is_empty());
        let again = desk.drafts().discard(call(), &changed.draft).await;
        assert_eq!(kind(again), Some(ErrorKind::NotFound));
        let gone = desk.replace(&changed.draft, &first).await;
        assert_eq!(kind(gone), Some(ErrorKind::NotFound));
        assert_eq!(
            kind(desk.submit(&changed.draft).await),
            Some(ErrorKind::NotFound)
        );
        let foreign = DraftRef(b"\x07something".to_vec());
        assert_eq!(kind(desk.submit(&foreign).await), Some(ErrorKind::NotFound));
    }
}

#[tokio::test]
async fn a_draft_that_was_changed_elsewhere_is_a_conflict_and_stays_as_it_is() {
    for desk in Desk::both().await {
        let message = message(&desk.mailbox.user, &["to@example.com"]);
        let mine = revised(&message, "mine\n");
        let theirs = octets(&revised(&message, "theirs\n"), MessageCopy::Kept).await;
        let kept = desk.create(&draft(message)).await;
        desk.write_elsewhere(&theirs).await;
        desk.remove_elsewhere(uid(&kept)).await;
        let replaced = desk.replace(&kept.draft, &mine).await;
        assert_eq!(kind(replaced), Some(ErrorKind::Conflict));
        assert_eq!(
            kind(desk.submit(&kept.draft).await),
            Some(ErrorKind::Conflict)
        );
        assert_eq!(desk.stored().await, [theirs]);
        // Whoever discards it means whatever it has become.
        desk.drafts().discard(call(), &kept.draft).await.unwrap();
        assert!(desk.stored().await.is_empty());
    }
}

#[tokio::test]
async fn of_a_change_whose_outcome_was_unknown_one_draft_is_left() {
    for desk in Desk::both().await {
        let message = message(&desk.mailbox.user, &["to@example.com"]);
        let (second, third) = (revised(&message, "second\n"), revised(&message, "third\n"));
        let kept = desk.create(&draft(message)).await;
        // The change came as far as this.
        desk.write_elsewhere(&octets(&second, MessageCopy::Kept).await)
            .await;
        let newest = desk.find_id(&second).await.unwrap();
        assert!(uid(&newest) > uid(&kept));
        let last = desk.replace(&newest.draft, &third).await.unwrap();
        assert_eq!(
            desk.stored().await,
            [octets(&third, MessageCopy::Kept).await]
        );
        assert_eq!(desk.find_id(&third).await, Some(last));
    }
}

#[tokio::test]
async fn what_others_marked_as_deleted_outlives_a_change() {
    for desk in Desk::both().await {
        let other = desk.write_elsewhere(b"Subject: other\r\n\r\nx\r\n").await;
        let mut client = desk.mailbox.client().await;
        client.select(desk.folder).await.unwrap();
        client
            .store(&other.to_string(), "+FLAGS", &["\\Deleted"])
            .await
            .unwrap();
        client.logout().await.unwrap();
        let message = message(&desk.mailbox.user, &["to@example.com"]);
        let second = revised(&message, "second\n");
        let kept = desk.create(&draft(message)).await;
        let changed = desk.replace(&kept.draft, &second).await.unwrap();
        desk.drafts().discard(call(), &changed.draft).await.unwrap();
        assert_eq!(desk.stored().await, [b"Subject: other\r\n\r\nx\r\n"]);
    }
}

#[tokio::test]
async fn a_draft_is_sent_as_it_lies_there_and_kept_once() {
    for desk in Desk::both().await {
        let (to, hidden) = (somebody(), somebody());
        let mut message = message(&desk.mailbox.user, &[&to]);
        message.bcc = vec![Address::bare(hidden.clone())];
        message.body.text = Some("a line of the draft\n".repeat(20_000));
        let outgoing = draft(message);
        let kept = desk.create(&outgoing).await;
        let submitted = desk.submit(&kept.draft).await.unwrap();
        assert_eq!(submitted.refused, []);
        // The draft is there until it is filed.
        assert_eq!(desk.stored().await.len(), 1);

        let as_drafted = String::from_utf8(octets(&outgoing, MessageCopy::Kept).await).unwrap();
        let (_, body) = as_drafted.split_once("\r\n\r\n").unwrap();
        for recipient in [&to, &hidden] {
            let delivered = desk.postfix.delivered(recipient).await.unwrap();
            assert_eq!(delivered.len(), 1);
            let text = String::from_utf8(delivered[0].octets.clone()).unwrap();
            assert!(!text.contains(hidden.as_str()));
            assert!(text.contains(&outgoing.message_id));
            assert!(!text.contains("2023"), "the date is that of sending");
            assert_eq!(text.split_once("\r\n\r\n").unwrap().1, body);
        }

        let submitter = desk.mailbox.provider.submitter().unwrap();
        let submission = Submission::Draft(&kept.draft);
        let filed = submitter
            .file(call(), submission, &submitted)
            .await
            .unwrap();
        for _ in 0..2 {
            let again = submitter
                .file(call(), submission, &submitted)
                .await
                .unwrap();
            assert_eq!(again, filed);
        }
        let settled = settle(desk.mailbox.provider.as_ref(), &outgoing.message_id).await;
        assert_eq!(settled, Settled::Sent(filed));
        assert!(desk.stored().await.is_empty());
        let sent = desk.mailbox.stored(desk.sent).await;
        assert_eq!(sent.len(), 1);
        let copy = String::from_utf8(sent[0].raw.clone()).unwrap();
        assert!(copy.contains(&format!("Bcc: {hidden}\r\n")));
        let delivered = desk.postfix.delivered(&to).await.unwrap();
        let wire = String::from_utf8(delivered[0].octets.clone()).unwrap();
        assert_eq!(copy.replace(&format!("Bcc: {hidden}\r\n"), ""), wire);
        assert!(sent[0].flags.contains("\\Seen") && !sent[0].flags.contains("\\Draft"));
    }
}

#[tokio::test]
async fn a_draft_without_a_receipt_is_filed_as_it_was_drafted() {
    let desk = Desk::dovecot().await;
    let outgoing = draft(message(&desk.mailbox.user, &[&somebody()]));
    let kept = desk.create(&outgoing).await;
    let submitter = desk.mailbox.provider.submitter().unwrap();
    let submission = Submission::Draft(&kept.draft);
    let filed = submitter
        .file(call(), submission, &Submitted::default())
        .await
        .unwrap();
    assert!(filed.is_some());
    let sent = desk.mailbox.stored("Sent").await;
    assert_eq!(sent[0].raw, octets(&outgoing, MessageCopy::Kept).await);
    assert!(desk.stored().await.is_empty());
}

#[tokio::test]
async fn a_draft_of_another_program_is_sent_if_it_can_be_read_in_one_way_only() {
    let desk = Desk::dovecot().await;
    let from = &desk.mailbox.user;
    let good = somebody();
    for (header, is_sent) in [
        (
            format!("From: \"A, B\" <{from}>\nTo: =?utf-8?Q?J=C3=B6rg?= <{good}>\n"),
            true,
        ),
        (
            format!("From: {from}\r\nTo: {good} (x@example.com)\r\n"),
            false,
        ),
        (
            format!("From: {from}\r\nTo: \"{good} x\"@example.com\r\n"),
            false,
        ),
        (
            format!("From: {from}\r\nTo: {good}\r\nTo: y@example.com\r\n"),
            false,
        ),
        (
            format!("From: {from}, y@example.com\r\nTo: {good}\r\n"),
            false,
        ),
        (format!("From: {from}\r\nSubject: nobody\r\n"), false),
        (format!("To: {good}\r\nSubject: by nobody\r\n"), false),
    ] {
        let id = format!("<{}.foreign@example.com>", number());
        let raw = format!(
            "{header}Message-ID: {id}\r\nDate: Thu, 1 Jan 1970 00:00:00 +0000\r\n\r\nGr\u{fc}\u{df}e\n.\nEnd\n"
        );
        desk.write_elsewhere(raw.as_bytes()).await;
        let kept = desk.find(DraftQuery::MessageId(id)).await.unwrap();
        let sent = desk.submit(&kept.draft).await;
        let expected = (!is_sent).then_some(ErrorKind::Invalid);
        assert_eq!(kind(sent), expected, "{header}");
    }
    let delivered = desk.postfix.delivered(&good).await.unwrap();
    assert_eq!(delivered.len(), 1);
    let text = String::from_utf8(delivered[0].octets.clone()).unwrap();
    assert!(
        text.ends_with("\r\n\r\nGr\u{fc}\u{df}e\r\n.\r\nEnd\r\n"),
        "{text}"
    );
}
