use std::ops::Range;

use axum::http::{HeaderMap, header};

/// A range of octets as a request names it (RFC 9110 section 14.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ByteRange {
    /// From an offset to another, inclusive, or to the end.
    From(u64, Option<u64>),
    /// So many octets at the end.
    Last(u64),
}

/// No octet is within the range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsatisfiable;

impl ByteRange {
    /// The octets that it names of a representation of this size.
    pub(crate) fn within(self, size: u64) -> Result<Range<u64>, Unsatisfiable> {
        let range = match self {
            Self::From(first, None) => first..size,
            Self::From(first, Some(last)) => first..size.min(last.saturating_add(1)),
            Self::Last(count) => size.saturating_sub(count)..size,
        };
        if range.is_empty() {
            return Err(Unsatisfiable);
        }
        Ok(range)
    }
}

/// The range that a request asks for, if it asks for exactly one in octets, and, where it says so
/// (`If-Range`, RFC 9110 section 13.1.5), of the representation with this tag. A server may ignore
/// any `Range`, and must ignore a malformed one.
pub(crate) fn requested(headers: &HeaderMap, tag: &str) -> Option<ByteRange> {
    if headers
        .get(header::IF_RANGE)
        .is_some_and(|wanted| wanted != tag)
    {
        return None;
    }
    let value = headers.get(header::RANGE)?.to_str().ok()?;
    let (unit, set) = value.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        return number(last).map(ByteRange::Last);
    }
    let first = number(first)?;
    if last.is_empty() {
        return Some(ByteRange::From(first, None));
    }
    let last = number(last)?;
    (first <= last).then_some(ByteRange::From(first, Some(last)))
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: &str) -> Option<ByteRange> {
        let headers = HeaderMap::from_iter([(header::RANGE, range.parse().unwrap())]);
        requested(&headers, "\"tag\"")
    }

    #[test]
    fn one_range_of_octets_is_understood() {
        assert_eq!(asked("bytes=0-99"), Some(ByteRange::From(0, Some(99))));
        assert_eq!(asked("Bytes= 5 - "), Some(ByteRange::From(5, None)));
        assert_eq!(asked("bytes=-7"), Some(ByteRange::Last(7)));
        let huge = format!("bytes=1-{}", "9".repeat(40));
        assert_eq!(asked(&huge), Some(ByteRange::From(1, Some(u64::MAX))));
    }

    #[test]
    fn anything_else_is_no_range() {
        for range in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=+1-2",
        ] {
            assert_eq!(asked(range), None, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_representation_is_none() {
        let mut headers = HeaderMap::from_iter([(header::RANGE, "bytes=0-1".parse().unwrap())]);
        headers.insert(header::IF_RANGE, "\"tag\"".parse().unwrap());
        assert!(requested(&headers, "\"tag\"").is_some());
        assert!(requested(&headers, "\"other\"").is_none());
    }

    #[test]
    fn a_range_is_cut_at_the_end_and_refused_beyond_it() {
        assert_eq!(ByteRange::From(2, Some(99)).within(10), Ok(2..10));
        assert_eq!(ByteRange::From(2, None).within(10), Ok(2..10));
        assert_eq!(ByteRange::From(0, Some(0)).within(10), Ok(0..1));
        assert_eq!(ByteRange::Last(3).within(10), Ok(7..10));
        assert_eq!(ByteRange::Last(30).within(10), Ok(0..10));
        assert_eq!(ByteRange::From(0, Some(u64::MAX)).within(10), Ok(0..10));
        for range in [ByteRange::From(10, None), ByteRange::Last(0)] {
            assert_eq!(range.within(10), Err(Unsatisfiable));
        }
        assert_eq!(ByteRange::Last(1).within(0), Err(Unsatisfiable));
    }
}
