//! Bytes in a named charset to text.

use mail_parser::decoders::charsets::map::charset_decoder;

/// Decodes `bytes` by the rules a reader expects of broken mail: what is labelled UTF-8 is decoded
/// as that, with replacement characters; what is unlabelled, labelled US-ASCII or has an unknown label is
/// UTF-8 if it is valid as such, else windows-1252, the commonest 8-bit charset in unlabelled mail.
pub(crate) fn decode(bytes: &[u8], charset: Option<&str>) -> String {
    let charset = charset.unwrap_or_default().trim().to_ascii_lowercase();
    match charset.as_str() {
        "utf-8" | "utf8" => {
            String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
                .into_owned()
        }
        "" | "us-ascii" | "ascii" | "ansi_x3.4-1968" => guess(bytes),
        // A longer label is none that anyone registered.
        name if name.len() <= 45 => match charset_decoder(name.as_bytes()) {
            Some(decoder) => decoder(bytes),
            None => guess(bytes),
        },
        _ => guess(bytes),
    }
}

/// As [`decode`]; what is UTF-8 already is not copied.
pub(crate) fn decode_vec(bytes: Vec<u8>, charset: Option<&str>) -> String {
    let name = charset.unwrap_or_default().trim();
    let is_utf_8 = ["", "utf-8", "utf8", "us-ascii", "ascii"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known));
    if !is_utf_8 || bytes.starts_with(b"\xef\xbb\xbf") {
        return decode(&bytes, charset);
    }
    String::from_utf8(bytes).unwrap_or_else(|error| decode(error.as_bytes(), charset))
}

/// UTF-8 if it is valid, else windows-1252.
pub(crate) fn guess(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => match charset_decoder(b"windows-1252") {
            Some(decoder) => decoder(bytes),
            None => String::from_utf8_lossy(bytes).into_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_honoured() {
        assert_eq!(decode(b"\xf0\xd2\xc9", Some("KOI8-R")), "При");
        assert_eq!(decode(b"\x1b$B%O\x1b(B", Some("iso-2022-jp")), "ハ");
        assert_eq!(decode(b"\xef\xbb\xbfa\xff", Some("utf-8")), "a\u{fffd}");
    }

    #[test]
    fn without_a_usable_label_utf_8_comes_first_and_windows_1252_second() {
        for label in [
            None,
            Some("us-ascii"),
            Some("x-no-such-thing"),
            Some("\u{e9}"),
        ] {
            assert_eq!(decode("é".as_bytes(), label), "é");
            assert_eq!(decode(b"\xe9 \x80", label), "é €");
        }
    }
}
