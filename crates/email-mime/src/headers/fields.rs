//! The lines of a header block.

use crate::charset;

/// One field as it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a [u8],
    /// With its line breaks.
    pub(crate) value: &'a [u8],
}

impl Field<'_> {
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The fields of a header block, up to the empty line that ends it or the end of `block`. Lines that
/// belong to no field (an mbox `From ` line, garbage) are passed over.
pub(crate) fn fields(block: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut rest = block;
    std::iter::from_fn(move || {
        loop {
            let line = line(rest);
            if matches!(line, b"" | b"\n" | b"\r\n") {
                rest = &[];
                return None;
            }
            let mut length = line.len();
            while matches!(rest.get(length), Some(b' ' | b'\t')) {
                length += self::line(&rest[length..]).len();
            }
            let whole = &rest[..length];
            rest = &rest[length..];
            let Some(colon) = memchr::memchr(b':', line) else {
                continue;
            };
            let name = line[..colon].trim_ascii_end();
            if !name.is_empty() && name.iter().all(u8::is_ascii_graphic) {
                return Some(Field {
                    name,
                    value: &whole[colon + 1..],
                });
            }
        }
    })
}

/// The first line of `bytes`, with its line break.
fn line(bytes: &[u8]) -> &[u8] {
    memchr::memchr(b'\n', bytes).map_or(bytes, |end| &bytes[..=end])
}

/// A value as one line of text. Raw 8-bit text is taken for UTF-8 or windows-1252.
pub(super) fn unfold(value: &[u8]) -> String {
    let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let end = value.iter().rposition(|byte| !ends(byte));
    let mut text = charset::guess(end.map_or(&[], |last| &value[..=last]));
    // Most values are one line.
    if memchr::memchr3(b'\r', b'\n', b'\0', text.as_bytes()).is_some() {
        text.retain(|c| !matches!(c, '\r' | '\n' | '\0'));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(block: &[u8]) -> Vec<(String, String)> {
        fields(block)
            .map(|field| (unfold(field.name), unfold(field.value).trim().to_owned()))
            .collect()
    }

    #[test]
    fn fields_are_unfolded_up_to_the_empty_line() {
        let block = b"From x@y Mon Jan 1 10:00:00 2024\r\nSubject : a\r\n\tb\r\nno field\r\n: none\r\nTo:c\n\nX: y\n";
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read(block), [pair("Subject", "a\tb"), pair("To", "c")]);
    }

    #[test]
    fn a_folded_line_without_a_field_is_passed_over() {
        assert_eq!(
            read(b" x: 1\r\n y: 2\r\nA: b"),
            [("A".to_owned(), "b".to_owned())]
        );
        assert_eq!(read(b""), []);
        assert_eq!(read(b"\r\nA: b"), []);
    }
}
