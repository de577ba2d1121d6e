use crate::json::Json;
use crate::wire::OkResponse;

/// The process is alive.
#[utoipa::path(
    get,
    path = "/healthz",
    operation_id = "healthz",
    tag = "service",
    responses((status = 200, description = "It is", body = OkResponse)),
    security(())
)]
pub(crate) async fn health() -> Json<OkResponse> {
    Json(OkResponse::OK)
}
