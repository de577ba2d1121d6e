//! Messages to compose.

use std::collections::BTreeMap;

use email_model::{
    Address, AttachmentContent, Body, Header, OutgoingAttachment, OutgoingMessage, Timestamp,
};
use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

/// What means something to some reader.
const PIECES: &[&str] = &[
    "Ann",
    "plan",
    " ",
    "  ",
    "é",
    "日本語",
    "\u{1f600}",
    "a\u{301}",
    "\"",
    "\\",
    "(",
    ")",
    "<",
    ">",
    "@",
    ",",
    ";",
    ":",
    "'",
    "%41",
    "*0*=",
    "=?utf-8?q?x?=",
    "=?utf-8?b?w6k=?=",
    "=?",
    "?=",
    "..",
    ".",
    "\u{202e}",
    "\u{a0}",
    "x@y.example",
    "_",
    "=",
    "=20",
    "&amp;",
    "#",
    "/",
    "~",
    "-",
    "!",
    "[",
    "]",
    "{",
    "|",
    "}",
    "^",
    "`",
    "+",
    "$",
    "aVeryLongWordThatGoesOnAndOnAndOnWithoutAnyPlaceToBreakItSoThatItsLineMustGoOnAsWell",
];

pub fn person(name: &str, address: &str) -> Address {
    Address {
        name: Some(name.to_owned()),
        address: Some(address.to_owned()),
    }
}

