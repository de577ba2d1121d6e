//! Hints that the vendor's message bus pushes: <https://cloud.google.com/pubsub/docs/push>.
//!
//! Whoever knows the address can send to it, so a request counts only with a token of the bus, made for this
//! gateway and by the account that it was told to expect.

mod keys;
mod token;

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use email_provider::{
    ConnectContext,
    push::{PushAnswer, PushReceiver, PushRequest, PushedMailbox},
};
use serde::Deserialize;

pub(crate) use keys::Keys;

use crate::{config::Config, plugin::GmailPlugin};

/// The bus's envelope.
#[derive(Deserialize)]
struct Envelope {
    message: BusMessage,
}

#[derive(Deserialize)]
struct BusMessage {
    /// In base64.
    #[serde(default)]
    data: String,
}

/// What the mailbox sent. Its history id is no cursor: a walk from it may miss what happened before.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    email_address: String,
}

#[async_trait]
impl PushReceiver for GmailPlugin {
    fn name(&self) -> &'static str {
        "google"
    }

    async fn receive(&self, context: &ConnectContext, request: &PushRequest) -> PushAnswer {
        match self.is_genuine(context, request).await {
            Ok(()) => PushAnswer::Hints(mailbox(&request.body).into_iter().collect()),
            Err(reason) => {
                tracing::info!(reason, "a pushed request was refused");
                PushAnswer::Refused
            }
        }
    }
}

impl GmailPlugin {
    async fn is_genuine(
        &self,
        context: &ConnectContext,
        request: &PushRequest,
    ) -> Result<(), &'static str> {
        let config = Config::of(context).map_err(|_| "the configuration is not readable")?;
        let (Some(audience), Some(account)) = (&config.push_audience, &config.push_service_account)
        else {
            return Err("push_audience and push_service_account are not configured");
        };
        let token = request.header("authorization").and_then(token::of_header);
        let token = token.ok_or("there is no token")?;
        let key_id = token::key_id(token).ok_or("the token is none")?;
        let client = self.client.get(&context.network);
        let client = client.map_err(|_| "there is no HTTP client")?;
        let key = self.keys.get(&client, &config.jwks_url, &key_id).await;
        let key = key.ok_or("the token's key is not known")?;
        let claims = token::verified(token, &key).ok_or("the signature is wrong")?;
        claims.check(audience, account, context.clock.now())
    }
}

/// Whose mailbox it is. A genuine request that says nothing of use is not refused: it would come again and
/// again.
fn mailbox(body: &[u8]) -> Option<PushedMailbox> {
    let envelope: Envelope = serde_json::from_slice(body).ok()?;
    let data = BASE64_STANDARD.decode(envelope.message.data).ok()?;
    let notification: Notification = serde_json::from_slice(&data).ok()?;
    let email = notification.email_address;
    (email.len() <= 320 && email.contains('@')).then_some(PushedMailbox::Email(email))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mailbox_is_named_in_the_data() {
        let data = BASE64_STANDARD.encode(r#"{"emailAddress":"ann@example.com","historyId":9}"#);
        let body = format!(r#"{{"message":{{"data":"{data}","messageId":"1"}}}}"#);
        let told = mailbox(body.as_bytes());
        assert_eq!(told, Some(PushedMailbox::Email("ann@example.com".into())));
        for odd in ["", "{}", r#"{"message":{}}"#, r#"{"message":{"data":"!"}}"#] {
            assert_eq!(mailbox(odd.as_bytes()), None, "{odd}");
        }
    }
}
