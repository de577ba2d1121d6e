use std::fmt::{self, Write as _};

use super::lexer::{Lexer, Parsed};

/// A set of UIDs as sorted, disjoint, non-adjacent ranges: a mailbox of a million messages with few
/// gaps costs a few hundred octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UidSet {
    ranges: Vec<(u32, u32)>,
}

impl UidSet {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// From the first to the last, both included. The order does not matter; zero is no UID.
    pub fn range(first: u32, last: u32) -> Self {
        Self::from_ranges([(first, last)])
    }

    /// All of these ranges.
    pub fn from_ranges(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut sorted: Vec<(u32, u32)> = ranges
            .into_iter()
            .map(|(a, b)| (a.min(b).max(1), a.max(b)))
            .filter(|&(_, last)| last > 0)
            .collect();
        if !sorted.is_sorted() {
            sorted.sort_unstable();
        }
        let mut merged: Vec<(u32, u32)> = Vec::with_capacity(sorted.len());
        for (first, last) in sorted {
            match merged.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last)
                }
                _ => merged.push((first, last)),
            }
        }
        merged.shrink_to_fit();
        Self { ranges: merged }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> u64 {
        self.ranges
            .iter()
            .map(|&(first, last)| u64::from(last - first) + 1)
            .sum()
    }

    /// Whether this one is in it.
    pub fn contains(&self, uid: u32) -> bool {
        let after = self.ranges.partition_point(|&(first, _)| first <= uid);
        after > 0 && self.ranges[after - 1].1 >= uid
    }

    /// The smallest.
    pub fn first(&self) -> Option<u32> {
        self.ranges.first().map(|r| r.0)
    }

    /// The largest.
    pub fn last(&self) -> Option<u32> {
        self.ranges.last().map(|r| r.1)
    }

    /// The ranges, ascending, both ends included.
    pub fn ranges(&self) -> &[(u32, u32)] {
        &self.ranges
    }

    /// Every UID, ascending. A set named by a server may be as long as it likes: compare
    /// [`UidSet::len`] with what can be before collecting.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|&(first, last)| first..=last)
    }

    /// Those of both.
    pub fn union(&self, other: &Self) -> Self {
        Self::from_ranges(self.ranges.iter().chain(&other.ranges).copied())
    }

    /// Those between the two, both included.
    pub fn within(&self, first: u32, last: u32) -> Self {
        let inside = self
            .ranges
            .iter()
            .map(|&(a, b)| (a.max(first), b.min(last)));
        Self {
            ranges: inside.filter(|(a, b)| a <= b).collect(),
        }
    }

    /// Cuts the set so that each piece is written in at most `octets` octets and has at most `count`
    /// members.
    pub fn chunks(&self, octets: usize, count: u64) -> Vec<Self> {
        const LONGEST_RANGE: usize = 22;
        let count = count.max(1);
        let (mut chunks, mut chunk) = (Vec::new(), Self::new());
        let (mut written, mut members) = (0, 0_u64);
        for &(mut first, last) in &self.ranges {
            while first <= last {
                if members >= count || written + LONGEST_RANGE > octets.max(LONGEST_RANGE) {
                    chunks.push(std::mem::take(&mut chunk));
                    (written, members) = (0, 0);
                }
                let room = u32::try_from(count - members - 1).unwrap_or(u32::MAX);
                let end = first.saturating_add(room).min(last);
                chunk.ranges.push((first, end));
                members += u64::from(end - first) + 1;
                written += decimal_length(first)
                    + 1
                    + if end > first {
                        decimal_length(end) + 1
                    } else {
                        0
                    };
                match end.checked_add(1) {
                    Some(next) => first = next,
                    None => break,
                }
            }
        }
        if !chunk.is_empty() {
            chunks.push(chunk);
        }
        chunks
    }

    /// `sequence-set` without `*`, as servers send it (RFC 3501 section 9, RFC 4315 `uid-set`).
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        parse_ranges(lexer).map(Self::from_ranges)
    }
}

/// Ranges in the order written: the order pairs the two sets of a COPYUID.
pub(super) fn parse_ranges(lexer: &mut Lexer<'_>) -> Parsed<Vec<(u32, u32)>> {
    let mut ranges = Vec::new();
    loop {
        let first = lexer.number32()?;
        let last = if lexer.eat(b':') {
            lexer.number32()?
        } else {
            first
        };
        ranges.push((first, last));
        if !lexer.eat(b',') {
            return Ok(ranges);
        }
    }
}

impl FromIterator<u32> for UidSet {
    fn from_iter<I: IntoIterator<Item = u32>>(uids: I) -> Self {
        // Ascending runs are merged at once, so that a million UIDs of a server take a few ranges.
        let mut ranges: Vec<(u32, u32)> = Vec::new();
        for uid in uids {
            match ranges.last_mut() {
                Some(last) if last.1.checked_add(1) == Some(uid) => last.1 = uid,
                _ => ranges.push((uid, uid)),
            }
        }
        Self::from_ranges(ranges)
    }
}

impl From<u32> for UidSet {
    fn from(uid: u32) -> Self {
        Self::range(uid, uid)
    }
}

impl fmt::Display for UidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.ranges.iter().enumerate() {
            if index > 0 {
                f.write_char(',')?;
            }
            match first == last {
                true => write!(f, "{first}")?,
                false => write!(f, "{first}:{last}")?,
            }
        }
        Ok(())
    }
}

fn decimal_length(number: u32) -> usize {
    number.checked_ilog10().unwrap_or(0) as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_ranges() {
        let set = UidSet::from_iter([5, 1, 2, 3, 9, 4, 9, u32::MAX]);
        assert_eq!(set.to_string(), "1:5,9,4294967295");
        assert_eq!(set.len(), 7);
        assert!(set.contains(4) && set.contains(u32::MAX) && !set.contains(6) && !set.contains(0));
        assert_eq!(set.within(3, 9).to_string(), "3:5,9");
        assert_eq!(UidSet::range(0, 0), UidSet::new());
        assert_eq!(UidSet::range(7, 3).to_string(), "3:7");
    }

    #[test]
    fn a_chunk_keeps_to_its_length_and_count() {
        let set = UidSet::from_iter((1..4000).map(|n| n * 2));
        let chunks = set.chunks(1000, u64::MAX);
        assert!(chunks.iter().all(|c| c.to_string().len() <= 1000));
        assert_eq!(chunks.iter().map(UidSet::len).sum::<u64>(), 3999);
        let full = UidSet::range(1, u32::MAX).chunks(100, 1 << 30);
        assert_eq!(full.len(), 4);
        assert_eq!(full[3].last(), Some(u32::MAX));
        assert_eq!(UidSet::range(1, 2500).chunks(100, 1000).len(), 3);
    }
}
