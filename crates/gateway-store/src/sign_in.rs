use email_model::Timestamp;

use crate::{AccountId, ApplicationId};

/// A sign-in that has begun in a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignIn {
    /// Whose it is.
    pub application: ApplicationId,
    /// What is asked for, sealed. The operations' own form.
    pub request: Vec<u8>,
    /// When it is given up.
    pub expires_at: Timestamp,
}

/// SHA-256 of the state of a sign-in.
pub type StateHash = [u8; 32];

/// SHA-256 of a code that is exchanged for an account token.
pub type CodeHash = [u8; 32];

/// What became of a code that was to be exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// It is good: the token is this account's now.
    Account(AccountId),
    /// It was exchanged before; the token that it gave then has ended.
    Again,
    /// There is none, it has run out, or it is another application's.
    Unknown,
}
