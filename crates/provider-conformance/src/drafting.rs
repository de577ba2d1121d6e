//! `create`, `replace`, `discard` and `find`.

use std::time::Duration;

use email_mime::compose::Purpose;
use email_model::{Address, Flags, FolderKey, FolderRole, OutgoingMessage};
use email_provider::{
    Call, Detail, DraftQuery, DraftRef, ErrorKind, MessageRef, Priority, ProviderResult,
};
use tokio::time::{Instant, timeout};

use crate::{Bench, Mail, call, letter, outgoing::outgoing};

async fn folder(bench: &Bench) -> FolderKey {
    let folder = bench.role(FolderRole::Drafts).await;
    folder.expect("who keeps drafts has a place for them")
}

fn kind<T>(answer: ProviderResult<T>) -> Option<ErrorKind> {
    answer.err().map(|error| error.kind)
}

fn addresses(list: &[Address]) -> Vec<Option<String>> {
    list.iter().map(|one| one.address.clone()).collect()
}

/// Asserts that a draft says what was written.
async fn assert_says(bench: &Bench, at: &MessageRef, message: &OutgoingMessage) {
    let fetched = bench.fetch(at, Detail::Content).await.expect("there");
    let content = fetched.content.expect("content");
    let envelope = &content.envelope;
    assert_eq!(envelope.message_id.as_ref(), Some(&message.message_id));
    assert_eq!(envelope.subject, message.subject);
    for (kept, written) in [
        (&envelope.to, &message.to),
        (&envelope.cc, &message.cc),
        (&envelope.bcc, &message.bcc),
    ] {
        assert_eq!(addresses(kept), addresses(written));
    }
    let trimmed = |text: &Option<String>| text.as_deref().map(|text| text.trim_end().to_owned());
    assert_eq!(trimmed(&content.body.text), trimmed(&message.body.text));
}

/// It is among the drafts, marked as one, says what was written, hidden recipients too, and is told by the
/// feed.
pub async fn a_draft_is_kept_as_it_was_written(bench: &Bench) {
    let Some(_) = bench.drafts() else { return };
    let folder = folder(bench).await;
    let mut replicas = bench.replicas().await;
    let message = letter(bench, "kept");
    let kept = bench.draft(&message).await;
    assert_says(bench, &kept.at, &message).await;
    let state = bench.state(&kept.at).await;
    assert!(state.labels.flags.contains(Flags::DRAFT), "{state:?}");
    assert_eq!(state.folders, std::slice::from_ref(&folder));
    let told = bench.told(&mut replicas, &kept.at).await;
    let truth = bench
        .fetch(&kept.at, Detail::Envelope)
        .await
        .expect("there");
    assert!(told.identity.is_none() || told.identity == truth.identity);
    let drafts = FolderRole::Drafts;
    bench.shows(drafts, &message.message_id, &[kept.at]).await;
    // One that nothing is known of yet but that it is one.
    let mut empty = letter(bench, "empty");
    (empty.to, empty.cc, empty.bcc) = (Vec::new(), Vec::new(), Vec::new());
    (empty.subject, empty.body.text) = (None, None);
    let kept = bench.draft(&empty).await;
    let shown = bench
        .fetch(&kept.at, Detail::Envelope)
        .await
        .expect("there");
    let shown = shown.envelope.expect("an envelope");
    assert_eq!(shown.message_id, Some(empty.message_id));
    assert_eq!((shown.to, shown.cc, shown.bcc), Default::default());
}

/// There is one draft afterwards, with the new content, whether or not its `Message-ID` stays.
pub async fn a_replaced_draft_is_one_draft_with_the_new_content(bench: &Bench) {
    let Some(_) = bench.drafts() else { return };
    let folder = folder(bench).await;
    let other = bench.draft(&letter(bench, "another")).await;
    let first = letter(bench, "first");
    let mut kept = bench.draft(&first).await;
    let mut second = letter(bench, "second, and longer");
    second.message_id = first.message_id.clone();
    second.bcc = Vec::new();
    let third = letter(bench, "third");
    for message in [&second, &third] {
        kept = bench.redraft(&kept.draft, message).await;
        assert_says(bench, &kept.at, message).await;
        let state = bench.state(&kept.at).await;
        assert!(state.labels.flags.contains(Flags::DRAFT), "{state:?}");
        let mut expected = vec![other.at.clone(), kept.at.clone()];
        expected.sort();
        bench
            .eventually("one draft is in the place of the other", async || {
                let mut listed = bench.list(&folder).await;
                listed.sort();
                match listed == expected {
                    true => Ok(()),
                    false => Err(format!("{listed:?}, not {expected:?}")),
                }
            })
            .await;
    }
}

