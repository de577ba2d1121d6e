use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use email_model::MessageId;
use gateway_operations::Gateway;

use crate::{
    download,
    error::ApiResult,
    extract::{Id, ReadableAccount},
};

/// Read a message as the provider serves it, octet for octet.
#[utoipa::path(
    get,
    path = "/v1/email/messages/{messageId}/raw",
    operation_id = "messageRaw",
    tag = "messages",
    params(("messageId" = String, Path, description = "Id of the message")),
    responses((
        status = 200,
        description = "The message (RFC 5322)",
        body = String,
        content_type = "text/plain"
    ))
)]
pub(crate) async fn raw(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
    Id(message): Id<MessageId>,
) -> ApiResult<Response> {
    let octets = gateway.raw(&account, message).await?;
    let content_type = [(header::CONTENT_TYPE, "text/plain")];
    Ok((content_type, download::body(octets)).into_response())
}
