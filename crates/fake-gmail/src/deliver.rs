//! Push requests as Pub/Sub makes them, signed or mis-signed.

use std::time::Duration;

use fake_oauth::SigningKey;
use fake_oauth::signing::unsigned;
use serde_json::{Value, json};

use crate::FakeGmail;

/// What the token of a push request says (OpenID Connect Core §2).
#[derive(Clone, Debug)]
pub struct PushIdentity {
    /// `aud`.
    pub audience: String,
    /// `email`: the service account that pushes.
    pub email: String,
    /// `email_verified`.
    pub email_verified: bool,
    /// `iss`.
    pub issuer: String,
    /// How long the token lives from now.
    pub lifetime: Duration,
    /// What is wrong with it beyond its claims.
    pub flaw: PushFlaw,
}

/// What is wrong with a push request's token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PushFlaw {
    /// Nothing.
    #[default]
    None,
    /// There is no token.
    Missing,
    /// It is signed by a key that is not published, and says so.
    UnknownKey,
    /// It is signed by a key that is not published, under the name of one that is.
    WrongKey,
    /// `alg` is `none`, and there is no signature.
    Unsigned,
    /// It expired an hour ago.
    Expired,
    /// Its claims were changed after it was signed.
    Tampered,
}

impl PushIdentity {
    /// A token as Google's own for a subscription with this audience.
    #[must_use]
    pub fn new(audience: &str, email: &str) -> Self {
        Self {
            audience: audience.to_owned(),
            email: email.to_owned(),
            email_verified: true,
            issuer: "https://accounts.google.com".to_owned(),
            lifetime: Duration::from_secs(3600),
            flaw: PushFlaw::None,
        }
    }

    /// The same with something wrong.
    #[must_use]
    pub fn with(mut self, flaw: PushFlaw) -> Self {
        self.flaw = flaw;
        self
    }

    /// The bearer token of a push request made now; none where it is missing.
    #[must_use]
    pub fn token(&self, now_ms: i64) -> Option<String> {
        let now = now_ms / 1000;
        let lifetime = i64::try_from(self.lifetime.as_secs()).unwrap_or(i64::MAX);
        let (issued, expires) = match self.flaw {
            PushFlaw::Expired => (now - 7200, now - 3600),
            _ => (now, now.saturating_add(lifetime)),
        };
        let claims = json!({
            "aud": self.audience,
            "azp": "112233445566778899000",
            "email": self.email,
            "email_verified": self.email_verified,
            "iss": self.issuer,
            "sub": "112233445566778899000",
            "iat": issued,
            "exp": expires,
        });
        let key = SigningKey::published();
        match self.flaw {
            PushFlaw::Missing => None,
            PushFlaw::None | PushFlaw::Expired => Some(key.sign(&claims)),
            PushFlaw::UnknownKey => Some(SigningKey::unpublished().sign(&claims)),
            PushFlaw::WrongKey => Some(SigningKey::unpublished().sign_as(key.id(), &claims)),
            PushFlaw::Unsigned => {
                let header = json!({"alg": "none", "typ": "JWT"});
                Some(format!("{}.", unsigned(&header, &claims)))
            }
            PushFlaw::Tampered => Some(tampered(&key, &claims)),
        }
    }
}

fn tampered(key: &SigningKey, claims: &Value) -> String {
    let signature = key.sign(claims);
    let signature = signature.rsplit('.').next().unwrap_or_default();
    let mut other = claims.clone();
    other["sub"] = json!("another");
    let header = json!({"alg": "RS256", "kid": key.id(), "typ": "JWT"});
    format!("{}.{signature}", unsigned(&header, &other))
}

impl FakeGmail {
    /// The notifications that were not delivered yet, as bodies of push requests, by user and then in order.
    #[must_use]
    pub fn pending_pushes(&self) -> Vec<Value> {
        let world = self.inner.world();
        let as_strings = world.settings.push_ids_as_strings;
        world
            .users
            .values()
            .flat_map(|mailbox| &mailbox.pushes)
            .map(|push| push.envelope(as_strings))
            .collect()
    }

    /// Takes the pending notifications away, and gives them.
    #[must_use]
    pub fn take_pushes(&self) -> Vec<Value> {
        let pending = self.pending_pushes();
        for mailbox in self.inner.world().users.values_mut() {
            mailbox.pushes.clear();
        }
        pending
    }

    /// Posts one push request and gives the answer's status.
    ///
    /// # Errors
    /// When no answer comes within ten seconds.
    pub async fn push(
        &self,
        url: &str,
        envelope: &Value,
        identity: &PushIdentity,
    ) -> Result<u16, reqwest::Error> {
        // reqwest takes the process's provider; where a test has chosen one already, that stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .no_proxy()
            .build()?;
        let mut request = client
            .post(url)
            .header("content-type", "application/json")
            .body(envelope.to_string());
        if let Some(token) = identity.token(self.inner.clock.now_ms()) {
            request = request.bearer_auth(token);
        }
        Ok(request.send().await?.status().as_u16())
    }

    /// Posts all pending notifications; those that are answered with 2xx are no longer pending.
    ///
    /// # Errors
    /// When one gets no answer within ten seconds.
    pub async fn deliver_pushes(
        &self,
        url: &str,
        identity: &PushIdentity,
    ) -> Result<Vec<u16>, reqwest::Error> {
        let mut statuses = Vec::new();
        for envelope in self.pending_pushes() {
            let status = self.push(url, &envelope, identity).await?;
            statuses.push(status);
            if (200..300).contains(&status) {
                self.acknowledge(&envelope);
            }
        }
        Ok(statuses)
    }

    fn acknowledge(&self, envelope: &Value) {
        let mut world = self.inner.world();
        let as_strings = world.settings.push_ids_as_strings;
        for mailbox in world.users.values_mut() {
            mailbox
                .pushes
                .retain(|push| push.envelope(as_strings) != *envelope);
        }
    }
}
