use axum::extract::State;
use email_model::MessageId;
use gateway_operations::{Gateway, SendOptions};

use super::send::SendQuery;
use crate::{
    error::ApiResult,
    extract::{Id, Outgoing, Query, SendingAccount},
    json::Json,
    wire::{EmailSendResponse, OutgoingEmail, OutgoingEmailReply, OutgoingForm},
};

/// Answer a message.
#[utoipa::path(
    post,
    path = "/v1/email/messages/{messageId}/reply",
    operation_id = "reply",
    tag = "sending",
    params(
        ("messageId" = String, Path, description = "Id of the message that is answered"),
        SendQuery,
        (
            "Idempotency-Key" = Option<String>,
            Header,
            description = "The same key and request again are answered as before and not sent again. Addition."
        )
    ),
    request_body(content(
        (OutgoingEmailReply = "application/json"),
        (OutgoingForm = "multipart/form-data")
    )),
    responses((status = 200, description = "It went out", body = EmailSendResponse))
)]
pub(crate) async fn reply(
    State(gateway): State<Gateway>,
    SendingAccount(account): SendingAccount,
    Id(message): Id<MessageId>,
    Query(query): Query<SendQuery>,
    outgoing: Outgoing<OutgoingEmailReply>,
) -> ApiResult<Json<EmailSendResponse>> {
    let options = SendOptions {
        return_ids: query.return_ids.unwrap_or(false),
        idempotency: outgoing.idempotency,
    };
    let answer =
        OutgoingEmail::from(outgoing.message).into_message(outgoing.enclosed, query.body_type)?;
    let sent = gateway
        .send_reply(&account, message, answer, options)
        .await?;
    Ok(Json(sent.into()))
}
