use std::time::Duration;

use email_model::{BodyType, Flags, FolderRole, MessageId, PartId};
use email_provider::ErrorKind;
use futures::TryStreamExt as _;
use gateway_operations::{
    MessageView, Omitted, OperationErrorKind, OperationResult, OperationsConfig, ReadRequest,
    StartSync,
};
use provider_memory::{Fault, NewMail, Shape};

use crate::harness::{Harness, Mail, first_moment};

const HELLO: Mail<'static> = Mail {
    id: "hello",
    subject: "Hello",
    text: "Hello Ann",
    references: "",
    flags: Flags::empty(),
    minute: 0,
};

const TEXT: ReadRequest = ReadRequest {
    body_type: Some(BodyType::Text),
    load_inlines: false,
    strip_quoted: false,
    require_thread_id: false,
};

async fn read(harness: &Harness, id: MessageId) -> OperationResult<MessageView> {
    harness.gateway.message(&harness.account, id, TEXT).await
}

#[tokio::test]
async fn a_message_is_read_with_body_and_header_fields() {
    let harness = Harness::new(Shape::folders()).await;
    harness.deliver(FolderRole::Inbox, &HELLO);
    let id = harness.ids().await[0];
    let view = read(&harness, id).await.unwrap();
    assert_eq!(view.body.as_deref().map(str::trim), Some("Hello Ann"));
    assert!(
        view.headers
            .unwrap()
            .iter()
            .any(|header| header.name == "Subject")
    );
    assert_eq!(view.omitted, Vec::<Omitted>::new());
    let html = harness
        .gateway
        .message(&harness.account, id, ReadRequest::default())
        .await
        .unwrap();
    assert!(html.body.unwrap().contains('<'));
}

#[tokio::test]
async fn an_id_that_was_never_given_is_not_found() {
    let harness = Harness::new(Shape::folders()).await;
    let refused = read(&harness, MessageId(1)).await.unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::NotFound);
}

#[tokio::test]
async fn a_message_read_before_costs_only_its_flags() {
    let harness = Harness::new(Shape::folders()).await;
    let at = harness.deliver(FolderRole::Inbox, &HELLO);
    let id = harness.ids().await[0];
    read(&harness, id).await.unwrap();
    harness
        .mailbox
        .set_labels(&at, Flags::SEEN, Vec::new())
        .unwrap();
    let again = read(&harness, id).await.unwrap();
    assert!(again.labels.unwrap().flags.contains(Flags::SEEN));
    assert!(again.body.is_some());
}

#[tokio::test]
async fn a_verified_journal_answers_for_a_message_read_before_without_the_provider() {
    let config = OperationsConfig {
        freshness: Duration::from_secs(600),
        ..OperationsConfig::default()
    };
    let harness = Harness::with(Shape::folders(), config).await;
    harness.deliver(FolderRole::Inbox, &HELLO);
    harness.gateway.start().await.unwrap();
    let request = StartSync {
        await_ready: true,
        ..StartSync::default()
    };
    assert!(
        harness
            .gateway
            .start_sync(&harness.account, request)
            .await
            .unwrap()
            .ready
    );
    let id = harness.ids().await[0];
    read(&harness, id).await.unwrap();
    wait_until_verified(&harness).await;
    harness
        .mailbox
        .inject(Some("fetch"), Fault::Fail(ErrorKind::Unavailable), 1);
    assert!(read(&harness, id).await.unwrap().body.is_some());
    // A change of ours makes what the journal knows too old.
    harness.mailbox.heal();
    let change = gateway_operations::StatusChange {
        unread: Some(false),
        ..Default::default()
    };
    harness
        .gateway
        .update_status(&harness.account, id, change)
        .await
        .unwrap();
    assert!(
        read(&harness, id)
            .await
            .unwrap()
            .labels
            .unwrap()
            .flags
            .contains(Flags::SEEN)
    );
    harness.gateway.stop().await;
}

