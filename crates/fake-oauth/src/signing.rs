//! RS256 tokens and the key set that proves them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// Two 2,048-bit keys made for these tests and used nowhere else.
const KEYS: [(&str, &[u8]); 2] = [
    ("test-key-1", include_bytes!("../keys/signing.pk8")),
    ("test-key-2", include_bytes!("../keys/other.pk8")),
];

/// A private RSA key that signs JSON Web Tokens.
#[derive(Debug)]
pub struct SigningKey {
    id: &'static str,
    pair: RsaKeyPair,
}

impl SigningKey {
    /// The key whose public half the fake servers publish.
    #[must_use]
    pub fn published() -> Self {
        Self::load(0)
    }

    /// A key that no key set holds.
    #[must_use]
    pub fn unpublished() -> Self {
        Self::load(1)
    }

    fn load(index: usize) -> Self {
        let (id, der) = KEYS[index];
        let pair = RsaKeyPair::from_pkcs8(der).expect("the key file is a PKCS #8 RSA key");
        Self { id, pair }
    }

    /// The `kid` of its tokens.
    #[must_use]
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// A signed token in compact form (RFC 7515 §3.1).
    #[must_use]
    pub fn sign(&self, claims: &Value) -> String {
        self.sign_as(self.id, claims)
    }

    /// A token that names another key than the one that signed it.
    #[must_use]
    pub fn sign_as(&self, key_id: &str, claims: &Value) -> String {
        let input = unsigned(
            &json!({"alg": "RS256", "kid": key_id, "typ": "JWT"}),
            claims,
        );
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                input.as_bytes(),
                &mut signature,
            )
            .expect("a valid key signs");
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    /// The public half as a JSON Web Key Set (RFC 7517 §5).
    #[must_use]
    pub fn key_set(&self) -> Value {
        let public = PublicKeyComponents::<Vec<u8>>::from(self.pair.public());
        json!({"keys": [{
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": self.id,
            "n": URL_SAFE_NO_PAD.encode(&public.n),
            "e": URL_SAFE_NO_PAD.encode(&public.e),
        }]})
    }
}

/// The signed part of a token: its header and claims.
#[must_use]
pub fn unsigned(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    )
}
