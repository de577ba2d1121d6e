//! A gateway that is killed at a write, whichever it is, loses nothing and doubles nothing.
//!
//! One history of a mailbox and its client is played again and again on each store. In the Nth play the gateway dies
//! at its Nth write to the store, in one round before the write is done, in the next when it is done and nobody has
//! heard. Another gateway goes on with what the database holds, the client with the tokens that it has.

mod client;
mod dying;
mod mailbox;
mod play;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::thread::ScopedJoinHandle;

use anyhow::{Context, Result, bail, ensure};
use futures::future::BoxFuture;
use gateway_store::Store;
use provider_memory::Shape;
use store_postgres::{PostgresOptions, StorePostgres};
use store_sqlite::{SqliteOptions, StoreSqlite};
use test_servers::Postgres;
use tokio::runtime::Runtime;

use self::dying::Way;
use self::play::{Ending, Play};

/// Opens the store under test once more, on the runtime of a gateway's life.
type Opener = Box<dyn Fn() -> BoxFuture<'static, Result<Arc<dyn Store>>> + Send>;

/// Writes of the history: fewer, and it is no longer what it should be.
const LEAST: u64 = 25;
/// More, and the plays take too long.
const MOST: u64 = 120;

/// Plays with a death at each write, one after the other.
fn die_at_every_write(open: &Opener, shape: Shape, way: Way) -> Result<()> {
    for number in 1..=MOST {
        let ending = Play::new(number, shape).and_then(|play| play.run(open, number, way));
        let ending = ending.with_context(|| format!("death at write {number}, {way:?}"))?;
        if ending == Ending::NobodyDied {
            ensure!(number > LEAST, "a history of only {} writes", number - 1);
            return Ok(());
        }
    }
    bail!("a history of more than {MOST} writes")
}

/// Both ways at once, each on a store of its own.
fn die_in_both_ways(shape: Shape, make: impl Fn() -> Result<Opener>) -> Result<()> {
    let (before, after) = (make()?, make()?);
    std::thread::scope(|scope| {
        let before = scope.spawn(move || die_at_every_write(&before, shape, Way::BeforeItIsDone));
        let after = scope.spawn(move || die_at_every_write(&after, shape, Way::AfterItIsDone));
        let ended = |thread: ScopedJoinHandle<'_, Result<()>>| match thread.join() {
            Ok(ended) => ended,
            Err(panic) => resume_unwind(panic),
        };
        ended(before).and(ended(after))
    })
}

/// A file of its own.
fn sqlite() -> Result<Opener> {
    let directory = tempfile::tempdir()?;
    Ok(Box::new(move || {
        let path = directory.path().join("store.db");
        Box::pin(async move {
            let store = StoreSqlite::open(&path, SqliteOptions::default()).await?;
            Ok(Arc::new(store) as Arc<dyn Store>)
        })
    }))
}

/// A database of its own. The server lives for as long as the runtime that started it.
fn postgres(runtime: &Runtime) -> Result<Opener> {
    let url = runtime.block_on(async { Postgres::shared().await?.create_database().await })?;
    Ok(Box::new(move || {
        let url = url.clone();
        Box::pin(async move {
            let options = PostgresOptions {
                connections: 4,
                ..PostgresOptions::default()
            };
            let store = StorePostgres::connect(&url, options).await?;
            Ok(Arc::new(store) as Arc<dyn Store>)
        })
    }))
}

#[test]
fn a_death_at_any_write_to_sqlite_loses_and_doubles_nothing() -> Result<()> {
    die_in_both_ways(Shape::folders(), sqlite)
}

#[test]
fn a_death_at_any_write_to_postgres_loses_and_doubles_nothing() -> Result<()> {
    let runtime = Runtime::new()?;
    die_in_both_ways(Shape::folders(), || postgres(&runtime))
}

/// Labels, whose listings tell what a comparison needs.
fn labels() -> Shape {
    Shape {
        bare_scan: false,
        ..Shape::labels()
    }
}

#[test]
fn nor_does_it_where_messages_have_labels() -> Result<()> {
    die_in_both_ways(labels(), sqlite)
}

#[test]
fn nor_does_it_where_messages_have_labels_on_postgres() -> Result<()> {
    let runtime = Runtime::new()?;
    die_in_both_ways(labels(), || postgres(&runtime))
}

#[test]
fn nor_does_it_where_a_first_scan_tells_ids_alone() -> Result<()> {
    die_in_both_ways(Shape::labels(), sqlite)
}

#[test]
fn nor_does_it_where_a_scan_gives_the_first_cursor() -> Result<()> {
    die_in_both_ways(Shape::delta(), sqlite)
}
