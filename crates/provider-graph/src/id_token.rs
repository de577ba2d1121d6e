//! Who has signed in, by the vendor's word: <https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference>.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

/// Longest token that is read, in octets.
const LONGEST: usize = 32 << 10;
/// Longest id, in octets. Both are UUIDs.
const LONGEST_ID: usize = 40;
/// The tenant of personal accounts.
const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// A user and the tenant that he is of: together they are nobody else's, ever. Addresses are given to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    /// `tid`.
    tenant: String,
    /// `oid`.
    object: String,
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    tid: String,
    oid: String,
}

impl User {
    /// The user of a token that was made for this client. Its signature is not looked at: it came from the token endpoint
    /// itself over TLS (OpenID Connect Core section 3.1.3.7, item 6). `None` for what cannot be read.
    pub(crate) fn of(token: &SecretString, client_id: Option<&str>) -> Option<Self> {
        let token = token.expose_secret();
        let mut parts = token.split('.');
        let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
        if token.len() > LONGEST || parts.next().is_some() {
            return None;
        }
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        let is_for_us = client_id.is_none_or(|id| id == claims.aud);
        (is_for_us && is_id(&claims.tid) && is_id(&claims.oid)).then(|| Self {
            tenant: claims.tid.to_ascii_lowercase(),
            object: claims.oid.to_ascii_lowercase(),
        })
    }

    /// By what his mailbox is known.
    pub(crate) fn subject(&self) -> String {
        format!("{}:{}", self.tenant, self.object)
    }
}

fn is_id(text: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(is_usual)
}

/// By what the same mailbox is known where it was connected by tokens alone: by the id that the API gives its user. That
/// is the object's, but for personal accounts, whose object's id ends with it.
pub(crate) fn without_tenant(subject: &str) -> Option<String> {
    let (tenant, object) = subject.split_once(':')?;
    Some(match tenant {
        PERSONAL => object.get(19..)?.replace('-', ""),
        _ => object.to_owned(),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A token with these claims, signed by nobody.
    pub(crate) fn token(claims: &str) -> SecretString {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(claims);
        format!("e30.{claims}.c2ln").into()
    }

    #[test]
    fn a_user_is_named_by_tenant_and_object() {
        let token = token(r#"{"aud": "c", "tid": "72F988BF-86f1", "oid": "48d3", "email": "a@x"}"#);
        let user = User::of(&token, Some("c")).unwrap();
        assert_eq!(user.subject(), "72f988bf-86f1:48d3");
        assert!(User::of(&token, None).is_some());
        assert!(User::of(&token, Some("d")).is_none());
        assert_eq!(without_tenant(&user.subject()).as_deref(), Some("48d3"));
    }

    #[test]
    fn the_object_of_a_personal_account_ends_with_its_users_id() {
        let subject = format!("{PERSONAL}:00000000-0000-0000-66f3-3332eca7ea81");
        let id = without_tenant(&subject);
        assert_eq!(id.as_deref(), Some("66f33332eca7ea81"));
        assert_eq!(without_tenant(&format!("{PERSONAL}:short")), None);
        assert_eq!(without_tenant("66f33332eca7ea81"), None);
    }

    #[test]
    fn what_cannot_be_read_names_nobody() {
        let long = "x".repeat(40_000);
        for odd in ["", "a.b", "a.b.c", "a.b.c.d", "..", &long] {
            assert_eq!(User::of(&odd.into(), None), None, "{odd:.20}");
        }
        for claims in [
            "{}",
            "[]",
            r#"{"aud": "c", "tid": "t"}"#,
            r#"{"aud": "c", "tid": "", "oid": "o"}"#,
            r#"{"aud": "c", "tid": "t:u", "oid": "o"}"#,
            r#"{"aud": ["c"], "tid": "t", "oid": "o"}"#,
        ] {
            assert_eq!(User::of(&token(claims), Some("c")), None, "{claims}");
        }
        let long = format!(r#"{{"aud": "c", "tid": "t", "oid": "{}"}}"#, "o".repeat(41));
        assert_eq!(User::of(&token(&long), None), None);
    }
}
