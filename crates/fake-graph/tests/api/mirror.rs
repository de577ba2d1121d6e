//! A client that keeps a copy by the rules that are published, and through every fault.

use std::collections::BTreeMap;
use std::time::Duration;

use fake_graph::{ErrorFault, ErrorKind, Expiry, Faults, Lag, When};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::support::{Api, NOON_MS, mail, text};

/// Folder and read flag of each message, by immutable id.
type Copy = BTreeMap<String, (String, bool)>;

#[derive(Default)]
struct Mirror {
    links: BTreeMap<String, String>,
    copy: Copy,
}

impl Mirror {
    /// An answer, whatever it takes; none where it is a refusal.
    async fn ask(&self, api: &Api, path: &str) -> Result<Value, u16> {
        for _ in 0..50 {
            let reply = api.try_get(path).await;
            match reply.status {
                200 if reply.body.is_object() => return Ok(reply.body),
                200 | 429 | 500.. => {}
                status => return Err(status),
            }
        }
        panic!("{path} is never answered");
    }

    async fn folders(&self, api: &Api) -> Vec<String> {
        let mut found = Vec::new();
        let mut at =
            "/me/mailFolders/delta?$select=displayName&includeHiddenFolders=true".to_owned();
        loop {
            let Ok(page) = self.ask(api, &at).await else {
                found.clear();
                at = "/me/mailFolders/delta?$select=displayName&includeHiddenFolders=true"
                    .to_owned();
                continue;
            };
            for item in page["value"].as_array().expect("a list") {
                let id = text(&item["id"]).to_owned();
                if !found.contains(&id) {
                    found.push(id);
                }
            }
            match page["@odata.nextLink"].as_str() {
                Some(next) => at = next.to_owned(),
                None => return found,
            }
        }
    }

    async fn pass(&mut self, api: &Api) {
        let folders = self.folders(api).await;
        for folder in &folders {
            self.round(api, folder).await;
        }
        // What was in a folder that is gone may be elsewhere.
        for id in self.inside(|folder| !folders.iter().any(|known| known == folder)) {
            self.verify(api, id).await;
        }
    }

    fn inside(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let held = self.copy.iter().filter(|(_, (folder, _))| wanted(folder));
        held.map(|(id, _)| id.clone()).collect()
    }

    async fn round(&mut self, api: &Api, folder: &str) {
        let start =
            format!("/me/mailFolders/{folder}/messages/delta?$select=isRead,parentFolderId");
        // What a new start does not show again may be elsewhere.
        let mut suspects = Vec::new();
        let mut at = self
            .links
            .get(folder)
            .cloned()
            .unwrap_or_else(|| start.clone());
        loop {
            let page = match self.ask(api, &at).await {
                Ok(page) => page,
                Err(404) if !at.contains("token") => return,
                Err(_) => {
                    suspects = self.inside(|other| other == folder);
                    at.clone_from(&start);
                    continue;
                }
            };
            for item in page["value"].as_array().expect("a list") {
                let id = text(&item["id"]).to_owned();
                suspects.retain(|suspect| *suspect != id);
                if item.get("@removed").is_some() {
                    self.verify(api, id).await;
                } else {
                    self.copy
                        .insert(id, (folder.to_owned(), item["isRead"] == true));
                }
            }
            if let Some(link) = page["@odata.deltaLink"].as_str() {
                self.links.insert(folder.to_owned(), link.to_owned());
                for id in suspects {
                    self.verify(api, id).await;
                }
                return;
            }
            text(&page["@odata.nextLink"]).clone_into(&mut at);
        }
    }

    /// What is said to be gone may be elsewhere, or back.
    async fn verify(&mut self, api: &Api, id: String) {
        match self
            .ask(
                api,
                &format!("/me/messages/{id}?$select=isRead,parentFolderId"),
            )
            .await
        {
            Ok(message) => {
                let folder = text(&message["parentFolderId"]).to_owned();
                self.copy.insert(id, (folder, message["isRead"] == true));
            }
            Err(_) => {
                self.copy.remove(&id);
            }
        }
    }
}

fn truth(api: &Api) -> Copy {
    let messages = api.alice.messages().into_iter();
    messages
        .map(|message| (message.id, (message.folder, message.read)))
        .collect()
}

fn change(api: &Api, rng: &mut ChaCha8Rng, number: usize) {
    let messages = api.alice.messages();
    let folders: Vec<String> = api
        .alice
        .folders()
        .into_iter()
        .map(|folder| folder.id)
        .collect();
    let folder = &folders[rng.random_range(0..folders.len())];
    let some =
        (!messages.is_empty()).then(|| messages[rng.random_range(0..messages.len())].clone());
    match (rng.random_range(0..12), some) {
        (0..=3, _) | (_, None) => {
            api.alice.append(
                &mail(&format!("m{number}")),
                folder,
                NOON_MS + number as i64,
            );
        }
        (4..=5, Some(message)) => assert!(api.alice.set_read(&message.id, !message.read)),
        (6..=7, Some(message)) => assert!(api.alice.move_to(&message.id, folder)),
        (8, Some(message)) => {
            api.alice.move_to(&message.id, folder);
            assert!(api.alice.move_to(&message.id, &message.folder));
        }
        (9, Some(message)) => assert!(api.alice.delete(&message.id)),
        (10, Some(message)) => assert!(api.alice.set_categories(&message.id, &["Red"])),
        (_, Some(_)) => {
            if folders.len() < 14 {
                let _ = api.alice.create_folder(&format!("f{number}"), Some(folder));
            } else {
                let own: Vec<_> = api
                    .alice
                    .folders()
                    .into_iter()
                    .filter(|folder| folder.well_known.is_none())
                    .collect();
                assert!(own.is_empty() || api.alice.delete_folder_permanently(&own[0].id));
            }
        }
    }
}

fn all_faults() -> Faults {
    Faults {
        expired_deltas: When::Chance(0.02),
        expired_walks: When::Chance(0.02),
        expiry: Expiry::Gone,
        duplicates: When::Chance(0.3),
        replays: When::Chance(0.3),
        partial_items: When::Chance(0.5),
        unreported_arrivals: When::Chance(0.5),
        lost_returns: When::Chance(0.5),
        empty_pages: When::Chance(0.2),
        lag: Lag {
            changes: 3,
            time: Duration::ZERO,
        },
        folder_noise: true,
        partial_folders: When::Chance(0.5),
        errors: [
            ErrorKind::TooManyRequests,
            ErrorKind::Unavailable,
            ErrorKind::HtmlPage,
            ErrorKind::Timeout,
        ]
        .map(|kind| ErrorFault::when(kind, When::Chance(0.02)))
        .to_vec(),
        truncated_bodies: When::Chance(0.02),
        ..Faults::default()
    }
}

#[tokio::test]
async fn a_client_by_the_rules_agrees_with_the_mailbox_after_every_history() {
    for seed in 1..=6 {
        let api = Api::start().await;
        api.graph.seed(seed);
        api.graph.set_faults(all_faults());
        api.graph.settings(|settings| settings.delta_page = 3);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut mirror = Mirror::default();
        for number in 0..60 {
            change(&api, &mut rng, number);
            if number % 5 == 0 {
                mirror.pass(&api).await;
            }
        }
        api.graph.set_faults(Faults::default());
        mirror.pass(&api).await;
        assert_eq!(mirror.copy, truth(&api), "seed {seed}");
        mirror.pass(&api).await;
        assert_eq!(mirror.copy, truth(&api), "seed {seed}");
        api.assert_no_violations();
    }
}
