use axum::extract::State;
use gateway_operations::Gateway;

use crate::{error::ApiResult, extract::ReadableAccount, json::Json, wire::EmailFolderInfoPage};

/// List all folders and labels.
#[utoipa::path(
    get,
    path = "/v1/email/folders",
    operation_id = "folders",
    tag = "folders",
    params((
        "pageToken" = Option<String>,
        Query,
        description = "Accepted, without effect: all folders are on one page"
    )),
    responses((status = 200, description = "The folders", body = EmailFolderInfoPage))
)]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
) -> ApiResult<Json<EmailFolderInfoPage>> {
    Ok(Json(gateway.folders(&account).await?.into()))
}
