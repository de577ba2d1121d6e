//! A gateway, and servers that listen to what it says.

use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polypost_tests::{Answer, Call, GatewayOptions, GatewayProcess, StoreKind};
use serde_json::json;
use test_servers::{ScriptedImap, ScriptedStream};

/// A password that occurs nowhere by chance.
pub const CANARY: &str = "canary-5d1f-password";

/// What no caller may be shown of a server that has not signed anybody in.
pub const BANNER: &str = "banner-77ab";

/// A polite server's capabilities.
pub const USUAL: &str = "IMAP4rev1 IDLE UIDPLUS NAMESPACE";

pub async fn started(options: GatewayOptions) -> GatewayProcess {
    let program = Path::new(env!("CARGO_BIN_EXE_polypost-under-test"));
    GatewayProcess::start(program, options)
        .await
        .expect("a gateway")
}

pub async fn gateway() -> GatewayProcess {
    started(GatewayOptions::new(StoreKind::Sqlite)).await
}

pub async fn sign_in(gateway: &GatewayProcess, server: &str, trust: bool) -> Answer {
    let body = json!({
        "serviceType": "IMAP",
        "active": true,
        "email": "a@test.local",
        "loginString": "a@test.local",
        "password": CANARY,
        "serverUrl": server,
        "trustServer": trust,
    });
    let call = Call::post("/v1/am/accounts").query("ensureAccess", true);
    let answer = gateway.application().call(call.json(body)).await;
    answer.expect("an answer")
}

/// The server's URL: without TLS, or with STARTTLS.
pub fn clear(server: &ScriptedImap) -> String {
    format!("imap://127.0.0.1:{}?security=none", server.port())
}

pub fn start_tls(server: &ScriptedImap) -> String {
    format!("imap://127.0.0.1:{}", server.port())
}

pub async fn alive(gateway: &GatewayProcess) {
    let api = gateway.application();
    for path in ["/healthz", "/v1/am/accounts"] {
        let answer = api.call(Call::get(path)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.told());
    }
}

/// What a server was sent.
pub type Heard = Arc<Mutex<String>>;

pub fn heard(heard: &Heard) -> String {
    heard.lock().expect("not poisoned").clone()
}

/// Greets, and answers politely to all that comes.
pub async fn listen(
    stream: &mut ScriptedStream,
    greeting: &str,
    capabilities: &str,
    record: &Heard,
) -> anyhow::Result<()> {
    stream.line(greeting).await?;
    loop {
        let command = stream.read_command().await?;
        let line = format!("{}\n", command.line);
        record.lock().expect("not poisoned").push_str(&line);
        stream.answer(capabilities, &command).await?;
    }
}

pub async fn recording(
    greeting: &'static str,
    capabilities: &'static str,
) -> (ScriptedImap, Heard) {
    let record = Heard::default();
    let told = Arc::clone(&record);
    let server = ScriptedImap::start(move |mut stream| {
        let record = Arc::clone(&record);
        async move { listen(&mut stream, greeting, capabilities, &record).await }
    });
    (server.await.expect("a server"), told)
}

pub fn assert_no_password(heard: &str) {
    for secret in [CANARY.to_owned(), STANDARD.encode(CANARY)] {
        assert!(!heard.contains(&secret), "{heard}");
    }
    assert!(!heard.contains("LOGIN ") && !heard.contains("AUTHENTICATE"));
}
