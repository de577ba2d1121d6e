use axum::extract::State;
use gateway_operations::{AccountId, Gateway};

use crate::{
    error::ApiResult,
    extract::{CallingApplication, Id},
    json::Json,
    wire::ApiAccountOutDto,
};

/// Read an account of the application.
#[utoipa::path(
    get,
    path = "/v1/am/accounts/{id}",
    operation_id = "getAccount",
    tag = "accounts",
    params(("id" = i64, Path, description = "Number of the account")),
    responses((status = 200, description = "The account", body = ApiAccountOutDto)),
    security(("AppAuth" = []))
)]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    CallingApplication(application): CallingApplication,
    Id(AccountId(number)): Id<AccountId>,
) -> ApiResult<Json<ApiAccountOutDto>> {
    let account = gateway.account_of(&application, number).await?;
    Ok(Json(gateway.account_view(account, false).await?.into()))
}
