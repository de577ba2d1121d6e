//! What is known of messages' bytes.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use rand::Rng;
use rand::seq::IteratorRandom;
use rand_chacha::ChaCha8Rng;

use crate::{Api, Call, Record, hash_of};

/// SHA-256 of each message's bytes by id, for the length of a history. An id's bytes never change, but for those of a
/// draft where an edited one keeps its id.
#[derive(Debug, Clone, Default)]
pub struct Hashes {
    by_id: BTreeMap<String, String>,
    edited_drafts_keep_ids: bool,
}

impl Hashes {
    /// None known yet.
    #[must_use]
    pub fn new(edited_drafts_keep_ids: bool) -> Self {
        Self {
            by_id: BTreeMap::new(),
            edited_drafts_keep_ids,
        }
    }

    /// The hash of a message, fetched unless it is known.
    ///
    /// # Errors
    /// When the gateway does not give the message.
    pub async fn of(&mut self, api: &Api, id: &str, record: &Record) -> Result<String> {
        if self.edited_drafts_keep_ids && record.labels.contains("draft") {
            return fetch(api, id).await;
        }
        if let Some(hash) = self.by_id.get(id) {
            return Ok(hash.clone());
        }
        let hash = fetch(api, id).await?;
        self.by_id.insert(id.to_owned(), hash.clone());
        Ok(hash)
    }

    /// Fetches some of these messages again and demands the same bytes.
    ///
    /// # Errors
    /// When they differ, or the gateway does not give them.
    pub async fn verify_some<'a>(
        &self,
        api: &Api,
        ids: impl Iterator<Item = &'a String>,
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        let count = rng.random_range(2..=6);
        for id in ids.choose_multiple(rng, count) {
            let Some(known) = self.by_id.get(id) else {
                continue;
            };
            let hash = fetch(api, id).await?;
            ensure!(*known == hash, "the bytes of {id} were {known}, now {hash}");
        }
        Ok(())
    }
}

async fn fetch(api: &Api, id: &str) -> Result<String> {
    let call = Call::get("/v1/email/messages/{messageId}/raw").with("messageId", id);
    let answer = api.call(call).await?;
    ensure!(answer.status == 200, "{}", answer.told());
    Ok(hash_of(&answer.body))
}
