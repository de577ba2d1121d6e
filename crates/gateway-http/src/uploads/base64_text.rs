use std::io::{self, Read};

use base64::{
    alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    read::DecoderReader,
};

/// Takes what encoders disagree about: padding is looked after by [`Symbols`], and bits beyond the last octet, which
/// should be zero, count for nothing.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// The octets that a text in base64 stands for: in the standard alphabet or the one for URLs (RFC 4648 sections 4
/// and 5), with padding or without, in lines or not.
pub(super) fn decoded(text: impl Read) -> impl Read {
    DecoderReader::new(Symbols::new(text), &ENGINE)
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
        let mut count = 0;
        for at in 0..buffer.len() {
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

fn broken() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose as engines};

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
