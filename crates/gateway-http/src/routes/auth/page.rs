//! The pages that people see: the form for a password, and that a sign-in has ended. They need no script.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use gateway_operations::{OperationError, OperationErrorKind, SignInForm};
use url::Url;

use crate::error::{ApiError, ApiResult, Page};

const STYLE: &str = include_str!("../../../templates/sign_in.css");

/// The form.
#[derive(Template)]
#[template(path = "sign_in.html")]
pub(super) struct FormPage<'a> {
    pub state: &'a str,
    pub service_type: &'a str,
    /// The host to which the browser returns.
    pub returns_to: &'a str,
    pub email: &'a str,
    pub email_is_fixed: bool,
    pub login: &'a str,
    pub server_url: &'a str,
    pub server_url2: &'a str,
    pub problem: Option<Problem>,
}

impl FormPage<'_> {
    /// Whether what is given by hand is to be seen at once.
    fn shows_servers(&self) -> bool {
        let given = [self.login, self.server_url, self.server_url2];
        given.iter().any(|text| !text.is_empty())
            || self
                .problem
                .as_ref()
                .is_some_and(|problem| problem.of_servers)
    }

    fn refuses_password(&self) -> bool {
        self.problem
            .as_ref()
            .is_some_and(|problem| problem.of_password)
    }
}

/// Why a sign-in did not work, for people.
pub(super) struct Problem {
    pub status: StatusCode,
    pub title: &'static str,
    pub text: String,
    pub of_password: bool,
    pub of_servers: bool,
}

impl From<&OperationError> for Problem {
    fn from(error: &OperationError) -> Self {
        use OperationErrorKind as Kind;
        let problem = |status, title, text: &str| Self {
            status,
            title,
            text: text.to_owned(),
            of_password: false,
            of_servers: false,
        };
        match error.kind {
            Kind::TokenRefreshFailed => Self {
                of_password: true,
                ..problem(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "The sign-in was refused",
                    "The address or the password is not right. Some providers want a password made for \
                     this use alone, an “app password”, and mail programs to be allowed in their settings.",
                )
            },
            Kind::RateLimited => problem(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many attempts",
                "Please wait a few minutes, then try again.",
            ),
            Kind::BadRequest => Self {
                text: error.message.clone(),
                of_servers: true,
                ..problem(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "Something is missing or not right",
                    "",
                )
            },
            Kind::ProviderUnavailable => Self {
                text: format!("{}. Are the server settings right?", error.message),
                of_servers: true,
                ..problem(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "The mail server could not be reached",
                    "",
                )
            },
            _ => problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The sign-in did not work",
                &error.message,
            ),
        }
    }
}

/// A sign-in that cannot go on.
#[derive(Template)]
#[template(path = "ended.html")]
struct EndedPage;

/// What the pages may load and where their form may lead: browsers apply `form-action` to redirects after it
/// too, and applications send the browser on to other places of their own.
fn policy(return_url: &str) -> String {
    let plain = if return_url.starts_with("http:") {
        " http:"
    } else {
        ""
    };
    format!(
        "default-src 'none'; style-src 'self'; form-action 'self' https:{plain}; base-uri 'none'; \
         frame-ancestors 'none'"
    )
}

fn html(status: StatusCode, page: &impl Template, policy: &str) -> ApiResult<Response> {
    let text = page.render().map_err(|_| ApiError::internal())?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    let mut response = (status, headers, text).into_response();
    response.extensions_mut().insert(Page);
    Ok(response)
}

/// The form, with its status.
pub(super) fn form(page: &FormPage<'_>, form: &SignInForm) -> ApiResult<Response> {
    let problem = page.problem.as_ref();
    let status = problem.map_or(StatusCode::OK, |problem| problem.status);
    html(status, page, &policy(&form.return_url))
}

/// That the sign-in cannot go on.
pub(super) fn ended() -> ApiResult<Response> {
    html(StatusCode::BAD_REQUEST, &EndedPage, &policy(""))
}

/// The host of an address, for people to recognise.
pub(super) fn host_of(url: &str) -> String {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(Url::host_str);
    host.unwrap_or_default().to_owned()
}

/// The pages' style.
pub(super) async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "max-age=3600"),
    ];
    (headers, STYLE).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page<'a>(email: &'a str, problem: Option<Problem>) -> FormPage<'a> {
        FormPage {
            state: "state",
            service_type: "IMAP",
            returns_to: "app.example",
            email,
            email_is_fixed: false,
            login: "",
            server_url: "",
            server_url2: "",
            problem,
        }
    }

    #[test]
    fn what_strangers_wrote_is_text() {
        let text = page("\"><script>alert(1)</script>", None).render().unwrap();
        assert!(!text.contains("<script"), "{text}");
    }

    #[test]
    fn there_is_neither_script_nor_style_in_it_nor_another_host() {
        let text = page("ann@example.org", None).render().unwrap();
        for part in ["<script", "<style", " style=", " on", "://"] {
            let found = text
                .find(part)
                .map(|at| &text[at..(at + 30).min(text.len())]);
            assert!(found.is_none(), "{found:?}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import"));
    }

    #[test]
    fn every_field_has_a_label_and_problems_are_announced() {
        let refused = OperationError::new(OperationErrorKind::TokenRefreshFailed, "no");
        let text = page("ann@example.org", Some((&refused).into()))
            .render()
            .unwrap();
        for id in ["email", "password", "login", "serverUrl", "serverUrl2"] {
            assert!(text.contains(&format!("for=\"{id}\"")), "{id}");
            assert!(text.contains(&format!("id=\"{id}\"")), "{id}");
        }
        assert!(text.contains("role=\"alert\"") && text.contains("aria-invalid=\"true\""));
    }
}
