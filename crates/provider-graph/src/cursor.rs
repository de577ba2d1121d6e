//! The opaque bytes that the gateway keeps for us: a format octet, a kind, and what follows. What cannot be
//! read is expired.

use email_provider::{Cursor, Position, ProviderResult};

use crate::{
    address::Address,
    error,
    versions::{self, Versions},
};

const FORMAT: u8 = 2;

/// How far a folder's feed has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadUpTo {
    /// Where the feed goes on: at its next page, or with what changes from now on.
    pub link: Address,
    /// How far arrivals have been looked for.
    pub looked: Looked,
    /// Which versions of drafts were told.
    pub drafts: Versions,
}

/// How far a folder's messages have been looked through in the order of their last change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Looked {
    /// Changed at this second or later: to be looked at.
    pub since: i64,
    /// Marks of those changed in this very second that were looked at.
    pub told: Vec<u64>,
    /// Items in the folder when all of them had been looked at, where that is known.
    pub count: Option<u64>,
}

/// Where a listing goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListedTo {
    /// A scan that is at the beginning of the feed still.
    Feed(ReadUpTo),
    /// A scan by time of receipt, and the cursor that it ends with, if any.
    Window(Listed, Option<ReadUpTo>),
    /// A search by properties.
    Filter(Listed),
    /// A search of the index.
    Index(FoundTo),
    /// A search of the index that found as much as one may find: what comes after is not told.
    Cut,
}

/// How far what the index found has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundTo {
    /// The page that is next.
    pub link: Address,
    /// Messages on the pages before it.
    pub seen: u16,
    /// Messages of it that are done with.
    pub done: u16,
}

/// How far a listing by time of receipt is, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Received at this second or before: still to be listed.
    pub until: i64,
    /// Marks of those received in this very second that were listed.
    pub told: Vec<u64>,
}

/// Most marks that are kept.
pub(crate) const MOST_MARKS: usize = 2_000;

impl ReadUpTo {
    const KIND: u8 = b'd';

    pub(crate) fn to_cursor(&self) -> Cursor {
        let mut bytes = vec![FORMAT, Self::KIND];
        self.write(&mut bytes);
        Cursor(bytes)
    }

    pub(crate) fn from_cursor(cursor: &Cursor) -> ProviderResult<Self> {
        let mut bytes = Reader::new(&cursor.0)?;
        match bytes.u8()? {
            Self::KIND => Self::read(&mut bytes),
            _ => Err(error::expired()),
        }
    }

    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.looked.since.to_be_bytes());
        // One that was not counted is no number of items.
        bytes.extend(self.looked.count.unwrap_or(u64::MAX).to_be_bytes());
        marks(bytes, &self.looked.told);
        let drafts = self.drafts.0.iter().take(versions::MOST);
        bytes.extend(length(drafts.len()));
        for (draft, version) in drafts {
            bytes.extend(draft.to_be_bytes());
            bytes.extend(version.to_be_bytes());
        }
        bytes.extend(self.link.as_str().as_bytes());
    }

    fn read(bytes: &mut Reader<'_>) -> ProviderResult<Self> {
        let since = bytes.i64()?;
        let count = Some(bytes.u64()?).filter(|count| *count != u64::MAX);
        let told = bytes.marks()?;
        let drafts = (0..bytes.u16()?).map(|_| Ok((bytes.u64()?, bytes.u64()?)));
        let drafts = drafts.collect::<ProviderResult<_>>()?;
        Ok(Self {
            looked: Looked { since, told, count },
            drafts: Versions(drafts),
            link: bytes.link()?,
        })
    }
}

impl ListedTo {
    const FEED: u8 = b'e';
    const WINDOW: u8 = b'w';
    const FILTER: u8 = b'f';
    const INDEX: u8 = b'i';
    const CUT: u8 = b'c';

    pub(crate) fn to_position(&self) -> Position {
        let mut bytes = vec![FORMAT];
        match self {
            Self::Feed(read) => {
                bytes.push(Self::FEED);
                read.write(&mut bytes);
            }
            Self::Window(listed, read) => {
                bytes.push(Self::WINDOW);
                listed.write(&mut bytes);
                if let Some(read) = read {
                    read.write(&mut bytes);
                }
            }
            Self::Filter(listed) => {
                bytes.push(Self::FILTER);
                listed.write(&mut bytes);
            }
            Self::Index(found) => {
                bytes.push(Self::INDEX);
                bytes.extend(found.seen.to_be_bytes());
                bytes.extend(found.done.to_be_bytes());
                bytes.extend(found.link.as_str().as_bytes());
            }
            Self::Cut => bytes.push(Self::CUT),
        }
        Position(bytes)
    }

    pub(crate) fn from_position(position: &Position) -> ProviderResult<Self> {
        let mut bytes = Reader::new(&position.0)?;
        Ok(match bytes.u8()? {
            Self::FEED => Self::Feed(ReadUpTo::read(&mut bytes)?),
            Self::WINDOW => {
                let listed = Listed::read(&mut bytes)?;
                let read = match bytes.0.is_empty() {
                    true => None,
                    false => Some(ReadUpTo::read(&mut bytes)?),
                };
                Self::Window(listed, read)
            }
            Self::FILTER => {
                let listed = Listed::read(&mut bytes)?;
                match bytes.0.is_empty() {
                    true => Self::Filter(listed),
                    false => return Err(error::expired()),
                }
            }
            Self::INDEX => Self::Index(FoundTo {
                seen: bytes.u16()?,
                done: bytes.u16()?,
                link: bytes.link()?,
            }),
            Self::CUT if bytes.0.is_empty() => Self::Cut,
            _ => return Err(error::expired()),
        })
    }
}

