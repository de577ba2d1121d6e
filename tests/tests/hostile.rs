//! Hostile mail servers, callers and mail, against the gateway as a process.
//!
//! After each of them the gateway still answers.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polypost_tests::{Answer, Api, Auth, Call, GatewayOptions, GatewayProcess, StoreKind};
use serde_json::{Value, json};
use test_servers::{Dovecot, DovecotOptions, ScriptedImap, ScriptedStream};

/// A password that occurs nowhere by chance.
const CANARY: &str = "canary-5d1f-password";

/// What no caller may be shown of a server that has not signed anybody in.
const BANNER: &str = "banner-77ab";

/// A polite server's capabilities.
const USUAL: &str = "IMAP4rev1 IDLE UIDPLUS NAMESPACE";

async fn started(options: GatewayOptions) -> GatewayProcess {
    let program = Path::new(env!("CARGO_BIN_EXE_polypost-under-test"));
    GatewayProcess::start(program, options)
        .await
        .expect("a gateway")
}

async fn gateway() -> GatewayProcess {
    started(GatewayOptions::new(StoreKind::Sqlite)).await
}

async fn sign_in(gateway: &GatewayProcess, server: &str, trust: bool) -> Answer {
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
fn clear(server: &ScriptedImap) -> String {
    format!("imap://127.0.0.1:{}?security=none", server.port())
}

fn start_tls(server: &ScriptedImap) -> String {
    format!("imap://127.0.0.1:{}", server.port())
}

async fn alive(gateway: &GatewayProcess) {
    let api = gateway.application();
    for path in ["/healthz", "/v1/am/accounts"] {
        let answer = api.call(Call::get(path)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.told());
    }
}

/// What a server was sent.
type Heard = Arc<Mutex<String>>;

fn heard(heard: &Heard) -> String {
    heard.lock().expect("not poisoned").clone()
}

/// Greets, and answers politely to all that comes.
async fn listen(
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

async fn recording(greeting: &'static str, capabilities: &'static str) -> (ScriptedImap, Heard) {
    let record = Heard::default();
    let told = Arc::clone(&record);
    let server = ScriptedImap::start(move |mut stream| {
        let record = Arc::clone(&record);
        async move { listen(&mut stream, greeting, capabilities, &record).await }
    });
    (server.await.expect("a server"), told)
}

fn assert_no_password(heard: &str) {
    for secret in [CANARY.to_owned(), STANDARD.encode(CANARY)] {
        assert!(!heard.contains(&secret), "{heard}");
    }
    assert!(!heard.contains("LOGIN ") && !heard.contains("AUTHENTICATE"));
}

/// T01.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_behind_the_answer_to_starttls_end_the_connection() {
    let gateway = gateway().await;
    let record = Heard::default();
    let told = Arc::clone(&record);
    let server = ScriptedImap::start(move |mut stream| {
        let record = Arc::clone(&record);
        async move {
            let command = stream.greet_until("IMAP4rev1 STARTTLS", "STARTTLS").await?;
            let answer = format!("{} OK go\r\n* OK [CAPABILITY IMAP4rev1] x\r\n", command.tag);
            stream.send(answer).await?;
            let mut stream = stream.start_tls().await?;
            loop {
                let command = stream.read_command().await?;
                record.lock().expect("not poisoned").push_str(&command.line);
                stream.answer("IMAP4rev1", &command).await?;
            }
        }
    });
    let server = server.await.expect("a server");
    let answer = sign_in(&gateway, &start_tls(&server), true).await;
    assert_eq!(answer.status, 503, "{}", answer.told());
    assert!(server.connections() > 0);
    assert_no_password(&heard(&told));
    alive(&gateway).await;
}

/// T02.
#[tokio::test(flavor = "multi_thread")]
async fn no_password_is_sent_in_the_clear_whatever_the_server_claims() {
    let gateway = gateway().await;
    for (greeting, capabilities) in [
        ("* PREAUTH [CAPABILITY IMAP4rev1] in already", "IMAP4rev1"),
        ("* OK ready", "IMAP4rev1"),
        ("* OK ready", "IMAP4rev1 LOGINDISABLED"),
        ("* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready", "IMAP4rev1"),
    ] {
        let (server, told) = recording(greeting, capabilities).await;
        let answer = sign_in(&gateway, &start_tls(&server), true).await;
        assert_eq!(answer.status, 503, "{greeting}: {}", answer.told());
        assert!(server.connections() > 0, "{greeting}");
        assert_no_password(&heard(&told));
    }
    let (server, told) = recording("* OK ready", "IMAP4rev1 LOGINDISABLED").await;
    let answer = sign_in(&gateway, &clear(&server), false).await;
    assert_ne!(answer.status, 200, "{}", answer.told());
    assert_no_password(&heard(&told));
    alive(&gateway).await;
}

#[derive(Clone, Copy, Debug)]
enum Mischief {
    EndlessLine,
    HugeLiteral,
    Depth,
    ForeignData,
    Garbage,
}

impl Mischief {
    async fn happen(self, stream: &mut ScriptedStream) -> anyhow::Result<()> {
        match self {
            Self::EndlessLine => {
                stream.send("* LIST () \"/\" ").await?;
                stream.endless_line(b'a', 64 << 20).await?;
            }
            Self::HugeLiteral => {
                let start = "* LIST () \"/\" ";
                stream.literal(start, 4_294_967_295, 64 << 20).await?;
            }
            Self::Depth => {
                let deep = "(".repeat(1_000_000);
                stream.line(&format!("* LIST {deep}")).await?;
            }
            Self::ForeignData => {
                for line in [
                    "* 9 FETCH (UID 9 FLAGS (\\Seen))",
                    "* 4294967295 EXPUNGE",
                    "* VANISHED 1:4294967295",
                    "* STATUS other (MESSAGES 99)",
                    "* BYE not really",
                    "* OK [REFERRAL imap://elsewhere/] go there",
                    "* NO [ALERT] <script>alert(1)</script>",
                ] {
                    stream.line(line).await?;
                }
            }
            Self::Garbage => stream.garbage(7, 1 << 20).await?,
        }
        Ok(())
    }
}

async fn survives(mischief: Mischief) {
    let gateway = gateway().await;
    let server = ScriptedImap::start(move |mut stream| async move {
        let mut command = stream.greet_until(USUAL, "LIST").await?;
        loop {
            mischief.happen(&mut stream).await?;
            stream.answer(USUAL, &command).await?;
            command = stream.serve_until(USUAL, "LIST").await?;
        }
    });
    let server = server.await.expect("a server");
    let start = Instant::now();
    let answer = sign_in(&gateway, &clear(&server), false).await;
    assert!(
        matches!(answer.status, 200 | 502 | 503),
        "{}",
        answer.told()
    );
    if let Some(token) = answer.json["accessToken"].as_str() {
        let api = gateway.application();
        let api = api.signed_in(Auth::Bearer(token.to_owned()));
        let answer = api.call(Call::get("/v1/email/folders")).await;
        let answer = answer.expect("an answer");
        assert!(
            matches!(answer.status, 200 | 502 | 503),
            "{}",
            answer.told()
        );
        assert!(!answer.told().contains("<script>"), "{}", answer.told());
    }
    assert!(start.elapsed() < Duration::from_secs(10), "{mischief:?}");
    alive(&gateway).await;
}

/// T03.
#[tokio::test(flavor = "multi_thread")]
async fn an_endless_line_is_cut_off() {
    survives(Mischief::EndlessLine).await;
}

/// T03.
#[tokio::test(flavor = "multi_thread")]
async fn a_huge_literal_is_refused() {
    survives(Mischief::HugeLiteral).await;
}

/// T03.
#[tokio::test(flavor = "multi_thread")]
async fn a_million_parentheses_are_survived() {
    survives(Mischief::Depth).await;
}

/// T03.
#[tokio::test(flavor = "multi_thread")]
async fn data_of_other_mailboxes_is_passed_over() {
    survives(Mischief::ForeignData).await;
}

/// T03.
#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_survived() {
    survives(Mischief::Garbage).await;
}

