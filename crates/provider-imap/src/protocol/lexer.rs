//! The tokens of RFC 3501 section 9, read leniently: total, linear, without recursion.

use bytes::Bytes;

/// What could not be read. Never holds text of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected} at octet {at}")]
pub struct ParseError {
    /// What should have been there.
    pub expected: &'static str,
    /// Where, from the beginning of the response.
    pub at: usize,
}

/// The result of reading a token.
pub type Parsed<T> = Result<T, ParseError>;

/// A position in a complete response.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    input: &'a Bytes,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// At the beginning. The final CRLF may be there or not.
    pub fn new(input: &'a Bytes) -> Self {
        Self { input, at: 0 }
    }

    /// What is left.
    pub fn rest(&self) -> &'a [u8] {
        let rest = self.input.get(self.at..).unwrap_or_default();
        rest.strip_suffix(b"\r\n").unwrap_or(rest)
    }

    /// An error at this place.
    pub fn error<T>(&self, expected: &'static str) -> Parsed<T> {
        Err(ParseError {
            expected,
            at: self.at,
        })
    }

    /// The next octet.
    pub fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Whether everything has been read.
    pub fn at_end(&self) -> bool {
        self.rest().is_empty()
    }

    /// How far it has come.
    pub fn position(&self) -> usize {
        self.at
    }

    /// Goes back to an earlier place.
    pub fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    fn advance(&mut self, octets: usize) -> &'a [u8] {
        let taken = &self.rest()[..octets];
        self.at += octets;
        taken
    }

    /// Takes this octet if it is next.
    pub fn eat(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    /// Takes this octet.
    pub fn expect(&mut self, octet: u8, name: &'static str) -> Parsed<()> {
        if self.eat(octet) {
            Ok(())
        } else {
            self.error(name)
        }
    }

    /// Takes any number of spaces: some servers send none or two.
    pub fn spaces(&mut self) {
        while self.eat(b' ') {}
    }

    /// Takes octets as long as they are wanted; perhaps none.
    pub fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|&b| !wanted(b)).unwrap_or(rest.len());
        self.advance(length)
    }

    /// An atom in the widest sense: up to a space, parenthesis or quote. Flags come with `]` from
    /// Gmail and as `\*` from Zoho.
    pub fn atom(&mut self) -> Parsed<&'a [u8]> {
        let atom = self.take_while(|b| !matches!(b, b' ' | b'(' | b')' | b'"' | b'\r' | b'\n'));
        if atom.is_empty() {
            self.error("an atom")
        } else {
            Ok(atom)
        }
    }

    /// A number.
    pub fn number(&mut self) -> Parsed<u64> {
        let digits = self.take_while(|b| b.is_ascii_digit());
        match std::str::from_utf8(digits)
            .ok()
            .and_then(|d| d.parse().ok())
        {
            Some(number) => Ok(number),
            None => self.error("a number"),
        }
    }

    /// A number of 32 bits: UIDs, sequence numbers, counts.
    pub fn number32(&mut self) -> Parsed<u32> {
        match u32::try_from(self.number()?) {
            Ok(number) => Ok(number),
            Err(_) => self.error("a number of 32 bits"),
        }
    }

    /// `NIL`, whatever its case, if it is next.
    pub fn nil(&mut self) -> bool {
        let rest = self.rest();
        let found = rest
            .get(..3)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"NIL"))
            && rest.get(3).is_none_or(|b| matches!(b, b' ' | b')'));
        if found {
            self.at += 3;
        }
        found
    }

    /// A quoted string or a literal, if one is next.
    fn string(&mut self) -> Parsed<Option<Bytes>> {
        match self.peek() {
            Some(b'"') => self.quoted().map(Some),
            Some(b'{') => self.literal().map(Some),
            Some(b'~') if self.rest().get(1) == Some(&b'{') => {
                self.at += 1;
                self.literal().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// `nstring`: a string or NIL. An atom is taken too.
    pub fn nstring(&mut self) -> Parsed<Option<Bytes>> {
        if self.nil() {
            return Ok(None);
        }
        match self.string()? {
            Some(string) => Ok(Some(string)),
            None => self.atom().map(|atom| Some(self.input.slice_ref(atom))),
        }
    }

    /// `astring`: a string or an atom.
    pub fn astring(&mut self) -> Parsed<Bytes> {
        match self.string()? {
            Some(string) => Ok(string),
            None => self.atom().map(|atom| self.input.slice_ref(atom)),
        }
    }

    fn quoted(&mut self) -> Parsed<Bytes> {
        self.expect(b'"', "a quote")?;
        let inner = self.take_while(|b| !matches!(b, b'"' | b'\\'));
        if self.eat(b'"') {
            return Ok(self.input.slice_ref(inner));
        }
        let mut unescaped = inner.to_vec();
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    match self.peek() {
                        Some(escaped) => unescaped.push(escaped),
                        None => return self.error("the end of a quoted string"),
                    }
                    self.at += 1;
                }
                Some(_) => {
                    let more = self.take_while(|b| !matches!(b, b'"' | b'\\'));
                    unescaped.extend_from_slice(more);
                }
                None => return self.error("the end of a quoted string"),
            }
        }
        self.at += 1;
        Ok(unescaped.into())
    }

    fn literal(&mut self) -> Parsed<Bytes> {
        self.expect(b'{', "a literal")?;
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        self.eat(b'+');
        self.expect(b'}', "the end of a literal's length")?;
        let start = self.at + 2;
        let end = start.saturating_add(length);
        if self.input.get(self.at..start) != Some(b"\r\n") || end > self.input.len() {
            return self.error("a literal's octets");
        }
        self.at = end;
        Ok(self.input.slice(start..end))
    }

    /// Passes over one value of any shape, however deeply nested.
    pub fn skip_value(&mut self) -> Parsed<()> {
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'(') => {
                    self.at += 1;
                    depth += 1;
                    continue;
                }
                Some(b' ') if depth > 0 => {
                    self.at += 1;
                    continue;
                }
                Some(b')') if depth > 0 => {
                    self.at += 1;
                    depth -= 1;
                }
                Some(_) => {
                    self.astring()?;
                }
                None => return self.error("a value"),
            }
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// A parenthesised list, each element read by `element`. A lone atom or NIL is an empty list where
    /// a list is optional; here a parenthesis must come.
    pub fn list<T>(&mut self, mut element: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.expect(b'(', "a list")?;
        let mut elements = Vec::new();
        loop {
            self.spaces();
            if self.eat(b')') {
                return Ok(elements);
            }
            elements.push(element(self)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_come_in_four_shapes() {
        let input = Bytes::from_static(b"\"a \\\"b\\\\\" {3}\r\nx\r\n ~{1}\r\n\0 atom NIL nilly");
        let mut lexer = Lexer::new(&input);
        let mut strings = Vec::new();
        for _ in 0..6 {
            strings.push(lexer.nstring().unwrap());
            lexer.spaces();
        }
        let expected: [Option<&[u8]>; 6] = [
            Some(b"a \"b\\"),
            Some(b"x\r\n"),
            Some(b"\0"),
            Some(b"atom"),
            None,
            Some(b"nilly"),
        ];
        assert_eq!(
            strings.iter().map(|s| s.as_deref()).collect::<Vec<_>>(),
            expected
        );
        assert!(lexer.at_end());
    }

    #[test]
    fn a_million_parentheses_are_passed_over() {
        let depth = 1_000_000;
        let input = Bytes::from([vec![b'('; depth], vec![b')'; depth]].concat());
        let mut lexer = Lexer::new(&input);
        lexer.skip_value().unwrap();
        assert!(lexer.at_end());
        let open = Bytes::from(vec![b'('; depth]);
        assert!(Lexer::new(&open).skip_value().is_err());
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        for input in [
            "\"abc",
            "\"abc\\",
            "{5}\r\nabc",
            "{5",
            "{99999999999999999999}\r\n",
            "(a",
            "",
        ] {
            let input = Bytes::from(input);
            assert!(Lexer::new(&input).skip_value().is_err(), "{input:?}");
        }
    }
}
