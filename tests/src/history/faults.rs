//! What happens to the gateway: kills, and stores put back.

use std::time::Duration;

use anyhow::Result;
use rand::Rng;

use super::world::{Side, World};
use crate::Call;

impl<S: Side> World<S> {
    /// Ends the process at any moment, also while it answers a client.
    pub async fn kill_gateway(&mut self) -> Result<()> {
        let call = self.background_walk();
        let wait = self.rng.random_range(0..120);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        if super::without("kills") {
            self.gateway.stop().await?;
        } else {
            self.gateway.kill_hard()?;
        }
        call.abort();
        self.tell("kill the gateway");
        if self.rng.random_bool(0.5) {
            for _ in 0..self.rng.random_range(1..3) {
                S::change(self).await?;
            }
        }
        self.gateway.resume().await
    }

    pub async fn back_up(&mut self) -> Result<()> {
        self.end_gateway().await?;
        self.backup = Some((self.step, self.gateway.back_up().await?));
        self.tell("back the store up");
        self.step += 1;
        self.gateway.resume().await
    }

    pub async fn restore(&mut self) -> Result<()> {
        let Some((step, backup)) = self.backup.take() else {
            return self.back_up().await;
        };
        self.end_gateway().await?;
        self.gateway.restore(&backup).await?;
        self.tell(format!("restore the store of step {step}"));
        self.expiry.restorations.push((step, self.step));
        self.step += 1;
        self.backup = Some((step, backup));
        self.gateway.resume().await
    }

    async fn end_gateway(&mut self) -> Result<()> {
        if self.rng.random_bool(0.5) || super::without("kills") {
            self.gateway.stop().await
        } else {
            self.gateway.kill_hard()
        }
    }

    /// A client that is about to be disappointed: whatever it gets is lost.
    pub fn background_walk(&mut self) -> tokio::task::JoinHandle<()> {
        let api = self.api.clone();
        let page = self.rng.random_bool(0.5);
        tokio::spawn(async move {
            let call = if page {
                Call::get("/v1/email/messages").query("bodyType", "html")
            } else {
                Call::post("/v1/email/sync")
            };
            // What it is told does not matter: nobody is there any more to hear it.
            let _ = api.call(call).await;
        })
    }
}
