use axum::{extract::State, http::HeaderMap, response::Response};
use gateway_operations::{Callback, Gateway};

use super::{cookie, see_other};
use crate::{
    app::PublicUrl,
    error::{ApiError, ApiResult},
    extract::{ClientAddress, Fields, FromQuery, Query},
};

/// What a provider sends the browser back with.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(
    dead_code,
    reason = "describes the parameters; they are read one by one"
)]
pub(crate) struct CallbackParameters {
    /// The state of the sign-in.
    state: Option<String>,
    /// Code to be exchanged.
    code: Option<String>,
    /// Why there is none.
    error: Option<String>,
    /// Who answers (RFC 9207).
    iss: Option<String>,
}

impl FromQuery for Callback {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        let missing = || ApiError::bad_request("query parameter state is required");
        Ok(Self {
            state: fields.text("state").ok_or_else(missing)?,
            code: fields.text("code").map(Into::into),
            error: fields.text("error"),
            issuer: fields.text("iss"),
        })
    }
}

/// The return from a provider's consent page. Only browsers come here.
#[utoipa::path(
    get,
    path = "/v1/auth/callback",
    operation_id = "authCallback",
    tag = "auth",
    params(CallbackParameters),
    responses((
        status = 303,
        description = "Back to the application",
        headers(("Location" = String, description = "Where to"))
    )),
    security(())
)]
pub(crate) async fn callback(
    State(gateway): State<Gateway>,
    State(PublicUrl(public_url)): State<PublicUrl>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Query(callback): Query<Callback>,
) -> ApiResult<Response> {
    let state = callback.state.clone();
    let browser = cookie::presented(&headers, &public_url, &state);
    let location = gateway.finish_oauth(callback, browser, address).await?;
    see_other(&location, cookie::ended(&public_url, &state))
}