fn header(name: &str, value: &str) -> Header {
    Header {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

pub fn file(name: &str, mime_type: &str, bytes: &[u8]) -> OutgoingAttachment {
    OutgoingAttachment {
        name: Some(name.to_owned()),
        mime_type: Some(mime_type.to_owned()),
        inline: false,
        content_id: None,
        content: AttachmentContent::Memory(bytes.to_vec().into()),
    }
}

fn image(name: &str, id: &str) -> OutgoingAttachment {
    OutgoingAttachment {
        inline: true,
        content_id: Some(id.to_owned()),
        ..file(name, "image/png", b"\x89PNG\r\n\x1a\n")
    }
}

fn body(text: Option<&str>, html: Option<&str>) -> Body {
    Body {
        text: text.map(str::to_owned),
        html: html.map(str::to_owned),
    }
}

fn letter() -> OutgoingMessage {
    OutgoingMessage {
        message_id: "<0123456789abcdef@here.example>".to_owned(),
        date: Timestamp::from_timestamp(1_700_000_000, 0).unwrap(),
        from: Some(person("Ann Lee", "ann@here.example")),
        to: vec![Address::bare("bob@there.example")],
        subject: Some("Plans".to_owned()),
        body: body(Some("Hello Bob,\n\nsee you.\n"), None),
        ..OutgoingMessage::default()
    }
}

pub fn named() -> BTreeMap<String, OutgoingMessage> {
    let mut cases = BTreeMap::new();
    let mut case = |name: &str, change: &dyn Fn(&mut OutgoingMessage)| {
        let mut message = letter();
        change(&mut message);
        cases.insert(name.to_owned(), message);
    };
    case("plain", &|_| {});
    case("empty", &|m| {
        m.body = Body::default();
        m.subject = None;
    });
    case("html", &|m| {
        m.body = body(None, Some("<p>Grüße, <b>Bob</b></p>"))
    });
    case("both", &|m| {
        m.body = body(Some("Grüße"), Some("<p>Grüße</p>"))
    });
    case("base64", &|m| {
        m.body = body(Some(&"日本語のメール。\n".repeat(40)), None)
    });
    case("long_line", &|m| {
        m.body = body(Some(&"word ".repeat(1_000)), Some(&"é".repeat(3_000)))
    });
    case("white_space", &|m| {
        m.body = body(Some("a \n\tb\t\n  \n\n"), None)
    });
    case("everybody", &|m| {
        m.reply_to = vec![person("Office", "office@here.example")];
        m.to = vec![
            person("Müller, Ann", "a@x.example"),
            person("O'Brien", "o'b@x.example"),
        ];
        m.cc = (0..40)
            .map(|n| person(&format!("No. {n}"), &format!("p{n}@x.example")))
            .collect();
        m.bcc = vec![person("Eve", "eve@x.example")];
    });
    case("bcc_alone", &|m| {
        m.to.clear();
        m.bcc = vec![Address::bare("eve@x.example")];
    });
    case("odd_addresses", &|m| {
        m.to = [
            "\"abc..d.\"@x.example",
            "o'b+tag/x=y@x.example",
            "{a}|b~c^d`e*f&g$h#i?@x.example",
            "root@localhost",
            "_-@x--y.example",
        ]
        .map(|address| person("Somebody", address))
        .to_vec();
    });
    case("international_domain", &|m| {
        m.to = vec![person("Buch", "ann@bücher.example")]
    });
    case("long_subject", &|m| {
        m.subject = Some("Ein sehr langer Betreff über Bücher ".repeat(20))
    });
    case("long_word", &|m| m.subject = Some("x".repeat(2_000)));
    case("spaces", &|m| {
        m.subject = Some(format!("a{}b", " ".repeat(200)))
    });
    case("thread", &|m| {
        m.in_reply_to = Some("<m2@x.example>".to_owned());
        m.references = (0..90)
            .map(|n| format!("<m{n}@{}.example>", "x".repeat(50)))
            .collect();
    });
    case("custom", &|m| {
        m.headers = vec![
            header("X-Plain", "a  b"),
            header("X-Note", "één \u{1f600}"),
            header("X-Empty", ""),
        ];
        m.list_headers = vec![
            header(
                "List-Unsubscribe",
                &format!(
                    "<https://x.example/{}>, <mailto:u@x.example>",
                    "u".repeat(400)
                ),
            ),
            header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            header("List-Id", "News <news.x.example>"),
        ];
    });
    case("files", &|m| {
        m.attachments = [
            "a.pdf",
            "two words.pdf",
            "Rechnung März.pdf",
            "日本語の長い長い長い長い長い長いファイル名.xlsx",
            "a\"b\\c.txt",
            "50%.txt",
            "=?utf-8?q?x?=.txt",
            "it's; filename=evil.html",
            "x'y'z.txt",
            "../../etc/passwd",
            "a,b:c<d>e|f?g*h.txt",
            &"long".repeat(60),
        ]
        .map(|name| file(name, "application/octet-stream", name.as_bytes()))
        .to_vec();
    });
    case("kinds", &|m| {
        m.attachments = vec![
            file(
                "invite.ics",
                "text/calendar; method=REQUEST; charset=utf-8",
                b"BEGIN:VCALENDAR\r\n",
            ),
            file("old.eml", "message/rfc822", b"Subject: old\r\n\r\nbody"),
            file("empty", "application/octet-stream", b""),
            file("line", "text/plain", &[b'x'; 57]),
            OutgoingAttachment {
                name: None,
                mime_type: None,
                ..file("", "", &[0, 255, 13, 10])
            },
        ];
    });
    case("inline", &|m| {
        m.body = body(None, Some("<img src=\"cid:logo@here\"><img src=cid:dot>"));
        m.attachments = vec![
            image("logo é.png", "logo@here"),
            file("a.pdf", "application/pdf", b"x"),
            image("dot.png", "<dot>"),
        ];
    });
    cases
}

pub fn smuggled() -> BTreeMap<String, OutgoingMessage> {
    let ends = [
        "\r\n.\r\n",
        "\n.\n",
        "\n.\r\n",
        "\r.\r",
        "\r\n.\n",
        "\r\n.\r",
        "\r.\r\n",
        "\r\n\0.\r\n",
        "\r\n..\r\n",
    ];
    let commands =
        "MAIL FROM:<eve@x.example>\r\nRCPT TO:<bob@x.example>\r\nDATA\r\nFrom: eve\r\n\r\nFrom me";
    let mut cases = BTreeMap::new();
    for (index, end) in ends.iter().enumerate() {
        let text = format!("{end}begin{end}{commands}{end}");
        let mut message = letter();
        message.body = body(Some(&text), (index % 2 == 0).then_some(&text));
        message.attachments = vec![file(".", "text/plain", text.as_bytes())];
        cases.insert(format!("smuggled_{index}"), message);
        let mut message = letter();
        // Where a line is continued, and where characters are escaped.
        message.body = body(
            Some(&format!("{}.{end}é{end}", "x".repeat(75 - index))),
            None,
        );
        cases.insert(format!("continued_{index}"), message);
    }
    cases
}

pub fn random(count: usize) -> BTreeMap<String, OutgoingMessage> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    (0..count)
        .map(|index| (format!("random_{index:03}"), random_message(&mut random)))
        .collect()
}

fn text(random: &mut ChaCha8Rng, most: usize) -> String {
    let count = random.random_range(1..=most);
    (0..count)
        .filter_map(|_| PIECES.choose(random).copied())
        .collect()
}

/// Text that is not blank.
fn words(random: &mut ChaCha8Rng) -> String {
    format!("w{}", text(random, 12))
}

fn people(random: &mut ChaCha8Rng, field: &str) -> Vec<Address> {
    let count = random.random_range(0..5);
    (0..count)
        .map(|n| {
            let address = format!("{field}.{n}@x.example");
            match random.random_range(0..3) {
                0 => Address::bare(address),
                _ => person(&words(random), &address),
            }
        })
        .collect()
}

fn random_message(random: &mut ChaCha8Rng) -> OutgoingMessage {
    let line = |random: &mut ChaCha8Rng| {
        text(random, 20) + ["\n", "\r\n", "\r", " \n"].choose(random).unwrap_or(&"")
    };
    let lines = |random: &mut ChaCha8Rng| -> String {
        (0..random.random_range(0..8))
            .map(|_| line(random))
            .collect()
    };
    let attachments = (0..random.random_range(0..4)).map(|n| {
        let mut bytes = vec![0; random.random_range(0..500)];
        random.fill(bytes.as_mut_slice());
        OutgoingAttachment {
            inline: random.random(),
            content_id: random.random::<bool>().then(|| format!("id{n}@x")),
            ..file(&words(random), "application/x-thing; a=\"b c\"", &bytes)
        }
    });
    let attachments = attachments.collect();
    OutgoingMessage {
        from: Some(person(&words(random), "ann@here.example")),
        reply_to: people(random, "reply"),
        to: std::iter::once(Address::bare("bob@there.example"))
            .chain(people(random, "to"))
            .collect(),
        cc: people(random, "cc"),
        bcc: people(random, "bcc"),
        subject: random.random::<bool>().then(|| words(random)),
        body: Body {
            text: random.random::<bool>().then(|| lines(random)),
            html: random
                .random::<bool>()
                .then(|| format!("<p>begin {}</p>", lines(random))),
        },
        attachments,
        headers: (0..random.random_range(0..3))
            .map(|n| header(&format!("X-N{n}"), &words(random)))
            .collect(),
        ..letter()
    }
}
