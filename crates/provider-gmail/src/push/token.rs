//! The token of a pushed request: <https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions>.

use email_model::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

/// Longest token, in octets.
const LONGEST: usize = 8 << 10;
/// How far the clocks may be apart, in seconds.
const SKEW: i64 = 60;
/// Who issues them.
const ISSUERS: [&str; 2] = ["https://accounts.google.com", "accounts.google.com"];

/// What a token says.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    aud: String,
    iss: String,
    email: String,
    #[serde(default)]
    email_verified: bool,
    exp: i64,
    iat: i64,
}

/// The token of an `Authorization` header.
pub(super) fn of_header(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    let token = token.trim();
    let is_one = scheme.eq_ignore_ascii_case("bearer") && (1..=LONGEST).contains(&token.len());
    is_one.then_some(token)
}

/// The id of the key that is said to have signed it.
pub(super) fn key_id(token: &str) -> Option<String> {
    let header = decode_header(token).ok()?;
    let is_ours = header.alg == Algorithm::RS256;
    header
        .kid
        .filter(|id| is_ours && (1..=200).contains(&id.len()))
}

/// What it says, if this key signed it. The claims are not checked yet: the clock is handed in.
pub(super) fn verified(token: &str, key: &DecodingKey) -> Option<Claims> {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    decode(token, key, &validation)
        .ok()
        .map(|token| token.claims)
}

impl Claims {
    /// Made for this gateway, by the account that pushes to it, and not long ago.
    pub(super) fn check(
        &self,
        audience: &str,
        account: &str,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        let now = now.timestamp();
        if !ISSUERS.contains(&self.iss.as_str()) {
            Err("the token is another issuer's")
        } else if self.aud != audience {
            Err("the token is for somebody else")
        } else if !self.email_verified || !self.email.eq_ignore_ascii_case(account) {
            Err("the token is another account's")
        } else if self.exp.saturating_add(SKEW) <= now {
            Err("the token has ended")
        } else if self.iat.saturating_sub(SKEW) > now {
            Err("the token is of the future")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_counts() {
        let claims = || Claims {
            aud: "us".into(),
            iss: "https://accounts.google.com".into(),
            email: "bus@example.com".into(),
            email_verified: true,
            exp: 1_100,
            iat: 900,
        };
        let check = |claims: Claims, now| {
            let now = Timestamp::from_timestamp(now, 0).unwrap();
            claims.check("us", "bus@example.com", now).is_ok()
        };
        assert!(check(claims(), 1_000) && check(claims(), 1_159) && check(claims(), 840));
        assert!(!check(claims(), 1_160) && !check(claims(), 839));
        let others = [
            Claims {
                aud: "them".into(),
                ..claims()
            },
            Claims {
                iss: "https://accounts.example.com".into(),
                ..claims()
            },
            Claims {
                email: "other@example.com".into(),
                ..claims()
            },
            Claims {
                email_verified: false,
                ..claims()
            },
            Claims {
                exp: i64::MIN,
                ..claims()
            },
        ];
        for other in others {
            assert!(!check(other, 1_000));
        }
    }

    #[test]
    fn only_a_bearer_token_is_one() {
        assert_eq!(of_header("Bearer a.b.c"), Some("a.b.c"));
        for odd in [
            "",
            "Bearer",
            "Bearer ",
            "Basic a",
            &format!("Bearer {}", "x".repeat(LONGEST + 1)),
        ] {
            assert_eq!(of_header(odd), None);
        }
        assert_eq!(key_id("a.b.c"), None);
    }
}
