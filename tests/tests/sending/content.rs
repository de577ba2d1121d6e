//! What recipients get is what was asked for, to the last octet.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use polypost_tests::sending::{Servers, Way};
use polypost_tests::{Call, StoreKind};
use serde_json::{Value, json};
use test_servers::Delivered;

use crate::run;
use crate::setting::Mailbox;

/// Attempts to end the message within its text, and to begin another one.
const SMUGGLED: [&str; 7] = [
    "\r\n.\r\nMAIL FROM:<evil@else.test>\r\nRCPT TO:<victim@named.test>\r\nDATA\r\nSubject: evil\r\n\r\nevil\r\n.\r\n",
    "\n.\nMAIL FROM:<evil@else.test>\nRCPT TO:<victim@named.test>\nDATA\nevil\n.\n",
    "\r.\rMAIL FROM:<evil@else.test>\rRCPT TO:<victim@named.test>\r",
    "\n.\r\nMAIL FROM:<evil@else.test>\r\n",
    "\r\n.\nMAIL FROM:<evil@else.test>\n",
    ".\r\n..\r\n...\r\nFrom here\r\n",
    "\r\r\n.\r\r\nQUIT\r\r\n",
];

/// Everything that the sending server delivered to somebody.
async fn delivered(mailbox: &Mailbox, recipient: &str) -> Vec<Delivered> {
    let Servers::Smtp { postfix, .. } = &mailbox.servers else {
        panic!("not by SMTP");
    };
    postfix.delivered(recipient).await.expect("an empty queue")
}

/// What Python makes of it.
fn read(raw: &[u8]) -> Value {
    // From the package's directory, in which its tests run.
    let script = "tests/sending/read.py";
    let mut python = Command::new("python3")
        .arg(script)
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    let mut input = python.stdin.take().expect("its input");
    input.write_all(raw).expect("written");
    drop(input);
    let output = python.wait_with_output().expect("its end");
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn values(read: &Value, name: &str) -> Vec<String> {
    let fields = read["fields"].as_array().expect("fields").iter();
    let named = fields.filter(|field| {
        field[0]
            .as_str()
            .is_some_and(|n| n.eq_ignore_ascii_case(name))
    });
    named
        .map(|field| field[1].as_str().expect("a text").to_owned())
        .collect()
}

/// Line breaks do not tell one text from another.
fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.trim_end().split('\n').map(str::to_owned).collect()
}

async fn arrives_as_content(kind: &str) {
    let mailbox = Mailbox::new(Way::Smtp, StoreKind::Sqlite).await;
    for (number, smuggled) in SMUGGLED.iter().enumerate() {
        let recipient = format!("{kind}{number}.{}@named.test", mailbox.word());
        let body = format!("before{smuggled}after");
        let letter = json!({
            "subject": "plain",
            "body": body,
            "to": [{"address": recipient}],
        });
        let call = Call::post("/v1/email/messages").query("bodyType", kind);
        mailbox.ok(call.json(letter)).await;
        let got = delivered(&mailbox, &recipient).await;
        assert_eq!(got.len(), 1, "{smuggled:?}");
        let read = read(&got[0].octets);
        assert_eq!(read["defects"], json!([]));
        let media = if kind == "html" {
            "text/html"
        } else {
            "text/plain"
        };
        let leaves = read["leaves"].as_array().expect("parts");
        let part = leaves.iter().find(|part| part["type"] == media);
        let text = part
            .and_then(|part| part["text"].as_str())
            .expect("the text");
        assert_eq!(lines(text), lines(&body), "{smuggled:?}");
    }
    assert_eq!(delivered(&mailbox, "victim@named.test").await, []);
}

#[test]
fn a_plain_text_that_looks_like_commands_is_content() {
    run(arrives_as_content("text"));
}

#[test]
fn a_html_text_that_looks_like_commands_is_content() {
    run(arrives_as_content("html"));
}

