use axum::extract::State;
use email_model::MessageId;
use gateway_operations::Gateway;

use crate::{
    error::ApiResult,
    extract::{Id, JsonBody, WritableAccount},
    json::Json,
    wire::{OkResponse, UpdateMessageStatusData},
};

/// Change flags and keywords of a message, archive it or take it back.
#[utoipa::path(
    post,
    path = "/v1/email/messages/{messageId}/status",
    operation_id = "updateMessageStatus",
    tag = "messages",
    params(("messageId" = String, Path, description = "Id of the message")),
    request_body = Option<UpdateMessageStatusData>,
    responses((status = 200, description = "Done", body = OkResponse))
)]
pub(crate) async fn status(
    State(gateway): State<Gateway>,
    WritableAccount(account): WritableAccount,
    Id(message): Id<MessageId>,
    JsonBody(change): JsonBody<UpdateMessageStatusData>,
) -> ApiResult<Json<OkResponse>> {
    gateway
        .update_status(&account, message, change.into())
        .await?;
    Ok(Json(OkResponse::OK))
}
