//! One text out of a JSON object, as it arrives: messages and attachments come as base64 in a field of an
//! object, too large to be gathered.

/// Finds the text of a field at the first level of an object, piece by piece.
#[derive(Debug)]
pub(crate) struct JsonText {
    field: &'static str,
    state: State,
    depth: u32,
    /// The last text at the first level that was read to its end, as far as it may be the field's name.
    last: Vec<u8>,
    is_name: bool,
    found: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between texts.
    Between,
    /// In a text that is not wanted.
    Passing(Escape),
    /// In the text that is wanted.
    Wanted(Escape),
    /// After the object's end.
    Ended,
}

/// Where in an escape sequence (RFC 8259 section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    None,
    Begun,
    /// Digits left, and what they are so far.
    Unicode(u8, u32),
}

impl JsonText {
    /// Looks for this field.
    pub(crate) fn new(field: &'static str) -> Self {
        Self {
            field,
            state: State::Between,
            depth: 0,
            last: Vec::new(),
            is_name: false,
            found: false,
        }
    }

    /// Appends what of the text is in this piece. Characters beyond ASCII are left out: base64 has none.
    pub(crate) fn push(&mut self, piece: &[u8], text: &mut Vec<u8>) {
        for &byte in piece {
            match self.state {
                State::Ended => return,
                State::Between => self.between(byte),
                State::Passing(escape) => match step(escape, byte) {
                    Step::End => self.state = State::Between,
                    Step::On(escape, character) => {
                        self.state = State::Passing(escape);
                        if self.depth == 1 && self.last.len() <= self.field.len() {
                            self.last.extend(character);
                        }
                    }
                },
                State::Wanted(escape) => match step(escape, byte) {
                    Step::End => self.state = State::Between,
                    Step::On(escape, character) => {
                        self.state = State::Wanted(escape);
                        text.extend(character);
                    }
                },
            }
        }
    }

    /// Whether the object was read to its end.
    pub(crate) fn is_complete(&self) -> bool {
        self.state == State::Ended
    }

    /// Whether the field was there.
    pub(crate) fn is_found(&self) -> bool {
        self.found
    }

    fn between(&mut self, byte: u8) {
        match byte {
            b'"' if self.is_name && !self.found => {
                (self.state, self.found) = (State::Wanted(Escape::None), true);
                self.is_name = false;
            }
            b'"' => {
                self.state = State::Passing(Escape::None);
                self.last.clear();
            }
            b':' => self.is_name = self.depth == 1 && self.last == self.field.as_bytes(),
            b',' => {
                self.is_name = false;
                self.last.clear();
            }
            b'{' | b'[' => {
                self.depth = self.depth.saturating_add(1);
                self.is_name = false;
                self.last.clear();
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.last.clear();
                if self.depth == 0 {
                    self.state = State::Ended;
                }
            }
            _ => {}
        }
    }
}

enum Step {
    /// The text has ended.
    End,
    /// It goes on; perhaps with a character.
    On(Escape, Option<u8>),
}

fn step(escape: Escape, byte: u8) -> Step {
    let on = |character| Step::On(Escape::None, character);
    match (escape, byte) {
        (Escape::None, b'"') => Step::End,
        (Escape::None, b'\\') => Step::On(Escape::Begun, None),
        (Escape::None, byte) => on(byte.is_ascii().then_some(byte)),
        (Escape::Begun, b'u') => Step::On(Escape::Unicode(4, 0), None),
        (Escape::Begun, b'"' | b'\\' | b'/') => on(Some(byte)),
        // White space and its like.
        (Escape::Begun, _) => on(None),
        (Escape::Unicode(left, value), byte) => {
            let digit = char::from(byte).to_digit(16).unwrap_or_default();
            let value = value << 4 | digit;
            match left {
                1 => on(u8::try_from(value).ok().filter(u8::is_ascii)),
                left => Step::On(Escape::Unicode(left - 1, value), None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str, cut: usize) -> (String, bool) {
        let mut reader = JsonText::new("raw");
        let mut text = Vec::new();
        for piece in json.as_bytes().chunks(cut) {
            reader.push(piece, &mut text);
        }
        (String::from_utf8(text).unwrap(), reader.is_complete())
    }

    #[test]
    fn the_text_is_found_wherever_the_pieces_are_cut() {
        for (json, text) in [
            (r#"{"raw": "abc="}"#, "abc="),
            (
                r#"{ "id" : "raw", "x": {"raw": "no"}, "raw" : "ab\u003d\/\n" }"#,
                "ab=/",
            ),
            (
                r#"{"a":["raw",{"raw":"no"}],"b":"\"raw\":\"no\"","raw":"yes"}"#,
                "yes",
            ),
            (
                r#"{"rawest":"no","ra":"no","RAW":"no","raw":null,"z":"no"}"#,
                "",
            ),
            (r#"{"raw":""}"#, ""),
            ("{}", ""),
        ] {
            for cut in 1..json.len() + 1 {
                assert_eq!(found(json, cut), (text.to_owned(), true), "{json} {cut}");
            }
        }
    }

    #[test]
    fn an_object_without_its_end_is_not_complete() {
        let json = r#"{"id": "1", "raw": "abcdef"}"#;
        for length in 0..json.len() {
            let (text, is_complete) = found(&json[..length], 3);
            assert!(!is_complete && "abcdef".starts_with(&text), "{length}");
        }
    }
}
