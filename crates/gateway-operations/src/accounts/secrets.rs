//! Secrets that the gateway gives out or is shown: random ones made, all of them kept as digests.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};

use crate::{OperationError, OperationResult};

/// Characters of a token: 32 bytes in base64url without padding.
const TOKEN_LENGTH: usize = 43;

/// The greatest number that JSON clients hold exactly (RFC 8259 section 6).
const GREATEST_ID: u64 = (1 << 53) - 1;

/// A new token, code or state: 256 random bits.
pub(crate) fn new_token() -> OperationResult<SecretString> {
    Ok(SecretString::from(URL_SAFE_NO_PAD.encode(random::<32>()?)))
}

/// Whether this can be a token at all; only then is the store asked.
pub(crate) fn is_token(text: &str) -> bool {
    let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.len() == TOKEN_LENGTH && text.bytes().all(in_alphabet)
}

/// A random number from 1 to 2^53 - 1.
pub(crate) fn new_id() -> OperationResult<i64> {
    loop {
        let number = u64::from_be_bytes(random::<8>()?) & GREATEST_ID;
        if let Ok(id) = i64::try_from(number)
            && id > 0
        {
            return Ok(id);
        }
    }
}

/// SHA-256, as secrets are kept. They are long and random, so that no slow digest is needed.
pub(crate) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Compares two digests in a time that does not tell where they differ.
pub(crate) fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let difference = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(difference) == 0
}

fn random<const N: usize>() -> OperationResult<[u8; N]> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| OperationError::internal("the machine gives no random numbers"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_token_is_43_characters_of_base64url_and_never_the_same() {
        let (one, other) = (new_token().unwrap(), new_token().unwrap());
        assert!(is_token(one.expose_secret()));
        assert_ne!(one.expose_secret(), other.expose_secret());
    }

    #[test]
    fn an_id_is_a_positive_number_that_json_clients_hold_exactly() {
        for _ in 0..1_000 {
            assert!((1..1 << 53).contains(&new_id().unwrap()));
        }
    }

    #[test]
    fn only_equal_digests_are_the_same() {
        assert!(same(&hash("secret"), &hash("secret")));
        assert!(!same(&hash("secret"), &hash("Secret")));
    }

    #[test]
    fn text_of_another_form_is_no_token() {
        for text in ["", "short", &"=".repeat(43), &"a".repeat(44)] {
            assert!(!is_token(text), "{text}");
        }
    }
}
