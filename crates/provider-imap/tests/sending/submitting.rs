//! What reaches recipients, and what a refusal is.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use email_model::{Address, AttachmentContent, OutgoingAttachment};
use email_provider::oauth::AccessTokens;
use email_provider::{ErrorKind, MessageCopy, ProviderPlugin as _, ProviderResult};
use provider_imap::ImapPlugin;
use secrecy::{ExposeSecret as _, SecretString};
use test_servers::{FaultProxy, Postfix, PostfixOptions, bearer_token};

use crate::mailbox::*;

#[tokio::test]
async fn a_message_arrives_byte_for_byte_without_its_blind_copies() {
    let postfix = Postfix::shared().await.unwrap();
    for url in [
        format!("smtps://127.0.0.1:{}", postfix.tls_port()),
        format!("smtp://127.0.0.1:{}", postfix.start_tls_port()),
        plain(postfix.plain_port()),
    ] {
        let mailbox = Mailbox::new(&url, Some(postfix)).await;
        let (to, hidden) = (somebody(), somebody());
        let mut message = message(&mailbox.user, &[&to]);
        message.bcc = vec![Address::bare(hidden.clone())];
        let outgoing = outgoing(message);
        let submitted = mailbox.submit(&outgoing).await.unwrap();
        assert_eq!(submitted.refused, []);
        let wire = octets(&outgoing, MessageCopy::Wire).await;
        let kept = octets(&outgoing, MessageCopy::Kept).await;
        assert!(String::from_utf8_lossy(&kept).contains(&hidden));
        for recipient in [to, hidden.clone()] {
            let delivered = postfix.delivered(&recipient).await.unwrap();
            assert_eq!(delivered.len(), 1, "{url}");
            assert_eq!(delivered[0].sender, mailbox.user);
            assert_eq!(
                String::from_utf8_lossy(&delivered[0].octets),
                String::from_utf8_lossy(&wire)
            );
            assert!(!String::from_utf8_lossy(&delivered[0].octets).contains(&hidden));
        }
    }
}

#[tokio::test]
async fn a_large_message_arrives_whole() {
    let (mailbox, postfix) = Mailbox::plain().await;
    let to = somebody();
    let mut message = message(&mailbox.user, &[&to]);
    let content: Vec<u8> = (0..6_000_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    message.attachments = vec![OutgoingAttachment {
        name: Some("a.bin".into()),
        mime_type: None,
        inline: false,
        content_id: None,
        content: AttachmentContent::Memory(Bytes::from(content)),
    }];
    let outgoing = outgoing(message);
    mailbox.submit(&outgoing).await.unwrap();
    let delivered = postfix.delivered(&to).await.unwrap();
    assert_eq!(delivered.len(), 1);
    assert!(delivered[0].octets == octets(&outgoing, MessageCopy::Wire).await);
}

#[tokio::test]
async fn recipients_that_are_refused_are_named_and_the_others_get_the_message() {
    let (mailbox, postfix) = Mailbox::plain().await;
    let (first, last) = (somebody(), somebody());
    let refused = format!("reject{}@example.com", number());
    let put_off = format!("defer{}@example.com", number());
    let people = [first.as_str(), &refused, &put_off, &last];
    let outgoing = outgoing(message(&mailbox.user, &people));
    let submitted = mailbox.submit(&outgoing).await.unwrap();
    let named: Vec<_> = submitted
        .refused
        .iter()
        .map(|one| one.address.as_str())
        .collect();
    assert_eq!(named, [refused.as_str(), put_off.as_str()]);
    assert!(submitted.refused[0].reason.starts_with("550 5.1.1 "));
    assert!(submitted.refused[1].reason.starts_with("451 4.7.1 "));
    for (recipient, count) in [(first, 1), (last, 1), (refused, 0), (put_off, 0)] {
        assert_eq!(postfix.delivered(&recipient).await.unwrap().len(), count);
    }
}

#[tokio::test]
async fn a_message_that_nobody_takes_is_refused_for_good_or_put_off() {
    let (mailbox, _) = Mailbox::plain().await;
    let send = async |people: &[&str]| {
        let outgoing = outgoing(message(&mailbox.user, people));
        mailbox.submit(&outgoing).await.unwrap_err()
    };
    let error = send(&["reject1@example.com", "reject2@example.com"]).await;
    assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
    for people in [
        &["defer1@example.com"][..],
        &["reject1@example.com", "defer1@example.com"],
    ] {
        let error = send(people).await;
        assert_eq!(error.kind, ErrorKind::Unavailable, "{error}");
        assert_eq!(error.retry_after, Some(Duration::from_secs(300)));
    }
    // Nothing is left of it for the next message over the same connection.
    let outgoing = outgoing(message(&mailbox.user, &[&somebody()]));
    mailbox.submit(&outgoing).await.unwrap();
}

#[tokio::test]
async fn a_sender_that_may_not_is_forbidden() {
    let (mailbox, _) = Mailbox::plain().await;
    let outgoing = outgoing(message("forbidden@example.com", &[&somebody()]));
    let error = mailbox.submit(&outgoing).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden, "{error}");
}