/// T06. The one test that takes longer than the rest: the wait for a greeting is 16 s.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_says_nothing_is_given_up() {
    let gateway = gateway().await;
    let server = ScriptedImap::start(|mut stream| async move { stream.stall().await });
    let server = server.await.expect("a server");
    let url = clear(&server);
    let waiting = sign_in(&gateway, &url, false);
    let waiting = tokio::time::timeout(Duration::from_secs(20), waiting);
    let answer = waiting.await.expect("an answer in time");
    assert!(matches!(answer.status, 408 | 503), "{}", answer.told());
    alive(&gateway).await;
}

/// N01, N03.
#[tokio::test(flavor = "multi_thread")]
async fn no_host_within_is_reached_however_it_is_written() {
    let mut options = GatewayOptions::new(StoreKind::Sqlite);
    options.allow_loopback = false;
    let gateway = started(options).await;
    let (server, _) = recording("* OK banner-77ab", USUAL).await;
    let port = server.port();
    for host in [
        "169.254.169.254",
        "[fd00:ec2::254]",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "localhost",
        "LOCALHOST.",
        "127.0.0.1.",
        "１２７.0.0.1",
        "a@127.0.0.1",
        "10.0.0.1",
        "100.64.0.1",
    ] {
        let answer = sign_in(&gateway, &format!("imaps://{host}:{port}"), false).await;
        let told = answer.told();
        assert!(matches!(answer.status, 400 | 503), "{host}: {told}");
        assert!(!told.contains(BANNER), "{host}: {told}");
        for way in ["?security=none", "?security=starttls"] {
            let url = format!("imap://{host}:{port}{way}");
            let answer = sign_in(&gateway, &url, false).await;
            assert!(matches!(answer.status, 400 | 503), "{}", answer.told());
        }
    }
    assert_eq!(server.connections(), 0);
    alive(&gateway).await;
}

