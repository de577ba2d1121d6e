//! How the server behaves, changed by tests while it runs.

use std::time::Duration;

use crate::microsoft::Aadsts;

/// The server's behaviour; the default is Google's, without faults.
#[derive(Clone, Debug)]
pub struct OAuthSettings {
    /// The user refuses: `error=access_denied` (RFC 6749 §4.1.2.1).
    pub deny: bool,
    /// Who is signed in at the browser, whatever the login hint says.
    pub sign_in_as: Option<String>,
    /// Scopes that the user takes away on the consent page.
    pub unticked_scopes: Vec<String>,
    /// Every refresh gives a new refresh token; using a spent one revokes all tokens of the grant (RFC 9700 §4.14.2).
    pub rotate_refresh_tokens: bool,
    /// How long access tokens live.
    pub expires_in: Duration,
    /// The token endpoint answers `invalid_grant`.
    pub invalid_grant: bool,
    /// The `error_subtype` of that answer, such as `invalid_rapt`.
    pub invalid_grant_subtype: Option<String>,
    /// What Microsoft's token endpoint answers with in place of tokens.
    pub aadsts: Option<Aadsts>,
    /// The clients are of one tenant, whose name must stand in the path of Microsoft's consent page.
    pub single_tenant: Option<String>,
    /// How long token, revocation and userinfo answers wait.
    pub delay: Duration,
    /// Answers with status 200 are JSON cut in half.
    pub broken_json: bool,
    /// Token, revocation and userinfo requests have no effect and get this status.
    pub fail_with: Option<u16>,
    /// Requests have their effect, but the connection ends without an answer.
    pub lose_answers: bool,
    /// The redirect carries another state than the request did.
    pub wrong_state: bool,
}

impl Default for OAuthSettings {
    fn default() -> Self {
        Self {
            deny: false,
            sign_in_as: None,
            unticked_scopes: Vec::new(),
            rotate_refresh_tokens: false,
            // What Google's access tokens live, less the second that its answers usually say.
            expires_in: Duration::from_secs(3599),
            invalid_grant: false,
            invalid_grant_subtype: None,
            aadsts: None,
            single_tenant: None,
            delay: Duration::ZERO,
            broken_json: false,
            fail_with: None,
            lose_answers: false,
            wrong_state: false,
        }
    }
}
