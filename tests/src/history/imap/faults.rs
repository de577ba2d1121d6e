//! Faults of the connection.

use std::time::Duration;

use anyhow::Result;
use rand::Rng;
use test_servers::Fault;

use super::ImapWorld;

impl ImapWorld {
    /// One of them, or something that happens to the gateway.
    pub(super) async fn break_something(&mut self) -> Result<()> {
        match self.rng.random_range(0..100) {
            0..18 => {
                self.tell("cut all connections");
                self.side.proxy.cut_now();
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
                self.side.server.restart().await?;
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
        self.side.proxy.set(fault).await
    }

    /// Nothing arrives for a while, in which the mailbox changes and a client asks.
    async fn stall(&mut self) -> Result<()> {
        self.fault(Fault::Stall).await?;
        let call = self.background_walk();
        for _ in 0..self.rng.random_range(0..3) {
            self.change_something().await?;
        }
        let wait = self.rng.random_range(10..400);
        tokio::time::sleep(Duration::from_millis(wait)).await;
        self.fault(Fault::Pass).await?;
        call.abort();
        Ok(())
    }
}
