//! Encoded words (RFC 2047), tolerantly: they may be longer than allowed, stand within other text, hold
//! spaces and question marks, or split a character between two words.

use super::fields::unfold;
use crate::{
    TransferEncoding, charset,
    text::{head, one_line},
    transfer,
};

/// How many malformed beginnings of an encoded word are left to the structured-field parser, which
/// may read to the end of the field for each of them.
const MAX_MALFORMED: usize = 8;

/// The text of an unstructured field value, raw bytes as they stand in the header.
pub fn decode_unstructured(value: &[u8]) -> String {
    let value = unfold(value);
    if !value.contains("=?") {
        return one_line(&value);
    }
    let decoded: String = pieces(&value)
        .into_iter()
        .map(|piece| match piece {
            Piece::Raw(text) => text.to_owned(),
            Piece::Decoded(text) => text,
        })
        .collect();
    one_line(&decoded)
}

/// A structured field value in which every encoded word is well formed, and few things look like one that
/// is not, so that the parser of that field works in linear time and sees no split characters.
pub(super) fn normalise(value: &[u8]) -> String {
    let mut value = unfold(value);
    if !value.contains("=?") {
        value.push('\n');
        return value;
    }
    let mut result = String::with_capacity(value.len() + 1);
    let mut malformed = 0;
    for piece in pieces(&value) {
        match piece {
            Piece::Raw(text) => {
                for (index, run) in text.split("=?").enumerate() {
                    if index > 0 {
                        malformed += 1;
                        result.push_str(if malformed > MAX_MALFORMED {
                            "= ?"
                        } else {
                            "=?"
                        });
                    }
                    result.push_str(run);
                }
            }
            Piece::Decoded(text) => {
                if result.ends_with(|c: char| c.is_alphanumeric()) {
                    result.push(' ');
                }
                result.push_str("=?utf-8?Q?");
                for byte in text.bytes() {
                    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                    result.push('=');
                    result.push(char::from(DIGITS[usize::from(byte >> 4)]));
                    result.push(char::from(DIGITS[usize::from(byte & 15)]));
                }
                result.push_str("?=");
            }
        }
    }
    result.push('\n');
    result
}

enum Piece<'a> {
    Raw(&'a str),
    Decoded(String),
}

fn pieces(value: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut pending: Option<(String, Vec<u8>)> = None;
    let mut rest = value;
    // Where the text that is not yet in `pieces` begins.
    let mut raw = value;
    while let Some(at) = rest.find("=?") {
        let Some(word) = Word::read(&rest[at..]) else {
            rest = &rest[at + 2..];
            continue;
        };
        let before = &raw[..raw.len() - rest.len() + at];
        let adjacent = pending.is_some() && before.chars().all(char::is_whitespace);
        if !adjacent {
            flush(&mut pending, &mut pieces);
            if !before.is_empty() {
                pieces.push(Piece::Raw(before));
            }
        }
        match &mut pending {
            Some((charset, bytes)) if word.continues(charset) => {
                word.decode(bytes);
            }
            _ => {
                flush(&mut pending, &mut pieces);
                let mut bytes = Vec::new();
                word.decode(&mut bytes);
                pending = Some((word.charset.to_owned(), bytes));
            }
        }
        rest = &rest[at + word.length..];
        raw = rest;
    }
    flush(&mut pending, &mut pieces);
    if !raw.is_empty() {
        pieces.push(Piece::Raw(raw));
    }
    pieces
}

fn flush(pending: &mut Option<(String, Vec<u8>)>, pieces: &mut Vec<Piece<'_>>) {
    if let Some((charset, bytes)) = pending.take() {
        pieces.push(Piece::Decoded(charset::decode(&bytes, Some(&charset))));
    }
}

struct Word<'a> {
    charset: &'a str,
    encoding: TransferEncoding,
    payload: &'a str,
    /// With all delimiters.
    length: usize,
}

