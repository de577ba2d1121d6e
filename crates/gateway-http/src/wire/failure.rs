use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::error::Failure;

/// A failed request.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ApiRequestFailed {
    /// What kind of failure, as a word that programs decide by.
    pub(crate) code: String,
    /// What went wrong, for people.
    pub(crate) message: String,
    /// The request's id, also in the header `X-Request-Id` and in the gateway's log.
    #[schema(value_type = String, format = "uuid")]
    pub(crate) request_id: Uuid,
    /// The provider's own error, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(crate) original_error: Option<Value>,
}

impl ApiRequestFailed {
    /// The body of a failure's response.
    pub(crate) fn new(failure: &Failure, request_id: Uuid) -> Self {
        Self {
            code: failure.code.to_owned(),
            message: failure.message.clone(),
            request_id,
            original_error: failure.original.clone(),
        }
    }
}
