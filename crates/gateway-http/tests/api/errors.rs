use serde_json::json;

use crate::support::{Api, CLIENT};

#[tokio::test]
async fn every_failure_has_the_one_shape_and_an_id_that_the_header_repeats() {
    let api = Api::new().await;
    let cases = [
        ("GET", "/nowhere", 404, "notFound"),
        ("GET", "/v1/email/nowhere", 404, "notFound"),
        ("PUT", "/v1/email/messages", 405, "methodNotAllowed"),
        ("GET", "/v1/email/messages", 401, "unauthorized"),
        ("GET", "/v1/am/accounts", 401, "unauthorized"),
    ];
    for (method, path, status, code) in cases {
        let answer = api.call(method, path).send().await;
        assert_eq!(
            answer.failure(),
            (status, code.to_owned()),
            "{method} {path}"
        );
        let id = answer.json()["requestId"].as_str().unwrap().to_owned();
        assert_eq!(id, answer.header("x-request-id"));
        assert_eq!(id.len(), 36);
    }
}

#[tokio::test]
async fn two_requests_have_two_ids() {
    let api = Api::new().await;
    let first = api.call("GET", "/healthz").send().await;
    let second = api.call("GET", "/healthz").send().await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    assert_eq!(first.ok(), json!({"status": "Ok"}));
}

#[tokio::test]
async fn a_method_that_is_not_taken_says_which_are() {
    let api = Api::new().await;
    let answer = api.call("PUT", "/v1/account").send().await;
    assert!(answer.header("allow").contains("GET"), "{answer:?}");
}

#[tokio::test]
async fn endpoints_for_applications_ask_for_basic() {
    let api = Api::new().await;
    let challenge = |answer: &crate::support::Answer| answer.header("www-authenticate").to_owned();
    for path in ["/v1/am/accounts", "/v1/am/accounts/1"] {
        let none = api.call("GET", path).send().await;
        assert!(challenge(&none).starts_with("Basic "), "{none:?}");
        let wrong = api
            .call("GET", path)
            .basic(("client", "wrong"))
            .send()
            .await;
        assert_eq!(wrong.failure().0, 401);
        assert!(challenge(&wrong).starts_with("Basic "));
        let token = api.call("GET", path).bearer("abc").send().await;
        assert_eq!(token.failure().0, 401);
    }
    let account = api.call("GET", "/v1/account").send().await;
    assert!(challenge(&account).starts_with("Bearer "));
}

#[tokio::test]
async fn malformed_requests_are_refused_in_the_contracts_words() {
    let api = Api::new().await;
    let form = api
        .call("POST", "/v1/am/accounts")
        .basic(CLIENT)
        .header("content-type", "application/x-www-form-urlencoded")
        .body("a=b")
        .send()
        .await;
    assert_eq!(form.failure(), (415, "unsupportedMediaType".to_owned()));
    let large = api.call("POST", "/v1/am/accounts").basic(CLIENT);
    let large = large
        .json(&json!({"name": "a".repeat(2 << 20)}))
        .send()
        .await;
    assert_eq!(large.failure(), (413, "tooLarge".to_owned()));
    let broken = api
        .call("POST", "/v1/am/accounts")
        .basic(CLIENT)
        .body("{")
        .send()
        .await;
    assert_eq!(broken.failure(), (400, "badRequest".to_owned()));
    let missing = api
        .call("POST", "/v1/am/accounts")
        .basic(CLIENT)
        .send()
        .await;
    assert_eq!(missing.failure(), (400, "badRequest".to_owned()));
}

#[tokio::test]
async fn nothing_is_kept_guessed_or_run_by_a_browser() {
    let api = Api::new().await;
    for path in ["/healthz", "/nowhere", "/v1/account"] {
        let answer = api.call("GET", path).send().await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("content-security-policy").contains("sandbox"));
    }
}
