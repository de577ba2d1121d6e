//! File names from strangers.

use std::fmt::Write as _;

/// Longest name, in octets: what common file systems hold.
const MAX_NAME: usize = 255;
/// Names that some systems take for devices, whatever their extension.
const DEVICES: [&str; 4] = ["CON", "PRN", "AUX", "NUL"];

/// A name without any path, control or direction-changing characters, at most 255 octets long with its
/// extension kept. `None` where nothing usable is left.
pub fn sanitise(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible: String = last
        .chars()
        .filter(|&c| !c.is_control() && !is_invisible(c))
        .collect();
    let name = visible.trim().trim_end_matches(['.', ' ']);
    if name.is_empty() || name.chars().all(|c| c == '.') {
        return None;
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let numbered = |prefix: &str| {
        stem.len() == 4
            && stem
                .get(..3)
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            && stem.ends_with(|c: char| c.is_ascii_digit())
    };
    let device = DEVICES
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
        || numbered("COM")
        || numbered("LPT");
    Some(shorten(&if device {
        format!("_{name}")
    } else {
        name.to_owned()
    }))
}

/// Marks that change the direction of text, so that `exe.gpj` is shown as `jpg.exe` (Unicode Technical
/// Report 36 section 3), and characters without any shape.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}')
}

fn shorten(name: &str) -> String {
    if name.len() <= MAX_NAME {
        return name.to_owned();
    }
    let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
    let extension = if extension.len() <= 32 { extension } else { "" };
    format!(
        "{}{extension}",
        crate::text::head(name, MAX_NAME - extension.len())
    )
}

/// The value of a `Content-Disposition` response header that offers a download under `name` (RFC 6266,
/// RFC 8187). ASCII; no character of `name` can end the quoted string.
pub fn content_disposition(name: &str) -> String {
    let name = sanitise(name).unwrap_or_else(|| "attachment".to_owned());
    // Some user agents undo percent-encoding even in the plain parameter.
    let safe = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%');
    let ascii: String = name
        .chars()
        .map(|c| if safe(c) || c == ' ' { c } else { '_' })
        .collect();
    let mut value = format!("attachment; filename=\"{ascii}\"");
    if ascii != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            // attr-char of RFC 8187 section 3.2.1.
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                value.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_no_path_and_no_tricks() {
        for (given, kept) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\evil.exe", "evil.exe"),
            ("a\r\nb\0.txt", "ab.txt"),
            ("\u{202e}gpj.exe", "gpj.exe"),
            (" name. . ", "name"),
            (".profile", ".profile"),
            ("nul.txt", "_nul.txt"),
            ("COM1", "_COM1"),
            ("Comé", "Comé"),
            ("Résumé 日本.pdf", "Résumé 日本.pdf"),
        ] {
            assert_eq!(sanitise(given).as_deref(), Some(kept), "{given:?}");
        }
        for nothing in ["", "..", "a/", "\u{200b}", " . "] {
            assert_eq!(sanitise(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = sanitise(&format!("{}.tar.gz", "é".repeat(10_000))).unwrap();
        assert!(name.len() <= MAX_NAME && name.len() > MAX_NAME - 3);
        assert!(name.ends_with("é.gz"));
    }

    #[test]
    fn a_download_header_cannot_be_broken_out_of() {
        assert_eq!(
            content_disposition("a b.pdf"),
            "attachment; filename=\"a b.pdf\""
        );
        assert_eq!(
            content_disposition("é\"; filename=evil.html"),
            "attachment; filename=\"__; filename=evil.html\"; \
             filename*=UTF-8''%C3%A9%22%3B%20filename%3Devil.html"
        );
        assert_eq!(
            content_disposition("\r\n"),
            "attachment; filename=\"attachment\""
        );
    }

    proptest::proptest! {
        #[test]
        fn any_name_gives_a_safe_header(name in "\\PC{0,300}|.{0,300}") {
            let header = content_disposition(&name);
            proptest::prop_assert!(header.bytes().all(|b| (b' '..=b'~').contains(&b)));
            let plain = header.split("; filename*").next().unwrap();
            proptest::prop_assert_eq!(plain.matches('"').count(), 2);
        }
    }
}
