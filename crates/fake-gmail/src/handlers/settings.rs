//! `users.settings.sendAs`.

use serde_json::{Value, json};

use super::Context;
use crate::error::ApiError;
use crate::mailbox::SendAs;

fn show(address: &SendAs) -> Value {
    let mut value = json!({
        "sendAsEmail": address.email,
        "displayName": address.name,
        "replyToAddress": "",
        "signature": "",
        "treatAsAlias": !address.primary,
    });
    if address.primary {
        value["isPrimary"] = json!(true);
        value["isDefault"] = json!(true);
    } else {
        let status = if address.verified {
            "accepted"
        } else {
            "pending"
        };
        value["verificationStatus"] = json!(status);
    }
    value
}

pub(super) fn list(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let addresses: Vec<Value> = context.mailbox()?.send_as.iter().map(show).collect();
    Ok(json!({"sendAs": addresses}))
}

pub(super) fn get(context: &mut Context<'_>) -> Result<Value, ApiError> {
    let asked = context.path("sendAsEmail").to_owned();
    context
        .mailbox()?
        .send_as
        .iter()
        .find(|address| address.email.eq_ignore_ascii_case(&asked))
        .map(show)
        .ok_or_else(ApiError::not_found)
}
