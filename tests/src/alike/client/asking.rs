//! What a client changes.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::super::script::Ask;
use super::{Client, ok};
use crate::Call;

impl Client {
    /// A change through the gateway.
    pub async fn ask(&self, message_id: &str, ask: &Ask) -> Result<()> {
        let found = self
            .known
            .iter()
            .find(|(_, known)| known.is_live && known.message_id == message_id);
        let (id, _) = found.context("it was told")?;
        let status = |body: Value| {
            Call::post("/v1/email/messages/{messageId}/status")
                .with("messageId", id)
                .json(body)
        };
        let delete = Call::delete("/v1/email/messages/{messageId}").with("messageId", id);
        let call = match ask {
            Ask::Unread(unread) => status(json!({ "unread": unread })),
            Ask::Flagged(flagged) => status(json!({ "flagged": flagged })),
            Ask::Archived(archived) => status(json!({ "archived": archived })),
            Ask::Keywords { words, folder } => {
                let keywords = self.normal.keywords(words, folder.as_deref());
                status(json!({ "keywords": keywords }))
            }
            Ask::Trash => delete,
            Ask::Forever => delete.query("permanent", true),
        };
        ok(&self.api, call).await.map(drop)
    }
}
