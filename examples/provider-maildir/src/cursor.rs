//! The opaque octets that the gateway keeps for us. They begin with a format number; what cannot be read has
//! expired.

use email_model::{Cursor, Digest128, digest};
use email_provider::{Position, ProviderResult};

use crate::{error, maildir::Listing};

const FORMAT: u8 = 1;

/// What a folder looked like: a digest of its keys and flags, since nothing numbers its changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Looked(Digest128);

impl Looked {
    pub(crate) fn at(listing: &Listing) -> Self {
        let parts: Vec<&[u8]> = listing
            .values()
            .flat_map(|file| [file.key.0.as_slice(), &file.letters])
            .collect();
        Self(digest("maildir.listing", &parts))
    }

    pub(crate) fn to_cursor(self) -> Cursor {
        Cursor([[FORMAT].as_slice(), &self.0.0].concat())
    }

    pub(crate) fn from_cursor(cursor: &Cursor) -> ProviderResult<Self> {
        match cursor.0.split_first() {
            Some((&FORMAT, digest)) => match digest.try_into() {
                Ok(digest) => Ok(Self(Digest128(digest))),
                Err(_) => Err(error::expired()),
            },
            _ => Err(error::expired()),
        }
    }
}

/// The last message of a page, newest first: its time of receipt in seconds since 1970, its folder, its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ListedDownTo(pub i64, pub String, pub Vec<u8>);

impl ListedDownTo {
    pub(crate) fn to_position(&self) -> Position {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.0.to_be_bytes());
        // a folder's name on disk holds no NUL
        bytes.extend([self.1.as_bytes(), &[0], &self.2].concat());
        Position(bytes)
    }

    pub(crate) fn from_position(position: &Position) -> ProviderResult<Self> {
        let read = || {
            let (&FORMAT, rest) = position.0.split_first()? else {
                return None;
            };
            let (received, rest) = rest.split_first_chunk()?;
            let end = rest.iter().position(|byte| *byte == 0)?;
            let folder = String::from_utf8(rest[..end].to_vec()).ok()?;
            let key = rest[end + 1..].to_vec();
            Some(Self(i64::from_be_bytes(*received), folder, key))
        };
        read().ok_or_else(error::expired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_and_positions_survive_the_journey() {
        let looked = Looked(Digest128([7; 16]));
        assert_eq!(Looked::from_cursor(&looked.to_cursor()).unwrap(), looked);
        let listed = ListedDownTo(-5, "Work.Größe".into(), b"1.\xff.host".to_vec());
        let read = ListedDownTo::from_position(&listed.to_position()).unwrap();
        assert_eq!(read, listed);
    }

    #[test]
    fn octets_of_another_kind_have_expired() {
        for bytes in [vec![], vec![1], vec![2; 17], vec![1; 18]] {
            assert!(Looked::from_cursor(&Cursor(bytes.clone())).is_err());
            assert!(ListedDownTo::from_position(&Position(bytes)).is_err());
        }
    }
}
