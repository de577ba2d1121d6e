use axum::extract::State;
use email_model::FolderId;
use gateway_operations::{Gateway, ListRequest};

use crate::{
    error::ApiResult,
    extract::{Fields, FromQuery, Id, Query, ReadableAccount},
    json::Json,
    wire::{BodyType, EmailMessagesPageNext},
};

/// What to list.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct FolderMessagesQuery {
    /// Where the last page ended.
    page_token: Option<String>,
    /// A search: terms joined by AND.
    q: Option<String>,
    /// With bodies of this type.
    body_type: Option<BodyType>,
    /// Properties of the provider's own. No mailbox gives any yet: `nativeProperties` is then empty.
    native_properties: Option<Vec<String>>,
    /// Most records wanted, 1 to 500; by default 50 with bodies, 200 without. Addition.
    limit: Option<u32>,
}

impl FromQuery for FolderMessagesQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        let native_properties = fields.list("nativeProperties");
        Ok(Self {
            page_token: fields.text("pageToken"),
            q: fields.text("q"),
            body_type: fields.body_type()?,
            native_properties: (!native_properties.is_empty()).then_some(native_properties),
            limit: fields.limit()?,
        })
    }
}

/// List or search the messages of a folder, newest first, without those of folders below it.
#[utoipa::path(
    get,
    path = "/v1/email/folders/{folderId}/messages",
    operation_id = "folderEmails",
    tag = "folders",
    params(("folderId" = String, Path, description = "Id of the folder"), FolderMessagesQuery),
    responses((status = 200, description = "A page of messages", body = EmailMessagesPageNext))
)]
pub(crate) async fn messages(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
    Id(folder): Id<FolderId>,
    Query(query): Query<FolderMessagesQuery>,
) -> ApiResult<Json<EmailMessagesPageNext>> {
    let request = ListRequest {
        folder: Some(folder),
        q: query.q,
        body_type: query.body_type.map(Into::into),
        include_trash_and_junk: None,
        page_token: query.page_token,
        limit: query.limit,
    };
    let page = gateway.list_messages(&account, request).await?;
    let native_properties = query.native_properties.is_some();
    Ok(Json(EmailMessagesPageNext::new(page, native_properties)))
}
