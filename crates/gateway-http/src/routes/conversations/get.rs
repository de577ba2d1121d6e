use axum::extract::State;
use email_model::ThreadId;
use gateway_operations::Gateway;

use crate::{
    error::ApiResult,
    extract::{Fields, FromQuery, Id, Query, ReadableAccount},
    json::Json,
    wire::{BodyType, EmailMessagesPageNext},
};

/// Which page.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct ConversationQuery {
    /// With bodies of this type.
    body_type: Option<BodyType>,
    /// Where the last page ended.
    page_token: Option<String>,
    /// Most records wanted, 1 to 500; by default 50 with bodies, 200 without. Addition.
    limit: Option<u32>,
}

impl FromQuery for ConversationQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self {
            body_type: fields.body_type()?,
            page_token: fields.text("pageToken"),
            limit: fields.limit()?,
        })
    }
}

/// Read a conversation, oldest message first.
#[utoipa::path(
    get,
    path = "/v1/email/conversations/{threadId}",
    operation_id = "conversation",
    tag = "conversations",
    params(("threadId" = String, Path, description = "Id of the conversation"), ConversationQuery),
    responses((status = 200, description = "A page of its messages", body = EmailMessagesPageNext))
)]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
    Id(thread): Id<ThreadId>,
    Query(query): Query<ConversationQuery>,
) -> ApiResult<Json<EmailMessagesPageNext>> {
    let body_type = query.body_type.map(Into::into);
    let page = gateway
        .conversation(&account, thread, body_type, query.page_token, query.limit)
        .await?;
    Ok(Json(EmailMessagesPageNext::new(page, false)))
}
