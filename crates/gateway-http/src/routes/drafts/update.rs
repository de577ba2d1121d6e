use axum::extract::State;
use email_model::DraftId;
use gateway_operations::Gateway;

use super::create::WriteQuery;
use crate::{
    error::ApiResult,
    extract::{DraftsAccount, Id, Outgoing, Query},
    json::Json,
    wire::{EmailDraftResponse, OutgoingEmail, OutgoingForm},
};

/// Replace the content of a draft.
#[utoipa::path(
    put,
    path = "/v1/email/drafts/{draftId}",
    operation_id = "updateDraft",
    tag = "drafts",
    params(("draftId" = String, Path, description = "Id of the draft"), WriteQuery),
    request_body(content(
        (OutgoingEmail = "application/json"),
        (OutgoingForm = "multipart/form-data")
    )),
    responses((status = 200, description = "The draft", body = EmailDraftResponse))
)]
pub(crate) async fn update(
    State(gateway): State<Gateway>,
    DraftsAccount(account): DraftsAccount,
    Id(draft): Id<DraftId>,
    Query(query): Query<WriteQuery>,
    outgoing: Outgoing<OutgoingEmail>,
) -> ApiResult<Json<EmailDraftResponse>> {
    let message = outgoing
        .message
        .into_message(outgoing.enclosed, query.body_type)?;
    let saved = gateway.update_draft(&account, draft, message).await?;
    Ok(Json(saved.into()))
}
