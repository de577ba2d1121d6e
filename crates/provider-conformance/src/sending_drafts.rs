//! `submit` of drafts.

use email_mime::compose::Purpose;
use email_model::FolderRole;
use email_provider::{Detail, DraftRef, Drafts, ErrorKind};

use crate::{
    Bench, Handed, call, drafting, letter,
    outgoing::outgoing,
    submitting::{assert_draft_arrived, submit_draft},
};

/// What keeps drafts, where it sends too.
fn both(bench: &Bench) -> Option<&dyn Drafts> {
    let (submitter, drafts) = (bench.submitter(), bench.drafts());
    submitter.and(drafts)
}

async fn assert_not_sent(bench: &Bench, message_id: &str) {
    bench.settle_down().await;
    assert_eq!(bench.harness.delivered(message_id).await, []);
    assert_eq!(bench.copies_in(FolderRole::Sent, message_id).await, []);
}

/// It is delivered once, its copy is filed once, and it cannot be sent again.
pub async fn a_draft_that_is_sent_is_none_any_more(bench: &Bench) {
    let Some(_) = both(bench) else { return };
    let message = letter(bench, "sent");
    let outgoing = outgoing(&message, Purpose::Draft);
    let kept = bench.draft(&message).await;
    let mut replicas = bench.replicas().await;
    let submitted = submit_draft(bench, &kept.draft).await.expect("sent");
    assert_eq!(submitted.refused, []);
    let handed = Handed::Draft(kept.draft.clone());
    let at = bench.filed(&handed, &submitted).await;
    assert_eq!(bench.filed(&handed, &submitted).await, at, "filed before");
    let again = submit_draft(bench, &kept.draft).await;
    assert_eq!(again.err(), Some(ErrorKind::NotFound));
    let to = &outgoing.envelope.recipients;
    let delivered = bench.delivered(&message.message_id, to).await;
    assert_draft_arrived(&outgoing, &delivered).await;
    let id = &message.message_id;
    bench.shows(FolderRole::Drafts, id, &[]).await;
    bench.shows(FolderRole::Sent, id, at.as_slice()).await;
    if let Some(at) = at {
        let fetched = bench.fetch(&at, Detail::Envelope).await.expect("there");
        let bcc = fetched.envelope.expect("an envelope").bcc;
        assert_eq!(bcc.len(), 1, "the sender knows whom it went to");
        bench.told(&mut replicas, &at).await;
    }
    for replica in replicas {
        replica
            .assert_converges(bench, "after a draft was sent")
            .await;
    }
}

/// The newest content is what is sent; what named an older one sends nothing.
pub async fn a_draft_is_sent_as_it_is_now(bench: &Bench) {
    let Some(_) = both(bench) else { return };
    let first = letter(bench, "first");
    let stale = bench.draft(&first).await;
    let mut second = letter(bench, "second, and another one");
    second.message_id = first.message_id.clone();
    second.cc = Vec::new();
    let kept = bench.redraft(&stale.draft, &second).await;
    if kept.draft != stale.draft {
        let refused = submit_draft(bench, &stale.draft).await;
        assert_eq!(refused.err(), Some(ErrorKind::Conflict));
    }
    let outgoing = outgoing(&second, Purpose::Draft);
    submit_draft(bench, &kept.draft).await.expect("sent");
    let to = &outgoing.envelope.recipients;
    let delivered = bench.delivered(&second.message_id, to).await;
    assert_draft_arrived(&outgoing, &delivered).await;
}

/// A draft that was discarded, and one that never was.
pub async fn a_draft_that_is_gone_is_not_sent(bench: &Bench) {
    let Some(drafts) = both(bench) else { return };
    let message = letter(bench, "gone");
    let kept = bench.draft(&message).await;
    drafts
        .discard(call(), &kept.draft)
        .await
        .expect("discarded");
    let meaningless = DraftRef(b"\xff of a later format".to_vec());
    for draft in [kept.draft, meaningless] {
        let refused = submit_draft(bench, &draft).await;
        assert_eq!(refused.err(), Some(ErrorKind::NotFound));
    }
    assert_not_sent(bench, &message.message_id).await;
}

/// What somebody has written since is not sent unseen.
pub async fn a_draft_changed_by_somebody_else_is_not_sent(bench: &Bench) {
    let Some(_) = both(bench) else { return };
    let message = letter(bench, "changed");
    let kept = bench.draft(&message).await;
    if drafting::edit(bench, &message.message_id).await {
        let refused = submit_draft(bench, &kept.draft).await;
        assert_eq!(refused.err(), Some(ErrorKind::Conflict));
        assert_not_sent(bench, &message.message_id).await;
        bench
            .eventually("it stays a draft", async || {
                let drafts = bench.copies_in(FolderRole::Drafts, &message.message_id);
                match drafts.await.len() {
                    1 => Ok(()),
                    other => Err(format!("{other} drafts")),
                }
            })
            .await;
    }
}

/// It is refused for good, and stays a draft.
pub async fn a_draft_that_names_nobody_is_not_sent(bench: &Bench) {
    let Some(_) = both(bench) else { return };
    let mut message = letter(bench, "to-nobody");
    (message.to, message.cc, message.bcc) = (Vec::new(), Vec::new(), Vec::new());
    let kept = bench.draft(&message).await;
    let refused = submit_draft(bench, &kept.draft).await;
    assert_eq!(refused.err(), Some(ErrorKind::Invalid));
    assert_not_sent(bench, &message.message_id).await;
    let drafts = FolderRole::Drafts;
    bench.shows(drafts, &message.message_id, &[kept.at]).await;
}
