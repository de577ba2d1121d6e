//! A mailbox to send from, by one of the backends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use polypost_tests::sending::{Known, Servers, Way};
use polypost_tests::{Answer, Api, Call, GatewayOptions, GatewayProcess, StoreKind};
use serde_json::{Value, json};

use crate::program;

/// How long anything may take that happens by itself: what was scheduled and did not work is tried again after 15 s, then
/// after a minute.
const PATIENCE: Duration = Duration::from_secs(100);
/// For how long nothing more may come.
const QUIET: Duration = Duration::from_millis(700);

static NEXT: AtomicU64 = AtomicU64::new(1);

/// See the module.
pub struct Mailbox {
    pub servers: Servers,
    pub gateway: GatewayProcess,
    pub api: Api,
}

impl Mailbox {
    pub async fn new(way: Way, store: StoreKind) -> Self {
        let servers = Servers::start(way).await.expect("the servers");
        let options = servers.options(GatewayOptions::new(store));
        let gateway = GatewayProcess::start(program(), options).await;
        let gateway = gateway.expect("a gateway");
        let api = servers.connect(&gateway).await.expect("an account");
        Self {
            servers,
            gateway,
            api,
        }
    }

    /// Another gateway on the same database, which must be PostgreSQL.
    pub async fn second_gateway(&self) -> GatewayProcess {
        let url = self.gateway.storage().database_url();
        let url = url.expect("a database that can be shared");
        // Its own storage is not used.
        let options = GatewayOptions::new(StoreKind::Sqlite).set("POLYPOST_DATABASE_URL", &url);
        let options = self.servers.options(options);
        let second = GatewayProcess::start(program(), options).await;
        second.expect("a second gateway")
    }

    /// The account by another gateway.
    pub fn at(&self, gateway: &GatewayProcess) -> Api {
        self.api.moved_to(&gateway.base())
    }

    /// A word that stands in no other subject.
    pub fn word(&self) -> String {
        format!("named{}word", NEXT.fetch_add(1, Ordering::Relaxed))
    }

    /// A small message to three people.
    pub fn letter(&self, word: &str) -> Value {
        json!({
            "subject": format!("{word} now"),
            "body": "<p>Hello</p>",
            "to": [{"address": format!("to.{word}@run.test")}],
            "cc": [{"address": format!("cc.{word}@run.test")}],
            "bcc": [{"address": format!("bcc.{word}@run.test")}],
        })
    }

    pub async fn ok(&self, call: Call) -> Answer {
        let answer = self.api.call(call).await.expect("an answer");
        assert!(matches!(answer.status, 200 | 201), "{}", answer.told());
        answer
    }

    /// Makes a draft; its id.
    pub async fn draft(&self, body: Value) -> String {
        let made = self.ok(Call::post("/v1/email/drafts").json(body)).await;
        made.json["id"].as_str().expect("an id").to_owned()
    }

    pub async fn known(&self, word: &str) -> Known {
        self.servers.known(word).await.expect("what they hold")
    }

    /// Waits until everybody of [`Self::letter`] has got it so often, and looks that it stays so.
    pub async fn arrived(&self, word: &str, times: usize) -> Known {
        let start = Instant::now();
        while self.known(word).await.arrived.len() < 3 * times && start.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        tokio::time::sleep(QUIET).await;
        let known = self.known(word).await;
        for field in ["to", "cc", "bcc"] {
            let recipient = format!("{field}.{word}@run.test");
            let got = known
                .arrived
                .iter()
                .filter(|one| one.recipient == recipient);
            assert_eq!(got.count(), times, "{known:?}");
        }
        assert!(known.arrived.iter().all(|one| !one.has_bcc));
        known
    }
}
