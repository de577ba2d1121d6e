use axum::extract::State;
use email_model::MessageId;
use gateway_operations::Gateway;

use crate::{
    error::ApiResult,
    extract::{Fields, FromQuery, Id, Query, WritableAccount},
    json::Json,
    wire::OkResponse,
};

/// How to delete it.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct DeleteQuery {
    /// For good, instead of into the trash. Addition.
    permanent: Option<bool>,
}

impl FromQuery for DeleteQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self {
            permanent: fields.flag("permanent")?,
        })
    }
}

/// Move a message to the trash, or delete it for good.
#[utoipa::path(
    delete,
    path = "/v1/email/messages/{messageId}",
    operation_id = "deleteMessage",
    tag = "messages",
    params(("messageId" = String, Path, description = "Id of the message"), DeleteQuery),
    responses((status = 200, description = "Done", body = OkResponse))
)]
pub(crate) async fn delete(
    State(gateway): State<Gateway>,
    WritableAccount(account): WritableAccount,
    Id(message): Id<MessageId>,
    Query(query): Query<DeleteQuery>,
) -> ApiResult<Json<OkResponse>> {
    let permanent = query.permanent.unwrap_or(false);
    gateway.delete_message(&account, message, permanent).await?;
    Ok(Json(OkResponse::OK))
}
