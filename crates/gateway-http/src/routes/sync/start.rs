use axum::extract::State;
use gateway_operations::{Gateway, StartSync};

use crate::{
    error::ApiResult,
    extract::{Fields, FromQuery, Query, ReadableAccount},
    json::Json,
    wire::{BodyType, SyncStatus},
};

/// Which sync.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct StartQuery {
    /// Only messages received within so many days; later deltas report a change to any message.
    days_within: Option<u32>,
    /// Pages carry bodies of this type; none by default.
    body_type: Option<BodyType>,
    /// Wait up to 30 s until it is ready.
    await_ready: Option<bool>,
}

impl FromQuery for StartQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self {
            days_within: fields.whole("daysWithin")?,
            body_type: fields.body_type()?,
            await_ready: fields.flag("awaitReady")?,
        })
    }
}

/// Start a sync, or see whether it is ready.
#[utoipa::path(
    post,
    path = "/v1/email/sync",
    operation_id = "emailSyncStart",
    tag = "sync",
    params(StartQuery),
    responses((status = 200, description = "Its start tokens", body = SyncStatus))
)]
pub(crate) async fn start(
    State(gateway): State<Gateway>,
    ReadableAccount(account): ReadableAccount,
    Query(query): Query<StartQuery>,
) -> ApiResult<Json<SyncStatus>> {
    let request = StartSync {
        days_within: query.days_within,
        body_type: query.body_type.map(Into::into),
        await_ready: query.await_ready.unwrap_or(false),
    };
    Ok(Json(gateway.start_sync(&account, request).await?.into()))
}
