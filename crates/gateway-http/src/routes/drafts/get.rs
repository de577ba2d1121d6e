use axum::extract::State;
use email_model::DraftId;
use gateway_operations::{Gateway, ReadRequest};

use crate::{
    error::ApiResult,
    extract::{DraftsAccount, Fields, FromQuery, Id, Query},
    json::Json,
    wire::{BodyType, EmailDraft},
};

/// How to read it.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct GetQuery {
    /// Type of the body; HTML by default.
    body_type: Option<BodyType>,
    /// Properties of the provider's own. No mailbox gives any yet: `nativeProperties` is then empty.
    native_properties: Option<Vec<String>>,
    /// Octets of inline attachments too, in base64.
    load_inlines: Option<bool>,
}

impl FromQuery for GetQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        let native_properties = fields.list("nativeProperties");
        Ok(Self {
            body_type: fields.body_type()?,
            native_properties: (!native_properties.is_empty()).then_some(native_properties),
            load_inlines: fields.flag("loadInlines")?,
        })
    }
}

/// Read a draft.
#[utoipa::path(
    get,
    path = "/v1/email/drafts/{draftId}",
    operation_id = "getDraft",
    tag = "drafts",
    params(("draftId" = String, Path, description = "Id of the draft"), GetQuery),
    responses((status = 200, description = "The draft", body = EmailDraft))
)]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    DraftsAccount(account): DraftsAccount,
    Id(draft): Id<DraftId>,
    Query(query): Query<GetQuery>,
) -> ApiResult<Json<EmailDraft>> {
    let request = ReadRequest {
        body_type: query.body_type.map(Into::into),
        load_inlines: query.load_inlines.unwrap_or(false),
        strip_quoted: false,
        require_thread_id: false,
    };
    let view = gateway.draft(&account, draft, request).await?;
    let native_properties = query.native_properties.is_some();
    Ok(Json(EmailDraft::new(view, native_properties)))
}
