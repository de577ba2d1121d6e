use axum::{extract::State, http::StatusCode};
use gateway_operations::Gateway;

use crate::{
    error::{ApiError, ApiResult},
    extract::{JsonBody, WritableAccount, id},
    json::Json,
    wire::{EmailFolderCreate, EmailFolderInfo},
};

/// Make a folder or label.
#[utoipa::path(
    post,
    path = "/v1/email/folders",
    operation_id = "createFolder",
    tag = "folders",
    request_body = EmailFolderCreate,
    responses((status = 201, description = "The new folder", body = EmailFolderInfo))
)]
pub(crate) async fn create(
    State(gateway): State<Gateway>,
    WritableAccount(account): WritableAccount,
    JsonBody(folder): JsonBody<EmailFolderCreate>,
) -> ApiResult<(StatusCode, Json<EmailFolderInfo>)> {
    let name = folder.name.unwrap_or_default();
    if name.trim().is_empty() {
        return Err(ApiError::bad_request("name is required"));
    }
    let parent = folder
        .parent_id
        .filter(|text| !text.is_empty())
        .map(|text| id(&text))
        .transpose()?;
    let row = gateway.create_folder(&account, name, parent).await?;
    Ok((StatusCode::CREATED, Json(row.into())))
}
