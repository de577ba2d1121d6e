//! Faults of the connection, kills, and stores put back.

use std::time::Duration;

use anyhow::Result;
use rand::Rng;
use test_servers::Fault;

use super::world::World;
use crate::Call;

impl World {
    /// One of them.
    pub async fn break_something(&mut self) -> Result<()> {
        self.troubled = true;
        match self.rng.random_range(0..100) {
            0..18 => {
                self.tell("cut all connections");
                self.proxy.cut_now();
            }
            18..33 => {
                let bytes = 1 << self.rng.random_range(4..15);
                self.fault(Fault::CutAfter(bytes)).await?;
            }
            33..43 => self.stall().await?,
            43..49 => self.fault(Fault::Refuse).await?,
            49..55 => {
                let late = |rng: &mut rand_chacha::ChaCha8Rng| {
                    Duration::from_millis(rng.random_range(1..25))
                };
                let fault = Fault::Delay {
                    to_server: late(&mut self.rng),
                    to_client: late(&mut self.rng),
                };
                self.fault(fault).await?;
            }
            55..60 => self.fault(Fault::Pass).await?,
            60..67 => {
                self.server.restart().await?;
                self.tell("restart the mail server");
            }
            67..85 => self.kill_gateway().await?,
            85..93 => self.back_up().await?,
            _ => self.restore().await?,
        }
        Ok(())
    }

    async fn fault(&mut self, fault: Fault) -> Result<()> {
        self.tell(format!("{fault:?}"));
        self.proxy.set(fault).await
    }

    /// Nothing arrives for a while, in which the mailbox changes and a client asks.
    async fn stall(&mut self) -> Result<()> {
        self.fault(Fault::Stall).await?;
        let call = self.background_walk();
        for _ in 0..self.rng.random_range(0..3) {
            self.change_mailbox().await?;
        }
        let wait = self.rng.random_range(10..400);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        self.fault(Fault::Pass).await?;
        call.abort();
        Ok(())
    }

    /// Ends the process at any moment, also while it answers a client.
    async fn kill_gateway(&mut self) -> Result<()> {
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
                self.change_mailbox().await?;
            }
        }
        self.gateway.resume().await
    }

    async fn back_up(&mut self) -> Result<()> {
        self.end_gateway().await?;
        self.backup = Some((self.step, self.gateway.back_up().await?));
        self.tell("back the store up");
        self.step += 1;
        self.gateway.resume().await
    }

    async fn restore(&mut self) -> Result<()> {
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
    fn background_walk(&mut self) -> tokio::task::JoinHandle<()> {
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
