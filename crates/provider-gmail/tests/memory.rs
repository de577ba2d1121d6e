//! A large message is read while it is sent. Alone in its process, whose memory is what is measured.

#![cfg(target_os = "linux")]

#[path = "conformance/scripted.rs"]
mod scripted;

use std::sync::Arc;

use bytes::Bytes;
use email_model::OutgoingMessage;
use email_provider::{
    ByteStream, ConnectContext, MessageCopy, MessageOctets, Outgoing, ProviderPlugin as _,
    SendEnvelope, SignIn, Submission, SystemClock,
    network::{GuardOptions, GuardedNetwork},
};
use futures::{StreamExt as _, stream};
use provider_conformance::call;
use provider_gmail::GmailPlugin;
use scripted::{Reply, Scripted};
use secrecy::SecretString;

const PIECE: usize = 64 << 10;
const PIECES: usize = 480;
/// Octets of the message: 30 MiB.
const LENGTH: u64 = (PIECE * PIECES) as u64;

/// Made while it is read: each piece is memory of its own.
#[derive(Debug)]
struct Made;

impl MessageOctets for Made {
    fn length(&self, _: MessageCopy) -> u64 {
        LENGTH
    }

    fn read(&self, _: MessageCopy) -> ByteStream {
        stream::iter((0..PIECES).map(|_| Ok(Bytes::from(vec![b'x'; PIECE])))).boxed()
    }
}

/// The most memory that this process has had, in KiB (proc(5)).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.expect("a peak").parse().expect("a number")
}

fn outgoing() -> Outgoing {
    Outgoing {
        message: Arc::new(OutgoingMessage::default()),
        message_id: "<large@x.example>".to_owned(),
        envelope: SendEnvelope {
            sender: Some("ann@gmail.example".to_owned()),
            recipients: vec!["bob@reader.example".to_owned()],
            internationalised: false,
        },
        octets: Arc::new(Made),
        answers: None,
    }
}

#[tokio::test]
async fn a_message_of_thirty_megabytes_is_sent_in_a_few_of_memory() {
    let server = Scripted::start(false, |asked| match &asked.range {
        None if asked.line.starts_with("GET") => {
            let own = r#"{"sendAs":[{"sendAsEmail":"ann@gmail.example","isPrimary":true}]}"#;
            Reply::answer("200 OK", own)
        }
        None => Reply::answer("200 OK\r\nLocation: /relative", ""),
        Some(range) => {
            let last = range.trim_start_matches("bytes ").split(['-', '/']).nth(1);
            let last: u64 = last.and_then(|last| last.parse().ok()).expect("a number");
            match last + 1 == LENGTH {
                true => Reply::answer("200 OK", r#"{"id":"1f"}"#),
                false => Reply::answer(&format!("308 Resume\r\nRange: bytes=0-{last}"), ""),
            }
        }
    })
    .await;
    let allowed = "127.0.0.0/8".parse().expect("a network");
    let context = ConnectContext {
        public_url: None,
        network: Arc::new(GuardedNetwork::new(vec![allowed], GuardOptions::default())),
        clock: Arc::new(SystemClock),
        config: serde_json::json!({ "api_url": server.url }),
        tokens: None,
        budget: None,
    };
    let sign_in = SignIn {
        access_token: Some(SecretString::from("token")),
        ..SignIn::default()
    };
    let plugin = GmailPlugin::default();
    let mailbox = plugin.resolve(&context, &sign_in).await.expect("a sign-in");
    let provider = plugin.open(&context, &mailbox.connection).await;
    let provider = provider.expect("a mailbox");
    let submitter = provider.submitter().expect("it sends");
    let outgoing = outgoing();
    let before = peak();
    let sent = submitter
        .submit(call(), Submission::Message(&outgoing))
        .await;
    assert!(sent.expect("sent").at.is_some());
    let more = peak() - before;
    assert!(more < 10 << 10, "{more} KiB more");
    let chunks = server
        .asked()
        .into_iter()
        .filter(|asked| asked.range.is_some());
    let (count, octets) = chunks.fold((0, 0), |(count, sum), asked| {
        assert!(asked.body.is_empty());
        (count + 1, sum + asked.length)
    });
    assert_eq!((count, octets), (8, LENGTH));
}
