use axum::extract::State;
use gateway_operations::Gateway;

use super::updated::SyncPageQuery;
use crate::{
    error::ApiResult,
    extract::{Query, ReadableAccount},
    json::Json,
    wire::{ApiRequestFailed, EmailDeletedPage},
};

/// Walk the messages that are gone from the mailbox.
#[utoipa::path(
    get,
    path = "/v1/email/sync/deleted",
    operation_id = "emailSyncDeleted",
    tag = "sync",
    params(SyncPageQuery),
    responses(
        (status = 200, description = "A page of removals", body = EmailDeletedPage),
        (status = 410, description = "The token is no longer good", body = ApiRequestFailed)
    )
)]
pub(crate) async fn deleted(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
    Query(query): Query<SyncPageQuery>,
) -> ApiResult<Json<EmailDeletedPage>> {
    Ok(Json(
        gateway.sync_deleted(&account, query.into()).await?.into(),
    ))
}
