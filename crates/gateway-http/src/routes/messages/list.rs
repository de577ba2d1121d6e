use axum::extract::State;
use gateway_operations::{Gateway, ListRequest};

use crate::{
    error::ApiResult,
    extract::{Fields, FromQuery, Query, ReadableAccount},
    json::Json,
    wire::{BodyType, EmailMessagesPageNext},
};

/// What to list.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct ListQuery {
    /// Where the last page ended.
    page_token: Option<String>,
    /// A search: terms joined by AND.
    q: Option<String>,
    /// With bodies of this type.
    body_type: Option<BodyType>,
    /// Trash and Junk too; not by default, unless `q` names them.
    include_trash_and_junk: Option<bool>,
    /// Properties of the provider's own. No mailbox gives any yet: `nativeProperties` is then empty.
    native_properties: Option<Vec<String>>,
    /// Most records wanted, 1 to 500; by default 50 with bodies, 200 without. Addition.
    limit: Option<u32>,
}

impl FromQuery for ListQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        let native_properties = fields.list("nativeProperties");
        Ok(Self {
            page_token: fields.text("pageToken"),
            q: fields.text("q"),
            body_type: fields.body_type()?,
            include_trash_and_junk: fields.flag("includeTrashAndJunk")?,
            native_properties: (!native_properties.is_empty()).then_some(native_properties),
            limit: fields.limit()?,
        })
    }
}

/// List or search messages, newest first.
#[utoipa::path(
    get,
    path = "/v1/email/messages",
    operation_id = "messages",
    tag = "messages",
    params(ListQuery),
    responses((status = 200, description = "A page of messages", body = EmailMessagesPageNext))
)]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<EmailMessagesPageNext>> {
    let request = ListRequest {
        folder: None,
        q: query.q,
        body_type: query.body_type.map(Into::into),
        include_trash_and_junk: query.include_trash_and_junk,
        page_token: query.page_token,
        limit: query.limit,
    };
    let page = gateway.list_messages(&account, request).await?;
    let native_properties = query.native_properties.is_some();
    Ok(Json(EmailMessagesPageNext::new(page, native_properties)))
}
