use axum::extract::State;
use gateway_operations::Gateway;

use crate::{error::ApiResult, extract::AnyAccount, json::Json, wire::OkResponse};

/// Disconnect the mailbox and forget everything about it. The mailbox itself is left as it is.
#[utoipa::path(
    delete,
    path = "/v1/account",
    operation_id = "deleteAccount",
    tag = "account",
    responses((status = 200, description = "Done", body = OkResponse))
)]
pub(crate) async fn delete(
    State(gateway): State<Gateway>,
    AnyAccount { account, .. }: AnyAccount,
) -> ApiResult<Json<OkResponse>> {
    gateway.delete_account(&account).await?;
    Ok(Json(OkResponse::OK))
}
