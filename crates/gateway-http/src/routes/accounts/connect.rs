use axum::extract::State;
use gateway_operations::Gateway;

use crate::{
    error::ApiResult,
    extract::{CallingApplication, JsonBody},
    json::Json,
    wire::{ApiAccountInDto, OkResponse},
};

/// Try whether a mailbox can be connected, and store nothing.
#[utoipa::path(
    post,
    path = "/v1/am/accounts/connect",
    operation_id = "checkConnection",
    tag = "accounts",
    request_body = ApiAccountInDto,
    responses((status = 200, description = "It can", body = OkResponse)),
    security(("AppAuth" = []))
)]
pub(crate) async fn connect(
    State(gateway): State<Gateway>,
    CallingApplication(application): CallingApplication,
    JsonBody(account): JsonBody<ApiAccountInDto>,
) -> ApiResult<Json<OkResponse>> {
    let input = account.into_input(None)?;
    gateway.check_connection(&application, input).await?;
    Ok(Json(OkResponse::OK))
}
