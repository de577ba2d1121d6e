use std::time::Duration;

use email_model::{MessageId, Timestamp};
use gateway_operations::{OperationsConfig, StartSync, SyncPageRequest};
use provider_memory::Shape;

use crate::harness::Harness;

/// A client that follows both streams.
pub struct Client {
    pub harness: Harness,
    pub updated: String,
    pub deleted: String,
}

/// A message as a page tells it.
#[derive(Debug, PartialEq)]
pub struct Told {
    pub id: MessageId,
    pub subject: String,
    pub received_at: Option<Timestamp>,
}

impl Client {
    pub async fn of(shape: Shape) -> Self {
        let config = OperationsConfig {
            freshness: Duration::ZERO,
            ..OperationsConfig::default()
        };
        let harness = Harness::with(shape, config).await;
        let start = StartSync {
            await_ready: true,
            ..StartSync::default()
        };
        let started = harness.gateway.start_sync(&harness.account, start);
        let started = started.await.unwrap();
        let mut client = Self {
            updated: started.updated_token,
            deleted: started.deleted_token,
            harness,
        };
        client.follow().await;
        client
    }

    pub async fn follow(&mut self) -> (Vec<Told>, Vec<MessageId>) {
        let (gateway, account) = (&self.harness.gateway, &self.harness.account);
        let since = |token: &str| SyncPageRequest {
            delta_token: Some(token.to_owned()),
            limit: Some(500),
            ..SyncPageRequest::default()
        };
        let mut request = since(&self.updated);
        let mut told = Vec::new();
        self.updated = loop {
            let page = gateway.sync_updated(account, request).await.unwrap();
            told.extend(page.records.into_iter().map(|view| {
                let envelope = view.envelope.unwrap();
                Told {
                    id: view.id,
                    subject: envelope.subject.unwrap_or_default(),
                    received_at: envelope.received_at,
                }
            }));
            match (page.next_delta_token, page.next_page_token) {
                (Some(token), _) => break token,
                (None, next) => {
                    request = SyncPageRequest {
                        page_token: next,
                        ..SyncPageRequest::default()
                    };
                }
            }
        };
        let page = gateway.sync_deleted(account, since(&self.deleted));
        let page = page.await.unwrap();
        self.deleted = page.next_delta_token.unwrap();
        let removed = page.records.iter().map(|record| record.id).collect();
        (told, removed)
    }
}
