use axum::extract::State;
use gateway_operations::{AccountId, Gateway};

use crate::{
    error::ApiResult,
    extract::{CallingApplication, Id},
    json::Json,
    wire::OkResponse,
};

/// Disconnect a mailbox and forget everything about it. The mailbox itself is left as it is.
#[utoipa::path(
    delete,
    path = "/v1/am/accounts/{id}",
    operation_id = "amAccountDelete",
    tag = "accounts",
    params(("id" = i64, Path, description = "Number of the account")),
    responses((status = 200, description = "Done", body = OkResponse)),
    security(("AppAuth" = []))
)]
pub(crate) async fn delete(
    State(gateway): State<Gateway>,
    CallingApplication(application): CallingApplication,
    Id(AccountId(number)): Id<AccountId>,
) -> ApiResult<Json<OkResponse>> {
    let account = gateway.account_of(&application, number).await?;
    gateway.delete_account(&account).await?;
    Ok(Json(OkResponse::OK))
}
