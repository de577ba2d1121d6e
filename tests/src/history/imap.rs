//! Histories of mailboxes on IMAP servers, behind a proxy that troubles the connection.

mod faults;
mod server;
mod steps;

use anyhow::Result;
use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use test_servers::{Fault, FaultProxy};

pub use self::server::MailServer;
use self::server::USER;
use super::History;
use super::world::{Side, World};
use crate::{Api, GatewayOptions, GatewayProcess, Truth};

/// A mail server, and a connection that can be troubled.
pub(super) struct ImapSide {
    server: MailServer,
    proxy: FaultProxy,
}

type ImapWorld = World<ImapSide>;

impl Side for ImapSide {
    async fn start(history: &History, rng: &mut ChaCha8Rng) -> Result<Self> {
        let server = MailServer::start(history.server, rng.random_bool(0.7)).await?;
        let proxy = FaultProxy::to_port(server.port())?;
        Ok(Self { server, proxy })
    }

    fn options(&self, options: GatewayOptions, rng: &mut ChaCha8Rng) -> GatewayOptions {
        let freshness = ["0s", "0s", "300ms"].choose(rng).copied();
        let push = rng.random_bool(0.7).to_string();
        options
            .set("POLYPOST_SYNC__FRESHNESS", freshness.unwrap_or("0s"))
            .set("POLYPOST_SYNC__PUSH", &push)
    }

    async fn connect(&self, gateway: &GatewayProcess) -> Result<Api> {
        let (_, api) = gateway.account(USER, self.proxy.port()).await?;
        Ok(api)
    }

    async fn truth(&self) -> Result<Truth> {
        Truth::of(&mut self.server.client().await?, self.server.naming()).await
    }

    async fn end_faults(&mut self) -> Result<()> {
        self.proxy.set(Fault::Pass).await
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    async fn fill(world: &mut ImapWorld) -> Result<()> {
        for _ in 0..world.rng.random_range(2..5) {
            world.create_folder().await?;
        }
        for _ in 0..world.rng.random_range(3..9) {
            world.append().await?;
        }
        Ok(())
    }

    async fn change(world: &mut ImapWorld) -> Result<()> {
        world.change_something().await
    }

    async fn trouble(world: &mut ImapWorld) -> Result<()> {
        world.break_something().await
    }
}
