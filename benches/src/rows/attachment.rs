//! Row 10: the most memory that the gateway takes while an attachment of 100 MB passes through, beside what it has idle.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fake_graph::{FakeGraph, scopes};
use fake_oauth::FakeOAuth;
use serde::Deserialize;
use serde_json::json;
use test_servers::{Dovecot, DovecotOptions, Postfix, PostfixOptions};

use crate::client::Client;
use crate::figure::{Figure, Report, say, told};
use crate::gateway::Gateway;
use crate::large::{self, Large};

const OCTETS: u64 = 100 << 20;
/// What the sending server takes, base64 of the attachment included.
const TAKEN: u64 = 200 << 20;
const USER: &str = "alice@test.local";
const RECIPIENT: &str = "somebody@else.test";
/// After the start and a small message.
const REST: Duration = Duration::from_secs(3);
const MICROSOFT_CLIENT: &str = "bench";
const MICROSOFT_SECRET: &str = "another secret of the benchmarks alone";
const SCOPES: [&str; 7] = [
    scopes::MAIL_READ_WRITE,
    scopes::MAIL_SEND,
    scopes::USER_READ,
    "offline_access",
    "openid",
    "profile",
    "email",
];

pub async fn measure(report: &mut Report) -> Result<()> {
    through_smtp(report).await?;
    through_graph(report).await
}

async fn through_smtp(report: &mut Report) -> Result<()> {
    let mut dovecot = Dovecot::start(DovecotOptions::default()).await?;
    let options = PostfixOptions {
        message_size_limit: TAKEN,
        ..PostfixOptions::default()
    };
    let mut postfix = Postfix::start(options).await?;
    let mut gateway = Gateway::start(None, &[]).await?;
    let client = gateway
        .connect_to_send(USER, dovecot.imap_port(), postfix.plain_port(), true)
        .await?;
    pass_through(report, "IMAP and SMTP", &gateway, &client).await?;
    gateway.stop().await?;
    postfix.stop().await?;
    dovecot.stop().await
}

async fn through_graph(report: &mut Report) -> Result<()> {
    let oauth = FakeOAuth::start().await?;
    oauth.add_client(MICROSOFT_CLIENT, Some(MICROSOFT_SECRET), &[]);
    let graph = FakeGraph::start(&oauth).await?;
    let user = graph.user(USER);
    let (login, api) = (oauth.url(), graph.url());
    let settings = [
        ("POLYPOST_MICROSOFT_CLIENT_ID", MICROSOFT_CLIENT),
        ("POLYPOST_MICROSOFT_CLIENT_SECRET", MICROSOFT_SECRET),
        ("POLYPOST_MICROSOFT_LOGIN_URL", &login),
        ("POLYPOST_MICROSOFT_GRAPH_URL", &api),
    ];
    let mut gateway = Gateway::start(None, &settings).await?;
    let tokens = oauth.issue(MICROSOFT_CLIENT, user.email(), &SCOPES);
    let account = json!({
        "serviceType": "Office365",
        "active": true,
        "email": user.email(),
        "authString1": tokens.access_token,
        "authString2": tokens.refresh_token,
    });
    let (_, client) = gateway.connect_by(&account).await?;
    pass_through(report, "Graph", &gateway, &client).await?;
    gateway.stop().await
}

/// Sends the attachment as JSON and as a form, and downloads it.
async fn pass_through(
    report: &mut Report,
    way: &str,
    gateway: &Gateway,
    client: &Client,
) -> Result<()> {
    send(client, Large::json(RECIPIENT, 1)).await?;
    tokio::time::sleep(REST).await;
    let mut watch = Watch {
        report,
        way,
        gateway,
        idle: gateway.resident()?,
    };

    let begun = watch.begin()?;
    send(client, Large::json(RECIPIENT, OCTETS)).await?;
    watch.end("sent as JSON", begun)?;

    let begun = watch.begin()?;
    let id = send(client, Large::form(RECIPIENT, OCTETS)).await?;
    watch.end("sent as a form", begun)?;

    let path = attachment(client, &id).await?;
    let begun = watch.begin()?;
    let octets = client.download(&path).await?;
    watch.end("downloaded", begun)?;
    let sent = large::rounded(OCTETS);
    ensure!(octets == sent, "{octets} octets of {sent}");
    Ok(())
}

/// The id of the message that was sent.
async fn send(client: &Client, large: Large) -> Result<String> {
    #[derive(Deserialize)]
    struct Sent {
        id: Option<String>,
    }
    let path = "/v1/email/messages?returnIds=true";
    let (content_type, length) = (large.content_type.clone(), large.length());
    let answer = client
        .post(path, &content_type, length, large.body())
        .await?;
    let sent: Sent = serde_json::from_slice(&answer.body)?;
    let told = || String::from_utf8_lossy(&answer.body).into_owned();
    sent.id.with_context(told)
}

/// The path of a message's attachment.
async fn attachment(client: &Client, id: &str) -> Result<String> {
    #[derive(Deserialize)]
    struct Message {
        attachments: Vec<Attachment>,
    }
    #[derive(Deserialize)]
    struct Attachment {
        id: String,
    }
    let path = format!("/v1/email/messages/{id}");
    let answer = client.get(&path).await?;
    let message: Message = serde_json::from_slice(&answer.body)?;
    let attachment = message.attachments.first().context("no attachment")?;
    Ok(format!("{path}/attachments/{}", attachment.id))
}

struct Watch<'a> {
    report: &'a mut Report,
    way: &'a str,
    gateway: &'a Gateway,
    /// KiB.
    idle: u64,
}

impl Watch<'_> {
    fn begin(&self) -> Result<Instant> {
        // What the step before has left counts too: how much that is, is told.
        self.gateway.forget_peak()?;
        say(&format!("{} KiB before", self.gateway.resident()?));
        Ok(Instant::now())
    }

    #[expect(clippy::cast_precision_loss, reason = "KiB of one machine")]
    fn end(&mut self, what: &str, begun: Instant) -> Result<()> {
        let took = begun.elapsed();
        let (idle, peak) = (self.idle, self.gateway.peak()?);
        say(&format!("{}, {what}: {}", self.way, told(took)));
        let mib = |kib: u64| kib as f64 / 1_024.0;
        let above = mib(peak.saturating_sub(idle));
        let what = format!("peak memory, 100 MB {what}, {}: above idle", self.way);
        self.report.add(Figure {
            limit: format!("{:.1} MiB idle", mib(idle)),
            ratio: format!("{:.2} x", peak as f64 / idle.max(1) as f64),
            ..Figure::new(10, what, format!("{above:.1} MiB"))
        });
        Ok(())
    }
}
