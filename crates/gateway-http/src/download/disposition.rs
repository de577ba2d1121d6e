use axum::http::HeaderValue;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// `attr-char` of RFC 8187 section 3.2.1 stands for itself.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// Longest file name told, in characters.
const LONGEST: usize = 200;

/// `Content-Disposition: attachment` with a file name that a stranger chose: as plain ASCII for old
/// clients and in full for others (RFC 6266 section 4.3, appendix D). Nothing in it can end the
/// quoted string or the header, or name another directory.
pub(crate) fn attachment(name: Option<&str>) -> HeaderValue {
    let plain = HeaderValue::from_static("attachment");
    let name: String = name
        .unwrap_or_default()
        .chars()
        .map(|c| match c {
            '/' | '\\' => '_',
            c if c.is_control() => ' ',
            c => c,
        })
        .take(LONGEST)
        .collect();
    let name = name.trim().trim_start_matches('.').trim_start();
    if name.is_empty() {
        return plain;
    }
    let ascii: String = name
        .chars()
        .map(|c| match c {
            '"' | '%' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        })
        .collect();
    let encoded = utf8_percent_encode(name, ENCODED);
    HeaderValue::try_from(format!(
        "attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}"
    ))
    .unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> String {
        attachment(Some(name)).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_name_is_told_as_ascii_and_in_full() {
        assert_eq!(
            told("Käse €.pdf"),
            "attachment; filename=\"K_se _.pdf\"; filename*=UTF-8''K%C3%A4se%20%E2%82%AC.pdf"
        );
    }

    #[test]
    fn no_name_can_leave_the_quotes_the_header_or_the_directory() {
        for name in [
            "a\"; x=\"b",
            "a\r\nSet-Cookie: x",
            "../../etc/passwd",
            "a\\b",
            "..\u{0}x",
            "%22",
        ] {
            let told = told(name);
            assert_eq!(told.matches('"').count(), 2, "{told}");
            assert!(told.bytes().all(|b| (0x20..0x7f).contains(&b)), "{told}");
            let quoted = told.split('"').nth(1).unwrap();
            assert!(
                !quoted.contains(['/', '\\', '%']) && !quoted.starts_with('.'),
                "{told}"
            );
        }
    }

    #[test]
    fn without_a_usable_name_there_is_none() {
        assert_eq!(attachment(None), "attachment");
        assert_eq!(attachment(Some(" ... ")), "attachment");
    }

    #[test]
    fn a_long_name_is_cut() {
        assert!(told(&"ü".repeat(100_000)).len() < 2000);
    }
}
