//! Links that lead elsewhere: a server that is not the API gets nothing, least of all a token.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Json, Router, extract::OriginalUri};
use email_model::MessageQuery;
use email_provider::{
    ErrorKind, ProviderPlugin as _, ScanDetail, ScanRequest, ScanWindow, ScopeKey, SearchRequest,
    SearchScope,
};
use provider_conformance::call;
use serde_json::{Value, json};

use crate::support::GraphHarness;

/// A server that answers every request in this way and counts them.
async fn serve(
    answer: impl Fn(&str) -> Value + Clone + Send + Sync + 'static,
) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let asked: Arc<AtomicUsize> = Arc::default();
    let count = Arc::clone(&asked);
    let router = Router::new().fallback(move |OriginalUri(uri): OriginalUri| {
        count.fetch_add(1, Ordering::SeqCst);
        let answer = answer(uri.path());
        async move { Json(answer) }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), asked)
}

#[tokio::test]
async fn a_link_is_followed_to_the_api_alone() {
    let harness = GraphHarness::start(|_| {}).await;
    let connection = harness.connection().await;
    let (elsewhere, asked_elsewhere) = serve(|_| json!({"value": []})).await;
    for link in [
        format!("{elsewhere}/v1.0/me/messages?$skiptoken=x"),
        format!("{}/beta/me/messages?$skiptoken=x", harness.server.url()),
        "http://localhost:1/v1.0/me/messages".to_owned(),
        "https://127.0.0.1/v1.0/me/messages".to_owned(),
    ] {
        let given = link.clone();
        let answer = move |_: &str| json!({"value": [], "@odata.nextLink": given});
        let (url, asked) = serve(answer).await;
        let mut context = harness.context.clone();
        context.config["graph_url"] = url.into();
        let provider = harness
            .plugin
            .open(&context, &connection)
            .await
            .expect("a mailbox");
        let request = ScanRequest {
            window: ScanWindow::default(),
            detail: ScanDetail::Envelopes,
            position: None,
            limit: 10,
        };
        let scope = ScopeKey("AAMk".into());
        let scan = provider.scan(call(), &scope, request).await;
        assert_eq!(
            scan.err().map(|error| error.kind),
            Some(ErrorKind::Unexpected),
            "{link}"
        );
        let search = SearchRequest {
            scope: SearchScope::Folder(email_model::FolderKey("AAMk".into())),
            query: MessageQuery::default(),
            position: None,
            limit: 10,
        };
        let search = provider.search(call(), search).await;
        assert_eq!(
            search.err().map(|error| error.kind),
            Some(ErrorKind::Unexpected),
            "{link}"
        );
        let folders = provider.folders(call()).await;
        assert_eq!(
            folders.err().map(|error| error.kind),
            Some(ErrorKind::Unexpected),
            "{link}"
        );
        assert!(asked.load(Ordering::SeqCst) >= 3);
    }
    assert_eq!(
        asked_elsewhere.load(Ordering::SeqCst),
        0,
        "the token stays at home"
    );
}

#[tokio::test]
async fn a_list_that_links_to_itself_ends() {
    let harness = GraphHarness::start(|_| {}).await;
    let connection = harness.connection().await;
    let own: Arc<std::sync::OnceLock<String>> = Arc::default();
    let known = Arc::clone(&own);
    let answer = move |path: &str| {
        let own = known.get().map(String::as_str).unwrap_or_default();
        json!({"value": [], "@odata.nextLink": format!("{own}{path}?$skiptoken=same")})
    };
    let (url, asked) = serve(answer).await;
    own.set(url.clone()).expect("once");
    let mut context = harness.context.clone();
    context.config["graph_url"] = url.into();
    let provider = harness
        .plugin
        .open(&context, &connection)
        .await
        .expect("a mailbox");
    let search = SearchRequest {
        scope: SearchScope::Folder(email_model::FolderKey("AAMk".into())),
        query: MessageQuery::default(),
        position: None,
        limit: 10,
    };
    let search = provider.search(call(), search).await;
    assert_eq!(
        search.err().map(|error| error.kind),
        Some(ErrorKind::Unexpected)
    );
    let folders = provider.folders(call()).await;
    assert_eq!(
        folders.err().map(|error| error.kind),
        Some(ErrorKind::Unexpected)
    );
    assert!(asked.load(Ordering::SeqCst) < 2_000);
}
