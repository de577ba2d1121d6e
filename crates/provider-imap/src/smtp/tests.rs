use std::time::Duration;

use email_provider::{ErrorKind, ProviderError, SendEnvelope};

use super::{
    Envelope, Offer,
    error::{Error, Stage},
    reply::Reply,
    stuffing::Stuffing,
    wire::Wire,
};

fn stuffed(pieces: &[&[u8]]) -> String {
    let (mut stuffing, mut octets) = (Stuffing::new(), Vec::new());
    for piece in pieces {
        stuffing.push(piece, &mut octets);
    }
    stuffing.end(&mut octets);
    String::from_utf8(octets).unwrap()
}

#[test]
fn a_dot_at_the_beginning_of_a_line_is_doubled_wherever_pieces_end() {
    assert_eq!(stuffed(&[b".a\r\n..b\r\nc.\r\n"]), "..a\r\n...b\r\nc.\r\n");
    assert_eq!(
        stuffed(&[b"a\r", b"\n.", b"\r\n", b".", b".x"]),
        "a\r\n..\r\n...x\r\n"
    );
    assert_eq!(stuffed(&[b""]), "");
    assert_eq!(stuffed(&[b"no end"]), "no end\r\n");
}

#[test]
fn no_line_end_but_crlf_reaches_the_server() {
    let whole = "a\n.\nb\r.\rc\r\n.\r\nd\r\r\n\n.\r";
    let expected = "a\r\n..\r\nb\r\n..\r\nc\r\n..\r\nd\r\n\r\n\r\n..\r\n";
    assert_eq!(stuffed(&[whole.as_bytes()]), expected);
    for at in 0..whole.len() {
        let (first, second) = whole.as_bytes().split_at(at);
        assert_eq!(stuffed(&[first, second]), expected, "{at}");
    }
}

#[test]
fn an_address_cannot_end_its_command() {
    let with = |recipient: &str| {
        Envelope::new(&SendEnvelope {
            sender: Some("a@b.test".into()),
            recipients: vec![recipient.into()],
            internationalised: false,
        })
    };
    assert!(with("x@y.test").is_ok());
    assert!(!with("x@y.test").unwrap().internationalised);
    assert!(with("empfänger@y.test").unwrap().internationalised);
    for bad in [
        "x@y.test>\r\nRCPT TO:<z@y.test",
        "x@y.test> SIZE=1",
        "x\0@y.test",
        "x y@z.test",
        "<x@y.test>",
        "x@y.test\n",
        "\"x y\"@z.test",
        "x",
        "@y.test",
        "x@",
        "",
    ] {
        assert!(with(bad).is_err(), "{bad:?}");
    }
    let nobody = SendEnvelope {
        sender: Some("a@b.test".into()),
        recipients: Vec::new(),
        internationalised: false,
    };
    assert!(Envelope::new(&nobody).is_err());
}

fn reply(lines: &str) -> Reply {
    Reply::parse(lines).unwrap()
}

#[test]
fn what_a_server_offers_is_read_leniently() {
    let offer = Offer::read(&reply(
        "250-mail.test at your service\r\n250-size 35882577\r\n250-8BITMIME\r\n250-AUTH=LOGIN\r\n250-AUTH PLAIN XOAUTH2 CRAM-MD5\r\n250-X-ODD\r\n250 SMTPUTF8\r\n",
    ));
    assert_eq!(
        offer,
        Offer {
            size: Some(35_882_577),
            utf8: true,
            eight_bit: true,
            plain: true,
            login: true,
            xoauth2: true,
            ..Offer::default()
        }
    );
    let offer = Offer::read(&reply("250-SIZE 5\r\n250-SIZE\r\n250 STARTTLS\r\n"));
    assert_eq!((offer.size, offer.start_tls), (Some(0), true));
}