/// A field is one line, whatever it is asked to hold: refused, or without its line breaks.
#[test]
fn fields_cannot_be_smuggled_in() {
    run(async {
        let mailbox = Mailbox::new(Way::Smtp, StoreKind::Sqlite).await;
        let evil = "x\r\nBcc: victim@named.test\r\nX-Evil: 1\r\n\r\nevil";
        for change in [
            json!({"subject": evil}),
            json!({"from": {"name": evil, "address": "me@here.test"}}),
            json!({"to": [{"name": evil, "address": "someone@named.test"}]}),
            json!({"to": [{"address": format!("someone@named.test{evil}")}]}),
            json!({"xHeaders": [{"name": "X-A", "value": evil}]}),
            json!({"xHeaders": [{"name": "X-A\r\nX-Evil", "value": "1"}]}),
            json!({"listHeaders": [{"name": "List-Id", "value": evil}]}),
            json!({"inReplyTo": format!("<a@b>{evil}")}),
            json!({"attachments": [{"name": evil, "mimeType": format!("text/plain{evil}"), "content": ""}]}),
        ] {
            let recipient = format!("{}@named.test", mailbox.word());
            let mut letter =
                json!({"subject": "plain", "body": "<p>.", "to": [{"address": recipient}]});
            let members = change.as_object().expect("an object").clone();
            letter.as_object_mut().expect("an object").extend(members);
            let call = Call::post("/v1/email/messages").json(letter);
            let answer = mailbox.api.call(call).await.expect("an answer");
            assert!(
                matches!(answer.status, 201 | 400 | 403 | 422),
                "{}",
                answer.told()
            );
            for got in delivered(&mailbox, &recipient).await {
                let read = read(&got.octets);
                assert!(values(&read, "X-Evil").is_empty(), "{change}: {read}");
                assert!(values(&read, "Bcc").is_empty(), "{change}: {read}");
            }
        }
        assert_eq!(delivered(&mailbox, "victim@named.test").await, []);
    });
}

/// Names of files that readers and writers stumble over.
fn names() -> [String; 5] {
    [
        "quo\"te' \\ and; semi=colon.txt".to_owned(),
        "Übergröße – 文件 🎉.pdf".to_owned(),
        "\u{5e9}\u{5dc}\u{5d5}\u{5dd} \u{62a}\u{642}\u{631}\u{64a}\u{631}.doc".to_owned(),
        format!("{}.bin", "long".repeat(49)),
        format!("{}.bin", "änder".repeat(39)),
    ]
}

