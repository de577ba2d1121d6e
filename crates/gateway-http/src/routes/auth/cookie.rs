//! The cookie that binds a sign-in to the browser that began it: one each, so that several may be under way.

use axum::http::{HeaderMap, HeaderValue, header};
use gateway_operations::Ticket;
use secrecy::ExposeSecret as _;
use url::Url;

use crate::error::{ApiError, ApiResult};

/// How long it lasts, in seconds: as long as the sign-in.
const LASTS: u32 = 600;
/// Characters of the state that name it: enough to tell sign-ins apart, and the rest of it stays a secret.
const NAMED_BY: usize = 12;

/// `__Host-` keeps other hosts of the domain from setting it (RFC 6265bis section 4.1.3.2). That needs HTTPS.
fn name(public_url: &Url, state: &str) -> Option<String> {
    let named_by = state.get(..NAMED_BY)?;
    let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let prefix = if is_secure(public_url) { "__Host-" } else { "" };
    named_by
        .bytes()
        .all(is_safe)
        .then(|| format!("{prefix}polypost-sign-in-{named_by}"))
}

fn is_secure(public_url: &Url) -> bool {
    public_url.scheme() == "https"
}

fn cookie(public_url: &Url, state: &str, value: &str, lasts: u32) -> Option<HeaderValue> {
    let name = name(public_url, state)?;
    let secure = if is_secure(public_url) {
        "; Secure"
    } else {
        ""
    };
    let text = format!("{name}={value}; Path=/; Max-Age={lasts}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Gives it to the browser.
pub(super) fn given(public_url: &Url, ticket: &Ticket) -> ApiResult<HeaderValue> {
    let (state, browser) = (&ticket.state, &ticket.browser);
    let given = cookie(
        public_url,
        state.expose_secret(),
        browser.expose_secret(),
        LASTS,
    );
    given.ok_or_else(ApiError::internal)
}

/// Takes it back.
pub(super) fn ended(public_url: &Url, state: &str) -> Option<HeaderValue> {
    cookie(public_url, state, "", 0)
}

/// What the browser has of this sign-in.
pub(super) fn presented<'a>(
    headers: &'a HeaderMap,
    public_url: &Url,
    state: &str,
) -> Option<&'a str> {
    let name = name(public_url, state)?;
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|one| one.trim().split_once('='))
        .find(|(one, _)| *one == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATE: &str = "abcdefghijkl-and-more";

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn it_is_for_this_host_alone_and_no_script_reads_it() {
        let ticket = Ticket {
            state: STATE.into(),
            browser: "secret".into(),
        };
        let given = given(&url("https://mail.example"), &ticket).unwrap();
        assert_eq!(
            given,
            "__Host-polypost-sign-in-abcdefghijkl=secret; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"
        );
    }

    #[test]
    fn it_is_found_among_others() {
        let public = url("http://127.0.0.1:8080");
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; c=d"));
        assert_eq!(presented(&headers, &public, STATE), None);
        let cookies = "polypost-sign-in-abcdefghijkl=x; polypost-sign-in-other0000000=y";
        headers.append(header::COOKIE, HeaderValue::from_static(cookies));
        assert_eq!(presented(&headers, &public, STATE), Some("x"));
        let secure = url("https://127.0.0.1:8080");
        assert_eq!(presented(&headers, &secure, STATE), None);
    }

    #[test]
    fn a_state_that_is_none_names_no_cookie() {
        let public = url("https://mail.example");
        for state in ["", "short", "abcdefghijk;x=y", "abcdefghijkü"] {
            assert!(ended(&public, state).is_none(), "{state}");
        }
    }
}
