//! The server to send through does what the tests rely on.

use std::time::Duration;

use test_servers::{Postfix, PostfixOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Sends lines one by one and returns the answers' first lines.
#[expect(
    clippy::disallowed_methods,
    reason = "the server under test is on loopback"
)]
async fn talk(port: u16, lines: &[&str]) -> Vec<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("a connection");
    let mut answers = vec![answer(&mut stream).await];
    for line in lines {
        stream
            .write_all(line.as_bytes())
            .await
            .expect("a connection");
        stream.write_all(b"\r\n").await.expect("a connection");
        answers.push(answer(&mut stream).await);
    }
    answers
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut buffer));
        let count = read.await.expect("in time").expect("an answer");
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        let complete = text.ends_with("\r\n")
            && text
                .lines()
                .last()
                .is_some_and(|line| line.as_bytes().get(3) == Some(&b' '));
        if complete || count == 0 {
            return text;
        }
    }
}

#[tokio::test]
async fn mail_of_signed_in_users_is_delivered_with_its_envelope() {
    let postfix = Postfix::start(PostfixOptions {
        message_size_limit: 10_000,
        ..PostfixOptions::default()
    })
    .await
    .unwrap();
    // "\0alice@test.local\0pw"
    let plain = "AUTH PLAIN AGFsaWNlQHRlc3QubG9jYWwAcHc=";
    let answers = talk(
        postfix.plain_port(),
        &[
            "EHLO localhost",
            plain,
            "MAIL FROM:<alice@test.local>",
            "RCPT TO:<one@example.com>",
            "RCPT TO:<reject-me@example.com>",
            "RCPT TO:<defer-me@example.com>",
            "RCPT TO:<two@example.org>",
            "DATA",
            "Subject: a\r\n\r\nb\r\n.",
        ],
    )
    .await;
    assert!(answers[1].contains("SIZE 10000"), "{answers:?}");
    assert!(answers[1].contains("SMTPUTF8"), "{answers:?}");
    assert!(!answers[1].contains("STARTTLS"), "{answers:?}");
    let codes: Vec<&str> = answers.iter().map(|answer| &answer[..3]).collect();
    assert_eq!(
        codes,
        [
            "220", "250", "235", "250", "250", "550", "451", "250", "354", "250"
        ]
    );
    for recipient in ["one@example.com", "two@example.org"] {
        let delivered = postfix.delivered(recipient).await.unwrap();
        assert_eq!(delivered.len(), 1, "{}", postfix.log_tail());
        assert_eq!(delivered[0].sender, "alice@test.local");
        assert_eq!(delivered[0].octets, b"Subject: a\r\n\r\nb\r\n");
    }
    assert_eq!(postfix.settled().await.unwrap().len(), 2);
}

#[tokio::test]
async fn nobody_sends_without_a_password() {
    let postfix = Postfix::shared().await.unwrap();
    let answers = talk(
        postfix.plain_port(),
        &[
            "EHLO localhost",
            "AUTH PLAIN AGFsaWNlQHRlc3QubG9jYWwAeHg=",
            "MAIL FROM:<alice@test.local>",
            "RCPT TO:<one@example.com>",
        ],
    )
    .await;
    assert_eq!(&answers[2][..3], "535", "{answers:?}");
    assert_eq!(&answers[4][..3], "554", "{answers:?}");
    let answers = talk(postfix.start_tls_port(), &["EHLO localhost"]).await;
    assert!(answers[1].contains("STARTTLS") && !answers[1].contains("AUTH"));
}
