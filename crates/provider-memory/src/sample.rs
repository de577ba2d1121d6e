//! The sample mailbox: some two hundred messages of an office, made from a fixed seed, so that
//! every start shows the same.

mod arrivals;
mod compose;
mod texts;

use email_model::{Flags, FolderKey, FolderRole, Timestamp};
use email_provider::ProviderResult;
use rand::{Rng as _, SeedableRng as _, seq::IndexedRandom as _};
use rand_chacha::ChaCha8Rng;

pub use arrivals::{Arrivals, keep_arriving};

use crate::{MemoryMailbox, NewMail, Shape};
use compose::Draft;
use texts::{PEOPLE, TOPICS};

/// The seed of everything in it.
const SEED: u64 = 20_240_229;

/// A sample mailbox under this name, as of today: dated back from midnight, so that two starts on
/// one day give the same messages.
pub fn mailbox(name: &str, now: Timestamp) -> MemoryMailbox {
    let epoch = now.timestamp().unsigned_abs();
    let mailbox = MemoryMailbox::new(name, Shape::default(), epoch);
    let midnight = now.timestamp() - now.timestamp().rem_euclid(86_400);
    let midnight = Timestamp::from_timestamp(midnight, 0).unwrap_or(now);
    // Only folders just made are written to, so nothing can be refused.
    let filled = fill(&mailbox, midnight);
    debug_assert!(filled.is_ok(), "{filled:?}");
    mailbox
}

/// Whose mailbox it is: the address, or one made from the login.
fn owner(mailbox: &MemoryMailbox) -> String {
    match mailbox.name().contains('@') {
        true => mailbox.name().to_owned(),
        false => format!("{}@sample.example", mailbox.name()),
    }
}

fn fill(mailbox: &MemoryMailbox, midnight: Timestamp) -> ProviderResult<()> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let folder = |role| mailbox.folder(role).ok_or_else(crate::error::no_folder);
    let projects = mailbox.create_folder("Projects", None)?;
    let website = mailbox.create_folder("Website", Some(&projects))?;
    let office = mailbox.create_folder("New office", Some(&projects))?;
    let places = [
        (folder(FolderRole::Inbox)?, 22),
        (folder(FolderRole::Archive)?, 12),
        (website, 8),
        (office, 6),
        (projects, 3),
    ];
    let sent = folder(FolderRole::Sent)?;
    for (place, conversations) in &places {
        for _ in 0..*conversations {
            conversation(mailbox, &mut random, midnight, place, &sent)?;
        }
    }
    for (role, count) in [
        (FolderRole::Junk, 9),
        (FolderRole::Trash, 7),
        (FolderRole::Drafts, 3),
    ] {
        for _ in 0..count {
            single(mailbox, &mut random, midnight, &folder(role)?, role)?;
        }
    }
    Ok(())
}

/// A question and its answers: incoming ones into the place, the owner's own among the sent.
fn conversation(
    mailbox: &MemoryMailbox,
    random: &mut ChaCha8Rng,
    midnight: Timestamp,
    place: &FolderKey,
    sent: &FolderKey,
) -> ProviderResult<()> {
    let owner = owner(mailbox);
    let topic = TOPICS.choose(random).copied().unwrap_or(TOPICS[0]);
    let other = PEOPLE.choose(random).copied().unwrap_or(PEOPLE[0]);
    let mut at = midnight - minutes(random.random_range(60..90 * 24 * 60));
    let mut thread: Vec<String> = Vec::new();
    for turn in 0..random.random_range(1..6) {
        let own = turn % 2 == 1;
        let draft = Draft::turn(random, topic, other, &owner, own, &thread, at);
        let recent = midnight - at < minutes(4 * 24 * 60);
        let mut flags = Flags::empty();
        flags.set(Flags::SEEN, own || !recent || random.random_bool(0.4));
        flags.set(Flags::FLAGGED, random.random_bool(0.08));
        flags.set(Flags::ANSWERED, !own && random.random_bool(0.4));
        let keywords = if random.random_bool(0.15) {
            vec![topic.keyword.to_owned()]
        } else {
            Vec::new()
        };
        thread.push(draft.id.clone());
        let mail = NewMail {
            raw: draft.raw().into(),
            received_at: at,
            flags,
            keywords,
        };
        mailbox.deliver(if own { sent } else { place }, mail)?;
        at += minutes(random.random_range(7..1500));
        if at >= midnight {
            break;
        }
    }
    Ok(())
}

/// A message on its own, as it belongs into a folder of this role.
fn single(
    mailbox: &MemoryMailbox,
    random: &mut ChaCha8Rng,
    midnight: Timestamp,
    folder: &FolderKey,
    role: FolderRole,
) -> ProviderResult<()> {
    let at = midnight - minutes(random.random_range(30..40 * 24 * 60));
    let (draft, flags) = match role {
        FolderRole::Junk => (Draft::junk(random, &owner(mailbox), at), Flags::empty()),
        FolderRole::Drafts => (
            Draft::unfinished(random, &owner(mailbox), at),
            Flags::DRAFT | Flags::SEEN,
        ),
        _ => (Draft::newsletter(random, &owner(mailbox), at), Flags::SEEN),
    };
    let mail = NewMail {
        raw: draft.raw().into(),
        received_at: at,
        flags,
        keywords: Vec::new(),
    };
    mailbox.deliver(folder, mail).map(|_| ())
}

fn minutes(count: i64) -> chrono::TimeDelta {
    chrono::TimeDelta::minutes(count)
}

#[cfg(test)]
mod tests;
