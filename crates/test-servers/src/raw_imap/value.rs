//! The data format of IMAP responses (RFC 9051 section 4).

/// An atom, string, number, NIL or parenthesised list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// An atom, flag, number or section name such as `BODY[]`.
    Atom(String),
    /// A quoted string or a literal.
    String(Vec<u8>),
    /// A parenthesised list.
    List(Vec<Value>),
}

impl Value {
    /// Parses a sequence of values; stops at the end or at a parenthesis too many.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Vec<Self> {
        Parser { bytes, at: 0 }.sequence()
    }

    /// The text of an atom or string.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Atom(text) => Some(text.clone()),
            Self::String(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            Self::List(_) => None,
        }
    }

    /// An atom as a number.
    #[must_use]
    pub fn number<T: std::str::FromStr>(&self) -> Option<T> {
        match self {
            Self::Atom(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// The items of a list.
    #[must_use]
    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            _ => &[],
        }
    }

    /// In a list of names and values, the value after a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        let (pairs, _) = self.list().as_chunks::<2>();
        pairs.iter().find_map(|[key, value]| match key {
            Self::Atom(key) if key.eq_ignore_ascii_case(name) => Some(value),
            _ => None,
        })
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn sequence(&mut self) -> Vec<Value> {
        let mut values = Vec::new();
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\r' | b'\n' => self.at += 1,
                b')' => break,
                b'(' => {
                    self.at += 1;
                    values.push(Value::List(self.sequence()));
                    self.at += 1;
                }
                b'"' => values.push(Value::String(self.quoted())),
                b'{' | b'~' => values.push(Value::String(self.literal())),
                _ => values.push(Value::Atom(self.atom())),
            }
        }
        values
    }

    fn quoted(&mut self) -> Vec<u8> {
        let mut text = Vec::new();
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                _ => text.push(byte),
            }
        }
        text
    }

    fn literal(&mut self) -> Vec<u8> {
        let rest = &self.bytes[self.at..];
        let line = rest
            .windows(2)
            .position(|pair| pair == b"\r\n")
            .unwrap_or(rest.len());
        let length = super::literal_length(&rest[..line]).unwrap_or(0);
        let start = (self.at + line + 2).min(self.bytes.len());
        let end = (start + length).min(self.bytes.len());
        self.at = end;
        self.bytes[start..end].to_vec()
    }

    /// Spaces and parentheses between brackets belong to the atom: `BODY[HEADER.FIELDS (DATE)]`.
    fn atom(&mut self) -> String {
        let start = self.at;
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'[' => depth += 1,
                b']' => depth = depth.saturating_sub(1),
                b' ' | b'(' | b')' | b'\r' | b'\n' if depth == 0 => break,
                _ => {}
            }
            self.at += 1;
        }
        String::from_utf8_lossy(&self.bytes[start..self.at]).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fetch_response_is_read_with_its_literal() {
        let values = Value::parse(
            b"* 3 FETCH (UID 7 FLAGS (\\Seen $Junk) BODY[] {5}\r\na)\r\nb X \"q\\\"\")",
        );
        let fetch = values.last().unwrap();
        assert_eq!(fetch.get("uid").and_then(Value::number::<u32>), Some(7));
        assert_eq!(fetch.get("FLAGS").unwrap().list().len(), 2);
        assert_eq!(
            fetch.get("BODY[]"),
            Some(&Value::String(b"a)\r\nb".to_vec()))
        );
        assert_eq!(fetch.get("X"), Some(&Value::String(b"q\"".to_vec())));
    }

    #[test]
    fn sections_with_spaces_are_one_atom() {
        let values = Value::parse(b"BODY[HEADER.FIELDS (DATE TO)] NIL");
        assert_eq!(values.len(), 2);
    }
}