#[test]
fn refusals_become_kinds() {
    let cases = [
        (
            Stage::Sender,
            "550 5.7.1 Not your address",
            ErrorKind::Forbidden,
        ),
        (
            Stage::Sender,
            "553 5.1.8 Sender address rejected",
            ErrorKind::Forbidden,
        ),
        (
            Stage::Sender,
            "530 5.7.0 Must issue STARTTLS first",
            ErrorKind::Forbidden,
        ),
        (Stage::Sender, "552 5.3.4 Too big", ErrorKind::Invalid),
        (Stage::Sender, "501 5.1.7 Bad address", ErrorKind::Invalid),
        (
            Stage::Sender,
            "452 4.3.1 Insufficient storage",
            ErrorKind::Unavailable,
        ),
        (
            Stage::Sender,
            "421 4.7.0 Too many messages",
            ErrorKind::RateLimited,
        ),
        (Stage::Recipient, "550 5.1.1 Unknown", ErrorKind::Invalid),
        (
            Stage::Recipient,
            "451 4.7.1 Greylisted",
            ErrorKind::Unavailable,
        ),
        (
            Stage::Message,
            "550 5.4.5 Daily user sending limit exceeded",
            ErrorKind::RateLimited,
        ),
        (
            Stage::Message,
            "554 5.2.252 SendAsDenied; a@b.test not allowed",
            ErrorKind::Forbidden,
        ),
        (
            Stage::Message,
            "554 5.7.1 Looks like spam",
            ErrorKind::Invalid,
        ),
        (
            Stage::Message,
            "451 4.3.0 Queue file write error",
            ErrorKind::Unavailable,
        ),
        (Stage::Greeting, "554 no service", ErrorKind::Unavailable),
    ];
    for (stage, line, kind) in cases {
        let reply = reply(&format!("{line}\r\n"));
        let error = ProviderError::from(Error::Refused { stage, reply });
        assert_eq!(error.kind, kind, "{line}");
    }
}

#[test]
fn the_wait_that_a_server_names_is_kept_and_another_one_is_assumed() {
    let wait = |line: &str| {
        let (stage, reply) = (Stage::Recipient, reply(&format!("{line}\r\n")));
        ProviderError::from(Error::Refused { stage, reply }).retry_after
    };
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(wait("451 4.7.1 Try again in 42 seconds"), seconds(42));
    assert_eq!(wait("450 Please wait 3 minutes"), seconds(180));
    assert_eq!(wait("450 in 99999999999999999999 hours"), seconds(300));
    assert_eq!(wait("450 in 999999999999 hours"), seconds(86_400));
    assert_eq!(wait("451 Greylisted"), seconds(300));
    assert_eq!(wait("550 No"), None);
}

async fn read(octets: &[u8]) -> super::error::Result<Reply> {
    let (mut server, client) = tokio::io::duplex(1 << 20);
    tokio::io::AsyncWriteExt::write_all(&mut server, octets)
        .await
        .unwrap();
    drop(server);
    Wire::new(Box::new(client)).read_reply().await
}

#[tokio::test]
async fn a_reply_is_read_whole_and_within_bounds() {
    let found = read(b"250-a\r\n250-\r\n250 b\r\n250 next\r\n")
        .await
        .unwrap();
    assert_eq!(found.to_string(), "250 a b");
    assert_eq!(read(b"250\r\n").await.unwrap().code(), 250);
    assert_eq!(read(b"250 bare line end\n").await.unwrap().code(), 250);
    let found = read(b"550 \x1b[31m\xff\x07\r\n").await.unwrap();
    assert_eq!(found.to_string(), "550  [31m\u{fffd} ");
    for bad in [
        &b"250-a\r\n"[..],
        b"250-a\r\n550 b\r\n",
        b"hello\r\n",
        b"999 x\r\n",
        b"",
        b"25",
        b"\r\n",
        "2é0 x\r\n".as_bytes(),
    ] {
        assert!(read(bad).await.is_err(), "{bad:?}");
    }
    assert!(read(&vec![b'2'; 100_000]).await.is_err());
    assert!(read(&b"250-and more\r\n".repeat(10_000)).await.is_err());
}