/// The answer but for what differs with each request.
fn comparable(answer: &Answer) -> Value {
    let mut json = answer.json.clone();
    if let Some(members) = json.as_object_mut() {
        members.remove("requestId");
    }
    json
}

/// N05.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_server_is_told_before_a_sign_in() {
    let gateway = gateway().await;
    let closed = test_servers::free_port().expect("a port");
    let url = format!("imap://127.0.0.1:{closed}?security=none");
    let expected = sign_in(&gateway, &url, false).await;
    assert_eq!(expected.status, 503, "{}", expected.told());
    for greeting in [
        "SSH-2.0-banner-77ab",
        "* BYE banner-77ab",
        "HTTP/1.1 200 banner-77ab",
        "-ERR banner-77ab",
        "\u{0}banner-77ab\u{1b}[31m",
    ] {
        let server = ScriptedImap::start(move |mut stream| async move {
            stream.line(greeting).await?;
            stream.close().await
        });
        let server = server.await.expect("a server");
        let answer = sign_in(&gateway, &clear(&server), false).await;
        assert!(!answer.told().contains(BANNER), "{}", answer.told());
        assert_eq!(comparable(&answer), comparable(&expected), "{greeting}");
    }
    alive(&gateway).await;
}

/// A07.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_reaches_the_log_at_any_level() {
    let options = GatewayOptions::new(StoreKind::Sqlite).set("POLYPOST_LOG", "trace");
    let gateway = started(options).await;
    let (server, told) = recording("* OK ready", USUAL).await;
    let answer = sign_in(&gateway, &clear(&server), false).await;
    assert_eq!(answer.status, 200, "{}", answer.told());
    assert!(heard(&told).contains(CANARY), "it did sign in");
    let token = answer.json["accessToken"].as_str().expect("a token");
    let api = gateway.application();
    let api = api.signed_in(Auth::Bearer(token.to_owned()));
    for path in ["/v1/account", "/v1/email/folders"] {
        let answer = api.call(Call::get(path)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}", answer.told());
    }
    alive(&gateway).await;
    let log = gateway.log();
    assert!(log.len() > 1_000, "it does log");
    let plain = format!("\0a@test.local\0{CANARY}");
    for secret in [
        CANARY,
        &STANDARD.encode(CANARY),
        &STANDARD.encode(plain),
        token,
        polypost_tests::CLIENT_SECRET,
    ] {
        let line = log.lines().find(|line| line.contains(secret));
        assert!(line.is_none(), "{line:?}");
    }
}