#[tokio::test]
async fn a_refusal_after_the_last_octet_is_certain_and_the_connection_goes_on() {
    let postfix = Postfix::shared().await.unwrap();
    let proxy = FaultProxy::to_port(postfix.plain_port()).unwrap();
    let mailbox = Mailbox::new(&plain(proxy.port()), None).await;
    let (first, second) = (somebody(), somebody());
    let mut refused = message(&mailbox.user, &[&first]);
    refused.subject = Some("Refuse at the end".into());
    let before = proxy.connections();
    let error = mailbox.submit(&outgoing(refused)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid, "{error}");
    let next = outgoing(message(&mailbox.user, &[&second]));
    mailbox.submit(&next).await.unwrap();
    assert_eq!(proxy.connections(), before + 1);
    assert_eq!(postfix.delivered(&first).await.unwrap().len(), 0);
    assert_eq!(postfix.delivered(&second).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_wrong_password_is_the_credentials_and_repeats_no_secret() {
    let (mailbox, _) = Mailbox::plain().await;
    let mut connection = mailbox.connection.clone();
    connection.secret = "not the password".to_owned().into();
    let provider = ImapPlugin
        .open(&mailbox.context, &connection)
        .await
        .unwrap();
    let outgoing = outgoing(message(&mailbox.user, &[&somebody()]));
    let error = submit(provider.as_ref(), &outgoing, call())
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden, "{error}");
    assert!(!format!("{error} {error:?}").contains("not the password"));
}

#[tokio::test]
async fn a_server_that_asks_for_name_and_password_one_by_one_is_answered() {
    let postfix = Postfix::start(PostfixOptions {
        mechanisms: "login",
        ..PostfixOptions::default()
    })
    .await
    .unwrap();
    let mailbox = Mailbox::new(&plain(postfix.plain_port()), None).await;
    let to = somebody();
    mailbox
        .submit(&outgoing(message(&mailbox.user, &[&to])))
        .await
        .unwrap();
    assert_eq!(postfix.delivered(&to).await.unwrap().len(), 1);
}

/// Gives a token that is no good until it is told so.
#[derive(Debug)]
struct Tokens {
    good: SecretString,
    refused: Mutex<Vec<String>>,
}

#[async_trait]
impl AccessTokens for Tokens {
    async fn token(&self) -> ProviderResult<SecretString> {
        Ok(
            match self.refused.lock().expect("as the test has it").is_empty() {
                true => "stale".to_owned().into(),
                false => self.good.clone(),
            },
        )
    }

    async fn refused(&self, token: &SecretString) {
        let token = token.expose_secret().to_owned();
        self.refused.lock().expect("as the test has it").push(token);
    }
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let (mailbox, postfix) = Mailbox::plain().await;
    for (good, is_sent) in [(bearer_token(&mailbox.user), true), ("x".into(), false)] {
        let tokens = std::sync::Arc::new(Tokens {
            good: good.into(),
            refused: Mutex::default(),
        });
        let mut connection = mailbox.connection.clone();
        connection.settings["auth"] = "oauth".into();
        let context = context(None, Some(tokens.clone()));
        let provider = ImapPlugin.open(&context, &connection).await.unwrap();
        let to = somebody();
        let outgoing = outgoing(message(&mailbox.user, &[&to]));
        let sent = submit(provider.as_ref(), &outgoing, call()).await;
        assert_eq!(*tokens.refused.lock().unwrap(), ["stale"]);
        let expected = (!is_sent).then_some(ErrorKind::Forbidden);
        assert_eq!(kind(sent), expected);
        let delivered = postfix.delivered(&to).await.unwrap();
        assert_eq!(delivered.len(), usize::from(is_sent));
    }
}

#[tokio::test]
async fn what_looks_like_the_end_of_a_message_is_content() {
    let (mailbox, postfix) = Mailbox::plain().await;
    let to = somebody();
    let inner = "MAIL FROM:<x@example.com>\r\nRCPT TO:<smuggled@example.com>\r\nDATA\r\nSubject: in\r\n\r\nx\r\n";
    for (index, end) in [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r\n.\r",
        "\r\n.\r\n",
        "\r\n\0.\r\n",
    ]
    .iter()
    .enumerate()
    {
        let text = format!(
            "Message-ID: <{index}@smuggle>\r\nDate: x\r\nFrom: a@b.test\r\nSubject: out\r\n\r\nbefore{end}{inner}.\r\n"
        );
        let length = text.len() as u64;
        // In two pieces, cut within the sequence.
        let cut = text.find(end).unwrap() + 1;
        let text = Bytes::from(text);
        let pieces = vec![Some(text.slice(..cut)), Some(text.slice(cut..))];
        let outgoing = raw(&mailbox.user, &to, pieces, length);
        let sent = mailbox.submit(&outgoing).await;
        match end.contains('\0') {
            true => assert_eq!(kind(sent), Some(ErrorKind::Invalid)),
            false => drop(sent.unwrap()),
        }
    }
    let delivered = postfix.delivered(&to).await.unwrap();
    assert_eq!(delivered.len(), 6);
    for one in delivered {
        let text = String::from_utf8(one.octets).unwrap();
        assert!(
            text.contains(
                "RCPT TO:<smuggled@example.com>\r\nDATA\r\nSubject: in\r\n\r\nx\r\n.\r\n"
            )
        );
        assert!(text.contains("before\r\n.\r\nMAIL FROM"), "{text}");
    }
    assert_eq!(postfix.delivered("smuggled@example.com").await.unwrap(), []);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_to_its_end_is_not_sent() {
    let (mailbox, postfix) = Mailbox::plain().await;
    let to = somebody();
    let begin = Bytes::from_static(b"Message-ID: <a@b>\r\n\r\nbegin\r\n");
    let length = begin.len() as u64;
    for (pieces, length) in [
        (vec![Some(begin.clone()), None], length),
        (vec![Some(begin.clone())], length + 1),
        (vec![Some(begin.clone()), Some(begin.clone())], length),
    ] {
        let sent = mailbox
            .submit(&raw(&mailbox.user, &to, pieces, length))
            .await;
        assert_eq!(kind(sent), Some(ErrorKind::Unavailable));
    }
    let eight_bit = vec![Some(Bytes::from_static(
        b"Message-ID: <a@b>\r\n\r\n\xff\r\n",
    ))];
    let sent = mailbox
        .submit(&raw(&mailbox.user, &to, eight_bit, 25))
        .await;
    assert_eq!(kind(sent), Some(ErrorKind::Invalid));
    assert_eq!(postfix.delivered(&to).await.unwrap(), []);
}

#[tokio::test]
async fn limits_are_the_servers_own() {
    let postfix = Postfix::start(PostfixOptions {
        message_size_limit: 20_000,
        ..PostfixOptions::default()
    })
    .await
    .unwrap();
    let mailbox = Mailbox::new(&plain(postfix.plain_port()), None).await;
    let limits = mailbox.provider.submitter().unwrap().limits();
    assert_eq!((limits.octets, limits.recipients), (20_000, 100));
    assert!(limits.internationalised && !limits.drafts_only);
    let mut large = message(&mailbox.user, &[&somebody()]);
    large.body.text = Some("0123456789\n".repeat(2_000));
    assert_eq!(
        kind(mailbox.submit(&outgoing(large)).await),
        Some(ErrorKind::Invalid)
    );
    let many: Vec<String> = (0..101).map(|n| format!("a{n}@example.com")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let many = outgoing(message(&mailbox.user, &many));
    assert_eq!(kind(mailbox.submit(&many).await), Some(ErrorKind::Invalid));
}

#[tokio::test]
async fn a_hundred_recipients_and_addresses_of_other_scripts_are_written_to() {
    let (mailbox, postfix) = Mailbox::plain().await;
    let mut people: Vec<String> = (0..99).map(|_| somebody()).collect();
    people.push(format!("empfänger{}@example.com", number()));
    let names: Vec<&str> = people.iter().map(String::as_str).collect();
    let outgoing = outgoing(message(&mailbox.user, &names));
    let submitted = mailbox.submit(&outgoing).await.unwrap();
    assert_eq!(submitted.refused, []);
    let delivered = postfix.settled().await.unwrap();
    for one in people {
        let count = delivered
            .iter()
            .filter(|mail| mail.recipient == one)
            .count();
        assert_eq!(count, 1, "{one}");
    }
}