impl<'a> Word<'a> {
    /// `text` begins with `=?`. Reads no further than the next `=?`, so that reading at every `=?` of a
    /// value takes linear time.
    fn read(text: &'a str) -> Option<Self> {
        let inner = &text[2..];
        let label_end = inner.bytes().take(80).position(|b| b == b'?')?;
        let label = &inner[..label_end];
        if label.is_empty() || label.contains(|c: char| c.is_whitespace() || c == '=') {
            return None;
        }
        let encoding = match inner.as_bytes().get(label_end + 1..label_end + 3)? {
            b"Q?" | b"q?" => TransferEncoding::QuotedPrintable,
            b"B?" | b"b?" => TransferEncoding::Base64,
            _ => return None,
        };
        let payload = &inner[label_end + 3..];
        let mut end = None;
        for (index, _) in payload.match_indices('?') {
            if payload[index + 1..].starts_with('=') {
                end = Some(index);
                break;
            }
            if payload[..index].ends_with('=') {
                break;
            }
        }
        let end = end?;
        Some(Self {
            // RFC 2231 section 5: the charset may be followed by a language.
            charset: label.split_once('*').map_or(label, |(charset, _)| charset),
            encoding,
            payload: &payload[..end],
            length: 2 + label_end + 3 + end + 2,
        })
    }

    /// Whether a character may be split between a word in `charset` and this one. Words in a charset that
    /// has states each begin and end in the first one (RFC 1468), and their decoder wants them apart.
    fn continues(&self, charset: &str) -> bool {
        charset.eq_ignore_ascii_case(self.charset)
            && !head(charset, 8).eq_ignore_ascii_case("iso-2022")
    }

    fn decode(&self, bytes: &mut Vec<u8>) {
        match self.encoding {
            TransferEncoding::QuotedPrintable => {
                let spaced = self.payload.replace('_', "=20");
                bytes.extend(transfer::decode(spaced.as_bytes(), self.encoding));
            }
            _ => bytes.extend(transfer::decode(self.payload.as_bytes(), self.encoding)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(value: &str) -> String {
        decode_unstructured(value.as_bytes())
    }

    #[test]
    fn words_are_decoded_in_both_encodings() {
        assert_eq!(decoded("=?utf-8?Q?caf=C3=A9_au?= lait"), "café au lait");
        assert_eq!(decoded("Re: =?ISO-8859-1*fr?b?6XTp?= !"), "Re: été !");
        assert_eq!(decoded("=?gb2312?B?xOO6ww==?="), "你好");
    }

    #[test]
    fn space_between_words_is_dropped_and_split_characters_are_joined() {
        assert_eq!(decoded("=?utf-8?Q?a?=\r\n =?utf-8?Q?b?= c"), "ab c");
        assert_eq!(decoded("=?utf-8?B?w6nD?= =?UTF-8?B?qQ==?="), "éé");
        assert_eq!(decoded("=?utf-8?Q?a?= =?iso-8859-1?Q?=E9?="), "aé");
        assert_eq!(
            decoded("=?iso-2022-jp?b?GyRCMnEbKEI=?= =?iso-2022-jp?b?GyRCNUQbKEI=?="),
            "会議"
        );
    }

    #[test]
    fn malformed_words_stay_as_they_are() {
        for text in [
            "=?",
            "=?utf-8?",
            "=?utf-8?X?a?=",
            "=?utf-8?Q?a",
            "1 =? 2",
            "=?a b?Q?c?=",
        ] {
            assert_eq!(decoded(text), text);
        }
        assert_eq!(decoded("=?utf-8?Q?what?_=3F?="), "what? ?");
        assert_eq!(
            decoded("=?utf-8?Q?open =?utf-8?Q?shut?="),
            "=?utf-8?Q?open shut"
        );
    }

    #[test]
    fn a_decoded_line_break_is_none() {
        assert_eq!(decoded("=?utf-8?Q?a=0D=0ABcc:_x=00?="), "a  Bcc: x");
    }

    #[test]
    fn raw_eight_bit_text_is_utf_8_or_windows_1252() {
        assert_eq!(decode_unstructured("é".as_bytes()), "é");
        assert_eq!(decode_unstructured(b"\xe9"), "é");
    }

    #[test]
    fn what_a_structured_field_gets_is_well_formed() {
        assert_eq!(
            normalise(b"=?utf-8?B?w6k=?= <a@b>"),
            "=?utf-8?Q?=C3=A9?= <a@b>\n"
        );
        assert_eq!(
            normalise("=?".repeat(10).as_bytes()),
            format!("{}{}\n", "=?".repeat(8), "= ?".repeat(2))
        );
    }
}
