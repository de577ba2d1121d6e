//! The validation of a new subscription's URLs ("Receive change notifications through webhooks", Validation).

use std::time::Duration;

use serde_json::Value;

use crate::answer::Answer;
use crate::error::ApiError;
use crate::mailbox::{Mailbox, Subscription};
use crate::server::Inner;

/// A subscription that is in effect once its URLs have answered.
pub(crate) struct Proposal {
    pub user: String,
    pub subscription: Subscription,
    pub timeout: Duration,
    pub context: Value,
}

pub(crate) async fn finish(inner: &Inner, proposal: Proposal) -> Result<Answer, ApiError> {
    let Proposal {
        user,
        subscription,
        timeout,
        context,
    } = proposal;
    let urls = [
        Some(&subscription.notification_url),
        subscription.lifecycle_url.as_ref(),
    ];
    for (url, number) in urls.into_iter().flatten().zip(1..) {
        // It must come back decoded: as it is, with what HTML and URLs have signs for.
        let token = format!(
            "Validation: Testing client application reachability for subscription Request-Id: {}-{number} <&+%41>",
            subscription.id
        );
        validate(url, &token, timeout).await?;
    }
    let mut value = Mailbox::subscription_json(&subscription);
    value["@odata.context"] = context;
    let mut world = inner.world();
    let mailbox = world.users.get_mut(&user).ok_or_else(ApiError::not_found)?;
    mailbox
        .subscriptions
        .insert(subscription.id.clone(), subscription);
    Ok(Answer::json(201, &value))
}

async fn validate(url: &str, token: &str, timeout: Duration) -> Result<(), ApiError> {
    let failed = |why: String| {
        let message = format!("Subscription validation request failed. {why}");
        ApiError::refused(400, "ValidationError", message)
    };
    let mut target =
        url::Url::parse(url).map_err(|_| failed("The URL is not valid.".to_owned()))?;
    target
        .query_pairs_mut()
        .append_pair("validationToken", token);
    let response = client(timeout)
        .map_err(|error| failed(error.to_string()))?
        .post(target)
        .header("content-type", "text/plain; charset=utf-8")
        .send()
        .await
        .map_err(|_| failed("The request timed out or failed.".to_owned()))?;
    let status = response.status().as_u16();
    let kind = response
        .headers()
        .get("content-type")
        .and_then(|kind| kind.to_str().ok());
    let plain = kind.is_some_and(|kind| kind.starts_with("text/plain"));
    let body = response.text().await.unwrap_or_default();
    if status != 200 {
        return Err(failed(format!("Response status code was {status}.")));
    }
    if !plain {
        return Err(failed("The response was not text/plain.".to_owned()));
    }
    if body != token {
        return Err(failed(
            "Response must match the validationToken query parameter.".to_owned(),
        ));
    }
    Ok(())
}

/// The client of everything that the server sends of itself.
pub(crate) fn client(timeout: Duration) -> Result<reqwest::Client, reqwest::Error> {
    // reqwest takes the process's provider; where a test has chosen one already, that stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .timeout(timeout)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
}