/// The feed tells of the new content: as another message, or as this one revised.
pub async fn a_replaced_draft_is_told_by_the_feed(bench: &Bench) {
    let Some(_) = bench.drafts() else { return };
    let first = letter(bench, "before");
    let old = bench.draft(&first).await;
    let was = bench.fetch(&old.at, Detail::Envelope).await.expect("there");
    bench.located(&folder(bench).await, &first.message_id).await;
    let mut replicas = bench.replicas().await;
    let mut second = letter(bench, "afterwards");
    second.message_id = first.message_id;
    let new = bench.redraft(&old.draft, &second).await;
    let told = bench.told(&mut replicas, &new.at).await;
    let is = bench.fetch(&new.at, Detail::Envelope).await.expect("there");
    assert!(told.identity.is_none() || told.identity == is.identity);
    assert!(
        told.revised || is.identity != was.identity,
        "a message that is recognised is told to be revised"
    );
    for replica in replicas {
        replica
            .assert_converges(bench, "after a draft was replaced")
            .await;
    }
}

/// It is nowhere any more, and cannot be discarded twice.
pub async fn a_discarded_draft_is_gone(bench: &Bench) {
    let Some(drafts) = bench.drafts() else { return };
    let (message, other) = (letter(bench, "discarded"), letter(bench, "left"));
    let (kept, left) = (bench.draft(&message).await, bench.draft(&other).await);
    drafts
        .discard(call(), &kept.draft)
        .await
        .expect("discarded");
    bench.gone(&folder(bench).await, &message.message_id).await;
    assert_eq!(bench.fetch(&kept.at, Detail::Exists).await, None);
    let thrown = bench
        .copies_in(FolderRole::Trash, &message.message_id)
        .await;
    assert_eq!(thrown, [], "it is not in the trash either");
    let query = DraftQuery::MessageId(message.message_id.clone());
    bench
        .eventually("a draft is not found any more", async || {
            let found = find(bench, query.clone()).await;
            found.map_or(Ok(()), |found| Err(format!("{found:?}")))
        })
        .await;
    let again = drafts.discard(call(), &kept.draft).await;
    assert_eq!(kind(again), Some(ErrorKind::NotFound));
    let replaced = drafts
        .replace(call(), &kept.draft, &outgoing(&message, Purpose::Draft))
        .await;
    assert_eq!(kind(replaced), Some(ErrorKind::NotFound));
    assert_says(bench, &left.at, &other).await;
}

/// The draft as another program writes it, under its `Message-ID`.
pub(crate) fn edited(message_id: &str) -> Mail {
    let mut mail = Mail::new("edited", 600);
    mail.id = message_id.to_owned();
    mail.text = "Somebody else has written this.\r\n".to_owned();
    mail.flags = Flags::DRAFT | Flags::SEEN;
    mail
}

/// Has somebody else change a draft, and waits until that is shown. False where nobody can.
pub(crate) async fn edit(bench: &Bench, message_id: &str) -> bool {
    let (folder, mail) = (folder(bench).await, edited(message_id));
    bench.located(&folder, message_id).await;
    let edited = bench
        .harness
        .edit_draft(&folder, message_id, mail.stored())
        .await;
    if edited {
        bench
            .eventually("a draft is changed", async || {
                let at = bench.located(&folder, message_id).await;
                let fetched = bench.fetch(&at, Detail::Envelope).await;
                let envelope = fetched.and_then(|fetched| fetched.envelope);
                let subject = envelope.and_then(|envelope| envelope.subject);
                match subject.as_ref() == Some(&mail.subject) {
                    true => Ok(()),
                    false => Err(format!("{subject:?}")),
                }
            })
            .await;
    }
    edited
}

/// It is not overwritten; found again, it can be; discarded it can be anyhow.
pub async fn a_draft_changed_by_somebody_else_is_a_conflict(bench: &Bench) {
    let Some(drafts) = bench.drafts() else { return };
    let message = letter(bench, "edited");
    let stale = bench.draft(&message).await;
    if !edit(bench, &message.message_id).await {
        return;
    }
    let replaced = drafts
        .replace(call(), &stale.draft, &outgoing(&message, Purpose::Draft))
        .await;
    assert_eq!(kind(replaced), Some(ErrorKind::Conflict));
    let at = bench
        .located(&folder(bench).await, &message.message_id)
        .await;
    let query = DraftQuery::MessageId(message.message_id.clone());
    let found = found(bench, query, &at).await;
    bench.redraft(&found, &message).await;
    assert!(edit(bench, &message.message_id).await);
    drafts
        .discard(call(), &found)
        .await
        .expect("discarded, changed or not");
    bench.gone(&folder(bench).await, &message.message_id).await;
}

async fn find(bench: &Bench, query: DraftQuery) -> Option<DraftRef> {
    let drafts = bench.drafts().expect("a mailbox that keeps drafts");
    let found = drafts.find(call(), &query).await.expect("an answer");
    found.map(|kept| kept.draft)
}

