//! The opaque bytes that the gateway keeps for us. All begin with a format number, so that a later
//! version can tell its own from old ones; bytes that cannot be read are expired, not an error.

use email_provider::{Cursor, Position, ProviderResult};

use crate::error;

const FORMAT: u8 = 1;

/// How far the changes of a scope have been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadUpTo {
    /// The scope's epoch: all keys are of this epoch.
    pub epoch: u64,
    /// Number of the last change read.
    pub change: u64,
}

/// How far a listing has been read, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedDownTo {
    /// Where changes are to be read from once the listing is complete.
    pub begun: ReadUpTo,
    /// Time of receipt of the last entry listed, in milliseconds since 1970.
    pub received: i64,
    /// Its number.
    pub number: u64,
    /// Its scope, where the listing goes over several.
    pub scope: String,
}

impl ReadUpTo {
    pub(crate) fn to_cursor(self) -> Cursor {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.epoch.to_be_bytes());
        bytes.extend(self.change.to_be_bytes());
        Cursor(bytes)
    }

    pub(crate) fn from_cursor(cursor: &Cursor) -> ProviderResult<Self> {
        let mut bytes = Reader::new(&cursor.0)?;
        let read = Self {
            epoch: bytes.u64()?,
            change: bytes.u64()?,
        };
        if bytes.0.is_empty() {
            Ok(read)
        } else {
            Err(error::expired())
        }
    }
}

impl ListedDownTo {
    pub(crate) fn to_position(&self) -> Position {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.begun.epoch.to_be_bytes());
        bytes.extend(self.begun.change.to_be_bytes());
        bytes.extend(self.received.to_be_bytes());
        bytes.extend(self.number.to_be_bytes());
        bytes.extend(self.scope.as_bytes());
        Position(bytes)
    }

    pub(crate) fn from_position(position: &Position) -> ProviderResult<Self> {
        let mut bytes = Reader::new(&position.0)?;
        Ok(Self {
            begun: ReadUpTo {
                epoch: bytes.u64()?,
                change: bytes.u64()?,
            },
            received: i64::from_be_bytes(bytes.u64()?.to_be_bytes()),
            number: bytes.u64()?,
            scope: String::from_utf8(bytes.0.to_vec()).map_err(|_| error::expired())?,
        })
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> ProviderResult<Self> {
        match bytes.split_first() {
            Some((&FORMAT, rest)) => Ok(Self(rest)),
            _ => Err(error::expired()),
        }
    }

    fn u64(&mut self) -> ProviderResult<u64> {
        let (first, rest) = self.0.split_first_chunk().ok_or_else(error::expired)?;
        self.0 = rest;
        Ok(u64::from_be_bytes(*first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_and_positions_survive_the_journey() {
        let read = ReadUpTo {
            epoch: 3,
            change: u64::MAX,
        };
        assert_eq!(ReadUpTo::from_cursor(&read.to_cursor()).unwrap(), read);
        let listed = ListedDownTo {
            begun: read,
            received: -5,
            number: 9,
            scope: "inbox".into(),
        };
        assert_eq!(
            ListedDownTo::from_position(&listed.to_position()).unwrap(),
            listed
        );
    }

    #[test]
    fn bytes_of_another_kind_are_expired() {
        for bytes in [vec![], vec![2; 17], vec![1; 16], vec![1; 18]] {
            let error = ReadUpTo::from_cursor(&Cursor(bytes)).unwrap_err();
            assert_eq!(error.kind, email_provider::ErrorKind::CursorExpired);
        }
        assert!(ListedDownTo::from_position(&Position(vec![1; 20])).is_err());
        assert!(ListedDownTo::from_position(&Position([[1; 33], [0xff; 33]].concat())).is_err());
    }
}
