//! A reader of the feed alone, against the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use fake_gmail::{ErrorFault, ErrorKind, Faults, Lag};
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use serde_json::Value;

use crate::support::{Api, NOON_MS, mail, text};

type Mirror = BTreeMap<String, BTreeSet<String>>;

/// One change by the user.
fn change(api: &Api, rng: &mut ChaCha8Rng, step: usize) {
    let truth = api.alice.messages();
    let message = truth.choose(rng);
    let label = *["STARRED", "UNREAD", "INBOX", "IMPORTANT"]
        .choose(rng)
        .expect("a label");
    match (rng.random_range(0..8), message) {
        (0..=2, _) | (_, None) => {
            let labels: &[&str] = if rng.random() {
                &["INBOX", "UNREAD"]
            } else {
                &["SPAM"]
            };
            let date = NOON_MS + rng.random_range(0..1_000_000);
            api.alice.append(&mail(&format!("s{step}")), labels, date);
        }
        (3, Some(message)) => {
            api.alice.delete(&message.id);
        }
        (4, Some(message)) => {
            api.alice.trash(&message.id);
        }
        (5, Some(message)) => {
            if let Some(draft) = &message.draft_id {
                api.alice.edit_draft(draft, &mail(&format!("d{step}")));
            } else {
                api.alice.create_draft(&mail(&format!("d{step}")));
            }
        }
        (6, Some(message)) => {
            api.alice.modify(&message.id, &[label], &[]);
        }
        (_, Some(message)) => {
            api.alice.modify(&message.id, &[], &[label]);
        }
    }
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.map(|item| text(item).to_owned()).collect()
}

/// Applies one record.
fn apply(mirror: &mut Mirror, record: &Value) {
    let entries = |name: &str| record[name].as_array().cloned().unwrap_or_default();
    for entry in entries("messagesAdded") {
        let labels = strings(&entry["message"]["labelIds"]);
        mirror.insert(
            text(&entry["message"]["id"]).to_owned(),
            labels.into_iter().collect(),
        );
    }
    for entry in entries("labelsAdded") {
        if let Some(labels) = mirror.get_mut(text(&entry["message"]["id"])) {
            labels.extend(strings(&entry["labelIds"]));
        }
    }
    for entry in entries("labelsRemoved") {
        if let Some(labels) = mirror.get_mut(text(&entry["message"]["id"])) {
            for label in strings(&entry["labelIds"]) {
                labels.remove(&label);
            }
        }
    }
    for entry in entries("messagesDeleted") {
        mirror.remove(text(&entry["message"]["id"]));
    }
}

/// Follows the feed to its end, and gives the cursor for the next time.
async fn follow(api: &Api, mirror: &mut Mirror, cursor: u64, rng: &mut ChaCha8Rng) -> u64 {
    let base = format!("history?startHistoryId={cursor}&maxResults=3");
    let mut path = base.clone();
    let mut first = None;
    let mut records = Vec::new();
    for step in 0.. {
        assert!(step < 1000, "the walk does not end");
        let reply = api.send(api.request(Method::GET, &path)).await;
        match reply.status {
            200 => {}
            // The page token is no longer good: the walk starts again, and what it showed stays.
            400 => {
                path.clone_from(&base);
                continue;
            }
            _ => continue,
        }
        let page = reply.body;
        let seen: u64 = text(&page["historyId"]).parse().expect("a number");
        first.get_or_insert(seen);
        records.extend(page["history"].as_array().cloned().unwrap_or_default());
        // The user does not wait for the walk.
        if rng.random_bool(0.3) {
            change(api, rng, 100_000 + step);
        }
        match page["nextPageToken"].as_str() {
            Some(next) => path = format!("{base}&pageToken={next}"),
            None => break,
        }
    }
    // A record that comes again must not undo a later one of the same walk.
    let mut done = BTreeSet::new();
    for record in records {
        if done.insert(text(&record["id"]).to_owned()) {
            apply(mirror, &record);
        }
    }
    // The first page's id is the one that nothing of the walk is beyond of unseen.
    first.unwrap_or(cursor).max(cursor)
}

#[tokio::test]
async fn the_feed_alone_rebuilds_the_mailbox_whatever_goes_wrong() {
    for seed in 0..6 {
        let api = Api::start().await;
        api.gmail
            .settings(|settings| settings.units_per_user = 1_000_000);
        api.gmail.seed(seed);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut cursor = api.alice.history_id();
        let mut mirror = Mirror::new();
        let mut busy = ErrorFault::always(ErrorKind::RateLimit);
        busy.probability = 0.2;
        let faults = Faults {
            empty_pages: 0.3,
            duplicated_history: 0.3,
            expired_page_tokens: 0.1,
            frozen_walks: seed % 2 == 1,
            errors: vec![busy],
            lag: Lag {
                changes: 2,
                ..Lag::default()
            },
            ..Faults::default()
        };
        for round in 0..15 {
            for step in 0..rng.random_range(1..8) {
                change(&api, &mut rng, round * 10 + step);
            }
            api.gmail.set_faults(faults.clone());
            cursor = follow(&api, &mut mirror, cursor, &mut rng).await;
        }
        api.gmail.set_faults(Faults::default());
        api.gmail.clock().advance(Duration::from_secs(1));
        let mut calm = ChaCha8Rng::seed_from_u64(0);
        while cursor < api.alice.history_id() {
            cursor = follow(&api, &mut mirror, cursor, &mut calm).await;
        }
        let truth: Mirror = api
            .alice
            .messages()
            .into_iter()
            .map(|message| (message.id, message.labels.into_iter().collect()))
            .collect();
        assert_eq!(mirror, truth, "seed {seed}");
        api.assert_no_violations();
    }
}
