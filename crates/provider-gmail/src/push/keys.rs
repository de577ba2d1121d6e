//! The keys that sign pushed requests (RFC 7517), fetched when one is not known.

use std::{collections::HashMap, fmt, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::Request;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};
use url::Url;

use crate::client::Client;

/// Between two fetches: keys that are not known may be anybody's.
const PAUSE: Duration = Duration::from_secs(60);
/// How long a key is believed without being seen again.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long fetching may take: the bus waits for us.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest set of keys, in octets and in number.
const LARGEST: usize = 256 << 10;
const MOST: usize = 64;

/// The keys, kept.
#[derive(Default)]
pub(crate) struct Keys(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    keys: HashMap<String, DecodingKey>,
    /// When they were last asked for, and last had.
    asked_at: Option<Instant>,
    had_at: Option<Instant>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keys")
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Key>,
}

/// A key; those of other kinds have other fields.
#[derive(Deserialize)]
struct Key {
    #[serde(default)]
    kid: String,
    #[serde(default)]
    kty: String,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
}

impl Keys {
    /// The key of this id; asked for anew where it is not known, at most once a minute.
    pub(crate) async fn get(&self, client: &Client, at: &Url, id: &str) -> Option<DecodingKey> {
        let mut kept = self.0.lock().await;
        let is_old = kept.had_at.is_none_or(|at| at.elapsed() >= KEPT);
        let may_ask = kept.asked_at.is_none_or(|at| at.elapsed() >= PAUSE);
        if (is_old || !kept.keys.contains_key(id)) && may_ask {
            kept.asked_at = Some(Instant::now());
            match timeout(PATIENCE, fetched(client, at)).await.ok().flatten() {
                Some(keys) => {
                    kept.keys = keys;
                    kept.had_at = Some(Instant::now());
                }
                None => tracing::warn!("the keys that prove pushed requests could not be fetched"),
            }
        }
        let is_old = kept.had_at.is_none_or(|at| at.elapsed() >= 2 * KEPT);
        kept.keys.get(id).filter(|_| !is_old).cloned()
    }
}

async fn fetched(client: &Client, at: &Url) -> Option<HashMap<String, DecodingKey>> {
    let request = Request::get(at.as_str())
        .body(google_apis_common::to_body::<Bytes>(None))
        .ok()?;
    let answer = client.request(request).await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let body = Limited::new(answer.into_body(), LARGEST)
        .collect()
        .await
        .ok()?;
    read(&body.to_bytes())
}

fn read(body: &[u8]) -> Option<HashMap<String, DecodingKey>> {
    let set: KeySet = serde_json::from_slice(body).ok()?;
    let keys = set
        .keys
        .into_iter()
        .filter(|key| key.kty == "RSA")
        .take(MOST);
    let keys = keys.filter_map(|key| {
        let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
        Some((key.kid, decoding))
    });
    Some(keys.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_other_kinds_are_left_out() {
        let set = br#"{"keys":[{"kty":"EC","kid":"a","x":"1"},{"kty":"RSA","kid":"b","n":"AQAB","e":"AQAB"},
            {"kty":"RSA","kid":"c","n":"!","e":"AQAB"},{}]}"#;
        let keys = read(set).unwrap();
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["b"]);
        assert!(read(b"<html>").is_none());
    }
}
