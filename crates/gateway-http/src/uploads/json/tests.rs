use std::sync::Arc;

use email_model::AttachmentContent;
use serde_json::json;
use tempfile::TempDir;

use super::{super::spool::Spool, *};

struct Reader {
    directory: TempDir,
    contents: Contents,
}

impl Reader {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let spool = Arc::new(Spool::new(directory.path().to_owned(), u64::MAX));
        let contents = Contents::new(spool);
        Self {
            directory,
            contents,
        }
    }

    fn read(&mut self, text: impl AsRef<[u8]>) -> ApiResult<Value> {
        read(text.as_ref(), &mut self.contents)
    }

    fn octets(self) -> (TempDir, Vec<Vec<u8>>) {
        let (all, _holds) = self.contents.done();
        let octets = all.into_iter().map(|content| match content {
            AttachmentContent::Memory(octets) => octets.to_vec(),
            AttachmentContent::Spooled { path, .. } => std::fs::read(path).unwrap(),
        });
        (self.directory, octets.collect())
    }
}

fn refusal(text: impl AsRef<[u8]>) -> (u16, String) {
    let error = Reader::new().read(text).unwrap_err();
    let failure = error.failure();
    (failure.status.as_u16(), failure.message.clone())
}

#[test]
fn everything_but_contents_is_as_it_was_written() {
    let text =
        r#" {"a": [1, -2.5, 1e3, true, false, "\u00e9\n\"", {}, []], "b": {"content": "YQ=="}} "#;
    let expected: Value = serde_json::from_str(text).unwrap();
    assert_eq!(Reader::new().read(text).unwrap(), expected);
}

#[test]
fn nulls_are_left_out() {
    let text =
        r#"{"a":null,"b":[null,1,null,[null]],"attachments":[null,{"content":null,"name":"x"}]}"#;
    let expected = json!({"b": [1, []], "attachments": [{"name": "x"}]});
    assert_eq!(Reader::new().read(text).unwrap(), expected);
}

#[test]
fn contents_are_kept_and_named_by_number_whatever_the_order_of_names() {
    let text = r#"{"attachments":[{"content":"YQ==","name":"a"},null,{"name":"b","content":"_-8\n"},
                  {"name":"c","content":""}],"content":"YQ=="}"#;
    let mut reader = Reader::new();
    let expected = json!({
        "attachments": [
            {"content": 0, "name": "a"}, {"name": "b", "content": 1}, {"name": "c", "content": 2},
        ],
        "content": "YQ==",
    });
    assert_eq!(reader.read(text).unwrap(), expected);
    let (_directory, octets) = reader.octets();
    assert_eq!(octets, [b"a".to_vec(), vec![0xff, 0xef], vec![]]);
}

#[test]
fn of_a_name_that_comes_twice_the_last_value_counts() {
    let text =
        r#"{"attachments":[{"content":"YQ==","content":"Yg=="}],"a":1,"a":2,"b":1,"b":null}"#;
    let mut reader = Reader::new();
    let expected = json!({"attachments": [{"content": 1}], "a": 2});
    assert_eq!(reader.read(text).unwrap(), expected);
}

#[test]
fn a_content_that_is_no_base64_is_named() {
    let named = |text: &str| refusal(text);
    for content in [r#""Y!==""#, r#""Y""#, r#""YQ==YQ==""#, r#""\ud83d\ude00""#] {
        let text = format!(r#"{{"attachments":[{{}},{{"content":{content}}}]}}"#);
        let expected = (400, "attachments[1].content is not base64".to_owned());
        assert_eq!(named(&text), expected, "{content}");
    }
    for content in ["5", "true", "{}", "[]"] {
        let text = format!(r#"{{"attachments":[{{"content":{content}}}]}}"#);
        let expected = "field attachments[0].content of the body is of a wrong type".to_owned();
        assert_eq!(named(&text), (400, expected));
    }
}

#[test]
fn what_is_no_json_object_is_refused_and_never_repeated() {
    for text in [
        "",
        "[",
        "{",
        "[]",
        "1",
        "null",
        "{}{}",
        "{} x",
        "{\"a\":s3cret}",
        "{\"a\":\"s3cret",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{\"a\":\"\u{1}\"}",
        "{\"attachments\":[{\"content\":\"YWJj",
        "{\"attachments\":[{\"content\":\"YWJj\"",
        "{\"a\":\"\\ud83d\"}",
        "{\"a\":01}",
        "\u{feff}{}",
    ] {
        let (status, message) = refusal(text);
        assert_eq!(status, 400, "{text}");
        assert!(!message.contains("s3cret"), "{message}");
    }
    assert_eq!(refusal([b'{', b'"', 0xff, b'"', b':', b'1', b'}']).0, 400);
    let (_, message) = refusal("{\n  \"a\": x}");
    assert_eq!(message, "the body is not JSON (line 2, column 8)");
}

#[test]
fn nothing_can_be_collected_without_bound() {
    let many = |text: &str, times| text.repeat(times);
    let deep = format!("{{\"a\":{}{}}}", many("[", 40), many("]", 40));
    assert_eq!(refusal(deep).0, 400);
    let long_name = format!("{{\"{}\":1}}", many("a", 2 * LONGEST_TOKEN));
    assert_eq!(refusal(long_name).0, 400);
    let long_number = format!("{{\"a\":1{}}}", many("0", 200));
    assert_eq!(refusal(long_number).0, 400);
    let large = |size| format!("{{\"body\":\"{}\"}}", many("a", size));
    assert_eq!(refusal(large(LARGEST)).0, 413);
    assert!(Reader::new().read(large(LARGEST - 1000)).is_ok());
    let elements = format!("{{\"a\":[{}1]}}", many("1,", LARGEST / NODE));
    assert_eq!(refusal(elements).0, 413);
    let texts = format!(
        "{{\"a\":[{}1]}}",
        many("\"aaaaaaaaaaaaaaaa\",", LARGEST / 64)
    );
    assert_eq!(refusal(texts).0, 413);
    let contents = many("{\"content\":\"\"},", 500);
    let attachments = format!("{{\"attachments\":[{contents}{{\"content\":\"\"}}]}}");
    assert_eq!(refusal(attachments).0, 413);
}

#[test]
fn a_text_may_end_anywhere_against_the_limit() {
    // The limit falls within a character.
    let text = format!("{{\"body\":\"{}\"}}", "\u{20ac}".repeat(LARGEST / 3 + 1));
    assert_eq!(refusal(text).0, 413);
}
