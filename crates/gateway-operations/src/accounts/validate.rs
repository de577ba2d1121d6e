//! The form of what clients say of an account.

use secrecy::{ExposeSecret, SecretString};

use super::AccountInput;
use crate::{OperationError, OperationResult};

/// Longest field, in octets. No address, host name or name in use comes near it.
const LONGEST: usize = 1_000;
/// Longest secret, in octets: access tokens of some providers are a few thousand.
const LONGEST_SECRET: usize = 16 << 10;
/// Most scopes named.
const MOST_SCOPES: usize = 50;

pub(super) fn input(input: &AccountInput) -> OperationResult<()> {
    let fields = [
        ("serviceProvider", &input.service_provider),
        ("email", &input.email),
        ("email2", &input.email2),
        ("loginString", &input.login),
        ("serverUrl", &input.server_url),
        ("serverUrl2", &input.server_url2),
        ("name", &input.name),
        ("clientOrgId", &input.client_org_id),
        ("authOrgId", &input.auth_org_id),
        ("authUserId", &input.auth_user_id),
        ("userId", &input.user_id),
        ("timezone", &input.timezone),
    ];
    for (name, value) in fields {
        if let Some(value) = value
            && (value.len() > LONGEST || value.chars().any(char::is_control))
        {
            return Err(refused(name));
        }
    }
    if input
        .email
        .as_deref()
        .is_some_and(|email| !is_address(email))
    {
        return Err(refused("email"));
    }
    let secrets = [
        ("password", &input.password),
        ("authString1", &input.auth_string1),
        ("authString2", &input.auth_string2),
    ];
    for (name, value) in secrets {
        if value.as_ref().is_some_and(|secret| !is_secret(secret)) {
            return Err(refused(name));
        }
    }
    if input.scopes.len() > MOST_SCOPES || input.scopes.iter().any(|scope| scope.len() > LONGEST) {
        return Err(refused("authScopes"));
    }
    if input.granted_scopes.len() > MOST_SCOPES {
        return Err(refused("nativeScopes"));
    }
    Ok(())
}

fn refused(name: &str) -> OperationError {
    OperationError::bad_request(format!("`{name}` is malformed or too long"))
}

/// One `@` with something on both sides: whatever else is wrong, the server will say.
fn is_address(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains(char::is_whitespace)
    })
}

/// No line break and no NUL: neither can be sent to a mail server within a command (RFC 9051
/// section 9, RFC 4616 section 2).
fn is_secret(secret: &SecretString) -> bool {
    let secret = secret.expose_secret();
    secret.len() <= LONGEST_SECRET && !secret.contains(['\0', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_in_a_password_or_a_name_is_refused_by_name() {
        let password = AccountInput {
            password: Some(SecretString::from("one\r\ntwo")),
            ..AccountInput::default()
        };
        assert!(input(&password).unwrap_err().message.contains("password"));
        let name = AccountInput {
            name: Some("a\nb".into()),
            ..AccountInput::default()
        };
        assert!(input(&name).unwrap_err().message.contains("name"));
    }

    #[test]
    fn an_address_without_a_domain_is_refused() {
        for (email, good) in [
            ("ann@example.org", true),
            ("ann", false),
            ("@example.org", false),
            ("ann@", false),
        ] {
            let account = AccountInput {
                email: Some(email.into()),
                ..AccountInput::default()
            };
            assert_eq!(input(&account).is_ok(), good, "{email}");
        }
    }
}
