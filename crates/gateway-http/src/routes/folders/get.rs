use axum::extract::State;
use email_model::FolderId;
use gateway_operations::Gateway;

use crate::{
    error::ApiResult,
    extract::{Id, ReadableAccount},
    json::Json,
    wire::EmailFolderInfo,
};

/// Read a folder or label.
#[utoipa::path(
    get,
    path = "/v1/email/folders/{folderId}",
    operation_id = "folder",
    tag = "folders",
    params(("folderId" = String, Path, description = "Id of the folder")),
    responses((status = 200, description = "The folder", body = EmailFolderInfo))
)]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
    Id(folder): Id<FolderId>,
) -> ApiResult<Json<EmailFolderInfo>> {
    Ok(Json(gateway.folder(&account, folder).await?.into()))
}
