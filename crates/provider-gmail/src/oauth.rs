//! Accounts connected by OAuth: <https://developers.google.com/identity/protocols/oauth2/web-server>.

use email_provider::{
    ConnectContext, SignInError,
    oauth::{Access, OAuthClient, OAuthPlugin},
};

use crate::{config::Config, plugin::GmailPlugin};

/// Everything, permanent deletion included.
const FULL: &str = "https://mail.google.com/";
const MODIFY: &str = "https://www.googleapis.com/auth/gmail.modify";
const READ_ONLY: &str = "https://www.googleapis.com/auth/gmail.readonly";
const COMPOSE: &str = "https://www.googleapis.com/auth/gmail.compose";
const SEND: &str = "https://www.googleapis.com/auth/gmail.send";
/// Whose mailbox it is: the subject, and the address.
const IDENTITY: [&str; 2] = ["openid", "email"];

impl OAuthPlugin for GmailPlugin {
    fn client(&self, context: &ConnectContext) -> Result<OAuthClient, SignInError> {
        let config = Config::of(context)?;
        let client_id = config.client_id.filter(|id| !id.is_empty());
        let client_id = client_id.ok_or_else(|| {
            let what = "client_id of the Google backend is not configured";
            SignInError::Invalid(what.to_owned())
        })?;
        // A refresh token comes with offline access, and after the first consent only when it is asked for
        // anew.
        let parameters = [
            ("access_type", "offline"),
            ("prompt", "consent"),
            ("include_granted_scopes", "true"),
        ];
        // What the vendor's own discovery document names; of another server nothing is known.
        let is_vendors = config.auth_url.host_str() == Some("accounts.google.com");
        let issuer = is_vendors.then(|| "https://accounts.google.com".to_owned());
        Ok(OAuthClient {
            authorize_url: config.auth_url,
            token_url: config.token_url,
            revoke_url: Some(config.revoke_url),
            issuer,
            client_id,
            client_secret: config.client_secret,
            authorize_parameters: parameters
                .map(|(name, value)| (name, value.to_owned()))
                .to_vec(),
        })
    }

    /// The least that gives the access. To delete for good takes the whole mailbox; what changes it without
    /// that also sends and drafts.
    fn native_scopes(&self, access: Access) -> Vec<String> {
        let mut scopes = Vec::new();
        if access.is_all() {
            scopes.push(FULL);
        } else {
            if access.contains(Access::MODIFY) {
                scopes.push(MODIFY);
            } else if access.contains(Access::READ) {
                scopes.push(READ_ONLY);
            }
            if access.contains(Access::DRAFTS) {
                scopes.push(COMPOSE);
            }
            if access.contains(Access::SEND) {
                scopes.push(SEND);
            }
        }
        scopes.extend(IDENTITY);
        scopes.into_iter().map(str::to_owned).collect()
    }

    fn access_of(&self, native_scopes: &[String]) -> Access {
        let access = native_scopes.iter().map(|scope| match scope.as_str() {
            FULL | MODIFY => Access::all(),
            READ_ONLY => Access::READ,
            COMPOSE => Access::DRAFTS | Access::SEND,
            SEND => Access::SEND,
            _ => Access::empty(),
        });
        access.fold(Access::empty(), Access::union)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scopes_asked_for_give_the_access_and_no_more_than_needed() {
        let plugin = GmailPlugin::default();
        for bits in 1..16 {
            let access = Access::from_bits(bits).unwrap();
            let scopes = plugin.native_scopes(access);
            assert!(plugin.access_of(&scopes).contains(access), "{access:?}");
            assert!(scopes.iter().any(|scope| scope == "openid"));
            assert_eq!(scopes.iter().any(|scope| scope == FULL), access.is_all());
        }
        assert_eq!(
            plugin.native_scopes(Access::READ),
            [READ_ONLY, "openid", "email"]
        );
    }

    #[test]
    fn a_scope_that_was_not_granted_gives_nothing() {
        let plugin = GmailPlugin::default();
        let granted = |scopes: &[&str]| {
            let scopes: Vec<String> = scopes.iter().map(|&scope| scope.to_owned()).collect();
            plugin.access_of(&scopes)
        };
        assert_eq!(granted(&["openid", "email"]), Access::empty());
        assert_eq!(granted(&[READ_ONLY, SEND]), Access::READ | Access::SEND);
        assert_eq!(
            granted(&["https://www.googleapis.com/auth/gmail.metadata"]),
            Access::empty()
        );
    }
}
