use email_model::{Digest128, EntryKey, Flags, FolderId, Labels, MessageId, ThreadId};
use gateway_store::{Commit, EntryRow, MessageRow, ScopeNumber, Seq, Store, StoreResult};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    fixture::{Fixture, Mailbox, at},
    samples::NOW,
};

/// What is kept of each message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Ids and what lists need.
    Ids,
    /// A sealed envelope of 450 bytes too.
    Envelopes,
}

const ACCOUNTS: u64 = 4;
const PAGE: u64 = 500;

/// Fills the store as first scans do, newest messages first, `count` in all over four accounts, and
/// returns the bytes that tables and indexes take for each message.
pub async fn bytes_per_message(fixture: &Fixture, count: u64, kept: Kept) -> StoreResult<f64> {
    let store = fixture.ready().await?;
    let empty = total(&*store).await?;
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut mailboxes = Vec::new();
    for id in 0..ACCOUNTS {
        mailboxes.push(Mailbox::create(store.clone(), 1 + id as i64).await?);
    }
    let pages = count.div_ceil(PAGE * ACCOUNTS);
    for page in 0..pages {
        for mailbox in &mailboxes {
            let discovered = page * PAGE;
            let uids = (pages - page - 1) * PAGE..(pages - page) * PAGE;
            let rows: Vec<_> = (discovered + 1..)
                .zip(uids)
                .map(|(discovery, uid)| realistic(&mut random, discovery, uid, kept))
                .collect();
            let (messages, entries) = rows.into_iter().unzip();
            mailbox
                .commit(Commit {
                    messages,
                    entries,
                    ..Commit::default()
                })
                .await?;
        }
    }
    let grown = total(&*store).await?.saturating_sub(empty);
    Ok(grown as f64 / (pages * PAGE * ACCOUNTS) as f64)
}

async fn total(store: &dyn Store) -> StoreResult<u64> {
    Ok(store
        .table_sizes()
        .await?
        .iter()
        .map(|size| size.bytes)
        .sum())
}

fn realistic(
    random: &mut ChaCha8Rng,
    discovery: u64,
    uid: u64,
    kept: Kept,
) -> (MessageRow, EntryRow) {
    let mut digest = [0; 16];
    random.fill(&mut digest);
    let mut envelope = vec![0; 450];
    random.fill(&mut envelope[..]);
    let digest = Digest128(digest);
    // a Message-ID of 45 characters
    let (left, right): (u64, u64) = (random.random(), random.random::<u64>() >> 16);
    let message_id = format!("<{left:016x}.{right:012x}@mx.example.com>");
    let message = MessageRow {
        id: MessageId(digest.short()),
        digest,
        thread: Some(ThreadId(random.random())),
        thread_provisional: false,
        received_at: Some(at(NOW - discovery as i64 * 86_400_123)),
        labels: Some(Labels::new(Flags::SEEN, Vec::new())),
        folders: vec![FolderId(0x1234_5678_9abc_def0)],
        message_id: Some(message_id),
        seq: Seq::FIRST_SCAN,
        born: Seq(0),
        discovery: discovery as i64,
        orphaned: None,
        gone: false,
        envelope: (kept == Kept::Envelopes).then_some(envelope),
    };
    let entry = EntryRow {
        scope: ScopeNumber(1),
        key: EntryKey([1_600_000_000_u32.to_be_bytes(), (uid as u32).to_be_bytes()].concat()),
        message: message.id,
    };
    (message, entry)
}
