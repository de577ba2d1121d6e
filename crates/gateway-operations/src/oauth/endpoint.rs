//! What is said to an authorisation server (RFC 6749, RFC 7636, RFC 7009).

use std::{borrow::Cow, sync::Arc, time::Duration};

use email_model::Timestamp;
use email_provider::oauth::{Grant, OAuthClient, TokenRefusal};
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken,
    EndpointNotSet, ExtraTokenFields, HttpRequest, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RefreshToken, RequestTokenError, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
    basic::{
        BasicErrorResponse, BasicRequestTokenError, BasicRevocationErrorResponse,
        BasicTokenIntrospectionResponse, BasicTokenType,
    },
};
use reqwest::StatusCode;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::http::{HttpError, TokenHttp};

/// Longest description kept, in characters.
const LONGEST_DESCRIPTION: usize = 200;
/// Longest word for a refusal kept, in characters.
const LONGEST_CODE: usize = 64;
/// What servers call a token that is not good any more (RFC 6750 section 3.1), instead of the success that
/// RFC 7009 section 2.2 asks for.
const INVALID_TOKEN: &str = "invalid_token";

/// What a server says beside its tokens.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Beside {
    /// Who the user is (OpenID Connect Core section 3.1.3.3).
    #[serde(default, skip_serializing)]
    id_token: Option<SecretString>,
}

impl ExtraTokenFields for Beside {}

type Tokens = StandardTokenResponse<Beside, BasicTokenType>;
type TokenClient<HasTokenUrl = EndpointNotSet> = Client<
    BasicErrorResponse,
    Tokens,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    HasTokenUrl,
>;

/// Why there are no tokens.
#[derive(Debug)]
pub(crate) enum TokenFailure {
    /// The server decided so.
    Refused(TokenRefusal),
    /// The server did not decide: nothing is known of the grant.
    Passing {
        /// For the log.
        why: String,
        /// How long the server asks to wait.
        retry_after: Option<Duration>,
    },
}

/// The secret in the body: every server that is in use takes it there, not every one in a header.
fn basic(client: &OAuthClient) -> TokenClient {
    let basic = TokenClient::new(ClientId::new(client.client_id.clone()))
        .set_auth_type(AuthType::RequestBody);
    match &client.client_secret {
        Some(secret) => {
            basic.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
        }
        None => basic,
    }
}

fn with_token_url(client: &OAuthClient) -> TokenClient<oauth2::EndpointSet> {
    basic(client).set_token_uri(TokenUrl::from_url(client.token_url.clone()))
}

/// Where the browser is sent, and the secret that the code will be exchanged with.
pub(crate) fn authorize_url(
    client: &OAuthClient,
    redirect_uri: &Url,
    state: &SecretString,
    scopes: Vec<String>,
    login_hint: Option<&str>,
) -> (Url, SecretString) {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let basic = basic(client)
        .set_auth_uri(AuthUrl::from_url(client.authorize_url.clone()))
        .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()));
    let mut request = basic
        .authorize_url(|| CsrfToken::new(state.expose_secret().to_owned()))
        .add_scopes(scopes.into_iter().map(Scope::new))
        .set_pkce_challenge(challenge);
    for (name, value) in &client.authorize_parameters {
        request = request.add_extra_param(*name, value);
    }
    if let Some(hint) = login_hint {
        request = request.add_extra_param("login_hint", hint);
    }
    let (url, _) = request.url();
    (url, verifier.into_secret().into())
}

/// A code to be exchanged.
pub(crate) struct ReturnedCode<'a> {
    pub redirect_uri: &'a Url,
    pub code: String,
    pub verifier: &'a SecretString,
    /// What was asked for: what is granted too, unless the server says otherwise (RFC 6749 section 5.1).
    pub asked: &'a [String],
}

/// What a code was exchanged for.
pub(crate) struct Exchanged {
    pub grant: Grant,
    /// What the server says of the user, where it does. Nobody has verified its signature.
    pub id_token: Option<SecretString>,
}

/// Exchanges a code for a grant.
pub(crate) async fn exchange(
    http: &Arc<TokenHttp>,
    client: &OAuthClient,
    exchange: ReturnedCode<'_>,
    now: Timestamp,
) -> Result<Exchanged, TokenFailure> {
    let verifier = PkceCodeVerifier::new(exchange.verifier.expose_secret().to_owned());
    let redirect_uri = RedirectUrl::from_url(exchange.redirect_uri.clone());
    let answer = with_token_url(client)
        .exchange_code(AuthorizationCode::new(exchange.code))
        .set_pkce_verifier(verifier)
        .set_redirect_uri(Cow::Owned(redirect_uri))
        .request_async(&sender(http))
        .await;
    let tokens = answer.map_err(failure)?;
    Ok(Exchanged {
        grant: grant(&tokens, exchange.asked, None, now)?,
        id_token: tokens.extra_fields().id_token.clone(),
    })
}

/// Asks for another access token.
pub(crate) async fn refresh(
    http: &Arc<TokenHttp>,
    client: &OAuthClient,
    old: &Grant,
    refresh_token: &SecretString,
    now: Timestamp,
) -> Result<Grant, TokenFailure> {
    let refresh_token = RefreshToken::new(refresh_token.expose_secret().to_owned());
    let answer = with_token_url(client)
        .exchange_refresh_token(&refresh_token)
        .request_async(&sender(http))
        .await;
    let tokens = answer.map_err(failure)?;
    grant(&tokens, &old.scopes, old.refresh_token.clone(), now)
}

