use serde::Deserialize;

use super::*;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Sample {
    unread: Option<bool>,
    keywords: Option<Vec<String>>,
}

async fn take(request: axum::http::request::Builder, body: impl Into<Body>) -> ApiResult<Sample> {
    let request = request.body(body.into()).unwrap();
    JsonBody::from_request(request, &()).await.map(|b| b.0)
}

fn post() -> axum::http::request::Builder {
    Request::post("/")
}

fn json() -> axum::http::request::Builder {
    post().header("content-type", "application/json; charset=utf-8")
}

fn refusal(answer: ApiResult<Sample>) -> (u16, &'static str, String) {
    let error = answer.unwrap_err();
    let failure = error.failure();
    (
        failure.status.as_u16(),
        failure.code,
        failure.message.clone(),
    )
}

#[tokio::test]
async fn no_body_and_an_empty_object_are_the_same() {
    for (request, body) in [
        (post(), ""),
        (post().header("content-length", "0"), ""),
        (
            post().header("content-type", "application/x-www-form-urlencoded"),
            "",
        ),
        (post(), "{}"),
        (json(), " \n"),
        (json(), "{}"),
    ] {
        assert_eq!(take(request, body).await.unwrap(), Sample::default());
    }
}

#[tokio::test]
async fn nulls_are_left_out_and_unknown_fields_ignored() {
    let body = r#"{"unread":null,"keywords":[null,"a",null],"id":0,"hasAttachments":[{"x":null}]}"#;
    let sample = take(json(), body).await.unwrap();
    assert_eq!(sample.unread, None);
    assert_eq!(sample.keywords, Some(vec!["a".to_owned()]));
}

#[tokio::test]
async fn a_json_dialect_is_json_and_a_form_is_not() {
    let dialect = post().header("content-type", "application/vnd.api+json");
    assert!(take(dialect, "{}").await.is_ok());
    let form = post().header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(refusal(take(form, "unread=true").await).0, 415);
}

#[tokio::test]
async fn a_wrong_type_is_named_by_its_place_only() {
    let (status, code, message) =
        refusal(take(json(), r#"{"keywords":["a",{"p":"s3cret"}]}"#).await);
    assert_eq!((status, code), (400, "badRequest"));
    assert_eq!(message, "field keywords[1] of the body is of a wrong type");
    let (status, _, message) = refusal(take(json(), r#"{"unread": s3cret}"#).await);
    assert_eq!(status, 400);
    assert!(!message.contains("s3cret"));
    assert_eq!(refusal(take(json(), "[]").await).0, 400);
}

#[tokio::test]
async fn deep_nesting_is_refused() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(refusal(take(json(), deep).await).0, 400);
}

#[tokio::test]
async fn too_large_a_body_is_refused_whether_announced_or_not() {
    let large = format!("{{\"x\":\"{}\"}}", "a".repeat(LARGEST));
    assert_eq!(refusal(take(json(), large.clone()).await).0, 413);
    let chunks = futures::stream::iter([Ok::<_, std::io::Error>(large)]);
    let (status, code, _) = refusal(take(json(), Body::from_stream(chunks)).await);
    assert_eq!((status, code), (413, "tooLarge"));
    let announced = json().header("content-length", (LARGEST + 1).to_string());
    assert_eq!(refusal(take(announced, "{}").await).0, 413);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let stalled = futures::stream::pending::<Result<&'static str, std::io::Error>>();
    let (status, code, _) = refusal(take(json(), Body::from_stream(stalled)).await);
    assert_eq!((status, code), (408, "requestTimeout"));
}
