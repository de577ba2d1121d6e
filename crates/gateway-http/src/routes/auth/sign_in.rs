//! The form for a password: shown, and tried.

use axum::{extract::State, http::HeaderMap, response::Response};
use gateway_operations::{FormFields, Gateway, OperationError, SignInForm, Submitted};

use super::{
    cookie,
    page::{self, FormPage, host_of},
    see_other,
};
use crate::{
    app::PublicUrl,
    error::ApiResult,
    extract::{ClientAddress, Fields, FromQuery, Octets, Query},
};

/// Which sign-in.
pub(super) struct StateQuery(String);

impl FromQuery for StateQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self(fields.text("state").unwrap_or_default()))
    }
}

/// Shows the form.
pub(super) async fn show(
    State(gateway): State<Gateway>,
    State(PublicUrl(public_url)): State<PublicUrl>,
    headers: HeaderMap,
    Query(StateQuery(state)): Query<StateQuery>,
) -> ApiResult<Response> {
    let browser = cookie::presented(&headers, &public_url, &state);
    match gateway.sign_in_form(&state, browser).await {
        Ok(form) => {
            let filled_in = FormFields {
                email: form.email.clone(),
                server_url: form.server_url.clone(),
                ..FormFields::default()
            };
            shown(&state, &form, &filled_in, None)
        }
        Err(error) => ended(error),
    }
}

/// Signs in with what was filled in. The state in the form and the cookie of the browser go together, so that
/// no other page can send it.
pub(super) async fn submit(
    State(gateway): State<Gateway>,
    State(PublicUrl(public_url)): State<PublicUrl>,
    ClientAddress(address): ClientAddress,
    headers: HeaderMap,
    Octets(body): Octets,
) -> ApiResult<Response> {
    let fields = Fields::parse(std::str::from_utf8(&body).unwrap_or_default())?;
    let state = fields.text("state").unwrap_or_default();
    let browser = cookie::presented(&headers, &public_url, &state);
    if fields.text("action").as_deref() == Some("cancel") {
        return match gateway.cancel_form(&state, browser).await {
            Ok(location) => see_other(&location, cookie::ended(&public_url, &state)),
            Err(error) => ended(error),
        };
    }
    let trimmed = |name: &str| {
        let text = fields.text(name).map(|text| text.trim().to_owned());
        text.filter(|text| !text.is_empty())
    };
    let filled_in = FormFields {
        email: trimmed("email"),
        password: fields.text("password").map(Into::into),
        login: trimmed("login"),
        server_url: trimmed("serverUrl"),
        server_url2: trimmed("serverUrl2"),
    };
    match gateway
        .submit_form(&state, browser, filled_in.clone(), address)
        .await
    {
        Ok(Submitted::Back(location)) => see_other(&location, cookie::ended(&public_url, &state)),
        Ok(Submitted::Refused(form, error)) => shown(&state, &form, &filled_in, Some(&error)),
        Err(error) => ended(error),
    }
}

fn shown(
    state: &str,
    form: &SignInForm,
    filled_in: &FormFields,
    error: Option<&OperationError>,
) -> ApiResult<Response> {
    let text = |text: &'_ Option<String>| text.clone().unwrap_or_default();
    let email = match form.email_is_fixed {
        true => text(&form.email),
        false => text(&filled_in.email),
    };
    let (login, server_url) = (text(&filled_in.login), text(&filled_in.server_url));
    let page = FormPage {
        state,
        service_type: &form.service_type,
        returns_to: &host_of(&form.return_url),
        email: &email,
        email_is_fixed: form.email_is_fixed,
        login: &login,
        server_url: &server_url,
        server_url2: &text(&filled_in.server_url2),
        problem: error.map(Into::into),
    };
    page::form(&page, form)
}

/// There is nothing that its user could do but begin again; faults of ours are told as such.
fn ended(error: OperationError) -> ApiResult<Response> {
    match error.kind {
        gateway_operations::OperationErrorKind::BadRequest => page::ended(),
        _ => Err(error.into()),
    }
}
