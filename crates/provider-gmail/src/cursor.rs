//! The opaque bytes that the gateway keeps for us: a format octet, a kind, and what follows. What cannot be
//! read is expired.

use email_provider::{Cursor, Position, ProviderResult};

use crate::{error, ids::PageToken};

const FORMAT: u8 = 1;

/// How far the history has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadUpTo {
    /// The history id that the walk began from.
    pub start: u64,
    /// In the midst of a walk: where it goes on.
    pub walk: Option<Walk>,
}

/// A walk over several pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Walk {
    /// The history id that the first page told: where the next walk begins. Later pages tell later ones,
    /// with changes in between that this walk may not show.
    pub first: u64,
    /// The page to ask for.
    pub page: PageToken,
}

/// Where a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListedTo {
    /// A search.
    Search(PageToken),
    /// A scan without states.
    Scan(PageToken),
    /// A scan with states: the number of the labels' listing it goes by, how far that is, and the page, where
    /// it is complete and the first page has been told.
    States {
        listing: u64,
        lists: u64,
        page: Option<PageToken>,
    },
}

impl ReadUpTo {
    const SETTLED: u8 = b'h';
    const WALKING: u8 = b'w';

    pub(crate) fn to_cursor(&self) -> Cursor {
        let mut bytes = vec![FORMAT];
        match &self.walk {
            None => {
                bytes.push(Self::SETTLED);
                bytes.extend(self.start.to_be_bytes());
            }
            Some(walk) => {
                bytes.push(Self::WALKING);
                bytes.extend(self.start.to_be_bytes());
                bytes.extend(walk.first.to_be_bytes());
                bytes.extend(walk.page.as_str().as_bytes());
            }
        }
        Cursor(bytes)
    }

    pub(crate) fn from_cursor(cursor: &Cursor) -> ProviderResult<Self> {
        let mut bytes = Reader::new(&cursor.0)?;
        let kind = bytes.u8()?;
        let start = bytes.u64()?;
        let walk = match kind {
            Self::SETTLED if bytes.0.is_empty() => None,
            Self::WALKING => Some(Walk {
                first: bytes.u64()?,
                page: bytes.page()?,
            }),
            _ => return Err(error::expired()),
        };
        Ok(Self { start, walk })
    }
}

impl ListedTo {
    const SEARCH: u8 = b's';
    const SCAN: u8 = b'e';
    const STATES: u8 = b'k';

    pub(crate) fn to_position(&self) -> Position {
        let mut bytes = vec![FORMAT];
        let page = match self {
            Self::Search(page) => {
                bytes.push(Self::SEARCH);
                Some(page)
            }
            Self::Scan(page) => {
                bytes.push(Self::SCAN);
                Some(page)
            }
            Self::States {
                listing,
                lists,
                page,
            } => {
                bytes.push(Self::STATES);
                bytes.extend(listing.to_be_bytes());
                bytes.extend(lists.to_be_bytes());
                page.as_ref()
            }
        };
        bytes.extend(
            page.map(|page| page.as_str().as_bytes())
                .unwrap_or_default(),
        );
        Position(bytes)
    }

    pub(crate) fn from_position(position: &Position) -> ProviderResult<Self> {
        let mut bytes = Reader::new(&position.0)?;
        Ok(match bytes.u8()? {
            Self::SEARCH => Self::Search(bytes.page()?),
            Self::SCAN => Self::Scan(bytes.page()?),
            Self::STATES => Self::States {
                listing: bytes.u64()?,
                lists: bytes.u64()?,
                page: match bytes.0.is_empty() {
                    true => None,
                    false => Some(bytes.page()?),
                },
            },
            _ => return Err(error::expired()),
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

    fn u8(&mut self) -> ProviderResult<u8> {
        let (first, rest) = self.0.split_first().ok_or_else(error::expired)?;
        self.0 = rest;
        Ok(*first)
    }

    fn u64(&mut self) -> ProviderResult<u64> {
        let (first, rest) = self.0.split_first_chunk().ok_or_else(error::expired)?;
        self.0 = rest;
        Ok(u64::from_be_bytes(*first))
    }

    /// All that is left.
    fn page(&mut self) -> ProviderResult<PageToken> {
        let text = std::str::from_utf8(self.0).ok();
        let page = text.and_then(PageToken::parse);
        page.ok_or_else(error::expired)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> PageToken {
        PageToken::parse("0123-token").unwrap()
    }

    #[test]
    fn cursors_and_positions_survive_the_journey() {
        let walk = Some(Walk {
            first: 9,
            page: page(),
        });
        for walk in [None, walk] {
            let read = ReadUpTo {
                start: u64::MAX,
                walk,
            };
            assert_eq!(ReadUpTo::from_cursor(&read.to_cursor()).unwrap(), read);
        }
        for listed in [
            ListedTo::Search(page()),
            ListedTo::Scan(page()),
            ListedTo::States {
                listing: 7,
                lists: 3,
                page: None,
            },
            ListedTo::States {
                listing: 7,
                lists: 3,
                page: Some(page()),
            },
        ] {
            assert_eq!(
                ListedTo::from_position(&listed.to_position()).unwrap(),
                listed
            );
        }
    }

    #[test]
    fn bytes_of_another_kind_are_expired() {
        let odd: [&[u8]; 8] = [
            b"",
            b"\x02h12345678",
            b"\x01",
            b"\x01h",
            b"\x01x12345678",
            b"\x01h123456789",
            b"\x01w1234567812345678",
            b"\x01w1234567812345678\xff",
        ];
        for bytes in odd {
            let error = ReadUpTo::from_cursor(&Cursor(bytes.to_vec())).unwrap_err();
            assert_eq!(
                error.kind,
                email_provider::ErrorKind::CursorExpired,
                "{bytes:?}"
            );
        }
        for bytes in [&b"\x01s"[..], b"\x01e", b"\x01k1", b"\x01z1", b"\x01sa b"] {
            assert!(
                ListedTo::from_position(&Position(bytes.to_vec())).is_err(),
                "{bytes:?}"
            );
        }
    }
}
