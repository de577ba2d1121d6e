use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use gateway_store::{
    AccountId,
    sealing::{Place, Sealer},
};

use super::{SyncToken, expired, not_made, not_valid};
use crate::{OperationResult, journal::JournalHandle};

const FORMAT: u8 = 1;
/// Longer than any token we make.
const LONGEST: usize = 512;

/// What seals the sync tokens of one journal.
///
/// A token is base64url of `format (1) · epoch (8) · sealed`. The epoch stands in the clear so that a
/// token of another journal is told from an altered one; it is authenticated with the rest.
#[derive(Clone, Copy, Debug)]
pub struct TokenSeal<'a> {
    /// The journal's own key.
    pub sealer: &'a Sealer,
    /// Whose journal it is.
    pub account: AccountId,
    /// Which of the account's journals.
    pub epoch: i64,
}

impl<'a> TokenSeal<'a> {
    pub(super) fn of(handle: &'a JournalHandle) -> Self {
        Self {
            sealer: &handle.sealer,
            account: handle.account,
            epoch: handle.epoch,
        }
    }

    /// The text of a token with this content.
    ///
    /// # Errors
    /// `Internal` when the machine gives no random numbers.
    pub fn seal(&self, plain: &[u8]) -> OperationResult<String> {
        let row = self.row();
        let sealed = self
            .sealer
            .seal(place(&row), plain)
            .map_err(|_| not_made())?;
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&sealed);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether a text is a token of this journal.
    ///
    /// # Errors
    /// `TokenNotValid` for what is malformed or altered, `SyncTokenExpired` for a token of another journal.
    pub fn check(&self, text: &str) -> OperationResult<()> {
        self.read(text).map(drop)
    }

    pub(super) fn read(&self, text: &str) -> OperationResult<SyncToken> {
        let (epoch, sealed) = split(text).ok_or_else(not_valid)?;
        if epoch != self.epoch {
            return Err(expired(
                "this token is not of this account's journal: start a new sync",
            ));
        }
        let row = self.row();
        let plain = self
            .sealer
            .open(place(&row), &sealed)
            .map_err(|_| not_valid())?;
        postcard::from_bytes(&plain).map_err(|_| not_valid())
    }

    fn row(&self) -> String {
        format!("{} {}", self.account, self.epoch)
    }
}

fn place(row: &str) -> Place<'_> {
    Place {
        table: "journal",
        row,
        column: "sync-token",
    }
}

/// Splits a token's text; pure, total, for any input.
fn split(text: &str) -> Option<(i64, Vec<u8>)> {
    if text.len() > LONGEST {
        return None;
    }
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (header, sealed) = bytes.split_at_checked(9)?;
    if header[0] != FORMAT {
        return None;
    }
    let mut epoch = [0; 8];
    epoch.copy_from_slice(&header[1..]);
    Some((i64::from_be_bytes(epoch), sealed.to_vec()))
}
