//! Calls of the API in between.

use anyhow::{Result, bail, ensure};
use rand::Rng;
use rand::seq::{IndexedRandom, IteratorRandom};
use serde_json::json;

use super::world::{Side, World};
use crate::{Answer, Call, Failure, WalkError};

impl<S: Side> World<S> {
    /// One call.
    pub async fn call_api(&mut self) -> Result<()> {
        match self.rng.random_range(0..100) {
            0..15 => self.list(None).await,
            15..32 => self.search().await,
            32..50 => self.read().await,
            50..68 => self.edit().await,
            68..76 => self.delete().await,
            76..80 => self.list_folders().await,
            80..93 => self.walk_a_little().await,
            _ => self.lose_a_page().await,
        }
    }

    async fn list(&mut self, q: Option<&str>) -> Result<()> {
        let mut call = Call::get("/v1/email/messages").query("limit", self.rng.random_range(1..30));
        if let Some(q) = q {
            call = call.query("q", q);
        }
        if self.rng.random_bool(0.3) {
            call = call.query("includeTrashAndJunk", true);
        }
        if self.rng.random_bool(0.3) {
            call = call.query("bodyType", "text");
        }
        let mut page = self.api.call(call.clone()).await;
        let mut fine: &[u16] = &[];
        for _ in 0..3 {
            let Some(answer) = self.told_call(page, fine)? else {
                return Ok(());
            };
            let Some(token) = answer.json["nextPageToken"].as_str() else {
                return Ok(());
            };
            page = self.api.call(call.clone().query("pageToken", token)).await;
            // A mailbox in trouble may forget where a list goes on.
            fine = if self.troubled { &[400] } else { &[] };
        }
        self.told_call(page, fine).map(drop)
    }

    async fn search(&mut self) -> Result<()> {
        let q = [
            "is:unread",
            "is:flagged",
            "has:attachment",
            "in:inbox",
            "in:trash",
            "subject:invoice",
            "hello",
            "newer_than:10d",
            "-from:s1@example.org",
            "label:work",
            "rfc822msgid:<1.1@history.test>",
        ];
        let q = q.choose(&mut self.rng).copied();
        self.list(q).await
    }

    async fn read(&mut self) -> Result<()> {
        let Some((id, thread)) = self.any_id() else {
            return Ok(());
        };
        let call = match (self.rng.random_range(0..4), thread) {
            (0, _) => Call::get("/v1/email/messages/{messageId}/raw").with("messageId", id),
            (1, Some(thread)) => {
                Call::get("/v1/email/conversations/{threadId}").with("threadId", thread)
            }
            _ => Call::get("/v1/email/messages/{messageId}")
                .with("messageId", id)
                .query("stripQuoted", self.rng.random_bool(0.3))
                .query("loadInlines", self.rng.random_bool(0.3)),
        };
        let answer = self.api.call(call).await;
        self.told_call(answer, &[404]).map(drop)
    }

    async fn edit(&mut self) -> Result<()> {
        let Some((id, _)) = self.any_id() else {
            return Ok(());
        };
        let body = match self.rng.random_range(0..6) {
            0 => json!({ "unread": true }),
            1 => json!({ "unread": false }),
            2 => json!({ "flagged": self.rng.random_bool(0.5) }),
            3 => json!({ "keywords": ["later", "api"] }),
            4 => json!({ "keywords": [] }),
            _ => json!({ "archived": self.rng.random_bool(0.6) }),
        };
        let call = Call::post("/v1/email/messages/{messageId}/status").with("messageId", id);
        self.tell(format!("edit {body}"));
        let answer = self.api.call(call.json(body)).await;
        // Without a folder for it nothing can be archived.
        self.told_call(answer, &[404, 501]).map(drop)
    }

    async fn delete(&mut self) -> Result<()> {
        let Some((id, _)) = self.any_id() else {
            return Ok(());
        };
        let call = Call::delete("/v1/email/messages/{messageId}")
            .with("messageId", id)
            .query("permanent", self.rng.random_bool(0.25));
        let answer = self.api.call(call).await;
        self.told_call(answer, &[404]).map(drop)
    }

    async fn list_folders(&mut self) -> Result<()> {
        let answer = self.api.call(Call::get("/v1/email/folders")).await;
        self.told_call(answer, &[]).map(drop)
    }

    /// A mirror goes on for a page or two and stops there.
    pub async fn walk_a_little(&mut self) -> Result<()> {
        let pages = self.rng.random_range(1..4);
        let which = self.rng.random_range(0..self.mirrors.len());
        self.tell(format!("mirror {which} walks {pages} pages"));
        let walked = self.mirrors[which]
            .walk(&mut self.rng, self.step, pages)
            .await;
        match walked {
            Ok(_) => Ok(()),
            Err(error) => self.after_walk(which, error).await,
        }
    }

    async fn lose_a_page(&mut self) -> Result<()> {
        let which = self.rng.random_range(0..self.mirrors.len());
        self.tell(format!("mirror {which} loses a page"));
        let step = self.step;
        let lost = self.mirrors[which].lose_a_page(&mut self.rng, step).await;
        match lost {
            Ok(()) => Ok(()),
            Err(error) => self.after_walk(which, error).await,
        }
    }

    /// What a client does when a walk fails: it waits, or begins again where the store was restored meanwhile.
    pub async fn after_walk(&mut self, which: usize, error: WalkError) -> Result<()> {
        match error {
            WalkError::NotNow(answer) => {
                self.tell(format!("  {}", answer.told()));
                ensure!(self.troubled, "without any trouble: {}", answer.told());
                Ok(())
            }
            WalkError::NoAnswer(why) => {
                self.tell(format!("  no answer: {why}"));
                Ok(())
            }
            WalkError::Expired(answer, issued) => {
                ensure!(
                    self.expiry.allows(issued),
                    "a token of step {issued} expired: {}",
                    answer.told()
                );
                self.tell(format!("  mirror {which} begins again"));
                let before = self.side.truth().await?;
                let step = self.step;
                match self.mirrors[which].begin_again(before, step).await {
                    Ok(()) | Err(WalkError::NotNow(_) | WalkError::NoAnswer(_)) => Ok(()),
                    Err(error) => bail!("{error}"),
                }
            }
            WalkError::Violation(what) => bail!("{what}"),
        }
    }

    /// A message that the first mirror knows.
    fn any_id(&mut self) -> Option<(String, Option<String>)> {
        let live = self.mirrors.first()?.copy().live();
        let (id, record) = live.choose(&mut self.rng)?;
        Some((id.clone(), record.thread.clone()))
    }

    /// Notes a call; without an answer where that may be. Fails for answers that nothing explains.
    fn told_call(
        &mut self,
        answer: Result<Answer, Failure>,
        fine: &[u16],
    ) -> Result<Option<Answer>> {
        match answer {
            Ok(answer) if answer.status < 300 => {
                self.tell(format!("{} -> {}", answer.asked, answer.status));
                Ok(Some(answer))
            }
            Ok(answer) => {
                self.tell(answer.told());
                let trouble = self.troubled && matches!(answer.status, 429 | 502 | 503);
                ensure!(
                    trouble || fine.contains(&answer.status),
                    "nothing explains {}",
                    answer.told()
                );
                Ok(None)
            }
            Err(Failure::NoAnswer(why)) => {
                self.tell(why.clone());
                ensure!(!self.gateway.is_running() || self.troubled, "{why}");
                Ok(None)
            }
            Err(violation @ Failure::Violation(_)) => Err(violation.into()),
        }
    }
}
