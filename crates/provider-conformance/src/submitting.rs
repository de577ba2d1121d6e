//! `submit` and `settle`.

use std::{sync::Arc, time::Duration};

use email_mime::compose::Purpose;
use email_model::{
    Address, Attachment, AttachmentContent, Content, FolderRole, OutgoingAttachment,
    OutgoingMessage,
};
use email_provider::{
    Call, ErrorKind, MessageCopy, Outgoing, Priority, Settled, Submission, Submitted, Unsettled,
};
use tokio::time::{Instant, timeout};

use crate::{
    Bench, Delivered, Handed, call, letter, moment, octets,
    outgoing::{Lengthened, outgoing},
};

/// Text with all that a transport could trip over.
const TRICKY: &str = "Dear reader,\n.\n..\n.dot\nFrom here on: Grüße, 日本\n\n trailing \nQUIT\n";

fn file(name: &str, bytes: Vec<u8>) -> OutgoingAttachment {
    OutgoingAttachment {
        name: Some(name.to_owned()),
        mime_type: Some("application/octet-stream".to_owned()),
        inline: false,
        content_id: None,
        content: AttachmentContent::Memory(bytes.into()),
    }
}

/// All octets, so that any change to them is noticed.
fn filling(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| u8::try_from((at * 37 + at / 253) % 256).unwrap_or(0))
        .collect()
}

/// What a message says, whatever way it is written.
fn said(raw: &[u8]) -> (Content, Vec<Option<Vec<u8>>>) {
    let mut content = email_mime::parse(raw).expect("a message").content;
    content.headers.clear();
    let envelope = &mut content.envelope;
    (envelope.size, envelope.snippet) = (None, None);
    let mut files: Vec<Attachment> = envelope.attachments.take().unwrap_or_default();
    files.retain(|file| !file.inline);
    for text in [&mut content.body.text, &mut content.body.html] {
        *text = text
            .take()
            .map(|text| text.replace("\r\n", "\n").trim_end().to_owned());
    }
    let files = files
        .iter()
        .map(|file| email_mime::attachment(raw, &file.part));
    (content, files.collect())
}

/// Asserts that recipients got what was handed over.
pub(crate) async fn assert_arrived(bench: &Bench, outgoing: &Outgoing, delivered: &[Delivered]) {
    let wire = octets(outgoing, MessageCopy::Wire).await;
    for one in delivered {
        match bench.facts.keeps_octets {
            true => assert!(
                one.octets.ends_with(&wire),
                "{}\nis not\n{}",
                String::from_utf8_lossy(&one.octets),
                String::from_utf8_lossy(&wire)
            ),
            false => assert_eq!(said(&one.octets), said(&wire)),
        }
    }
}

/// The same of a draft, which may be written anew when it is sent: dated then, at least.
pub(crate) async fn assert_draft_arrived(outgoing: &Outgoing, delivered: &[Delivered]) {
    let undated = |raw: &[u8]| {
        let mut said = said(raw);
        said.0.envelope.sent_at = None;
        said
    };
    let wire = undated(&octets(outgoing, MessageCopy::Wire).await);
    for one in delivered {
        assert_eq!(undated(&one.octets), wire);
    }
}

async fn arrives(bench: &Bench, message: &OutgoingMessage) -> Vec<Delivered> {
    let outgoing = outgoing(message, Purpose::Send);
    let to = outgoing.envelope.recipients.clone();
    let (_, submitted) = bench.send(outgoing.clone()).await;
    assert_eq!(submitted.refused, [], "all are accepted");
    let delivered = bench.delivered(&message.message_id, &to).await;
    assert_arrived(bench, &outgoing, &delivered).await;
    delivered
}

/// Those of `To`, `Cc` and `Bcc` get the octets that were handed over, each once.
pub async fn a_message_reaches_every_recipient_once(bench: &Bench) {
    let Some(_) = bench.submitter() else { return };
    let mut message = letter(bench, "reaching");
    message.subject = Some("Grüße an alle".to_owned());
    message.body.text = Some(TRICKY.to_owned());
    message.body.html = Some("<p>Dear <b>reader</b>, Grüße</p>".to_owned());
    message.attachments = vec![file("waves.bin", filling(5_000))];
    arrives(bench, &message).await;
    bench.settle_down().await;
    let again = bench.harness.delivered(&message.message_id).await;
    let all: Vec<_> = again.into_iter().flat_map(|one| one.recipients).collect();
    assert_eq!(all.len(), 3, "nobody gets it twice: {all:?}");
}

