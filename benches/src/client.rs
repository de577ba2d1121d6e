//! A client of the API that does as little as possible itself, because it shares the machine with what it measures.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures::StreamExt as _;
use reqwest::{Body, RequestBuilder};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// How long what is large may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// A client of one account, on one connection as long as it asks one thing at a time.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: String,
}

/// An answer that tells of success.
#[derive(Debug)]
pub struct Answer {
    pub body: Bytes,
    /// From the request's beginning to the answer's last octet.
    pub took: Duration,
}

/// What a client must know of a page to go on.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageEnd {
    pub length: usize,
    pub next_page_token: Option<String>,
    pub next_delta_token: Option<String>,
    #[serde(rename = "records")]
    _records: IgnoredAny,
}

/// Where a walk goes on.
#[derive(Debug, Clone)]
pub enum Next {
    Delta(String),
    Page(String),
}

/// How a walk's pages are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pages {
    pub body_type: Option<&'static str>,
    pub limit: Option<usize>,
}

/// A connection of its own to the gateway.
pub fn http() -> Result<reqwest::Client> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_built_in_root_certs(false)
        .tcp_nodelay(true)
        .timeout(Duration::from_secs(120));
    Ok(client.build()?)
}

impl Client {
    pub fn new(base: &str, token: &str) -> Result<Self> {
        Ok(Self {
            http: http()?,
            base: base.to_owned(),
            token: token.to_owned(),
        })
    }

    /// The same account on a connection of its own.
    pub fn another(&self) -> Result<Self> {
        Self::new(&self.base, &self.token)
    }

    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(self.http.get(format!("{}{path}", self.base)))
            .await
    }

    /// Posts octets of a type: so many, which may come in pieces.
    pub async fn post(
        &self,
        path: &str,
        content_type: &str,
        length: u64,
        body: impl Into<Body>,
    ) -> Result<Answer> {
        let request = self.http.post(format!("{}{path}", self.base));
        let request = request
            .header("content-type", content_type)
            .header("content-length", length)
            .timeout(PATIENCE);
        self.send(request.body(body)).await
    }

    /// Downloads octets and drops them: how many there were.
    pub async fn download(&self, path: &str) -> Result<u64> {
        let request = self.http.get(format!("{}{path}", self.base));
        let request = request
            .header("accept", "application/octet-stream")
            .timeout(PATIENCE);
        let response = request.bearer_auth(&self.token).send().await?;
        let response = response.error_for_status()?;
        let (mut octets, mut stream) = (0, response.bytes_stream());
        while let Some(piece) = stream.next().await {
            octets += piece?.len() as u64;
        }
        Ok(octets)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer> {
        send(request.bearer_auth(&self.token)).await
    }

    /// Begins a sync of everything and waits until the mailbox is scanned. Returns the first token of the stream of live
    /// messages.
    pub async fn sync_to_the_end(&self) -> Result<String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Started {
            ready: bool,
            sync_updated_token: String,
        }
        let url = format!("{}/v1/email/sync?awaitReady=true", self.base);
        loop {
            let request = self.http.post(&url).header("content-length", "0");
            let answer = self.send(request).await?;
            let started: Started = serde_json::from_slice(&answer.body)?;
            if started.ready {
                return Ok(started.sync_updated_token);
            }
        }
    }

    /// A page of live messages: its end, and how long it took.
    pub async fn page(&self, at: &Next, pages: Pages) -> Result<(PageEnd, Duration)> {
        let answer = self.get(&page_path(at, pages)).await?;
        Ok((serde_json::from_slice(&answer.body)?, answer.took))
    }

    /// Walks to the end: how many records there were, and the token from there.
    pub async fn walk(&self, from: Next, pages: Pages) -> Result<(usize, String)> {
        let (mut at, mut records) = (from, 0);
        loop {
            let (page, _) = self.page(&at, pages).await?;
            records += page.length;
            if let Some(delta) = page.next_delta_token {
                return Ok((records, delta));
            }
            at = Next::Page(page.next_page_token.context("a page without an end")?);
        }
    }

    /// Ids of the newest messages in the order of the walk.
    pub async fn ids(&self, from: &Next, limit: usize) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Page {
            records: Vec<Record>,
        }
        #[derive(Deserialize)]
        struct Record {
            id: String,
        }
        let pages = Pages {
            limit: Some(limit),
            ..Pages::default()
        };
        let answer = self.get(&page_path(from, pages)).await?;
        let page: Page = serde_json::from_slice(&answer.body)?;
        Ok(page.records.into_iter().map(|record| record.id).collect())
    }
}

/// The path of a page.
pub fn page_path(at: &Next, pages: Pages) -> String {
    // Tokens need no escaping: they are of the alphabet of URLs.
    let mut path = match at {
        Next::Delta(token) => format!("/v1/email/sync/updated?deltaToken={token}"),
        Next::Page(token) => format!("/v1/email/sync/updated?pageToken={token}"),
    };
    if let Some(body_type) = pages.body_type {
        path += &format!("&bodyType={body_type}");
    }
    if let Some(limit) = pages.limit {
        path += &format!("&limit={limit}");
    }
    path
}

/// Sends a request and demands an answer that tells of success.
pub async fn send(request: RequestBuilder) -> Result<Answer> {
    let start = Instant::now();
    let response = request.send().await?;
    let status = response.status();
    let url = response.url().path().to_owned();
    let body = response.bytes().await?;
    let took = start.elapsed();
    ensure!(
        status.is_success(),
        "{url} answered {status}: {}",
        String::from_utf8_lossy(&body)
    );
    Ok(Answer { body, took })
}
