use axum::{extract::State, response::Response};
use gateway_operations::{
    Access, AuthorizeRequest, Begun, Gateway, MalformedRequest, ResponseType, Returning, Ticket,
};
use secrecy::ExposeSecret as _;
use url::Url;

use super::{CALLBACK, SIGN_IN, cookie, own_url, see_other};
use crate::{
    app::PublicUrl,
    error::{ApiError, ApiResult},
    extract::{ClientAddress, Fields, FromQuery, Query},
    wire::literals::Scope,
};

/// What an application wants, by way of the browser.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "describes the parameters; they are read one by one"
)]
pub(crate) struct AuthorizeParameters {
    /// The application.
    #[param(required)]
    client_id: String,
    /// Service type, one of those that this gateway has a backend for.
    #[param(required)]
    service_type: String,
    /// What the account's tokens are to allow; everything where it is left out.
    scopes: Option<Vec<Scope>>,
    /// More to ask of the provider, in its own words.
    native_scopes: Option<Vec<String>>,
    /// What is returned. `token` works only where the gateway's operator allows it to the application.
    #[param(inline, default = "code")]
    response_type: Option<ResponseTypeName>,
    /// Account whose credentials are renewed: only by its own mailbox.
    account_id: Option<i64>,
    /// Who is expected to sign in.
    login_hint: Option<String>,
    /// Where the browser is sent afterwards: an address that is registered for the application, letter by letter.
    #[param(required)]
    return_url: String,
    /// Returned as it is.
    state: Option<String>,
    /// The client's own organisation id.
    client_org_id: Option<String>,
    /// Reading server that the form for a password proposes.
    server_url: Option<String>,
    /// Fail with `insufficient_scope` where less is granted than was asked for.
    ensure_scopes: Option<bool>,
    /// Accepted; every sign-in here is tried at the mailbox before anything is saved.
    ensure_access: Option<bool>,
    /// Reuse an account of the same mailbox; true where it is left out.
    recycle: Option<bool>,
    /// Who alone may sign in.
    auth_email: Option<String>,
}

/// What a sign-in returns.
#[derive(Debug, utoipa::ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the values")]
pub(crate) enum ResponseTypeName {
    /// A code.
    Code,
    /// A token.
    Token,
}

/// The parameters as they came: what is wrong with them is told once it is known to whom.
pub(crate) struct Authorization {
    returning: Returning,
    request: Result<AuthorizeRequest, MalformedRequest>,
}

impl FromQuery for Authorization {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        let required = |name: &str| {
            let missing = || ApiError::bad_request(format!("query parameter {name} is required"));
            fields.text(name).ok_or_else(missing)
        };
        Ok(Self {
            returning: Returning {
                client_id: required("clientId")?,
                return_url: required("returnUrl")?,
                state: fields.text("state"),
            },
            request: request(fields),
        })
    }
}

fn request(fields: &Fields) -> Result<AuthorizeRequest, MalformedRequest> {
    let malformed = |word, text: &str| MalformedRequest {
        word,
        text: text.to_owned(),
    };
    let told = |error: ApiError| malformed("invalid_request", &error.failure().message);
    let names = fields.list("scopes");
    let mut access = Access::empty();
    for name in &names {
        let scope = Scope::named(name);
        let scope = scope.ok_or_else(|| malformed("invalid_scope", "scopes: unknown scope"))?;
        access |= scope.access();
    }
    if names.is_empty() {
        access = Access::all();
    }
    let response = match fields.text("responseType").as_deref() {
        None | Some("code") => ResponseType::Code,
        Some("token") => ResponseType::Token,
        Some(_) => return Err(malformed("unsupported_response_type", "code or token")),
    };
    let flag = |name: &str| fields.flag(name).map_err(told);
    flag("ensureAccess")?;
    Ok(AuthorizeRequest {
        service_type: fields
            .text("serviceType")
            .ok_or_else(|| malformed("invalid_request", "serviceType is required"))?,
        scopes: names,
        access,
        native_scopes: fields.list("nativeScopes"),
        response,
        account: fields.whole("accountId").map_err(told)?,
        login_hint: fields.text("loginHint"),
        auth_email: fields.text("authEmail"),
        client_org_id: fields.text("clientOrgId"),
        server_url: fields.text("serverUrl"),
        ensure_scopes: flag("ensureScopes")?.unwrap_or(false),
        recycle: flag("recycle")?.unwrap_or(true),
    })
}

/// Connect a mailbox in the browser: to the provider's consent page, or to a form for a password. Afterwards
/// the browser is sent to `returnUrl` with `status`, `type=accountAuthResult`, `code` or `error`, and `state`.
#[utoipa::path(
    get,
    path = "/v1/auth/authorize",
    operation_id = "authorize",
    tag = "auth",
    params(AuthorizeParameters),
    responses((
        status = 303,
        description = "To the provider, to the form, or back to `returnUrl`",
        headers(("Location" = String, description = "Where to"))
    )),
    security(())
)]
pub(crate) async fn authorize(
    State(gateway): State<Gateway>,
    State(PublicUrl(public_url)): State<PublicUrl>,
    ClientAddress(address): ClientAddress,
    Query(authorization): Query<Authorization>,
) -> ApiResult<Response> {
    let Authorization { returning, request } = authorization;
    let redirect_uri = own_url(&public_url, CALLBACK);
    let begun = gateway.begin_sign_in(returning, request, &redirect_uri, address);
    match begun.await? {
        Begun::Elsewhere(ticket, url) => sent(&public_url, &ticket, url.as_str()),
        Begun::Form(ticket) => {
            let mut form: Url = own_url(&public_url, SIGN_IN);
            form.query_pairs_mut()
                .append_pair("state", ticket.state.expose_secret());
            sent(&public_url, &ticket, form.as_str())
        }
        Begun::Back(location) => see_other(&location, None),
    }
}

fn sent(public_url: &Url, ticket: &Ticket, location: &str) -> ApiResult<Response> {
    see_other(location, Some(cookie::given(public_url, ticket)?))
}
