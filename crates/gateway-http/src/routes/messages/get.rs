use axum::extract::State;
use email_model::MessageId;
use gateway_operations::{Gateway, ReadRequest};

use crate::{
    error::ApiResult,
    extract::{Fields, FromQuery, Id, Query, ReadableAccount},
    json::Json,
    wire::{ApiRequestFailed, BodyType, EmailMessage},
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
    /// Without quoted history.
    strip_quoted: Option<bool>,
    /// Fail with 408 rather than answer without the final conversation.
    require_thread_id: Option<bool>,
}

impl FromQuery for GetQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        let native_properties = fields.list("nativeProperties");
        Ok(Self {
            body_type: fields.body_type()?,
            native_properties: (!native_properties.is_empty()).then_some(native_properties),
            load_inlines: fields.flag("loadInlines")?,
            strip_quoted: fields.flag("stripQuoted")?,
            require_thread_id: fields.flag("requireThreadId")?,
        })
    }
}

/// Read a message.
#[utoipa::path(
    get,
    path = "/v1/email/messages/{messageId}",
    operation_id = "message",
    tag = "messages",
    params(("messageId" = String, Path, description = "Id of the message"), GetQuery),
    responses(
        (status = 200, description = "The message", body = EmailMessage),
        (
            status = 408,
            description = "Conversations are still being discovered",
            body = ApiRequestFailed,
            headers(("Retry-After" = u32, description = "Seconds after which to ask again"))
        )
    )
)]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
    Id(message): Id<MessageId>,
    Query(query): Query<GetQuery>,
) -> ApiResult<Json<EmailMessage>> {
    let request = ReadRequest {
        body_type: query.body_type.map(Into::into),
        load_inlines: query.load_inlines.unwrap_or(false),
        strip_quoted: query.strip_quoted.unwrap_or(false),
        require_thread_id: query.require_thread_id.unwrap_or(false),
    };
    let view = gateway.message(&account, message, request).await?;
    let native_properties = query.native_properties.is_some();
    Ok(Json(
        EmailMessage::from(view).with_native_properties(native_properties),
    ))
}
