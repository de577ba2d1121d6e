use axum::extract::State;
use gateway_operations::Gateway;
use secrecy::ExposeSecret as _;

use crate::{error::ApiResult, extract::AnyAccount, json::Json, wire::OkResponse};

/// End the token that the call is made with; with an application's credentials, all tokens of the
/// account.
#[utoipa::path(
    delete,
    path = "/v1/account/token",
    operation_id = "deleteToken",
    tag = "account",
    responses((status = 200, description = "Done", body = OkResponse))
)]
pub(crate) async fn delete_token(
    State(gateway): State<Gateway>,
    AnyAccount { account, token }: AnyAccount,
) -> ApiResult<Json<OkResponse>> {
    match token {
        Some(token) => gateway.delete_token(token.expose_secret()).await?,
        None => gateway.delete_tokens(&account).await?,
    }
    Ok(Json(OkResponse::OK))
}
