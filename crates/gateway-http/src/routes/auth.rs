//! Connecting a mailbox in the browser.

pub(crate) mod authorize;
pub(crate) mod callback;
mod cookie;
mod page;
mod sign_in;
pub(crate) mod token;

use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use url::Url;

use crate::{
    app::AppState,
    error::{ApiError, ApiResult},
};

/// Where providers send the browser back to, below the gateway's public URL.
const CALLBACK: &str = "/v1/auth/callback";
/// The form for a password, likewise.
const SIGN_IN: &str = "/v1/auth/sign-in";

/// Where they are mounted.
pub(super) fn routes() -> Router<AppState> {
    Router::new()
        .route("/v1/auth/authorize", get(authorize::authorize))
        .route(CALLBACK, get(callback::callback))
        .route(SIGN_IN, get(sign_in::show).post(sign_in::submit))
        .route("/v1/auth/sign-in.css", get(page::style))
        .route("/v1/auth/token/{code}", get(token::get).post(token::post))
}

/// An address of this gateway as browsers know it. Never made of what a request says of its host.
fn own_url(public_url: &Url, path: &str) -> Url {
    let mut url = public_url.clone();
    url.set_path(&format!(
        "{}{path}",
        public_url.path().trim_end_matches('/')
    ));
    url
}

/// Sends the browser on. Addresses hold codes and states: no other page is told of them.
fn see_other(location: &str, cookie: Option<HeaderValue>) -> ApiResult<Response> {
    let escaped = match location.is_ascii() {
        true => location.to_owned(),
        false => Url::parse(location).map_or_else(|_| String::new(), String::from),
    };
    let location = HeaderValue::from_str(&escaped).map_err(|_| ApiError::internal())?;
    let mut headers = HeaderMap::new();
    headers.insert(header::LOCATION, location);
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    if let Some(cookie) = cookie {
        headers.insert(header::SET_COOKIE, cookie);
    }
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_addresses_are_below_the_public_url() {
        for (public, callback) in [
            (
                "https://mail.example",
                "https://mail.example/v1/auth/callback",
            ),
            (
                "https://x.example/mail/",
                "https://x.example/mail/v1/auth/callback",
            ),
            (
                "http://127.0.0.1:8080",
                "http://127.0.0.1:8080/v1/auth/callback",
            ),
        ] {
            let public = Url::parse(public).unwrap();
            assert_eq!(own_url(&public, CALLBACK).as_str(), callback);
        }
    }

    #[test]
    fn a_location_that_no_header_takes_as_it_stands_is_escaped() {
        let response = see_other("https://büro.example/ü?code=x", None).unwrap();
        let location = &response.headers()[header::LOCATION];
        assert_eq!(location, "https://xn--bro-hoa.example/%C3%BC?code=x");
    }
}
