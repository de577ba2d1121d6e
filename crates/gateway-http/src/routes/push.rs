//! Hints that backends send.

use std::time::Duration;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::post,
};
use email_provider::push::PushRequest;
use gateway_operations::{Gateway, Pushed};
use tokio::time::timeout;

use crate::{
    app::AppState,
    error::{ApiError, ApiResult},
    extract::{Fields, FromQuery, Octets, Query},
    wire::OkResponse,
};

/// How long a request may take to be verified: backends give up soon, and send it again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where it is mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new().route("/v1/push/{name}/email", post(push))
}

/// The parameters of the address.
pub(crate) struct Parameters(Vec<(String, String)>);

impl FromQuery for Parameters {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self(fields.all().to_vec()))
    }
}

/// A provider tells that a mailbox may have changed. Only providers come here; what is not proved to be theirs
/// is refused, and what they tell starts a look at the mailbox and nothing else.
#[utoipa::path(
    post,
    path = "/v1/push/{name}/email",
    operation_id = "receivePush",
    tag = "push",
    params(("name" = String, Path, description = "The provider")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "Taken, whether or not its mailbox is known here", content(
        (OkResponse = "application/json"),
        (String = "text/plain")
    ))),
    security(())
)]
pub(crate) async fn push(
    State(gateway): State<Gateway>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Query(Parameters(query)): Query<Parameters>,
    Octets(body): Octets,
) -> ApiResult<Response> {
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec().into()));
    let request = PushRequest {
        headers: headers.collect(),
        query,
        body,
    };
    let received = timeout(PATIENCE, gateway.receive_push(&name, &request)).await;
    match received.map_err(|_| ApiError::too_slow())?? {
        Pushed::Accepted => Ok(Json(OkResponse::OK).into_response()),
        Pushed::Echo(text) => {
            let headers = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            Ok((headers, text).into_response())
        }
        Pushed::Refused => Err(ApiError::forbidden("not accepted")),
    }
}
