use axum::extract::State;
use gateway_operations::{Gateway, RecycleKey, SaveOptions};

use crate::{
    error::{ApiError, ApiResult},
    extract::{CallingApplication, Fields, FromQuery, JsonBody, Query},
    json::Json,
    wire::{AccountSaveResult, ApiAccountInDto, ServiceKey},
};

/// How to save it.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct SaveQuery {
    /// The client's own user id.
    user_id: Option<String>,
    /// By which fields an existing account is proposed for reuse; by default address and service
    /// type. It is reused only if the mailbox is proved to be the same.
    recycle_keys: Option<Vec<ServiceKey>>,
    /// Sign in before saving; a failure saves nothing.
    ensure_access: Option<bool>,
}

impl FromQuery for SaveQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        let recycle_keys = fields
            .list("recycleKeys")
            .iter()
            .map(|name| {
                ServiceKey::named(name).ok_or_else(|| {
                    ApiError::bad_request("query parameter recycleKeys: unknown key")
                })
            })
            .collect::<ApiResult<Vec<_>>>()?;
        Ok(Self {
            user_id: fields.text("userId"),
            recycle_keys: (!recycle_keys.is_empty()).then_some(recycle_keys),
            ensure_access: fields.flag("ensureAccess")?,
        })
    }
}

/// Connect a mailbox, or renew the credentials of one that is connected.
#[utoipa::path(
    post,
    path = "/v1/am/accounts",
    operation_id = "upsertPersonal",
    tag = "accounts",
    params(
        SaveQuery,
        ("userAccount" = Option<String>, Query, description = "Accepted, without effect")
    ),
    request_body = ApiAccountInDto,
    responses((status = 200, description = "The account and a new token", body = AccountSaveResult)),
    security(("AppAuth" = []))
)]
pub(crate) async fn save(
    State(gateway): State<Gateway>,
    CallingApplication(application): CallingApplication,
    Query(query): Query<SaveQuery>,
    JsonBody(account): JsonBody<ApiAccountInDto>,
) -> ApiResult<Json<AccountSaveResult>> {
    let input = account.into_input(query.user_id)?;
    let recycle_keys = query.recycle_keys.unwrap_or_default();
    let options = SaveOptions {
        recycle_keys: recycle_keys.into_iter().map(RecycleKey::from).collect(),
        ensure_access: query.ensure_access.unwrap_or(false),
    };
    let saved = gateway.save_account(&application, input, options).await?;
    Ok(Json(saved.into()))
}
