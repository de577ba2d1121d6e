//! What a gateway was at when it was killed, others see to.

use std::time::{Duration, Instant};

use polypost_tests::sending::{Servers, Trouble, Way};
use polypost_tests::{Call, GatewayOptions, GatewayProcess, StoreKind};

use crate::setting::Mailbox;
use crate::{program, run};

/// How long a send is held. The default is a minute.
const LEASE: Duration = Duration::from_secs(6);
/// How often gateways on one database look for what others have left behind, and what settling takes.
const SEEN_TO: Duration = Duration::from_secs(25);

/// The first gateway is killed when the backend has accepted the message, before it learns that.
async fn is_settled_by_another_gateway() {
    let trouble = Trouble::KilledOn("messages.send");
    let servers = Servers::start(Way::Graph).await.expect("the servers");
    let options = GatewayOptions::new(StoreKind::Postgres).set("POLYPOST_LIMITS__SEND_LEASE", "6s");
    let gateway = GatewayProcess::start(program(), servers.options(options)).await;
    let gateway = gateway.expect("a gateway");
    let api = servers.connect(&gateway).await.expect("an account");
    let mut mailbox = Mailbox {
        servers,
        gateway,
        api,
    };
    let second = mailbox.second_gateway().await;
    let others = mailbox.at(&second);
    let word = mailbox.word();
    let call = Call::post("/v1/email/messages")
        .header("idempotency-key", "once")
        .json(mailbox.letter(&word));
    mailbox.servers.trouble(trouble);
    let api = mailbox.api.clone();
    let asked = call.clone();
    let asking = tokio::spawn(async move { api.call(asked).await.ok() });
    mailbox.servers.until_to_be_killed(trouble).await;
    // Longer than it would be held without being prolonged.
    tokio::time::sleep(LEASE + Duration::from_secs(1)).await;
    let meanwhile = others.call(call.clone()).await.expect("an answer");
    assert_eq!(meanwhile.status, 409, "{}", meanwhile.told());
    mailbox.gateway.kill_hard().expect("killed");
    let start = Instant::now();
    asking.await.expect("it ends");
    mailbox.servers.trouble(Trouble::None);
    let sent = loop {
        let answer = others.call(call.clone()).await.expect("an answer");
        if answer.status == 201 {
            break answer;
        }
        assert!(start.elapsed() < LEASE + SEEN_TO, "{}", answer.told());
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert!(
        sent.json["submittedMessageId"].is_string(),
        "{}",
        sent.told()
    );
    let known = mailbox.arrived(&word, 1).await;
    assert_eq!((known.copies, known.drafts), (1, 0), "{known:?}");
}

#[test]
fn a_send_of_a_killed_gateway_is_settled_by_another() {
    run(is_settled_by_another_gateway());
}
