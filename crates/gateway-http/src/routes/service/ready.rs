use axum::{extract::State, http::StatusCode};
use gateway_operations::Gateway;

use crate::{
    app::Stopping,
    error::{ApiError, ApiResult},
    json::Json,
    wire::OkResponse,
};

/// The process takes requests: its database answers and it is not about to stop.
#[utoipa::path(
    get,
    path = "/readyz",
    operation_id = "readyz",
    tag = "service",
    responses((status = 200, description = "It does", body = OkResponse)),
    security(())
)]
pub(crate) async fn ready(
    State(gateway): State<Gateway>,
    State(stopping): State<Stopping>,
) -> ApiResult<Json<OkResponse>> {
    if stopping.0.is_cancelled() {
        return Err(not_ready("the gateway is stopping"));
    }
    gateway
        .ready()
        .await
        .map_err(|_| not_ready("the database does not answer"))?;
    Ok(Json(OkResponse::OK))
}

fn not_ready(why: &str) -> ApiError {
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "notReady", why)
        .with_retry_after(std::time::Duration::from_secs(1))
}
