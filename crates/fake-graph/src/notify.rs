//! Notifications on their way ("Receive change notifications through webhooks").

use serde_json::{Value, json};

use crate::encoding::instant;
use crate::mailbox::Subscription;

/// The tenant that everybody here is of.
pub(crate) const TENANT: &str = "84bd8158-6d4d-4958-8b9f-9d6445542f95";

#[derive(Clone, Debug)]
pub(crate) struct Notification {
    pub url: String,
    pub value: Value,
}

impl Notification {
    pub fn change(
        subscription: &Subscription,
        change_type: &str,
        resource: &str,
        data: Value,
    ) -> Self {
        Self {
            url: subscription.notification_url.clone(),
            value: json!({
                "subscriptionId": subscription.id,
                "subscriptionExpirationDateTime": instant(subscription.expires_ms),
                "clientState": subscription.client_state,
                "changeType": change_type,
                "resource": resource,
                "tenantId": TENANT,
                "resourceData": data,
            }),
        }
    }

    /// A lifecycle notification; none where the subscription takes none.
    pub fn lifecycle(subscription: &Subscription, event: &str) -> Option<Self> {
        Some(Self {
            url: subscription.lifecycle_url.clone()?,
            value: json!({
                "subscriptionId": subscription.id,
                "subscriptionExpirationDateTime": instant(subscription.expires_ms),
                "clientState": subscription.client_state,
                "lifecycleEvent": event,
                "resource": subscription.resource,
                "tenantId": TENANT,
            }),
        })
    }
}
