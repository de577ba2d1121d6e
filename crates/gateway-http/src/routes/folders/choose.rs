use axum::extract::State;
use email_model::FolderId;
use gateway_operations::{Gateway, WellKnownChange};

use crate::{
    error::ApiResult,
    extract::{JsonBody, WritableAccount, id},
    json::Json,
    wire::{WellKnownFoldersIn, WellKnownFoldersOut},
};

/// Choose which folders are used for archived and sent messages.
#[utoipa::path(
    patch,
    path = "/v1/email/folders/wellKnown",
    operation_id = "updateWellKnownFolders",
    tag = "folders",
    request_body = Option<WellKnownFoldersIn>,
    responses((status = 200, description = "The folders now", body = WellKnownFoldersOut))
)]
pub(crate) async fn choose(
    State(gateway): State<Gateway>,
    WritableAccount(account): WritableAccount,
    JsonBody(wanted): JsonBody<WellKnownFoldersIn>,
) -> ApiResult<Json<WellKnownFoldersOut>> {
    let change = WellKnownChange {
        archive: named(wanted.archive)?,
        sent: named(wanted.sent)?,
    };
    Ok(Json(gateway.set_well_known(&account, change).await?.into()))
}

fn named(text: Option<String>) -> ApiResult<Option<FolderId>> {
    text.filter(|text| !text.is_empty())
        .map(|text| id(&text))
        .transpose()
}
