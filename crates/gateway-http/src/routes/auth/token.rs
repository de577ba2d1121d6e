use axum::{Json, extract::State};
use gateway_operations::Gateway;

use crate::{
    error::ApiResult,
    extract::{CallingApplication, CodePath},
    wire::{AccountSaveResult, literals},
};

async fn exchange(
    gateway: &Gateway,
    CallingApplication(application): CallingApplication,
    CodePath(code): CodePath,
) -> ApiResult<Json<AccountSaveResult>> {
    let saved = gateway.redeem_code(&application, &code).await?;
    Ok(Json(saved.into()))
}

/// Redeem the code of a sign-in for the account and a token of it: once, within ten minutes. A code that
/// comes again ends the token that it gave.
#[utoipa::path(
    post,
    path = "/v1/auth/token/{code}",
    operation_id = literals::CODE_EXCHANGE,
    tag = "auth",
    params(("code" = String, Path, description = "The code")),
    responses((status = 200, description = "The account and its token", body = AccountSaveResult)),
    security(("AppAuth" = []))
)]
pub(crate) async fn post(
    State(gateway): State<Gateway>,
    application: CallingApplication,
    code: CodePath,
) -> ApiResult<Json<AccountSaveResult>> {
    exchange(&gateway, application, code).await
}

/// The same as POST.
#[utoipa::path(
    get,
    path = "/v1/auth/token/{code}",
    operation_id = "getAccessTokenByCode",
    tag = "auth",
    params(("code" = String, Path, description = "The code")),
    responses((status = 200, description = "The account and its token", body = AccountSaveResult)),
    security(("AppAuth" = []))
)]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    application: CallingApplication,
    code: CodePath,
) -> ApiResult<Json<AccountSaveResult>> {
    exchange(&gateway, application, code).await
}
