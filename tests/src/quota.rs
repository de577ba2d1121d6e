//! What the gateway spends of a provider's quota, beside the least that the provider's prices allow.

mod prices;
mod shared;

use anyhow::{Result, ensure};
use fake_gmail::User;

use crate::{Api, Call, now};

pub use self::prices::prices;
pub use self::shared::shared;

/// The user of all runs.
const EMAIL: &str = "alice@gmail.test";

/// Puts new mail in; the ids.
fn deliver(user: &User, first: usize, count: usize) -> Vec<String> {
    let received = now().timestamp_millis();
    let mails = first..first + count;
    mails
        .map(|number| {
            let age = i64::try_from(number).unwrap_or_default() * 60_000;
            let raw = format!(
                "From: Sender <s{number}@example.org>\r\nTo: <{EMAIL}>\r\nSubject: mail {number}\r\n\
                 Message-ID: <{number}@quota.test>\r\nMIME-Version: 1.0\r\n\
                 Content-Type: text/plain; charset=utf-8\r\n\r\nmail {number}\r\n"
            );
            user.append(raw.as_bytes(), &["INBOX", "UNREAD"], received - age)
        })
        .collect()
}

/// A client of the updated stream.
struct Client {
    api: Api,
    token: String,
}

impl Client {
    /// Begins a sync and waits until it is ready.
    async fn begin(api: &Api) -> Result<Self> {
        loop {
            let call = Call::post("/v1/email/sync").query("awaitReady", true);
            let answer = api.call(call).await?;
            ensure!(answer.status == 200, "{}", answer.told());
            if answer.json["ready"] == true {
                let token = answer.json["syncUpdatedToken"].as_str();
                return Ok(Self {
                    api: api.clone(),
                    token: token.unwrap_or_default().to_owned(),
                });
            }
        }
    }

    /// Walks to the end; the ids of what it is told.
    async fn walk(&mut self) -> Result<Vec<String>> {
        let mut parameter = "deltaToken";
        let mut ids = Vec::new();
        loop {
            let call = Call::get("/v1/email/sync/updated").query(parameter, &self.token);
            let answer = self.api.call(call.query("limit", 200)).await?;
            if matches!(answer.status, 429 | 503) {
                let wait = answer.retry_after().unwrap_or_default();
                tokio::time::sleep(wait).await;
                continue;
            }
            ensure!(answer.status == 200, "{}", answer.told());
            let told = answer.records().iter();
            ids.extend(told.filter_map(|record| record["id"].as_str().map(str::to_owned)));
            let next = |field: &str| answer.json[field].as_str().map(str::to_owned);
            if let Some(token) = next("nextDeltaToken") {
                self.token = token;
                return Ok(ids);
            }
            self.token = next("nextPageToken").unwrap_or_default();
            parameter = "pageToken";
        }
    }
}
