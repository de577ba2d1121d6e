//! Who calls, and for which account.
//!
//! An account is reached with its own token (Bearer), or with the application's credentials (Basic)
//! and the account's number in a header. That header beside a Bearer token means nothing.

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{HeaderMap, header, request::Parts},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use gateway_operations::{Access, Account, AccountDetails, Application, Gateway};
use secrecy::{ExposeSecret as _, SecretString};

use super::path::id;
use crate::{
    error::{ApiError, ApiResult},
    wire::literals::{ACCOUNT_ID_HEADER, Scope},
};

/// Longest `Authorization` read, in octets.
const LONGEST: usize = 2048;

/// What a caller presents.
enum Presented {
    /// An account's token.
    Token(SecretString),
    /// An application's credentials.
    Application {
        client_id: String,
        secret: SecretString,
    },
}

/// Reads `Authorization` (RFC 9110 section 11.6.2): `None` where there is none or it is not of a
/// known form.
fn presented(headers: &HeaderMap) -> Option<Presented> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    if value.len() > LONGEST {
        return None;
    }
    let (scheme, credentials) = value.trim().split_once(' ')?;
    let credentials = credentials.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return (!credentials.is_empty()).then(|| Presented::Token(credentials.into()));
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (client_id, secret) = decoded.split_once(':')?;
    Some(Presented::Application {
        client_id: client_id.to_owned(),
        secret: secret.into(),
    })
}

fn missing() -> ApiError {
    ApiError::unauthorized("credentials are missing, or not of a form that this endpoint takes")
}

/// An account and how it was reached.
struct Reached {
    account: Account,
    token: Option<SecretString>,
}

async fn reach<S>(parts: &Parts, state: &S) -> ApiResult<Reached>
where
    Gateway: FromRef<S>,
{
    let gateway = Gateway::from_ref(state);
    match presented(&parts.headers).ok_or_else(missing)? {
        Presented::Token(token) => Ok(Reached {
            account: gateway.account_by_token(token.expose_secret()).await?,
            token: Some(token),
        }),
        Presented::Application { client_id, secret } => {
            let application = gateway
                .application_by_secret(&client_id, secret.expose_secret())
                .await?;
            let number = parts
                .headers
                .get(ACCOUNT_ID_HEADER)
                .ok_or_else(|| {
                    ApiError::bad_request(format!("Basic needs the header {ACCOUNT_ID_HEADER}"))
                })?
                .to_str()
                .unwrap_or_default()
                .trim();
            let gateway_operations::AccountId(number) = id(number)?;
            Ok(Reached {
                account: gateway.account_of(&application, number).await?,
                token: None,
            })
        }
    }
}

/// An account, whatever its scopes and active or not.
pub(crate) struct AnyAccount {
    /// The account.
    pub(crate) account: Account,
    /// The token that it was reached with, if it was one.
    pub(crate) token: Option<SecretString>,
}

impl<S: Send + Sync> FromRequestParts<S> for AnyAccount
where
    Gateway: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let Reached { account, token } = reach(parts, state).await?;
        Ok(Self { account, token })
    }
}

/// An active account that may be used for something. Its number is left with the request for what is taken after it.
macro_rules! account_for {
    ($(#[$about:meta])* $name:ident, $needed:expr) => {
        $(#[$about])*
        pub(crate) struct $name(pub(crate) Account);

        impl<S: Send + Sync> FromRequestParts<S> for $name
        where
            Gateway: FromRef<S>,
        {
            type Rejection = ApiError;

            async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
                let account = reach(parts, state).await?.account;
                permit(&account, $needed)?;
                parts.extensions.insert(account.id);
                Ok(Self(account))
            }
        }
    };
}

account_for! {
    /// An active account whose mail may be read.
    ReadableAccount, Access::READ
}
account_for! {
    /// An active account whose mail may be changed.
    WritableAccount, Access::MODIFY
}
account_for! {
    /// An active account that may send.
    SendingAccount, Access::SEND
}
account_for! {
    /// An active account whose drafts may be read and written.
    DraftsAccount, Access::DRAFTS
}
account_for! {
    /// An active account that may send its drafts.
    DraftSendingAccount, Access::DRAFTS.union(Access::SEND)
}

/// Refuses an account that is not active, or that has scopes which do not allow this. What the gateway
/// could answer from its own memory is refused too.
fn permit(account: &Account, needed: Access) -> ApiResult<()> {
    if !account.active {
        return Err(ApiError::forbidden("this account is not active"));
    }
    let AccountDetails {
        scopes, granted, ..
    } = AccountDetails::of(account);
    if granted.is_some_and(|granted| !granted.contains(needed)) {
        return Err(ApiError::forbidden(
            "the owner of the mailbox did not grant this",
        ));
    }
    let known = scopes.iter().filter_map(|name| Scope::named(name));
    let allowed = known.fold(Access::empty(), |all, scope| all | scope.access());
    if scopes.is_empty() || allowed.contains(needed) {
        return Ok(());
    }
    Err(ApiError::forbidden(
        "the account's scopes do not allow this",
    ))
}

/// An application, by its own credentials.
pub(crate) struct CallingApplication(pub(crate) Application);

impl<S: Send + Sync> FromRequestParts<S> for CallingApplication
where
    Gateway: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let Some(Presented::Application { client_id, secret }) = presented(&parts.headers) else {
            return Err(missing().asking_for_basic());
        };
        Gateway::from_ref(state)
            .application_by_secret(&client_id, secret.expose_secret())
            .await
            .map(Self)
            .map_err(|error| ApiError::from(error).asking_for_basic())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        Some(match presented(&headers)? {
            Presented::Token(token) => (String::new(), token.expose_secret().to_owned()),
            Presented::Application { client_id, secret } => {
                (client_id, secret.expose_secret().to_owned())
            }
        })
    }

    fn pair(a: &str, b: &str) -> Option<(String, String)> {
        Some((a.to_owned(), b.to_owned()))
    }

    #[test]
    fn the_scheme_is_understood_in_any_case() {
        assert_eq!(read("Bearer abc"), pair("", "abc"));
        assert_eq!(read("bearer  abc "), pair("", "abc"));
        assert_eq!(read("BASIC YTpi"), pair("a", "b"));
    }

    #[test]
    fn a_secret_may_hold_colons() {
        assert_eq!(read("Basic aWQ6YTpiOmM="), pair("id", "a:b:c"));
    }

    #[test]
    fn what_is_no_credential_is_none() {
        let long = format!("Bearer {}", "a".repeat(LONGEST));
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Basic !!!",
            "Basic YWI=",
            "Digest x",
            "abc",
            &long,
        ] {
            assert_eq!(read(value), None, "{value}");
        }
        assert!(presented(&HeaderMap::new()).is_none());
    }
}