#[test]
fn what_was_composed_is_read_back_whole() {
    run(async {
        let mailbox = Mailbox::new(Way::Smtp, StoreKind::Sqlite).await;
        let word = mailbox.word();
        let [to, cc, bcc] = ["to", "cc", "bcc"].map(|field| format!("{field}.{word}@named.test"));
        let subject = format!("{word} Größe: {} fin", "ein langer Betreff ".repeat(12));
        let html = format!(
            "<p>Hällo <img src=\"cid:logo@here\"></p>\n<p>{}</p>\n",
            "x".repeat(3_000)
        );
        let octets: Vec<u8> = (0..100_000_u32).map(|n| (n * 7 % 251) as u8).collect();
        let image = b"\x89PNG\r\n\x1a\nnot really\r\n.\r\n\n\r\0".to_vec();
        let mut attachments = vec![json!({
            "name": "logo.png",
            "mimeType": "image/png",
            "inline": true,
            "contentId": "logo@here",
            "content": BASE64_STANDARD.encode(&image),
        })];
        attachments.extend(names().iter().map(|name| {
            json!({
                "name": name,
                "mimeType": "application/octet-stream",
                "content": BASE64_STANDARD.encode(&octets),
            })
        }));
        let letter = json!({
            "subject": subject,
            "body": html,
            "to": [{"name": "Jürgen \"J.\" Groß, Dr.", "address": to}],
            "cc": [{"name": "שלום", "address": cc}],
            "bcc": [{"address": bcc}],
            "replyTo": [{"name": "Answers", "address": "answers@here.test"}],
            "xHeaders": [
                {"name": "X-Custom", "value": "one, two; three=\"four\""},
                {"name": "X-Über-nothing", "value": ""},
            ],
            "listHeaders": [
                {"name": "List-Id", "value": "A list <list.here.test>"},
                {"name": "List-Unsubscribe", "value": "<mailto:off@here.test>, <https://here.test/off?a=1&b=2>"},
                {"name": "List-Unsubscribe-Post", "value": "List-Unsubscribe=One-Click"},
            ],
            "attachments": attachments,
        });
        let mut letter = letter;
        // A name that is none is refused by its place, and nothing is sent.
        let call = Call::post("/v1/email/messages").json(letter.clone());
        let refused = mailbox.api.call(call).await.expect("an answer");
        assert_eq!(refused.status, 422, "{}", refused.told());
        letter["xHeaders"] = json!([{"name": "X-Custom", "value": "one, two; three=\"four\""}]);
        mailbox
            .ok(Call::post("/v1/email/messages").json(letter))
            .await;
        let mut first: Option<Vec<u8>> = None;
        for recipient in [&to, &cc, &bcc] {
            let got = delivered(&mailbox, recipient).await;
            assert_eq!(got.len(), 1, "{recipient}");
            let octets = first.get_or_insert_with(|| got[0].octets.clone());
            assert_eq!(got[0].octets, *octets, "all get the same");
        }
        let read = read(&first.expect("a message"));
        assert_eq!(read["defects"], json!([]));
        let mut fields: Vec<String> = read["fields"]
            .as_array()
            .expect("fields")
            .iter()
            .map(|field| field[0].as_str().expect("a name").to_lowercase())
            .collect();
        fields.sort();
        let expected = [
            "cc",
            "content-type",
            "date",
            "from",
            "list-id",
            "list-unsubscribe",
            "list-unsubscribe-post",
            "message-id",
            "mime-version",
            "reply-to",
            "subject",
            "to",
            "x-custom",
        ];
        assert_eq!(fields, expected);
        for (name, value) in [
            ("Subject", subject.as_str()),
            ("X-Custom", "one, two; three=\"four\""),
            ("List-Id", "A list <list.here.test>"),
            (
                "List-Unsubscribe",
                "<mailto:off@here.test>, <https://here.test/off?a=1&b=2>",
            ),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("Reply-To", "Answers <answers@here.test>"),
        ] {
            assert_eq!(values(&read, name), [value]);
        }
        let leaves = read["leaves"].as_array().expect("parts");
        let text = leaves
            .iter()
            .find(|part| part["type"] == "text/html")
            .expect("HTML");
        assert_eq!(lines(text["text"].as_str().expect("text")), lines(&html));
        let logo = leaves
            .iter()
            .find(|part| part["type"] == "image/png")
            .expect("the image");
        assert_eq!(logo["id"], "<logo@here>");
        assert_eq!(logo["disposition"], "inline");
        assert_eq!(logo["bytes"], json!(BASE64_STANDARD.encode(&image)));
        let files: Vec<&Value> = leaves
            .iter()
            .filter(|part| part["disposition"] == "attachment")
            .collect();
        let found: Vec<&str> = files
            .iter()
            .filter_map(|part| part["name"].as_str())
            .collect();
        assert_eq!(found, names());
        for file in files {
            assert_eq!(
                file["bytes"],
                json!(BASE64_STANDARD.encode(&octets)),
                "{}",
                file["name"]
            );
        }
        let others = leaves
            .iter()
            .filter(|part| part["disposition"].is_null())
            .count();
        assert!(
            others <= 2,
            "the text in at most two forms: {}",
            read["outline"]
        );
    });
}
