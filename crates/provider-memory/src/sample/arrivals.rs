use std::{sync::Arc, time::Duration};

use email_model::{Flags, FolderRole, Timestamp};
use email_provider::Clock;
use rand::{Rng as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinHandle;

use super::{
    SEED,
    compose::Draft,
    owner,
    texts::{PEOPLE, TOPICS},
};
use crate::{MemoryMailbox, NewMail};

/// Most messages that the inbox grows to: from then on the oldest goes for each new one.
const MOST: usize = 500;

/// Something happens in the mailbox each `interval`: mail comes in, is read, flagged or archived.
/// Ends when the handle is dropped.
#[derive(Debug)]
pub struct Arrivals {
    task: JoinHandle<()>,
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Begins to let things happen in the mailbox.
pub fn keep_arriving(
    mailbox: MemoryMailbox,
    clock: Arc<dyn Clock>,
    interval: Duration,
) -> Arrivals {
    let task = tokio::spawn(async move {
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let mut ticks = tokio::time::interval(interval.max(Duration::from_millis(1)));
        ticks.tick().await;
        loop {
            ticks.tick().await;
            happen(&mailbox, &mut random, clock.now());
        }
    });
    Arrivals { task }
}

/// One thing. What is gone meanwhile by another's hand is let be.
fn happen(mailbox: &MemoryMailbox, random: &mut ChaCha8Rng, now: Timestamp) {
    let Some(inbox) = mailbox.folder(FolderRole::Inbox) else {
        return;
    };
    let held = mailbox.contents(&inbox);
    match random.random_range(0..10) {
        0..6 => {
            let topic = TOPICS.choose(random).copied().unwrap_or(TOPICS[0]);
            let other = PEOPLE.choose(random).copied().unwrap_or(PEOPLE[0]);
            let draft = Draft::turn(random, topic, other, &owner(mailbox), false, &[], now);
            let raw = draft.raw().into();
            let mail = NewMail {
                raw,
                received_at: now,
                flags: Flags::empty(),
                keywords: Vec::new(),
            };
            let _ = mailbox.deliver(&inbox, mail);
            if let (Some((oldest, _)), true) = (held.first(), held.len() >= MOST) {
                let _ = mailbox.expunge(oldest);
            }
        }
        choice => {
            let Some((at, labels)) = held.choose(random).cloned() else {
                return;
            };
            let archive = mailbox.folder(FolderRole::Archive);
            let _ = match (choice, archive) {
                (6 | 7, _) => mailbox.set_labels(&at, labels.flags | Flags::SEEN, labels.keywords),
                (8, _) => mailbox.set_labels(&at, labels.flags ^ Flags::FLAGGED, labels.keywords),
                (_, Some(archive)) => mailbox.move_message(&at, &inbox, &archive).map(|_| ()),
                _ => Ok(()),
            };
        }
    }
}
