use axum::extract::State;
use gateway_operations::Gateway;

use crate::{error::ApiResult, extract::ReadableAccount, json::Json, wire::WellKnownFoldersOut};

/// Read which folders are used for archived and sent messages.
#[utoipa::path(
    get,
    path = "/v1/email/folders/wellKnown",
    operation_id = "wellKnownFolders",
    tag = "folders",
    responses((status = 200, description = "The folders", body = WellKnownFoldersOut))
)]
pub(crate) async fn chosen(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
) -> ApiResult<Json<WellKnownFoldersOut>> {
    Ok(Json(gateway.well_known(&account).await?.into()))
}