/// What recipients get never names those of `Bcc`, not even where there are no others.
pub async fn nobody_is_told_of_hidden_recipients(bench: &Bench) {
    let Some(_) = bench.submitter() else { return };
    let open = letter(bench, "open");
    let mut hidden = letter(bench, "hidden");
    (hidden.to, hidden.cc) = (Vec::new(), Vec::new());
    for message in [open, hidden] {
        let outgoing = outgoing(&message, Purpose::Send);
        let to = outgoing.envelope.recipients.clone();
        bench.send(outgoing).await;
        for one in bench.delivered(&message.message_id, &to).await {
            let text = String::from_utf8_lossy(&one.octets).to_lowercase();
            let hidden = message.bcc[0].address.as_deref().expect("an address");
            assert!(!text.contains(&hidden.to_lowercase()), "{text}");
            assert!(!text.contains("\nbcc:"), "{text}");
        }
    }
}

/// Megabytes arrive as they are.
pub async fn a_message_with_a_large_attachment_arrives_whole(bench: &Bench) {
    let Some(submitter) = bench.submitter() else {
        return;
    };
    // As base64 in lines (RFC 2045 section 6.8), with the rest of the message, it must be within the limit.
    let length = (submitter.limits().octets / 2).min(3_000_000);
    let mut message = letter(bench, "large");
    let length = usize::try_from(length).expect("a small number");
    message.attachments = vec![file("large.bin", filling(length))];
    arrives(bench, &message).await;
}

/// Who may get it gets it; who may not is named, with a reason. A backend that refuses nobody names nobody.
pub async fn a_refused_recipient_does_not_keep_the_others_from_it(bench: &Bench) {
    let Some(_) = bench.submitter() else { return };
    let mut message = letter(bench, "partly");
    let refused = bench.harness.correspondents().refused;
    message.to.extend(refused.clone().map(Address::bare));
    let outgoing = outgoing(&message, Purpose::Send);
    let mut to = outgoing.envelope.recipients.clone();
    to.retain(|address| Some(address) != refused.as_ref());
    let (_, submitted) = bench.send(outgoing).await;
    let told: Vec<String> = submitted
        .refused
        .iter()
        .map(|one| one.address.clone())
        .collect();
    assert_eq!(told, Vec::from_iter(refused));
    for one in &submitted.refused {
        assert!(!one.reason.is_empty() && one.reason.chars().count() <= 300);
        assert!(!one.reason.contains(char::is_control), "{:?}", one.reason);
    }
    bench.delivered(&message.message_id, &to).await;
}

/// Where everybody is refused, so is the message: nothing is delivered and nothing filed. A backend that
/// refuses nobody is not asked.
pub async fn a_message_that_nobody_may_get_is_refused(bench: &Bench) {
    let Some(submitter) = bench.submitter() else {
        return;
    };
    let Some(refused) = bench.harness.correspondents().refused else {
        assert!(submitter.limits().recipients > 0);
        return;
    };
    let mut message = letter(bench, "refused");
    message.to = vec![Address::bare(refused)];
    (message.cc, message.bcc) = (Vec::new(), Vec::new());
    let handed = bench.handed(outgoing(&message, Purpose::Send)).await;
    let handed = handed.expect("a draft");
    let answer = submitter.submit(call(), handed.submission()).await;
    let kind = answer.err().map(|error| error.kind);
    assert_eq!(kind, Some(ErrorKind::Invalid));
    bench.settle_down().await;
    assert_eq!(bench.harness.delivered(&message.message_id).await, []);
    let filed = bench.copies_in(FolderRole::Sent, &message.message_id).await;
    assert_eq!(filed, []);
}

/// What is larger than the limit is refused for good.
pub async fn the_limits_are_positive_and_kept(bench: &Bench) {
    let Some(submitter) = bench.submitter() else {
        return;
    };
    // What a server tells of itself may be known only from a first message on.
    bench.settle_down().await;
    let limits = submitter.limits();
    assert!(limits.recipients >= 1, "{limits:?}");
    assert!(limits.octets >= 100 << 10, "{limits:?}");
    assert_eq!(submitter.limits(), limits, "they stay as they are");
    let message = letter(bench, "too-large");
    let mut outgoing = outgoing(&message, Purpose::Send);
    outgoing.octets = Arc::new(Lengthened {
        octets: outgoing.octets,
        length: limits.octets.saturating_add(1),
    });
    let answer = match bench.handed(outgoing).await {
        Ok(handed) => submitter.submit(call(), handed.submission()).await,
        Err(error) => Err(error),
    };
    let kind = answer.err().map(|error| error.kind);
    assert_eq!(kind, Some(ErrorKind::Invalid));
    bench.settle_down().await;
    assert_eq!(bench.harness.delivered(&message.message_id).await, []);
}

async fn settled(bench: &Bench, message_id: &str, handed: Option<&Handed>) -> Settled {
    let submitter = bench.submitter().expect("a mailbox that sends");
    let send = Unsettled {
        message_id,
        draft: handed.and_then(Handed::draft),
        since: moment(-60),
    };
    let settled = submitter.settle(call(), send).await;
    settled.expect("what cannot be told is no error")
}

