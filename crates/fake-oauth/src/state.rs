//! Clients, users, and everything that was issued.

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::distr::Alphanumeric;

use crate::record::{RecordedRequest, Violation};
use crate::settings::OAuthSettings;

/// An application that may ask for access.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// None for a public client, which proves itself by PKCE alone.
    pub secret: Option<String>,
    pub redirect_uris: Vec<String>,
}

/// What an authorisation code stands for until it is used.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub client: String,
    pub user: String,
    pub redirect_uri: String,
    pub scopes: BTreeSet<String>,
    pub challenge: Option<String>,
    pub nonce: Option<String>,
    /// The answer holds a refresh token.
    pub offline: bool,
    pub expires_ms: i64,
    /// The grant that it was exchanged for, once it was.
    pub used_for: Option<u64>,
}

/// A user's consent in effect: every token belongs to one.
#[derive(Clone, Debug)]
pub(crate) struct Grant {
    pub client: String,
    pub user: String,
    pub scopes: BTreeSet<String>,
    pub revoked: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub grant: u64,
    pub scopes: BTreeSet<String>,
    pub expires_ms: i64,
}

#[derive(Clone, Debug)]
pub(crate) struct RefreshToken {
    pub grant: u64,
    /// It was exchanged for a newer one.
    pub spent: bool,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub settings: OAuthSettings,
    pub clients: BTreeMap<String, Client>,
    /// Email addresses, in order of registration.
    pub users: Vec<String>,
    /// Microsoft's tenants, by address in lower case, of users who have not the usual one.
    pub tenants: BTreeMap<String, String>,
    pub codes: BTreeMap<String, Code>,
    pub grants: BTreeMap<u64, Grant>,
    pub access: BTreeMap<String, AccessToken>,
    pub refresh: BTreeMap<String, RefreshToken>,
    pub requests: Vec<RecordedRequest>,
    pub violations: Vec<Violation>,
    next_grant: u64,
}

impl State {
    pub fn add_grant(&mut self, client: &str, user: &str, scopes: BTreeSet<String>) -> u64 {
        self.next_grant += 1;
        let grant = Grant {
            client: client.to_owned(),
            user: user.to_owned(),
            scopes,
            revoked: false,
        };
        self.grants.insert(self.next_grant, grant);
        self.next_grant
    }

    pub fn add_access(
        &mut self,
        grant: u64,
        scopes: BTreeSet<String>,
        now_ms: i64,
    ) -> (String, i64) {
        let lifetime = i64::try_from(self.settings.expires_in.as_millis()).unwrap_or(i64::MAX);
        let token = random("ya29.");
        let access = AccessToken {
            grant,
            scopes,
            expires_ms: now_ms.saturating_add(lifetime),
        };
        self.access.insert(token.clone(), access);
        (token, lifetime / 1000)
    }

    pub fn add_refresh(&mut self, grant: u64) -> String {
        let token = random("1//");
        self.refresh.insert(
            token.clone(),
            RefreshToken {
                grant,
                spent: false,
            },
        );
        token
    }

    pub fn revoke(&mut self, grant: u64) {
        if let Some(grant) = self.grants.get_mut(&grant) {
            grant.revoked = true;
        }
    }

    /// Whether a consent of this user for this client is in effect.
    pub fn has_grant(&self, client: &str, user: &str) -> bool {
        self.live_grants(client, user).next().is_some()
    }

    /// Everything that the user has allowed this client so far.
    pub fn granted_scopes(&self, client: &str, user: &str) -> BTreeSet<String> {
        self.live_grants(client, user)
            .flat_map(|grant| grant.scopes.iter().cloned())
            .collect()
    }

    fn live_grants(&self, client: &str, user: &str) -> impl Iterator<Item = &Grant> {
        self.grants
            .values()
            .filter(move |grant| !grant.revoked && grant.client == client && grant.user == user)
    }

    /// A stable number of the user, which does not change with the address's case.
    pub fn subject(&self, user: &str) -> Option<String> {
        let index = self
            .users
            .iter()
            .position(|known| known.eq_ignore_ascii_case(user))?;
        Some(format!("1000000000000000{index:05}"))
    }
}

/// An unguessable value with a prefix, as the tokens of this vendor have.
pub(crate) fn random(prefix: &str) -> String {
    let tail: String = rand::rng()
        .sample_iter(Alphanumeric)
        .take(40)
        .map(char::from)
        .collect();
    format!("{prefix}{tail}")
}
