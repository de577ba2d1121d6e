use std::time::Duration;

use anyhow::Context as _;
use reqwest::{Client, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

/// The gateway's API, before there is an account.
pub(super) struct Api {
    client: Client,
    base: String,
}

/// The API with an account's token.
pub(super) struct Account {
    api: Api,
    token: SecretString,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connected {
    pub account_id: i64,
    pub access_token: SecretString,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SyncStarted {
    pub sync_updated_token: String,
    pub sync_deleted_token: String,
    pub ready: bool,
}

#[derive(Deserialize)]
pub(super) struct Progress {
    pub messages: u64,
    pub total: Option<u64>,
}

#[derive(Deserialize)]
struct AccountView {
    sync: Option<Progress>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    pub id: String,
    pub subject: Option<String>,
    pub folder_id: Option<String>,
    #[serde(default)]
    pub sys_labels: Vec<String>,
}

#[derive(Deserialize)]
pub(super) struct Deleted {
    pub id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page<T> {
    pub records: Vec<T>,
    pub next_page_token: Option<String>,
    pub next_delta_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Folder {
    pub id: String,
    pub full_name: String,
}

#[derive(Deserialize)]
struct Folders {
    records: Vec<Folder>,
}

/// An answer that is none of those hoped for.
#[derive(Debug)]
struct Refused {
    status: StatusCode,
    body: String,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the gateway answered {}: {}", self.status, self.body)
    }
}

impl std::error::Error for Refused {}

/// Whether the same request may work later.
pub(super) fn asks_to_wait(error: &anyhow::Error) -> bool {
    let status = error
        .downcast_ref::<Refused>()
        .map(|refused| refused.status);
    matches!(
        status,
        Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
    )
}

impl Api {
    pub(super) fn new(base: &str) -> anyhow::Result<Self> {
        let client = Client::builder()
            .no_proxy()
            .tls_built_in_root_certs(false)
            .timeout(Duration::from_secs(60))
            .build()?;
        Ok(Self {
            client,
            base: base.to_owned(),
        })
    }

    pub(super) async fn connect(
        &self,
        client_id: &str,
        secret: &SecretString,
        address: &str,
    ) -> anyhow::Result<Connected> {
        let body = json!({ "serviceType": "Sample", "email": address, "active": true });
        let request = self
            .client
            .post(format!("{}/v1/am/accounts?ensureAccess=true", self.base))
            .basic_auth(client_id, Some(secret.expose_secret()))
            .json(&body);
        answer(request).await
    }

    pub(super) fn with_token(self, token: SecretString) -> Account {
        Account { api: self, token }
    }
}

impl Account {
    fn get(&self, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.api.base);
        self.api
            .client
            .get(url)
            .bearer_auth(self.token.expose_secret())
    }

    pub(super) async fn start_sync(&self) -> anyhow::Result<SyncStarted> {
        let url = format!("{}/v1/email/sync", self.api.base);
        answer(
            self.api
                .client
                .post(url)
                .bearer_auth(self.token.expose_secret()),
        )
        .await
    }

    pub(super) async fn progress(&self) -> anyhow::Result<Option<Progress>> {
        let view: AccountView = answer(self.get("/v1/account")).await?;
        Ok(view.sync)
    }

    pub(super) async fn folders(&self) -> anyhow::Result<Vec<Folder>> {
        let folders: Folders = answer(self.get("/v1/email/folders")).await?;
        Ok(folders.records)
    }

    /// A page of a stream (`updated`, `deleted`): the first one of a walk by its delta token.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        stream: &str,
        delta_token: &str,
        page_token: Option<&str>,
    ) -> anyhow::Result<Page<T>> {
        let token = match page_token {
            Some(token) => ("pageToken", token),
            None => ("deltaToken", delta_token),
        };
        answer(
            self.get(&format!("/v1/email/sync/{stream}"))
                .query(&[token]),
        )
        .await
    }
}

async fn answer<T: DeserializeOwned>(request: RequestBuilder) -> anyhow::Result<T> {
    let response = request
        .send()
        .await
        .context("the gateway does not answer")?;
    let status = response.status();
    if !status.is_success() {
        let body = response.text().await.unwrap_or_default();
        return Err(Refused { status, body }.into());
    }
    response
        .json()
        .await
        .context("the gateway's answer makes no sense")
}
