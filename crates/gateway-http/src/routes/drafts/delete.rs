use axum::extract::State;
use email_model::DraftId;
use gateway_operations::Gateway;

use crate::{
    error::ApiResult,
    extract::{DraftsAccount, Id},
    json::Json,
    wire::OkResponse,
};

/// Remove a draft, and with it the send that it is scheduled for.
#[utoipa::path(
    delete,
    path = "/v1/email/drafts/{draftId}",
    operation_id = "deleteDraft",
    tag = "drafts",
    params(("draftId" = String, Path, description = "Id of the draft")),
    responses((status = 200, description = "Done", body = OkResponse))
)]
pub(crate) async fn delete(
    State(gateway): State<Gateway>,
    DraftsAccount(account): DraftsAccount,
    Id(draft): Id<DraftId>,
) -> ApiResult<Json<OkResponse>> {
    gateway.delete_draft(&account, draft).await?;
    Ok(Json(OkResponse::OK))
}
