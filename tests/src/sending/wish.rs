//! What a client wants sent in a run.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use chrono::TimeDelta;
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::mailbag::DOMAIN;
use super::plan::{Plan, What};
use super::servers::Known;
use crate::{Api, Call, now};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Wish {
    /// Stands in its subject, and in no other's.
    pub word: String,
    key: String,
    recipients: [String; 3],
    body: Value,
    /// The message that is answered.
    question: String,
}

impl Wish {
    pub fn of(plan: &Plan, question: &str) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let word = format!("run{number}of{}end", plan.seed);
        let recipients = ["to", "cc", "bcc"].map(|field| format!("{field}.{word}{DOMAIN}"));
        let mut body = json!({
            "subject": format!("{word} now"),
            "body": "<p>Hello</p>\n<p>.\n..\n</p>",
            "to": [{"address": recipients[0]}],
            "cc": [{"name": "Someone Else", "address": recipients[1]}],
            "bcc": [{"address": recipients[2]}],
        });
        if let Some(octets) = plan.attachment {
            let mut content = vec![0; octets];
            ChaCha8Rng::seed_from_u64(plan.seed).fill_bytes(&mut content);
            body["attachments"] = json!([{
                "name": "a.bin",
                "mimeType": "application/octet-stream",
                "content": BASE64_STANDARD.encode(content),
            }]);
        }
        Self {
            key: format!("key of {word}"),
            word,
            recipients,
            body,
            question: question.to_owned(),
        }
    }

    /// Does what comes before the sending, and gives the call that sends.
    pub async fn call(&self, api: &Api, plan: &Plan) -> Result<Call> {
        let call = match plan.what {
            What::Message => Call::post("/v1/email/messages").json(self.body.clone()),
            What::Reply => Call::post("/v1/email/messages/{messageId}/reply")
                .with("messageId", &self.question)
                .json(self.body.clone()),
            What::Draft | What::Scheduled => {
                let draft = self.draft(api).await?;
                let send = Call::post("/v1/email/drafts/{draftId}/send").with("draftId", draft);
                match plan.what {
                    What::Scheduled => {
                        let at = now() + TimeDelta::hours(1);
                        send.query("sendTime", at.format("%Y-%m-%dT%H:%M:%SZ"))
                    }
                    _ => send,
                }
            }
        };
        let call = call.header("idempotency-key", &self.key);
        Ok(match plan.return_ids {
            true => call.query("returnIds", true),
            false => call,
        })
    }

    /// A draft that says something else first.
    async fn draft(&self, api: &Api) -> Result<String> {
        let mut first = self.body.clone();
        first["subject"] = json!(format!("{} not yet", self.word));
        first["bcc"] = json!([]);
        let made = api.call(Call::post("/v1/email/drafts").json(first)).await?;
        ensure!(made.status == 200, "{}", made.told());
        let id = made.json["id"].as_str().with_context(|| made.told())?;
        let change = Call::put("/v1/email/drafts/{draftId}").with("draftId", id);
        let changed = api.call(change.json(self.body.clone())).await?;
        ensure!(changed.status == 200, "{}", changed.told());
        ensure!(changed.json["id"] == id, "another id: {}", changed.told());
        Ok(id.to_owned())
    }

    /// Whether everybody got it as it was meant.
    ///
    /// # Errors
    /// Where somebody got something else.
    pub fn arrived_whole(&self, known: &Known) -> Result<bool> {
        for one in &known.arrived {
            ensure!(
                one.subject.ends_with(" now"),
                "another one went out: {known:?}"
            );
            ensure!(!one.has_bcc, "the blind copy is told of: {known:?}");
        }
        let has_it =
            |recipient: &String| known.arrived.iter().any(|one| one.recipient == *recipient);
        Ok(self.recipients.iter().all(has_it))
    }
}
