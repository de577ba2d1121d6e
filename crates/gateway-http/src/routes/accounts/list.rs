use axum::extract::State;
use gateway_operations::{AccountFilter, Gateway};

use crate::{
    error::{ApiError, ApiResult},
    extract::{CallingApplication, Fields, FromQuery, Query},
    json::Json,
    wire::AccountsPage,
};

/// Which accounts.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct AccountsQuery {
    /// Most records wanted, 1 to 500.
    #[param(default = 50)]
    limit: Option<u32>,
    /// Records to leave out from the beginning.
    #[param(default = 0)]
    offset: Option<u32>,
    /// Only accounts of this organisation, as they name it.
    auth_org_id: Option<String>,
    /// Only this service type.
    service_type: Option<String>,
    /// Not supported: refused.
    subscription_id: Option<i64>,
}

/// Records on a page where the client does not say.
const DEFAULT_LIMIT: u32 = 50;

impl FromQuery for AccountsQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self {
            limit: fields.limit()?,
            offset: fields.whole("offset")?,
            auth_org_id: fields.text("authOrgId"),
            service_type: fields.text("serviceType"),
            subscription_id: fields.whole("subscriptionId")?,
        })
    }
}

/// List the accounts of the application.
#[utoipa::path(
    get,
    path = "/v1/am/accounts",
    operation_id = "getAccounts",
    tag = "accounts",
    params(AccountsQuery),
    responses((status = 200, description = "A page of accounts", body = AccountsPage)),
    security(("AppAuth" = []))
)]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    CallingApplication(application): CallingApplication,
    Query(query): Query<AccountsQuery>,
) -> ApiResult<Json<AccountsPage>> {
    // A filter that is not applied would tell of accounts that the caller did not ask for.
    if query.subscription_id.is_some() {
        return Err(ApiError::unprocessable(
            "subscriptionId: no such filter here",
        ));
    }
    let offset = query.offset.unwrap_or(0);
    let filter = AccountFilter {
        service_type: query.service_type,
        limit: query.limit.unwrap_or(DEFAULT_LIMIT),
        offset,
    };
    let page = match &query.auth_org_id {
        Some(organisation) => {
            gateway
                .list_accounts_of_organisation(&application, organisation, filter)
                .await?
        }
        None => gateway.list_accounts(&application, filter).await?,
    };
    Ok(Json(AccountsPage::new(offset, page)))
}
