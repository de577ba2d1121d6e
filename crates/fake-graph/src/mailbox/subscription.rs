//! Subscriptions, and which changes they are told of.

use serde_json::{Value, json};

use super::{Mailbox, Number};
use crate::notify::Notification;

#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub id: String,
    pub client: String,
    /// As it was given.
    pub resource: String,
    /// A folder's id or well-known name; none is the whole mailbox.
    pub folder: Option<String>,
    pub change_types: Vec<String>,
    pub notification_url: String,
    pub lifecycle_url: Option<String>,
    pub client_state: Option<String>,
    pub expires_ms: i64,
    pub immutable: bool,
}

impl Mailbox {
    pub(super) fn notify(&mut self, change_type: &str, number: Number, now_ms: i64) {
        let Some(stored) = self.messages.get(&number) else {
            return;
        };
        let mut made = Vec::new();
        for subscription in self.subscriptions.values() {
            let inside = subscription.folder.as_ref().is_none_or(|folder| {
                self.folder(folder)
                    .is_ok_and(|folder| folder.key == stored.folder)
            });
            let asked = subscription
                .change_types
                .iter()
                .any(|asked| asked == change_type);
            if !inside || !asked || subscription.expires_ms <= now_ms {
                continue;
            }
            let id = if subscription.immutable {
                &stored.immutable_id
            } else {
                &stored.id
            };
            let resource = format!("Users/{}/Messages/{id}", self.email);
            let etag = format!("W/\"{}\"", crate::encoding::change_key(stored.version));
            let data = json!({
                "@odata.type": "#Microsoft.Graph.Message",
                "@odata.id": resource,
                "@odata.etag": etag,
                "id": id.as_ref(),
            });
            made.push(Notification::change(
                subscription,
                change_type,
                &resource,
                data,
            ));
        }
        self.notifications.extend(made);
    }

    pub(crate) fn subscription_json(subscription: &Subscription) -> Value {
        json!({
            "id": subscription.id,
            "resource": subscription.resource,
            "applicationId": subscription.client,
            "changeType": subscription.change_types.join(","),
            "clientState": subscription.client_state,
            "notificationUrl": subscription.notification_url,
            "notificationQueryOptions": null,
            "lifecycleNotificationUrl": subscription.lifecycle_url,
            "expirationDateTime": crate::encoding::instant(subscription.expires_ms),
            "creatorId": "8ee44408-0679-472c-bc2a-692812af3437",
            "includeResourceData": null,
            "latestSupportedTlsVersion": "v1_2",
            "encryptionCertificate": null,
            "encryptionCertificateId": null,
            "notificationUrlAppId": null,
        })
    }
}
