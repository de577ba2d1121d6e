use std::io::{self, Read};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use memchr::{memchr, memchr3};

/// Takes what encoders disagree about: padding is looked after by [`Symbols`], and bits beyond the last octet, which
/// should be zero, count for nothing.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Symbols decoded at a time.
const STEP: usize = 32 << 10;

/// The octets that a text in base64 stands for: in the standard alphabet or the one for URLs (RFC 4648 sections 4
/// and 5), with padding or without, in lines or not. `InvalidData` for a text that is something else.
pub(super) fn decoded(text: impl Read) -> impl Read {
    Decoded {
        symbols: Symbols::new(text),
        held: Vec::with_capacity(STEP),
        octets: Vec::with_capacity(STEP),
        given: 0,
    }
}

/// Decodes many symbols at once, which the reader of the library does not.
struct Decoded<R> {
    symbols: Symbols<R>,
    held: Vec<u8>,
    octets: Vec<u8>,
    given: usize,
}

impl<R: Read> Decoded<R> {
    /// Decodes what comes next; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let before = self.held.len();
        self.held.resize(STEP, 0);
        let count = self.symbols.read(&mut self.held[before..])?;
        self.held.truncate(before + count);
        // At the end there may be less than a group of four.
        let whole = match count {
            0 => before,
            _ => self.held.len() - self.held.len() % 4,
        };
        self.octets.clear();
        self.given = 0;
        ENGINE
            .decode_vec(&self.held[..whole], &mut self.octets)
            .map_err(|_| broken())?;
        self.held.drain(..whole);
        Ok(whole > 0 || count > 0)
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.octets.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let count = buffer.len().min(self.octets.len() - self.given);
        buffer[..count].copy_from_slice(&self.octets[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

/// The symbols of the standard alphabet that a text is made of.
struct Symbols<R> {
    text: R,
    symbols: usize,
    padding: usize,
    ended: bool,
}

impl<R: Read> Symbols<R> {
    fn new(text: R) -> Self {
        Self {
            text,
            symbols: 0,
            padding: 0,
            ended: false,
        }
    }

    /// Writes the symbols of `buffer` to its beginning; how many there are.
    fn take(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let begin = match self.padding {
            0 => plain(buffer),
            _ => 0,
        };
        let mut count = begin;
        for at in begin..buffer.len() {
            let symbol = match buffer[at] {
                b' ' | b'\t' | b'\r' | b'\n' => continue,
                b'=' => {
                    self.padding += 1;
                    continue;
                }
                _ if self.padding > 0 => return Err(broken()),
                b'-' => b'+',
                b'_' => b'/',
                other => other,
            };
            buffer[count] = symbol;
            count += 1;
        }
        self.symbols += count;
        Ok(count)
    }
}

impl<R: Read> Read for Symbols<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.ended && !buffer.is_empty() {
            let read = self.text.read(buffer)?;
            self.ended = read == 0;
            let count = self.take(&mut buffer[..read])?;
            if count > 0 {
                return Ok(count);
            }
        }
        let padded = self.padding == 0
            || self.padding <= 2 && (self.symbols + self.padding).is_multiple_of(4);
        padded.then_some(0).ok_or_else(broken)
    }
}

/// How many symbols stand for themselves, or for nothing at all, before one that needs a look. Most texts are all of that kind.
fn plain(buffer: &[u8]) -> usize {
    let looked_at = [
        memchr3(b'-', b'_', b'=', buffer),
        memchr3(b' ', b'\r', b'\n', buffer),
        memchr(b'\t', buffer),
    ];
    looked_at
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(buffer.len())
}

fn broken() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose as engines;

    use super::*;

    /// Gives one octet at a time.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let some = buffer.len().min(1);
            self.0.read(&mut buffer[..some])
        }
    }

    fn decode(text: &str) -> io::Result<Vec<u8>> {
        let (mut whole, mut drops) = (Vec::new(), Vec::new());
        let read = decoded(text.as_bytes()).read_to_end(&mut whole);
        let dripped = decoded(Drops(text.as_bytes())).read_to_end(&mut drops);
        assert_eq!(read.is_ok(), dripped.is_ok(), "{text}");
        read?;
        assert_eq!(whole, drops);
        Ok(whole)
    }

    #[test]
    fn every_usual_way_to_write_it_is_read() {
        for size in [0, 1, 2, 3, 4, 5, 75, 76, 77, 3000] {
            let octets: Vec<u8> = (0..size).map(|n| (n * 91 % 256) as u8).collect();
            let padded = engines::STANDARD.encode(&octets);
            let lines: Vec<_> = padded.as_bytes().chunks(76).collect();
            for text in [
                String::from_utf8(lines.join(&b"\r\n"[..])).unwrap() + "\r\n",
                padded,
                engines::STANDARD_NO_PAD.encode(&octets),
                engines::URL_SAFE.encode(&octets),
                engines::URL_SAFE_NO_PAD.encode(&octets),
            ] {
                assert_eq!(decode(&text).unwrap(), octets, "{text}");
            }
        }
    }

    #[test]
    fn bits_beyond_the_last_octet_do_not_matter() {
        assert_eq!(decode("YR==").unwrap(), b"a");
    }

    #[test]
    fn what_is_no_base64_is_broken() {
        for text in [
            "Y", "YWJjZ", "YQ=", "YQ===", "YWI==", "YWJj=", "YQ==YQ==", "=", "Y!Jj", "data:,",
            "\u{e9}",
        ] {
            assert!(decode(text).is_err(), "{text}");
        }
    }
}
