use std::{collections::BTreeSet, sync::Arc, time::Duration};

use email_provider::{Clock, SystemClock};

use super::*;

fn noon() -> Timestamp {
    Timestamp::from_timestamp(1_709_208_000, 0).unwrap()
}

#[test]
fn the_sample_mailbox_holds_some_two_hundred_messages_in_all_folders() {
    let stored = mailbox("ann@sample.example", noon()).dump();
    assert!((150..300).contains(&stored.len()), "{}", stored.len());
    let folders: BTreeSet<_> = stored
        .iter()
        .flat_map(|mail| mail.folders.clone())
        .collect();
    let expected = [
        "Archive",
        "Drafts",
        "Inbox",
        "Junk",
        "Projects",
        "Projects/New office",
        "Projects/Website",
        "Sent",
        "Trash",
    ];
    assert_eq!(folders.into_iter().collect::<Vec<_>>(), expected);
    assert!(stored.iter().all(|mail| mail.received_at < noon()));
}

#[test]
fn two_starts_on_one_day_give_the_same_messages() {
    let morning = mailbox("ann@sample.example", noon() - minutes(300)).dump();
    assert_eq!(mailbox("ann@sample.example", noon()).dump(), morning);
}

#[test]
fn the_messages_are_real_ones() {
    let stored = mailbox("ann", noon()).dump();
    let parsed: Vec<_> = stored
        .iter()
        .map(|mail| email_mime::parse(&mail.raw).unwrap().content)
        .collect();
    assert!(
        parsed
            .iter()
            .all(|mail| mail.envelope.from.is_some() && mail.envelope.sent_at.is_some())
    );
    assert!(parsed.iter().all(|mail| {
        mail.envelope
            .subject
            .as_ref()
            .is_some_and(|s| !s.contains("=?"))
    }));
    assert!(
        parsed
            .iter()
            .all(|mail| mail.body.text.as_ref().is_some_and(|text| text.len() > 10))
    );
    let count =
        |holds: fn(&email_model::Content) -> bool| parsed.iter().filter(|mail| holds(mail)).count();
    assert!(count(|mail| mail.body.html.is_some()) > 50);
    assert!(count(|mail| mail.envelope.has_attachments() == Some(true)) > 15);
    assert!(count(|mail| !mail.envelope.references.is_empty()) > 50);
    let ids: BTreeSet<_> = parsed
        .iter()
        .map(|mail| mail.envelope.message_id.clone())
        .collect();
    assert_eq!(
        ids.len(),
        parsed.len(),
        "every message has an id of its own"
    );
}

#[tokio::test(start_paused = true)]
async fn mail_keeps_arriving_until_the_handle_is_dropped() {
    let mailbox = mailbox("ann@sample.example", noon());
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let before = mailbox.dump();
    let arrivals = keep_arriving(mailbox.clone(), clock, Duration::from_secs(10));
    tokio::time::sleep(Duration::from_secs(605)).await;
    let after = mailbox.dump();
    assert!(
        after.len() > before.len() + 20,
        "{} after {}",
        after.len(),
        before.len()
    );
    drop(arrivals);
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(mailbox.dump(), after);
}
