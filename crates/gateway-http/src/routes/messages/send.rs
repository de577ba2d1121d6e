use axum::{extract::State, http::StatusCode};
use gateway_operations::{Gateway, SendOptions};

use crate::{
    error::ApiResult,
    extract::{Fields, FromQuery, Outgoing, Query, SendingAccount},
    json::Json,
    wire::{BodyType, EmailSendResponse, OutgoingEmail, OutgoingForm},
};

/// How to send.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct SendQuery {
    /// Type of the body; HTML by default.
    pub(super) body_type: Option<BodyType>,
    /// Tell ids of the sent message.
    pub(super) return_ids: Option<bool>,
}

impl FromQuery for SendQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self {
            body_type: fields.body_type()?,
            return_ids: fields.flag("returnIds")?,
        })
    }
}

/// Send a message.
#[utoipa::path(
    post,
    path = "/v1/email/messages",
    operation_id = "send",
    tag = "sending",
    params(
        SendQuery,
        (
            "Idempotency-Key" = Option<String>,
            Header,
            description = "The same key and request again are answered as before and not sent again. Addition."
        )
    ),
    request_body(content(
        (OutgoingEmail = "application/json"),
        (OutgoingForm = "multipart/form-data")
    )),
    responses((status = 201, description = "It went out", body = EmailSendResponse))
)]
pub(crate) async fn send(
    State(gateway): State<Gateway>,
    SendingAccount(account): SendingAccount,
    Query(query): Query<SendQuery>,
    outgoing: Outgoing<OutgoingEmail>,
) -> ApiResult<(StatusCode, Json<EmailSendResponse>)> {
    let options = SendOptions {
        return_ids: query.return_ids.unwrap_or(false),
        idempotency: outgoing.idempotency,
    };
    let message = outgoing
        .message
        .into_message(outgoing.enclosed, query.body_type)?;
    let sent = gateway.send_message(&account, message, options).await?;
    Ok((StatusCode::CREATED, Json(sent.into())))
}
