use axum::extract::State;
use gateway_operations::{Gateway, SyncPageRequest};

use crate::{
    error::{ApiError, ApiResult},
    extract::{Fields, FromQuery, Query, ReadableAccount},
    json::Json,
    wire::{ApiRequestFailed, BodyType, EmailMessagesPage},
};

/// Which page.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct SyncPageQuery {
    /// Begins a walk.
    delta_token: Option<String>,
    /// Goes on with a walk; wins over `deltaToken`.
    page_token: Option<String>,
    /// Type of the bodies; wins over the token's and is carried on. Addition.
    body_type: Option<BodyType>,
    /// Most records wanted, 1 to 500; by default 50 with bodies, 200 without. Addition.
    limit: Option<u32>,
}

impl FromQuery for SyncPageQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        let query = Self {
            delta_token: fields.text("deltaToken"),
            page_token: fields.text("pageToken"),
            body_type: fields.body_type()?,
            limit: fields.limit()?,
        };
        if query.delta_token.is_none() && query.page_token.is_none() {
            return Err(ApiError::bad_request("deltaToken or pageToken is required"));
        }
        Ok(query)
    }
}

impl From<SyncPageQuery> for SyncPageRequest {
    fn from(query: SyncPageQuery) -> Self {
        Self {
            delta_token: query.delta_token,
            page_token: query.page_token,
            body_type: query.body_type.map(Into::into),
            limit: query.limit,
        }
    }
}

/// Walk the messages that are new or changed.
#[utoipa::path(
    get,
    path = "/v1/email/sync/updated",
    operation_id = "emailSyncUpdated",
    tag = "sync",
    params(SyncPageQuery),
    responses(
        (status = 200, description = "A page of messages as they are now", body = EmailMessagesPage),
        (status = 410, description = "The token is no longer good", body = ApiRequestFailed)
    )
)]
pub(crate) async fn updated(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
    Query(query): Query<SyncPageQuery>,
) -> ApiResult<Json<EmailMessagesPage>> {
    Ok(Json(
        gateway.sync_updated(&account, query.into()).await?.into(),
    ))
}