/// A message that was sent and filed is found; of one that was not sent it is never said that it was.
pub async fn what_was_sent_is_proven_and_nothing_else(bench: &Bench) {
    let Some(_) = bench.submitter() else { return };
    let unsent = outgoing(&letter(bench, "unsent"), Purpose::Send);
    let unsent_id = unsent.message_id.clone();
    let unsent = bench.handed(unsent).await.expect("a draft");
    let message = letter(bench, "proven");
    let (handed, submitted) = bench.send(outgoing(&message, Purpose::Send)).await;
    let at = bench.filed(&handed, &submitted).await;
    if let Some(at) = at {
        bench
            .eventually("a send is proven", async || {
                match settled(bench, &message.message_id, Some(&handed)).await {
                    Settled::Sent(told) if told.as_ref().is_none_or(|told| *told == at) => Ok(()),
                    other => Err(format!("{other:?}, and it is at {at:?}")),
                }
            })
            .await;
    }
    let nothing = settled(bench, "<nothing@conformance.example>", None).await;
    let unsent = settled(bench, &unsent_id, Some(&unsent)).await;
    for answer in [nothing, unsent] {
        assert!(!matches!(answer, Settled::Sent(_)), "{answer:?}");
    }
}

/// What became of messages whose sending was interfered with: nobody got one that failed, and nobody got
/// one twice.
async fn assert_consistent(
    bench: &Bench,
    tried: Vec<(Outgoing, Handed, Result<Submitted, ErrorKind>)>,
) {
    bench.settle_down().await;
    for (outgoing, handed, answer) in tried {
        let id = &outgoing.message_id;
        let got = bench.harness.delivered(id).await;
        let got = got.into_iter().flat_map(|one| one.recipients).count();
        let all = outgoing.envelope.recipients.len();
        match answer {
            Ok(_) => {
                bench.delivered(id, &outgoing.envelope.recipients).await;
            }
            Err(ErrorKind::OutcomeUnknown) => {
                assert!(got == 0 || got == all, "{got} of {all} got it");
                match settled(bench, id, Some(&handed)).await {
                    Settled::Sent(_) => assert_eq!(got, all, "it was sent"),
                    Settled::NotSent => assert_eq!(got, 0, "it was not sent"),
                    Settled::Unknown => {}
                }
            }
            Err(ErrorKind::Unavailable | ErrorKind::RateLimited) => {
                assert_eq!(got, 0, "it failed, and yet it was sent");
            }
            Err(kind) => panic!("{kind:?} is not what a lost or late call answers"),
        }
    }
}

/// A call whose deadline has come ends: sent, not sent, or not known.
pub async fn a_call_to_send_ends_with_its_deadline(bench: &Bench) {
    let Some(submitter) = bench.submitter() else {
        return;
    };
    let mut tried = Vec::new();
    for left in [0, 1, 5, 20] {
        let outgoing = outgoing(&letter(bench, &format!("in-{left}-ms")), Purpose::Send);
        let handed = bench.handed(outgoing.clone()).await.expect("a draft");
        let late = Call {
            priority: Priority::Interactive,
            deadline: Instant::now() + Duration::from_millis(left),
        };
        let sending = submitter.submit(late, handed.submission());
        let answer = timeout(Duration::from_secs(2), sending)
            .await
            .expect("a call ends with its deadline");
        tried.push((outgoing, handed, answer.map_err(|error| error.kind)));
    }
    assert_consistent(bench, tried).await;
}

/// A connection lost while a message is handed over makes no second one of it.
pub async fn a_lost_connection_never_sends_twice(bench: &Bench) {
    let Some(submitter) = bench.submitter() else {
        return;
    };
    let mut tried = Vec::new();
    for round in 0..6 {
        let outgoing = outgoing(&letter(bench, &format!("severed-{round}")), Purpose::Send);
        let handed = bench.handed(outgoing.clone()).await.expect("a draft");
        if !bench.harness.sever().await {
            break;
        }
        let answer = submitter.submit(call(), handed.submission()).await;
        tried.push((outgoing, handed, answer.map_err(|error| error.kind)));
        bench
            .eventually("the mailbox is connected again", async || {
                let folders = bench.provider.folders(call()).await;
                folders.map(|_| ()).map_err(|error| error.to_string())
            })
            .await;
    }
    assert_consistent(bench, tried).await;
}

/// A submission that is a draft.
pub(crate) async fn submit_draft(
    bench: &Bench,
    draft: &email_provider::DraftRef,
) -> Result<Submitted, ErrorKind> {
    let submitter = bench.submitter().expect("a mailbox that sends");
    let answer = submitter.submit(call(), Submission::Draft(draft)).await;
    answer.map_err(|error| error.kind)
}
