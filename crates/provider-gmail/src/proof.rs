//! Whose mailbox an access token opens.

use email_provider::{
    Call, ConnectedMailbox, ErrorKind, MailboxIdentity, ProviderError, ProviderResult, oauth::Grant,
};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::{
    api::{Api, Hub},
    config::Config,
    error,
    quota::Method,
};

/// What is read of the answer of OpenID Connect Core section 5.3.
#[derive(Deserialize)]
struct UserInfo {
    sub: String,
}

/// The identity is the address, as the mailbox itself tells it: every token for mail tells that, and so every
/// sign-in to a mailbox gives the same ids, whatever it was granted. An address may change hands and a mailbox
/// its address, of which the vendor says so (<https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload>);
/// what it calls stable is the subject. So the subject is kept where a token tells it, and where both tokens
/// told it, it decides: [`is_same`].
pub(crate) async fn prove(
    api: &Api,
    call: Call,
    config: &Config,
    mut mailbox: ConnectedMailbox,
) -> ProviderResult<ConnectedMailbox> {
    let ask = |hub: Hub, mut seen| async move {
        let request = hub.users().get_profile("me").delegate(&mut seen);
        Ok(request.doit().await?.1)
    };
    let profile = api.ask(call, Method::GetProfile, ask).await?;
    let email = profile.email_address.filter(|email| is_address(email));
    let email = email.ok_or_else(error::unreadable)?;
    let subject = match tells_subject(&mailbox) {
        true => subject(api, call, &config.userinfo_url).await?,
        false => None,
    };
    mailbox.connection.settings = json!({ "subject": subject });
    mailbox.identity = MailboxIdentity {
        subject: email.to_lowercase(),
    };
    mailbox.login.clone_from(&email);
    mailbox.email = Some(email);
    Ok(mailbox)
}

/// Whether two connections are of one mailbox, as far as the subjects tell.
pub(crate) fn is_same(earlier: &Value, later: &Value) -> Option<bool> {
    let subject = |settings: &Value| settings["subject"].as_str().map(str::to_owned);
    Some(subject(earlier)? == subject(later)?)
}

/// Whether the token was made for telling it, as far as its scopes are known.
fn tells_subject(mailbox: &ConnectedMailbox) -> bool {
    let scopes = Grant::from_secret(&mailbox.connection.secret).map(|grant| grant.scopes);
    scopes.map_or(true, |scopes| {
        scopes.is_empty() || scopes.iter().any(|scope| scope == "openid")
    })
}

/// `None` where the token was not made for telling it.
async fn subject(api: &Api, call: Call, at: &Url) -> ProviderResult<Option<String>> {
    let told: UserInfo = match api.read_at(call, at).await {
        Err(error) if is_of_scope(&error) => return Ok(None),
        told => told?,
    };
    let is_subject = (1..=255).contains(&told.sub.len()) && told.sub.is_ascii();
    match is_subject && !told.sub.contains(char::is_control) {
        true => Ok(Some(told.sub)),
        false => Err(error::unreadable()),
    }
}

/// The mailbox has just taken the token: what is refused here is the scope.
fn is_of_scope(error: &ProviderError) -> bool {
    matches!(
        error.kind,
        ErrorKind::Unauthenticated | ErrorKind::Forbidden
    )
}

fn is_address(text: &str) -> bool {
    text.len() <= 320 && text.contains('@') && !text.contains(char::is_control)
}