/// A Dovecot whose users have one message each, and a gateway.
async fn with_mail(raw: &[u8]) -> (Dovecot, GatewayProcess) {
    let options = DovecotOptions {
        users: 0,
        ..DovecotOptions::default()
    };
    let dovecot = Dovecot::start(options).await.expect("a server");
    for user in ["alice@test.local", "bob@test.local"] {
        let mut client = dovecot.client(user).await.expect("a client");
        for _ in 0..2 {
            let stored = client.append("INBOX", raw, &[], None).await;
            stored.expect("stored");
        }
    }
    (dovecot, gateway().await)
}

async fn ok(api: &Api, call: Call) -> Answer {
    let answer = api.call(call).await.expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.told());
    answer
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// What a token, whole, altered or invented, may be answered with where it does not belong.
async fn refused(api: &Api, call: Call) {
    let answer = api.call(call).await.expect("an answer");
    assert!(
        matches!(answer.status, 400 | 404 | 410),
        "{}",
        answer.told()
    );
}

fn altered(token: &str) -> Vec<String> {
    let step = token.len().div_ceil(16);
    let flipped = (0..token.len()).step_by(step).map(|place| {
        let mut bytes = token.as_bytes().to_vec();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("ASCII")
    });
    let mut all: Vec<String> = flipped.filter(|other| other != token).collect();
    all.extend([
        "A".to_owned(),
        "A".repeat(4_000),
        format!("{token}A"),
        token[..token.len() / 2].to_owned(),
        "../../etc/passwd".to_owned(),
        "\u{0}\r\n%00".to_owned(),
        "ÄÖ𝄞".to_owned(),
    ]);
    all
}

