use axum::extract::State;
use gateway_operations::Gateway;

use crate::{
    error::ApiResult,
    extract::{AnyAccount, Fields, FromQuery, Query},
    json::Json,
    wire::ApiAccountOutDto,
};

/// What to find out.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct AccountQuery {
    /// Sign in at the provider first, so that `tokenStatus` is of now.
    ping_provider: Option<bool>,
}

impl FromQuery for AccountQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self {
            ping_provider: fields.flag("pingProvider")?,
        })
    }
}

/// Read the account: its credentials' state, what its mailbox can do, how far it is synchronised.
#[utoipa::path(
    get,
    path = "/v1/account",
    operation_id = "getMyAccount",
    tag = "account",
    params(
        AccountQuery,
        (
            "includeProviderAuth" = Option<bool>,
            Query,
            description = "Accepted, without effect: the provider's credentials are never told"
        )
    ),
    responses((status = 200, description = "The account", body = ApiAccountOutDto))
)]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    AnyAccount { account, .. }: AnyAccount,
    Query(query): Query<AccountQuery>,
) -> ApiResult<Json<ApiAccountOutDto>> {
    let ping = query.ping_provider.unwrap_or(false);
    Ok(Json(gateway.account_view(account, ping).await?.into()))
}