async fn wait_until_verified(harness: &Harness) {
    for _ in 0..1_200 {
        let view = harness
            .gateway
            .account_view(harness.account.clone(), false)
            .await
            .unwrap();
        if view.sync.is_some_and(|sync| sync.verified_at.is_some()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no pass came to its end");
}

#[tokio::test]
async fn a_message_keeps_its_id_when_it_was_moved_behind_the_gateways_back() {
    for shape in [Shape::folders(), Shape::labels(), Shape::delta()] {
        let harness = Harness::new(shape).await;
        let at = harness.deliver(FolderRole::Inbox, &HELLO);
        let id = harness.ids().await[0];
        let inbox = harness.mailbox.folder(FolderRole::Inbox).unwrap();
        let archive = harness
            .mailbox
            .folder(FolderRole::Archive)
            .or(harness.mailbox.folder(FolderRole::Sent))
            .unwrap();
        harness.mailbox.move_message(&at, &inbox, &archive).unwrap();
        let view = read(&harness, id).await.unwrap();
        assert_eq!(view.id, id);
        assert!(!view.roles.contains(&FolderRole::Inbox), "{:?}", view.roles);
    }
}

#[tokio::test]
async fn a_message_that_was_expunged_is_not_found() {
    let harness = Harness::new(Shape::folders()).await;
    let at = harness.deliver(FolderRole::Inbox, &HELLO);
    let id = harness.ids().await[0];
    harness.mailbox.expunge(&at).unwrap();
    let refused = read(&harness, id).await.unwrap_err();
    assert_eq!(refused.kind, OperationErrorKind::NotFound);
}

#[tokio::test]
async fn an_outage_is_not_mistaken_for_a_missing_message() {
    let harness = Harness::new(Shape::folders()).await;
    harness.deliver(FolderRole::Inbox, &HELLO);
    let id = harness.ids().await[0];
    harness
        .mailbox
        .inject(None, Fault::Fail(ErrorKind::Unavailable), 100);
    let failure = read(&harness, id).await.unwrap_err();
    assert_eq!(failure.kind, OperationErrorKind::ProviderUnavailable);
    assert!(failure.retry_after.is_some());
}

#[tokio::test]
async fn quoted_history_is_left_out_where_asked() {
    let harness = Harness::new(Shape::folders()).await;
    let text = "Yes.\r\n\r\nOn Mon, 6 Jan 2025 at 10:00, Ann <ann@example.org> wrote:\r\n> Lunch?";
    harness.deliver(FolderRole::Inbox, &Mail { text, ..HELLO });
    let id = harness.ids().await[0];
    let request = ReadRequest {
        strip_quoted: true,
        ..TEXT
    };
    let view = harness
        .gateway
        .message(&harness.account, id, request)
        .await
        .unwrap();
    assert_eq!(view.body.as_deref().map(str::trim), Some("Yes."));
}

#[tokio::test]
async fn the_raw_message_is_byte_for_byte_the_backends() {
    let harness = Harness::new(Shape::folders()).await;
    harness.deliver(FolderRole::Inbox, &HELLO);
    let id = harness.ids().await[0];
    let stream = harness.gateway.raw(&harness.account, id).await.unwrap();
    let bytes: Vec<u8> = stream
        .try_fold(Vec::new(), async |mut all, some| {
            all.extend_from_slice(&some);
            Ok(all)
        })
        .await
        .unwrap();
    assert_eq!(bytes, harness.mailbox.dump()[0].raw);
}

const WITH_PARTS: &str = "Message-ID: <parts@example.org>\r\nFrom: bob@example.org\r\nSubject: Parts\r\n\
MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
--r\r\nContent-Type: text/html\r\n\r\n<img src=\"cid:pic\">\r\n\
--r\r\nContent-Type: image/png; name=pic.png\r\nContent-ID: <pic>\r\nContent-Disposition: inline; filename=pic.png\r\nContent-Transfer-Encoding: base64\r\n\r\naW1hZ2U=\r\n--r--\r\n\
--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8gd29ybGQ=\r\n--b--\r\n";

async fn with_parts() -> (Harness, MessageId) {
    let harness = Harness::new(Shape::folders()).await;
    let inbox = harness.mailbox.folder(FolderRole::Inbox).unwrap();
    let mail = NewMail {
        raw: WITH_PARTS.into(),
        received_at: first_moment(),
        flags: Flags::empty(),
        keywords: Vec::new(),
    };
    harness.mailbox.deliver(&inbox, mail).unwrap();
    let id = harness.ids().await[0];
    (harness, id)
}

async fn download(
    harness: &Harness,
    id: MessageId,
    part: &PartId,
    range: Option<std::ops::Range<u64>>,
) -> Vec<u8> {
    let download = harness
        .gateway
        .attachment(&harness.account, id, part, range)
        .await
        .unwrap();
    assert_eq!(download.attachment.part, *part);
    let chunks: Vec<_> = download.stream.try_collect().await.unwrap();
    chunks.concat()
}

#[tokio::test]
async fn an_attachment_is_streamed_whole_or_in_part() {
    let (harness, id) = with_parts().await;
    let view = read(&harness, id).await.unwrap();
    let attachments = view.envelope.unwrap().attachments.unwrap();
    let pdf = attachments
        .iter()
        .find(|one| one.mime_type == "application/pdf")
        .unwrap();
    assert_eq!(
        download(&harness, id, &pdf.part, None).await,
        b"hello world"
    );
    assert_eq!(
        download(&harness, id, &pdf.part, Some(6..11)).await,
        b"world"
    );
    assert_eq!(download(&harness, id, &pdf.part, Some(50..60)).await, b"");
    let refused = harness
        .gateway
        .attachment(&harness.account, id, &"9".parse().unwrap(), None)
        .await;
    assert_eq!(refused.err().unwrap().kind, OperationErrorKind::NotFound);
}

#[tokio::test]
async fn inline_attachments_come_with_the_message_where_asked() {
    let (harness, id) = with_parts().await;
    let request = ReadRequest {
        load_inlines: true,
        ..ReadRequest::default()
    };
    let view = harness
        .gateway
        .message(&harness.account, id, request)
        .await
        .unwrap();
    let contents: Vec<_> = view.inline_content.values().collect();
    assert_eq!(contents, [&"image"]);
}

#[tokio::test]
async fn a_conversation_of_its_own_is_known_at_once() {
    let harness = Harness::new(Shape::folders()).await;
    harness.deliver(FolderRole::Inbox, &HELLO);
    let id = harness.ids().await[0];
    let request = ReadRequest {
        require_thread_id: true,
        ..TEXT
    };
    assert!(
        harness
            .gateway
            .message(&harness.account, id, request)
            .await
            .unwrap()
            .thread
            .is_some()
    );
}
