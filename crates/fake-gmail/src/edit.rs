//! Changes to a message's header as it is sent.

/// A message without any header of this name.
pub(crate) fn without(raw: &[u8], name: &str) -> Vec<u8> {
    let (head, body) = split(raw);
    let mut kept = Vec::with_capacity(raw.len());
    let mut dropping = false;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let folded = line
            .first()
            .is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        if !folded {
            dropping = is_header(line, name);
        }
        if !dropping {
            kept.extend_from_slice(line);
        }
    }
    kept.extend_from_slice(body);
    kept
}

/// A message with this header in place of all of its name.
pub(crate) fn with(raw: &[u8], name: &str, value: &str) -> Vec<u8> {
    let mut edited = format!("{name}: {value}\r\n").into_bytes();
    edited.extend(without(raw, name));
    edited
}

fn is_header(line: &[u8], name: &str) -> bool {
    line.split(|byte| *byte == b':')
        .next()
        .is_some_and(|found| found.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}

/// The header lines, and the blank line with what follows.
fn split(raw: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    for line in raw.split_inclusive(|byte| *byte == b'\n') {
        if line == b"\r\n" || line == b"\n" {
            break;
        }
        at += line.len();
    }
    raw.split_at(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_header_goes_as_a_whole_and_the_body_stays() {
        let raw = b"To: a@x\r\nBcc: b@x,\r\n c@x\r\nSubject: s\r\n\r\nBcc: stays";
        assert_eq!(
            without(raw, "bcc"),
            b"To: a@x\r\nSubject: s\r\n\r\nBcc: stays"
        );
        assert_eq!(with(b"To: a\r\n\r\n", "To", "b"), b"To: b\r\n\r\n");
    }
}