impl Listed {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.until.to_be_bytes());
        marks(bytes, &self.told);
    }

    fn read(bytes: &mut Reader<'_>) -> ProviderResult<Self> {
        let (until, told) = (bytes.i64()?, bytes.marks()?);
        Ok(Self { until, told })
    }
}

fn length(length: usize) -> [u8; 2] {
    u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes()
}

/// The newest are kept, where there are too many.
fn marks(bytes: &mut Vec<u8>, marks: &[u64]) {
    let kept = &marks[marks.len().saturating_sub(MOST_MARKS)..];
    bytes.extend(length(kept.len()));
    kept.iter()
        .for_each(|mark| bytes.extend(mark.to_be_bytes()));
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> ProviderResult<Self> {
        match bytes.split_first() {
            Some((&FORMAT, rest)) => Ok(Self(rest)),
            _ => Err(error::expired()),
        }
    }

    fn array<const N: usize>(&mut self) -> ProviderResult<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk().ok_or_else(error::expired)?;
        self.0 = rest;
        Ok(*first)
    }

    fn u8(&mut self) -> ProviderResult<u8> {
        self.array().map(|[byte]| byte)
    }

    fn u16(&mut self) -> ProviderResult<u16> {
        self.array().map(u16::from_be_bytes)
    }

    fn u64(&mut self) -> ProviderResult<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn i64(&mut self) -> ProviderResult<i64> {
        self.array().map(i64::from_be_bytes)
    }

    fn marks(&mut self) -> ProviderResult<Vec<u64>> {
        (0..self.u16()?).map(|_| self.u64()).collect()
    }

    /// All that is left.
    fn link(&mut self) -> ProviderResult<Address> {
        Address::kept(std::mem::take(&mut self.0)).ok_or_else(error::expired)
    }
}

#[cfg(test)]
mod tests {
    use email_provider::ErrorKind;

    use super::*;

    fn read() -> ReadUpTo {
        ReadUpTo {
            link: Address::of("me/mailFolders/a/messages/delta()").with("$deltatoken", "x y"),
            looked: Looked {
                since: 1_700_000_000,
                told: vec![1, u64::MAX],
                count: Some(7),
            },
            drafts: Versions(vec![(3, 4), (u64::MAX, 0)]),
        }
    }

    #[test]
    fn cursors_and_positions_survive_the_journey() {
        let cursor = read().to_cursor();
        assert_eq!(ReadUpTo::from_cursor(&cursor).unwrap(), read());
        let listed = Listed {
            until: -5,
            told: vec![9; 3],
        };
        for position in [
            ListedTo::Feed(read()),
            ListedTo::Window(listed.clone(), None),
            ListedTo::Window(listed.clone(), Some(read())),
            ListedTo::Filter(listed),
            ListedTo::Index(FoundTo {
                link: Address::of("me/messages").with("$skiptoken", "a"),
                seen: 1_000,
                done: 7,
            }),
            ListedTo::Cut,
        ] {
            let read = ListedTo::from_position(&position.to_position()).unwrap();
            assert_eq!(read, position);
        }
    }

    #[test]
    fn the_largest_fits_what_a_cursor_may_hold() {
        let most = ReadUpTo {
            link: Address::of(&"a".repeat(16 << 10)),
            looked: Looked {
                told: vec![1; 10_000],
                ..Looked::default()
            },
            drafts: Versions(vec![(1, 1); 10_000]),
        };
        assert!(most.to_cursor().0.len() <= 64 << 10);
        let listed = Listed {
            until: 0,
            told: vec![1; 10_000],
        };
        let most = ListedTo::Window(listed, Some(most));
        assert!(most.to_position().0.len() <= 64 << 10);
    }

    #[test]
    fn bytes_of_another_kind_are_expired() {
        let whole = read().to_cursor().0;
        let link = read().link.as_str().len();
        let mut odd: Vec<Vec<u8>> = (0..=whole.len() - link)
            .map(|n| whole[..n].to_vec())
            .collect();
        odd.push([&[1], &whole[1..]].concat());
        odd.push([&whole[..1], b"x", &whole[2..]].concat());
        odd.push([&whole[..], b"\n"].concat());
        for bytes in odd {
            let error = ReadUpTo::from_cursor(&Cursor(bytes.clone())).unwrap_err();
            assert_eq!(error.kind, ErrorKind::CursorExpired, "{bytes:?}");
        }
        for bytes in [
            &b"\x02i"[..],
            b"\x02w1",
            b"\x02f0123456789x",
            b"\x02z1",
            b"\x02i\0\0\0\0a b",
            b"\x02i\0\0\0",
            b"\x02cx",
            b"\x02",
        ] {
            assert!(
                ListedTo::from_position(&Position(bytes.to_vec())).is_err(),
                "{bytes:?}"
            );
        }
    }
}
