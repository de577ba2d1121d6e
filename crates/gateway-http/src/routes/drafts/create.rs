use axum::extract::State;
use gateway_operations::Gateway;

use crate::{
    error::ApiResult,
    extract::{DraftsAccount, Fields, FromQuery, Outgoing, Query},
    json::Json,
    wire::{BodyType, EmailDraftResponse, OutgoingEmail, OutgoingForm},
};

/// How the draft is written.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct WriteQuery {
    /// Type of the body; HTML by default.
    pub(super) body_type: Option<BodyType>,
}

impl FromQuery for WriteQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self {
            body_type: fields.body_type()?,
        })
    }
}

/// Keep a message as a draft.
#[utoipa::path(
    post,
    path = "/v1/email/drafts",
    operation_id = "createDraft",
    tag = "drafts",
    params(WriteQuery),
    request_body(content(
        (OutgoingEmail = "application/json"),
        (OutgoingForm = "multipart/form-data")
    )),
    responses((status = 200, description = "The draft", body = EmailDraftResponse))
)]
pub(crate) async fn create(
    State(gateway): State<Gateway>,
    DraftsAccount(account): DraftsAccount,
    Query(query): Query<WriteQuery>,
    outgoing: Outgoing<OutgoingEmail>,
) -> ApiResult<Json<EmailDraftResponse>> {
    let message = outgoing
        .message
        .into_message(outgoing.enclosed, query.body_type)?;
    let saved = gateway.create_draft(&account, message).await?;
    Ok(Json(saved.into()))
}
