//! Scratch.
use polypost_tests::*;
use rand::SeedableRng;
use std::path::Path;
use test_servers::{Dialect, Dovecot, DovecotOptions};

async fn poll(m: &mut Mirror, rng: &mut rand_chacha::ChaCha8Rng) {
    let t = std::time::Instant::now();
    let r = m.walk(rng, 0, 100).await;
    eprintln!("{:?} took {:?} now {}", r, t.elapsed(), now());
}

#[tokio::test(flavor = "multi_thread")]
async fn scratch() {
    let dovecot = Dovecot::start(DovecotOptions {
        dialect: Dialect::Qresync,
        users: 0,
        ..Default::default()
    })
    .await
    .unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_polypost-under-test"));
    let push = std::env::var("PUSH").unwrap_or("true".into());
    let options = GatewayOptions::new(StoreKind::Sqlite)
        .set("POLYPOST_SYNC__FRESHNESS", "0s")
        .set("POLYPOST_SYNC__PUSH", &push);
    let mut gateway = GatewayProcess::start(program, options).await.unwrap();
    let user = "alice@test.local";
    let (_, api) = gateway.account(user, dovecot.imap_port()).await.unwrap();
    let api2 = api.clone();
    let mut client = dovecot.client(user).await.unwrap();
    client
        .append(
            "INBOX",
            b"Message-ID: <1@x>\r\nSubject: 1\r\n\r\n1\r\n",
            &[],
            None,
        )
        .await
        .unwrap();
    client
        .append(
            "Drafts",
            b"Message-ID: <2@x>\r\nSubject: 1\r\n\r\n1\r\n",
            &[],
            None,
        )
        .await
        .unwrap();
    client.create("Q").await.unwrap();
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(1);
    let mut m = Mirror::begin("m", api, Mode::Sequential, None, Truth::default(), 0)
        .await
        .unwrap();
    poll(&mut m, &mut rng).await;
    match std::env::var("CASE").unwrap_or_default().as_str() {
        "kill" => {
            gateway.kill_hard().unwrap();
            gateway.resume().await.unwrap();
        }
        "stop" => {
            gateway.stop().await.unwrap();
            gateway.resume().await.unwrap();
        }
        "copy" => {
            client.create("R").await.unwrap();
            client.select("Drafts").await.unwrap();
            client.copy("1", "R").await.unwrap();
            client.expunge("1").await.unwrap();
        }
        "copy2" => {
            client.select("Drafts").await.unwrap();
            client.copy("1", "Q").await.unwrap();
            client.expunge("1").await.unwrap();
        }
        "delete" => {
            let id = m.copy().live().next().unwrap().0.clone();
            let a = api2
                .call(Call::delete("/v1/email/messages/{messageId}").with("messageId", id))
                .await
                .unwrap();
            eprintln!("{}", a.told());
        }
        "list" => {
            client.append("INBOX", b"Message-ID: <5@x>\r\nSubject: 1\r\n\r\n1\r\n", &[], None).await.unwrap();
            let a = api2.call(Call::get("/v1/email/messages")).await.unwrap();
            eprintln!("GET {} records", a.records().len());
        }
        "listcopy" => {
            client.select("INBOX").await.unwrap();
            client.copy("1", "Q").await.unwrap();
            let a = api2.call(Call::get("/v1/email/messages")).await.unwrap();
            eprintln!("GET {} records", a.records().len());
        }
        "listagain" => {
            client.append("INBOX", b"Message-ID: <1@x>\r\nSubject: 1\r\n\r\n1\r\n", &[], None).await.unwrap();
            let a = api2.call(Call::get("/v1/email/messages")).await.unwrap();
            eprintln!("GET {} records", a.records().len());
        }
        "reset" => {
            dovecot.reset_uidvalidity(user, "Junk").await.unwrap();
        }
        _ => {}
    }
    client
        .append(
            "INBOX",
            b"Message-ID: <3@x>\r\nSubject: 1\r\n\r\n1\r\n",
            &[],
            None,
        )
        .await
        .unwrap();
    client
        .append(
            "Drafts",
            b"Message-ID: <4@x>\r\nSubject: 1\r\n\r\n1\r\n",
            &[],
            None,
        )
        .await
        .unwrap();
    let n = std::env::var("N").map_or(4, |n| n.parse().unwrap());
    for _ in 0..n {
        poll(&mut m, &mut rng).await;
        tokio::time::sleep(std::time::Duration::from_millis(if n > 10 {
            1000
        } else {
            200
        }))
        .await;
    }
    eprintln!("{}", gateway.log());
}
