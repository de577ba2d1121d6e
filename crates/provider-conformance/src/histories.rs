//! Random histories: whatever happens, a copy kept by the feed is what a fresh listing shows, and
//! that is what happened.

mod world;

use std::collections::BTreeMap;

use email_provider::ScopeKey;
use tokio::sync::Mutex;
use world::World;

use crate::{Bench, Replica};

async fn still() {}

/// Seeds of the histories, or the one asked for.
fn seeds() -> Vec<u64> {
    match std::env::var("CONFORMANCE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
    {
        Some(seed) => vec![seed],
        None => vec![1, 2, 3],
    }
}

async fn replicas(bench: &Bench, world: &World) -> BTreeMap<ScopeKey, Replica> {
    let mut replicas = BTreeMap::new();
    for scope in world.scopes(bench).await {
        let mut replica = Replica::scan(bench, &scope, 7, still).await;
        replica.catch_up(bench, 7, still).await;
        replicas.insert(scope, replica);
    }
    replicas
}

/// From any cursor on the way, the changes told lead to the present.
pub async fn any_history_can_be_replayed_from_any_cursor(bench: &Bench) {
    for seed in seeds() {
        let mut world = World::new(bench, seed).await;
        let mut latest = replicas(bench, &world).await;
        let mut earlier = Vec::new();
        for step in 0..bench.facts.history {
            world.change(bench).await;
            if step % 6 == 0 {
                earlier.extend(latest.values().cloned());
                for replica in latest.values_mut() {
                    replica.catch_up(bench, 2, still).await;
                }
            }
        }
        earlier.extend(latest.into_values());
        for replica in earlier {
            replica
                .assert_converges(bench, &format!("a history of seed {seed}"))
                .await;
        }
        world.assert_shown(bench).await;
    }
}

/// Changes in the midst of reading changes are told now or next time.
pub async fn changes_are_complete_while_mail_keeps_changing(bench: &Bench) {
    for seed in seeds() {
        let world = Mutex::new(World::new(bench, seed).await);
        let mut replicas = replicas(bench, &*world.lock().await).await;
        for _ in 0..bench.facts.history / 6 {
            for _ in 0..3 {
                change(bench, &world).await;
            }
            for replica in replicas.values_mut() {
                let mut left = 3;
                let happen = async || {
                    if left > 0 {
                        left -= 1;
                        change(bench, &world).await;
                    }
                };
                replica.catch_up(bench, 2, happen).await;
            }
        }
        for replica in replicas.into_values() {
            replica
                .assert_converges(bench, &format!("a history of seed {seed}"))
                .await;
        }
        world.into_inner().assert_shown(bench).await;
    }
}

/// Changes in the midst of a scan are in the scan or in the changes from its cursor.
pub async fn a_scan_and_its_changes_are_complete_while_mail_keeps_changing(bench: &Bench) {
    for seed in seeds() {
        let world = Mutex::new(World::new(bench, seed).await);
        for _ in 0..bench.facts.history / 3 {
            change(bench, &world).await;
        }
        let scopes = world.lock().await.scopes(bench).await;
        let mut replicas = Vec::new();
        for scope in scopes {
            let happen = async || change(bench, &world).await;
            replicas.push(Replica::scan(bench, &scope, 2, happen).await);
        }
        for replica in replicas {
            replica
                .assert_converges(bench, &format!("a history of seed {seed}"))
                .await;
        }
        world.into_inner().assert_shown(bench).await;
    }
}

/// One thing happens.
async fn change(bench: &Bench, world: &Mutex<World>) {
    world.lock().await.change(bench).await;
}
