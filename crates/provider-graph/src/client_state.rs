//! The word by which pushed hints are recognised as the vendor's: it repeats what a subscription was made with.
//!
//! It names the mailbox and is sealed with a key of the gateway's, so that every replica can check it without having made
//! the subscription. Nobody else learns it; who forges one changes a message authentication code (RFC 2104).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use email_provider::MailboxIdentity;
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretString};

use crate::config::Config;

/// Longest that the vendor takes.
const LONGEST: usize = 128;
/// What the code is made for.
const PURPOSE: &[u8] = b"polypost.graph.push.1\0";

/// Makes and checks them.
pub(crate) struct ClientStates(hmac::Key);

impl ClientStates {
    /// With the operator's secret; `None` where there is none.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        let own = config.push_secret.as_ref();
        let secret: &SecretString = own.or(config.client_secret.as_ref())?;
        let secret = secret.expose_secret().as_bytes();
        (!secret.is_empty()).then(|| Self(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// The word for a mailbox; `None` where it would be too long.
    pub(crate) fn make(&self, subject: &str) -> Option<String> {
        let code = hmac::sign(&self.0, &message(subject));
        let word = format!("{subject}.{}", BASE64_URL_SAFE_NO_PAD.encode(code));
        (word.len() <= LONGEST).then_some(word)
    }

    /// The mailbox that a word names, if it is genuine. The comparison takes as long whatever differs.
    pub(crate) fn check(&self, word: &str) -> Option<MailboxIdentity> {
        if word.len() > LONGEST {
            return None;
        }
        let (subject, code) = word.rsplit_once('.')?;
        let code = BASE64_URL_SAFE_NO_PAD.decode(code).ok()?;
        hmac::verify(&self.0, &message(subject), &code).ok()?;
        Some(MailboxIdentity {
            subject: subject.to_owned(),
        })
    }
}

fn message(subject: &str) -> Vec<u8> {
    [PURPOSE, subject.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: &str =
        "72f988bf-86f1-41af-91ab-2d7cd011db47:48d31887-5fad-4d73-a9f5-3c356e68a038";

    fn states(secret: &str) -> ClientStates {
        let config = Config {
            push_secret: Some(secret.into()),
            ..Config::default()
        };
        ClientStates::of(&config).unwrap()
    }

    #[test]
    fn a_word_names_its_mailbox_and_fits() {
        let word = states("secret").make(SUBJECT).unwrap();
        let mailbox = states("secret").check(&word).unwrap();
        assert_eq!(mailbox.subject, SUBJECT);
        assert_eq!(states("secret").make(&"x".repeat(100)), None);
    }

    #[test]
    fn a_word_with_any_flaw_is_none() {
        let word = states("secret").make(SUBJECT).unwrap();
        let other = word.replace("72f988bf", "82f988bf");
        let cut = &word[..word.len() - 1];
        let flipped = format!("{cut}{}", if word.ends_with('A') { 'E' } else { 'A' });
        let long = format!("{word}{}", "A".repeat(100));
        let (subject, _) = word.rsplit_once('.').unwrap();
        let without = format!("{subject}.");
        for odd in ["", ".", &other, cut, &flipped, &long, subject, &without] {
            assert!(states("secret").check(odd).is_none(), "{odd}");
        }
        assert!(states("other").check(&word).is_none());
    }

    #[test]
    fn without_a_secret_there_are_none() {
        assert!(ClientStates::of(&Config::default()).is_none());
        let empty = Config {
            client_secret: Some("".into()),
            ..Config::default()
        };
        assert!(ClientStates::of(&empty).is_none());
    }
}
