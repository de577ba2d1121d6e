use crate::{contract, support::Api};

#[tokio::test]
async fn every_operation_of_the_document_is_there() {
    let api = Api::new().await;
    for (method, template) in contract::operations() {
        let path = template.replace(['{', '}'], "");
        let method: &'static str = method.leak();
        let answer = api.call(method, path).send().await;
        if let "/v1/auth/authorize" | "/v1/auth/callback" = &*template {
            assert_eq!(answer.failure(), (400, "badRequest".to_owned()));
        } else if template.starts_with("/v1/push/") {
            assert_eq!(answer.failure(), (404, "notFound".to_owned()));
        } else if template.starts_with("/v1/") {
            assert_eq!(
                answer.failure(),
                (401, "unauthorized".to_owned()),
                "{method} {template}"
            );
        } else {
            assert_eq!(answer.status, 200, "{method} {template}");
        }
    }
}

#[tokio::test]
async fn the_document_is_served_as_it_is_kept() {
    let api = Api::new().await;
    let answer = api.call("GET", "/openapi.json").send().await;
    assert_eq!(answer.body, gateway_http::openapi_json());
}

#[tokio::test]
async fn the_page_loads_only_what_is_here() {
    let api = Api::new().await;
    for (path, content_type) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/docs.js", "text/javascript; charset=utf-8"),
        ("/docs/docs.css", "text/css; charset=utf-8"),
    ] {
        let answer = api.call("GET", path).send().await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), content_type);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    }
}

#[tokio::test]
async fn a_gateway_that_stops_is_alive_but_not_ready() {
    let api = Api::new().await;
    assert_eq!(api.call("GET", "/readyz").send().await.status, 200);
    api.stopping.cancel();
    let answer = api.call("GET", "/readyz").send().await;
    assert_eq!(answer.failure(), (503, "notReady".to_owned()));
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(api.call("GET", "/healthz").send().await.status, 200);
}