/// Waits until a draft is found at this place.
async fn found(bench: &Bench, query: DraftQuery, at: &MessageRef) -> DraftRef {
    let drafts = bench.drafts().expect("a mailbox that keeps drafts");
    bench
        .eventually("a draft is found", async || {
            let found = drafts.find(call(), &query).await;
            match found.map_err(|error| error.to_string())? {
                Some(kept) if kept.at == *at => Ok(kept.draft),
                other => Err(format!("{other:?}")),
            }
        })
        .await
}

/// Both ways lead to a draft that can be changed; what is no draft is not found.
pub async fn a_draft_is_found_by_message_and_by_message_id(bench: &Bench) {
    let Some(_) = bench.drafts() else { return };
    let message = letter(bench, "found");
    let kept = bench.draft(&message).await;
    let by_id = DraftQuery::MessageId(message.message_id.clone());
    let draft = found(bench, by_id, &kept.at).await;
    let kept = bench.redraft(&draft, &message).await;
    let by_message = DraftQuery::Message(kept.at.clone());
    let draft = found(bench, by_message, &kept.at).await;
    bench.redraft(&draft, &message).await;
    let mail = Mail::new("no-draft", 0);
    let at = bench.store(&bench.inbox().await, &mail).await;
    for query in [
        DraftQuery::MessageId("<nothing@conformance.example>".to_owned()),
        DraftQuery::MessageId(mail.id),
        DraftQuery::Message(at),
    ] {
        assert_eq!(find(bench, query.clone()).await, None, "{query:?}");
    }
}

/// What another program has begun can be gone on with.
pub async fn a_draft_of_another_program_is_a_draft(bench: &Bench) {
    let Some(drafts) = bench.drafts() else { return };
    let folder = folder(bench).await;
    let message = letter(bench, "foreign");
    let mail = edited(&message.message_id);
    bench.harness.keep_draft(&folder, mail.stored()).await;
    let at = bench.located(&folder, &mail.id).await;
    let draft = found(
        bench,
        DraftQuery::Message(at),
        &bench.located(&folder, &mail.id).await,
    )
    .await;
    let kept = bench.redraft(&draft, &message).await;
    assert_says(bench, &kept.at, &message).await;
    drafts
        .discard(call(), &kept.draft)
        .await
        .expect("discarded");
    bench.gone(&folder, &mail.id).await;
}

/// What names a draft is good in another process.
pub async fn a_draft_is_good_on_another_connection(bench: &Bench) {
    let Some(_) = bench.drafts() else { return };
    let kept = bench.draft(&letter(bench, "begun")).await;
    let other = bench.reopened().await;
    let message = letter(bench, "gone on with");
    let kept = other.redraft(&kept.draft, &message).await;
    assert_says(bench, &kept.at, &message).await;
}

/// Octets that are none of this version's name no draft.
pub async fn a_meaningless_draft_is_refused(bench: &Bench) {
    let Some(drafts) = bench.drafts() else { return };
    let message = letter(bench, "real");
    let real = bench.draft(&message).await;
    let (first, rest) = real.draft.0.split_first().expect("a format number");
    for octets in [
        Vec::new(),
        b"\0".to_vec(),
        b"\xff of a later format".to_vec(),
        vec![*first],
        [&[first ^ 0x80], rest].concat(),
    ] {
        let draft = DraftRef(octets);
        let other = outgoing(&message, Purpose::Draft);
        for refused in [
            kind(drafts.replace(call(), &draft, &other).await),
            kind(drafts.discard(call(), &draft).await),
        ] {
            assert_eq!(refused, Some(ErrorKind::NotFound), "{:?}", draft.0);
        }
    }
    assert_says(bench, &real.at, &message).await;
}

/// A call whose deadline has come ends, and `find` tells what it did.
pub async fn a_call_for_a_draft_ends_with_its_deadline(bench: &Bench) {
    let Some(drafts) = bench.drafts() else { return };
    let folder = folder(bench).await;
    for left in [0, 1, 5, 20] {
        let message = letter(bench, &format!("in-{left}-ms"));
        let outgoing = outgoing(&message, Purpose::Draft);
        let late = Call {
            priority: Priority::Interactive,
            deadline: Instant::now() + Duration::from_millis(left),
        };
        let made = timeout(Duration::from_secs(2), drafts.create(late, &outgoing))
            .await
            .expect("a call ends with its deadline");
        // Time for what is still on its way.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let there = bench.copies(&folder, &message.message_id).await.len();
        match made {
            Ok(kept) => assert_says(bench, &kept.at, &message).await,
            Err(error) if error.kind == ErrorKind::OutcomeUnknown => assert!(there <= 1),
            Err(error) => {
                assert!(error.is_transient(), "{error}");
                assert_eq!(there, 0, "it failed, and yet it is there");
            }
        }
    }
    bench.draft(&letter(bench, "in time")).await;
}