/// Ends a grant (RFC 7009 section 2.1). One that was not good any more is as good as ended; whatever else the server
/// refuses has ended nothing: a client whose own secret has expired, say.
pub(crate) async fn revoke(
    http: &Arc<TokenHttp>,
    client: &OAuthClient,
    url: &Url,
    grant: &Grant,
) -> Result<(), HttpError> {
    let request = oauth2::http::Request::post(url.as_str())
        .header("content-type", "application/x-www-form-urlencoded")
        .body(revocation(client, grant).into_bytes())
        .map_err(|_| HttpError::Unreachable)?;
    let answer = http.send(request).await?;
    revoked(answer.status(), answer.body())
}

fn revoked(status: StatusCode, body: &[u8]) -> Result<(), HttpError> {
    if status.is_success() {
        return Ok(());
    }
    let told: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let code = told["error"].as_str().unwrap_or_default();
    if code == INVALID_TOKEN {
        return Ok(());
    }
    let clean = code.chars().filter(|c| !c.is_control());
    Err(HttpError::Refused {
        status,
        code: clean.take(LONGEST_CODE).collect(),
    })
}

fn revocation(client: &OAuthClient, grant: &Grant) -> String {
    let (token, hint) = match &grant.refresh_token {
        Some(token) => (token, "refresh_token"),
        None => (&grant.access_token, "access_token"),
    };
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", token.expose_secret())
        .append_pair("token_type_hint", hint)
        .append_pair("client_id", &client.client_id);
    if let Some(secret) = &client.client_secret {
        form.append_pair("client_secret", secret.expose_secret());
    }
    form.finish()
}

fn sender(
    http: &Arc<TokenHttp>,
) -> impl Fn(HttpRequest) -> futures::future::BoxFuture<'static, Result<oauth2::HttpResponse, HttpError>>
+ Send
+ Sync
+ use<> {
    let http = Arc::clone(http);
    move |request| {
        let http = Arc::clone(&http);
        Box::pin(async move { http.send(request).await })
    }
}

fn grant(
    tokens: &Tokens,
    scopes: &[String],
    refresh_token: Option<SecretString>,
    now: Timestamp,
) -> Result<Grant, TokenFailure> {
    let access_token = tokens.access_token().secret();
    if access_token.is_empty() {
        return Err(passing("an answer without a token"));
    }
    let lasts = tokens.expires_in().map(|lasts| lasts.as_secs());
    let lasts = lasts.and_then(|seconds| chrono::Duration::try_seconds(seconds.try_into().ok()?));
    let granted = tokens.scopes().map(|scopes| {
        let scopes = scopes.iter().map(|scope| scope.as_str().to_owned());
        scopes.filter(|scope| !scope.is_empty()).collect()
    });
    Ok(Grant {
        access_token: access_token.as_str().into(),
        // RFC 6749 section 6: without a new one the old one stays good.
        refresh_token: tokens
            .refresh_token()
            .map(|token| SecretString::from(token.secret().as_str()))
            .or(refresh_token),
        expires_at: lasts.and_then(|lasts| now.checked_add_signed(lasts)),
        scopes: granted.unwrap_or_else(|| scopes.to_vec()),
    })
}

/// What cannot be read may hold tokens: it is neither kept nor logged.
fn failure(error: BasicRequestTokenError<HttpError>) -> TokenFailure {
    match error {
        RequestTokenError::ServerResponse(refusal) => {
            let text = refusal.error_description().map_or("", String::as_str);
            let clean = |c: char| if c.is_control() { ' ' } else { c };
            TokenFailure::Refused(TokenRefusal {
                code: refusal
                    .error()
                    .as_ref()
                    .chars()
                    .take(LONGEST_CODE)
                    .collect(),
                description: text.chars().take(LONGEST_DESCRIPTION).map(clean).collect(),
            })
        }
        RequestTokenError::Request(error) => TokenFailure::Passing {
            retry_after: match &error {
                HttpError::Unable { retry_after, .. } => *retry_after,
                _ => None,
            },
            why: error.to_string(),
        },
        RequestTokenError::Parse(..) => passing("an answer that cannot be read"),
        RequestTokenError::Other(_) => passing("no answer to the question"),
    }
}

fn passing(why: &str) -> TokenFailure {
    TokenFailure::Passing {
        why: why.to_owned(),
        retry_after: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revocation_that_is_refused_has_ended_nothing() {
        let bad = StatusCode::BAD_REQUEST;
        assert!(revoked(StatusCode::OK, b"").is_ok());
        assert!(revoked(bad, br#"{"error": "invalid_token"}"#).is_ok());
        for (status, body) in [
            (StatusCode::UNAUTHORIZED, r#"{"error": "invalid_client"}"#),
            (bad, r#"{"error": "unsupported_token_type"}"#),
            (bad, "<html>"),
            (bad, r#"["error"]"#),
            (StatusCode::NOT_FOUND, ""),
        ] {
            assert!(revoked(status, body.as_bytes()).is_err(), "{status}");
        }
    }
}
