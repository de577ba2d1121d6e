//! A process that commits is killed again and again: what it was told to be written must be there, and
//! nothing by half.

use std::{
    io::{BufRead, BufReader, Write},
    ops::Range,
    process::{Command, Stdio},
    time::Duration,
};

use email_model::MessageId;
use futures::StreamExt;
use gateway_store::{
    Commit, EntryRow, MessageRow, ScopeNumber, SendId, SendRow, Seq, Store, StoreResult,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{
    fixture::{Fixture, Mailbox, Opener, Outcome},
    samples::{entry, folder, key, message, scope, send, send_key},
};

const LOCATION: &str = "STORE_CONTRACT_LOCATION";
const ACCOUNT: gateway_store::AccountId = gateway_store::AccountId(7);
const KILLS: u32 = 8;

/// Commits after which a message is removed again.
const LIFE: i64 = 5;

/// The messages that the commit on `revision` brings: a few or many.
fn brought(revision: i64) -> Range<u64> {
    let first = revision as u64 * 1_000;
    first + 1..first + 2 + (revision as u64 * 37) % 120
}

fn commit(revision: i64) -> Commit {
    let expired = match revision - LIFE {
        expired if expired >= 0 => brought(expired),
        _ => 0..0,
    };
    Commit {
        revision,
        head: Some(Seq(revision + 1)),
        scopes: vec![scope(1, revision)],
        folders: Some(vec![folder(revision as u64)]),
        messages: brought(revision).map(message).collect(),
        entries: brought(revision).map(|id| entry(1, id, id)).collect(),
        messages_removed: expired.clone().map(MessageId).collect(),
        entries_removed: expired.map(|id| (ScopeNumber(1), key(id))).collect(),
        ..Commit::default()
    }
}

/// The send that is opened before the commit on `revision`.
fn opened(revision: i64) -> SendRow {
    SendRow {
        content: Some(vec![revision.to_le_bytes()[0]; 100_000]),
        ..send(ACCOUNT, revision, 0)
    }
}

/// What the killed process runs; without the parent's word it does nothing.
pub async fn child(opener: Opener) -> Outcome {
    let Ok(location) = std::env::var(LOCATION) else {
        return Ok(());
    };
    let store = opener(location).await;
    store.wake(ACCOUNT).await?;
    loop {
        let journal = store.journal(ACCOUNT).await?;
        let revision = journal.expect("the journal is there").revision;
        store.open_send(&opened(revision)).await?;
        let written = store.commit(ACCOUNT, &commit(revision)).await?;
        let mut out = std::io::stdout().lock();
        let told = writeln!(out, "written {written}").and_then(|()| out.flush());
        told.expect("the parent listens");
    }
}

/// Starts `child`, the test of this name in this program, and kills it, again and again, while this
/// process writes beside it.
pub async fn parent(fixture: &Fixture, child: &str) -> Outcome {
    let mailbox = fixture.mailbox().await?;
    assert_eq!(mailbox.account, ACCOUNT);
    let store = &mailbox.store;
    let beside = Mailbox::create(store.clone(), 8).await?;
    let mut wakes = store.wakes().await?;
    let mut random = ChaCha8Rng::from_os_rng();
    let mut written = 0;
    for _ in 0..KILLS {
        let pause = Duration::from_micros(random.random_range(0..150_000));
        let location = fixture.location().to_owned();
        let child = child.to_owned();
        let watch = tokio::task::spawn_blocking(move || kill_after(&child, &location, pause));
        while !watch.is_finished() {
            beside.commit(Commit::default()).await?;
        }
        let told = watch.await.expect("the child was watched");
        let woken = tokio::time::timeout(Duration::from_secs(20), wakes.next()).await;
        assert_eq!(woken.expect("the child woke this process"), Some(ACCOUNT));
        let reopened = fixture.open().await;
        at_rest(&*reopened).await?;
        written = holds_a_prefix(&*reopened, written.max(told)).await?;
        reopened.close().await;
    }
    assert!(written > i64::from(KILLS), "the child hardly began");
    Ok(())
}

/// Lets a child run until a while after its first word; returns the last revision that it told of.
fn kill_after(child: &str, location: &str, pause: Duration) -> i64 {
    let program = std::env::current_exe().expect("this program has a path");
    let mut child = Command::new(program)
        .args([child, "--exact", "--nocapture", "--test-threads=1"])
        .env(LOCATION, location)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the child starts");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let revision = |line: std::io::Result<String>| -> Option<i64> {
        // a line cut off by the end has lost its last digits, so it tells less than was written
        line.ok()?.strip_prefix("written ")?.parse().ok()
    };
    let mut told = lines.by_ref().find_map(revision);
    assert!(told.is_some(), "the child said nothing");
    std::thread::sleep(pause);
    child.kill().expect("the child is killed");
    child.wait().expect("the child ends");
    told = told.max(lines.filter_map(revision).max());
    told.unwrap_or(0)
}

/// Waits until no commit comes any more: a server of the database may be at the child's last one after its death.
async fn at_rest(store: &dyn Store) -> StoreResult<()> {
    let mut before = None;
    for _ in 0..200 {
        let revision = store
            .journal(ACCOUNT)
            .await?
            .map(|journal| journal.revision);
        if before == Some(revision) {
            break;
        }
        before = Some(revision);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Every commit up to `told`, and at most one more, whose end was not told; each whole, and the send before
/// it too.
async fn holds_a_prefix(store: &dyn Store, told: i64) -> StoreResult<i64> {
    let journal = store.journal(ACCOUNT).await?.expect("the journal is there");
    let revision = journal.revision;
    assert!(
        (told..=told + 1).contains(&revision),
        "{told} was told, {revision} is there"
    );
    assert_eq!(journal.head, Seq(revision));
    let last = revision - 1;
    assert_eq!(store.folders(ACCOUNT).await?, [folder(last as u64)]);
    assert_eq!(store.scopes(ACCOUNT).await?[0].version, revision);

    let alive = || ((revision - LIFE).max(0)..revision).flat_map(brought);
    let messages = store.walk(ACCOUNT, 0, Seq(0), None, 9_999).await?;
    assert_eq!(messages, alive().map(message).collect::<Vec<MessageRow>>());
    let entries = store
        .scope_entries(ACCOUNT, ScopeNumber(1), None, 9_999)
        .await?;
    assert_eq!(
        entries,
        alive()
            .map(|id| entry(1, id, id))
            .collect::<Vec<EntryRow>>()
    );

    for before in (revision - LIFE).max(0)..revision {
        let send = store.send_of_key(ACCOUNT, &send_key(before)).await?;
        assert_eq!(send, Some(opened(before)));
    }
    if let Some(last) = store.send(ACCOUNT, SendId(revision)).await? {
        assert_eq!(last, opened(revision));
    }
    Ok(revision)
}