/// A04.
#[tokio::test(flavor = "multi_thread")]
async fn tokens_and_ids_of_one_account_are_of_no_use_to_another_nor_altered() {
    let raw =
        b"Subject: hi\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\n\
        Content-Disposition: attachment; filename=a.bin\r\n\r\nbytes\r\n--b--\r\n";
    let (dovecot, gateway) = with_mail(raw).await;
    let port = dovecot.imap_port();
    let (_, alice) = gateway.account("alice@test.local", port).await.expect("in");
    let (_, bob) = gateway.account("bob@test.local", port).await.expect("in");

    let sync = Call::post("/v1/email/sync").query("awaitReady", true);
    let sync = ok(&alice, sync).await;
    for (name, path) in [
        ("syncUpdatedToken", "/v1/email/sync/updated"),
        ("syncDeletedToken", "/v1/email/sync/deleted"),
    ] {
        let token = text(&sync.json[name]);
        refused(&bob, Call::get(path).query("deltaToken", &token)).await;
        refused(&alice, Call::get(path).query("pageToken", &token)).await;
        for other in altered(&token) {
            refused(&alice, Call::get(path).query("deltaToken", other)).await;
        }
    }
    let updated = "/v1/email/sync/updated";
    let token = text(&sync.json["syncUpdatedToken"]);
    let first = Call::get(updated).query("deltaToken", token);
    let first = ok(&alice, first.query("limit", 1)).await;
    let page = text(&first.json["nextPageToken"]);
    refused(&bob, Call::get(updated).query("pageToken", &page)).await;
    for other in altered(&page) {
        refused(&alice, Call::get(updated).query("pageToken", other)).await;
    }

    let list = ok(&alice, Call::get("/v1/email/messages")).await;
    let message = text(&list.records()[0]["id"]);
    let one = "/v1/email/messages/{messageId}";
    let whole = ok(&alice, Call::get(one).with("messageId", &message)).await;
    refused(&bob, Call::get(one).with("messageId", &message)).await;
    let part = text(&whole.json["attachments"][0]["id"]);
    let attachment = Call::get("/v1/email/messages/{messageId}/attachments/{attachmentId}");
    let attachment = attachment.with("messageId", &message);
    let attachment = attachment.with("attachmentId", &part);
    ok(&alice, attachment.clone()).await;
    refused(&bob, attachment).await;
    for other in altered(&message).into_iter().filter(|id| !id.contains('/')) {
        refused(&alice, Call::get(one).with("messageId", &other)).await;
    }

    let folders = ok(&alice, Call::get("/v1/email/folders")).await;
    let folder = text(&folders.records()[0]["id"]);
    let of = "/v1/email/folders/{folderId}";
    ok(&alice, Call::get(of).with("folderId", &folder)).await;
    refused(&bob, Call::get(of).with("folderId", &folder)).await;
    alive(&gateway).await;
}

/// A08.
#[tokio::test(flavor = "multi_thread")]
async fn line_ends_and_escapes_of_strangers_stay_out_of_the_log() {
    let raw = b"Subject: =?utf-8?q?a=0D=0Aforged=1B[31mforged?=\r\n\r\nhi\r\n";
    let (dovecot, mut gateway) = with_mail(raw).await;
    let user = "alice@test.local";
    let (_, api) = gateway
        .account(user, dovecot.imap_port())
        .await
        .expect("in");
    ok(&api, Call::get("/v1/email/messages")).await;
    let query = Call::get("/v1/email/messages").query("q", "a\r\nforged \u{1b}[31mforged");
    let answer = api.call(query).await.expect("an answer");
    assert!(matches!(answer.status, 200 | 400), "{}", answer.told());
    alive(&gateway).await;
    gateway.stop().await.expect("it ends in order");
    let log = gateway.log();
    assert!(!log.contains("\u{1b}[31mforged"), "{log}");
    assert!(!log.lines().any(|line| line.starts_with("forged")), "{log}");
}

/// Reads the message in all ways, within a time.
async fn is_read(raw: &[u8]) {
    let (dovecot, gateway) = with_mail(raw).await;
    let user = "alice@test.local";
    let (_, api) = gateway
        .account(user, dovecot.imap_port())
        .await
        .expect("in");
    let start = Instant::now();
    let list = ok(&api, Call::get("/v1/email/messages")).await;
    let id = text(&list.records()[0]["id"]);
    for path in [
        "/v1/email/messages/{messageId}",
        "/v1/email/messages/{messageId}/raw",
    ] {
        ok(&api, Call::get(path).with("messageId", &id)).await;
    }
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(20), "{taken:?}");
    alive(&gateway).await;
}

/// P01.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_nested_ten_thousand_deep_is_read() {
    let mut raw = String::from("Subject: deep\r\n");
    for level in 0..10_000 {
        raw += &format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
    }
    is_read(raw.as_bytes()).await;
}

/// P02.
#[tokio::test(flavor = "multi_thread")]
async fn a_message_with_half_a_million_fields_is_read() {
    let mut raw = String::from("Subject: many\r\n");
    raw += &"To: a@b.c\r\n".repeat(500_000);
    raw += "\r\nhi\r\n";
    is_read(raw.as_bytes()).await;
}
