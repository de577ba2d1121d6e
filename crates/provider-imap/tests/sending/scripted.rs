//! What real servers do rarely.

use std::{sync::Arc, sync::Mutex, time::Duration};

use email_provider::{ErrorKind, ProviderPlugin as _};
use provider_imap::ImapPlugin;
use test_servers::{Dialect, Dovecot, ScriptedImap, ScriptedStream};

use crate::mailbox::*;

/// A sending server: what it says instead of the usual to lines that begin so; `None` hangs up. An empty answer is
/// silence.
#[derive(Clone, Default)]
struct Script {
    instead: Vec<(&'static str, Option<&'static str>)>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Script {
    fn on(mut self, line: &'static str, answer: Option<&'static str>) -> Self {
        self.instead.push((line, answer));
        self
    }

    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.lock().expect("as the test has it"))
    }

    fn answer(&self, line: &str) -> Option<&'static str> {
        let special = self
            .instead
            .iter()
            .find(|(start, _)| line.starts_with(start));
        if let Some((_, answer)) = special {
            return *answer;
        }
        Some(match line.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-scripted\r\n250-AUTH PLAIN\r\n250 SIZE",
            "AUTH" => "235 welcome",
            "DATA" => "354 go ahead",
            _ => "250 fine",
        })
    }

    async fn serve(&self, mut stream: ScriptedStream) -> Option<()> {
        match self.answer("greeting")? {
            "" => {}
            "250 fine" => stream.line("220 hello").await.ok()?,
            other => stream.line(other).await.ok()?,
        }
        let mut in_data = false;
        loop {
            let line = stream.read_line().await.ok()?;
            if in_data && line != "." {
                continue;
            }
            self.heard
                .lock()
                .expect("as the test has it")
                .push(line.clone());
            let answer = self.answer(&line)?;
            in_data = answer.starts_with("354");
            if !answer.is_empty() {
                stream.line(answer).await.ok()?;
            }
        }
    }

    /// The kind of what comes of a sending.
    async fn send(&self, security: &str, recipient: &str) -> Option<ErrorKind> {
        let script = self.clone();
        let server = ScriptedImap::start(move |stream| {
            let script = script.clone();
            async move {
                script.serve(stream).await;
                Ok(())
            }
        })
        .await
        .expect("as the test has it");
        let dovecot = Dovecot::shared(Dialect::Qresync)
            .await
            .expect("as the test has it");
        let url = format!("smtp://127.0.0.1:{}?security={security}", server.port());
        let context = context(None, None);
        let sign_in = sign_in(dovecot.imap_port(), "bob@test.local", &url);
        let mailbox = ImapPlugin
            .resolve(&context, &sign_in)
            .await
            .expect("as the test has it");
        let provider = ImapPlugin
            .open(&context, &mailbox.connection)
            .await
            .expect("as the test has it");
        let outgoing = outgoing(message("bob@test.local", &[recipient]));
        let call = call_within(Duration::from_millis(1_500));
        kind(submit(provider.as_ref(), &outgoing, call).await)
    }

    async fn send_plain(&self) -> Option<ErrorKind> {
        self.send("none", "to@example.com").await
    }
}

#[tokio::test]
async fn no_password_is_sent_in_the_clear_where_tls_was_asked_for() {
    for script in [
        Script::default(),
        Script::default()
            .on("EHLO", Some("250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN"))
            .on("STARTTLS", Some("454 not now")),
        Script::default()
            .on("EHLO", Some("250-x\r\n250 STARTTLS"))
            .on("STARTTLS", Some("220 go\r\n250 injected")),
        Script::default()
            .on("EHLO", Some("250-x\r\n250 STARTTLS"))
            .on("STARTTLS", Some("220 go")),
    ] {
        let sent = script.send("starttls", "to@example.com").await;
        assert!(
            matches!(sent, Some(ErrorKind::Unavailable | ErrorKind::Unexpected)),
            "{sent:?}"
        );
        let heard = script.heard();
        assert!(
            heard.iter().all(|line| !line.starts_with("AUTH")),
            "{heard:?}"
        );
    }
}

#[tokio::test]
async fn what_follows_the_last_octet_decides() {
    for (answer, expected) in [
        (Some("250 queued"), None),
        (Some("251 queued elsewhere"), None),
        (Some("451 not now"), Some(ErrorKind::Unavailable)),
        (Some("421 going down"), Some(ErrorKind::Unavailable)),
        (Some("554 no"), Some(ErrorKind::Invalid)),
        (Some("452 too many messages"), Some(ErrorKind::RateLimited)),
        (Some("hello"), Some(ErrorKind::OutcomeUnknown)),
        (Some("354 more"), Some(ErrorKind::OutcomeUnknown)),
        (Some("250-unfinished"), Some(ErrorKind::OutcomeUnknown)),
        (Some(""), Some(ErrorKind::OutcomeUnknown)),
        (None, Some(ErrorKind::OutcomeUnknown)),
    ] {
        let sent = Script::default().on(".", answer).send_plain().await;
        assert_eq!(sent, expected, "{answer:?}");
    }
}

#[tokio::test]
async fn before_the_last_octet_every_failure_is_certain() {
    for line in ["greeting", "EHLO", "AUTH", "MAIL", "RCPT", "DATA"] {
        for answer in [Some("421 going down"), Some(""), Some("hello"), None] {
            let sent = Script::default().on(line, answer).send_plain().await;
            let expected = match answer {
                Some("hello") => ErrorKind::Unexpected,
                _ => ErrorKind::Unavailable,
            };
            assert_eq!(sent, Some(expected), "{line} {answer:?}");
        }
    }
    let sent = Script::default()
        .on("AUTH", Some("535 5.7.8 no"))
        .send_plain()
        .await;
    assert_eq!(sent, Some(ErrorKind::Forbidden));
    let sent = Script::default()
        .on("AUTH", Some("454 4.7.0 later"))
        .send_plain()
        .await;
    assert_eq!(sent, Some(ErrorKind::Unavailable));
    let sent = Script::default()
        .on("DATA", Some("250 what?"))
        .send_plain()
        .await;
    assert!(sent.is_some());
}

#[tokio::test]
async fn a_server_without_smtputf8_is_not_given_an_address_beyond_ascii() {
    let script = Script::default();
    let sent = script.send("none", "empfänger@example.com").await;
    assert_eq!(sent, Some(ErrorKind::Invalid));
    assert!(script.heard().iter().all(|line| !line.starts_with("MAIL")));
}

#[tokio::test]
async fn a_secret_that_the_server_repeats_is_not_passed_on() {
    let script = Script::default().on(
        "AUTH",
        Some("500 unknown: AUTH PLAIN AGJvYkB0ZXN0LmxvY2FsAHB3"),
    );
    assert_eq!(script.send_plain().await, Some(ErrorKind::Unavailable));
}
