use std::sync::Arc;

use email_model::AttachmentContent;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{super::spool::Spool, *};

const MESSAGE_PART: &str = "Content-Disposition: form-data; name=\"message\"\r\nContent-Type: application/json\r\n\r\n{\"subject\":\"x\"}";

fn form(parts: &[&str], boundary: &str) -> Vec<u8> {
    let mut form = String::new();
    for part in parts {
        form += &format!("--{boundary}\r\n{part}\r\n");
    }
    (form + &format!("--{boundary}--\r\n")).into_bytes()
}

struct Taken {
    form: Form,
    octets: Vec<Vec<u8>>,
    _directory: TempDir,
}

impl Taken {
    fn digest(&self) -> [u8; 32] {
        self.form.digest.clone().unwrap().finalize().into()
    }
}

/// Reads a form that arrives in chunks of this size.
async fn take_in(form: Vec<u8>, boundary: &'static str, size: usize) -> ApiResult<Taken> {
    let (sender, receiver) = mpsc::channel(2);
    let reading = tokio::task::spawn_blocking(move || {
        let directory = tempfile::tempdir().unwrap();
        let spool = Arc::new(Spool::new(directory.path().to_owned(), u64::MAX));
        let mut contents = Contents::new(spool);
        let form = read(
            receiver,
            boundary.to_owned(),
            Some(Sha256::new()),
            &mut contents,
        )?;
        let (all, _holds) = contents.done();
        let octets = all.into_iter().map(|content| match content {
            AttachmentContent::Memory(octets) => octets.to_vec(),
            AttachmentContent::Spooled { path, .. } => std::fs::read(path).unwrap(),
        });
        Ok(Taken {
            form,
            octets: octets.collect(),
            _directory: directory,
        })
    });
    for chunk in form.chunks(size) {
        if sender.send(Bytes::copy_from_slice(chunk)).await.is_err() {
            break;
        }
    }
    drop(sender);
    reading.await.unwrap()
}

async fn refusal(form: Vec<u8>) -> (u16, String) {
    let Err(error) = take_in(form, "b", 1000).await else {
        panic!("it was taken");
    };
    let failure = error.failure();
    (failure.status.as_u16(), failure.message.clone())
}

#[tokio::test]
async fn files_stand_beside_the_message() {
    let parts = [
        "Content-Disposition: form-data; name=\"attachments\"; filename=\"r\u{e9}sum\u{e9}.txt\"\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nline\r\n--b\r\n",
        MESSAGE_PART,
        "Content-Disposition: form-data; name=\"inline\"; filename=\"p.png\"\r\n\r\n",
        "Content-Disposition: form-data; name=\"attachments\"\r\nContent-ID: <c@x>\r\n\r\nabc",
    ];
    for size in [1, 7, 1000, 1 << 20] {
        let taken = take_in(form(&parts, "long-boundary"), "long-boundary", size)
            .await
            .unwrap();
        assert_eq!(taken.form.message, json!({"subject": "x"}));
        let files: Vec<_> = taken
            .form
            .files
            .iter()
            .map(|f| {
                (
                    f.name.as_deref(),
                    f.mime_type.as_deref(),
                    f.inline,
                    f.content_id.as_deref(),
                    f.content,
                )
            })
            .collect();
        let expected = [
            (
                Some("r\u{e9}sum\u{e9}.txt"),
                Some("text/plain; charset=utf-8"),
                false,
                None,
                0,
            ),
            (Some("p.png"), None, true, None, 1),
            (None, None, true, Some("<c@x>"), 2),
        ];
        assert_eq!(files, expected);
        assert_eq!(taken.octets, [&b"line\r\n--b\r\n"[..], b"", b"abc"]);
    }
}

#[tokio::test]
async fn a_message_in_a_form_may_have_attachments_of_its_own() {
    let message = MESSAGE_PART.replace("\"x\"", "\"x\",\"attachments\":[{\"content\":\"YQ==\"}]");
    let taken = take_in(form(&[&message], "b"), "b", 10).await.unwrap();
    assert_eq!(taken.form.message["attachments"], json!([{"content": 0}]));
    assert_eq!(taken.octets, [b"a"]);
}

#[tokio::test]
async fn the_boundary_and_the_chunks_are_nothing_of_what_is_asked_for() {
    let file = "Content-Disposition: form-data; name=\"attachments\"; filename=a\r\n\r\nabc";
    let digest = async |parts: &[&str], boundary: &'static str, size| {
        take_in(form(parts, boundary), boundary, size)
            .await
            .unwrap()
            .digest()
    };
    let same = digest(&[MESSAGE_PART, file], "b", 1000).await;
    assert_eq!(same, digest(&[MESSAGE_PART, file], "another", 3).await);
    for other in [
        [MESSAGE_PART, &file.replace("abc", "abd")],
        [MESSAGE_PART, &file.replace("=a\r", "=b\r")],
        [&MESSAGE_PART.replace('x', "y"), file],
        [file, MESSAGE_PART],
    ] {
        assert_ne!(same, digest(&other, "b", 1000).await);
    }
}

#[tokio::test]
async fn what_is_no_such_form_is_refused() {
    let field = |name: &str| format!("Content-Disposition: form-data; name=\"{name}\"\r\n\r\n{{}}");
    for parts in [
        vec![],
        vec![field("attachments")],
        vec![MESSAGE_PART.to_owned(), MESSAGE_PART.to_owned()],
        vec![MESSAGE_PART.to_owned(), field("file")],
        vec!["no head".to_owned()],
        vec!["X: y\r\n\r\n{}".to_owned()],
        vec!["Content-Disposition: form-data; name=message\r\n\r\n{".to_owned()],
    ] {
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        assert_eq!(refusal(form(&parts, "b")).await.0, 400, "{parts:?}");
    }
    let whole = form(&[MESSAGE_PART, &field("attachments")], "b");
    for end in [0, 1, 50, 110, whole.len() - 40, whole.len() - 5] {
        assert_eq!(refusal(whole[..end].to_vec()).await.0, 400, "{end}");
    }
    let encoded = MESSAGE_PART.replace("\r\n\r\n", "\r\nContent-Transfer-Encoding: base64\r\n\r\n");
    assert_eq!(refusal(form(&[&encoded], "b")).await.0, 415);
    let binary = encoded.replace("base64", "Binary");
    assert!(take_in(form(&[&binary], "b"), "b", 100).await.is_ok());
}

#[tokio::test]
async fn nothing_is_collected_between_fields() {
    let endless = vec![b'-'; 10 * MOST_BETWEEN];
    assert_eq!(refusal(endless.clone()).await.0, 400);
    let mut head = b"--b\r\nX: ".to_vec();
    head.extend(endless);
    assert_eq!(refusal(head).await.0, 400);
}
