use super::{
    lexer::{Lexer, Parsed},
    uid_set::UidSet,
};

/// An answer to SEARCH (RFC 3501) or SORT (RFC 5256): numbers in the server's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchNumbers {
    /// What was found.
    pub numbers: Vec<u32>,
    /// RFC 7162, where the search asked for modification sequences.
    pub mod_seq: Option<u64>,
}

impl SearchNumbers {
    /// `1 2 3 (MODSEQ 5)`. The length of a line bounds the number of elements.
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        let mut search = Self::default();
        loop {
            lexer.spaces();
            match lexer.peek() {
                Some(b'0'..=b'9') => search.numbers.push(lexer.number32()?),
                Some(b'(') => {
                    let mod_seq = lexer.list(Lexer::astring)?;
                    let number = mod_seq.get(1).and_then(|n| std::str::from_utf8(n).ok());
                    search.mod_seq = number.and_then(|n| n.parse().ok());
                }
                None => return Ok(search),
                Some(_) => return lexer.error("a number"),
            }
        }
    }
}

/// An answer to an extended search (RFC 4731).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExtendedSearch {
    /// The command that is answered.
    pub tag: Option<String>,
    /// Numbers are UIDs.
    pub uid: bool,
    /// What was found; `None` where nothing was, or where it was not asked for.
    pub all: Option<UidSet>,
    /// How many were found.
    pub count: Option<u32>,
    /// The smallest.
    pub min: Option<u32>,
    /// The largest.
    pub max: Option<u32>,
}

impl ExtendedSearch {
    /// `(TAG "A1") UID ALL 1:3 COUNT 3`.
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        let mut search = Self::default();
        lexer.spaces();
        if lexer.peek() == Some(b'(') {
            let correlator = lexer.list(Lexer::astring)?;
            if let [name, tag] = &correlator[..]
                && name.eq_ignore_ascii_case(b"TAG")
            {
                search.tag = Some(String::from_utf8_lossy(tag).into_owned());
            }
        }
        loop {
            lexer.spaces();
            if lexer.at_end() {
                return Ok(search);
            }
            let item = lexer.atom()?.to_ascii_uppercase();
            lexer.spaces();
            match item.as_slice() {
                b"UID" => search.uid = true,
                b"ALL" => search.all = Some(UidSet::parse(lexer)?),
                b"COUNT" => search.count = Some(lexer.number32()?),
                b"MIN" => search.min = Some(lexer.number32()?),
                b"MAX" => search.max = Some(lexer.number32()?),
                _ => lexer.skip_value()?,
            }
        }
    }
}
