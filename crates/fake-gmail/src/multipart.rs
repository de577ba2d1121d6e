//! Multipart bodies of requests (RFC 2046 §5.1), read strictly.

/// Names and values, in order.
pub(crate) type HeaderLines = Vec<(String, String)>;

/// A part with its header lines.
#[derive(Debug)]
pub(crate) struct Part {
    headers: HeaderLines,
    pub body: Vec<u8>,
}

impl Part {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The content type in lower case.
    pub fn content_type(&self) -> String {
        self.header("content-type")
            .unwrap_or_default()
            .to_lowercase()
    }
}

/// The boundary that a content type of this kind names.
pub(crate) fn boundary(content_type: &str, kind: &str) -> Option<String> {
    let mut fields = content_type.split(';');
    if !fields.next()?.trim().eq_ignore_ascii_case(kind) {
        return None;
    }
    let value = fields.find_map(|field| {
        let (name, value) = field.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then_some(value)
    })?;
    let value = value.trim_matches('"');
    (1..=70).contains(&value.len()).then(|| value.to_owned())
}

/// The parts up to the closing boundary; none where that or a blank line is missing.
pub(crate) fn parts(body: &[u8], boundary: &str) -> Option<Vec<Part>> {
    let delimiter = format!("--{boundary}");
    let mut starts = Vec::new();
    let mut position = 0;
    while let Some(found) = find(&body[position..], delimiter.as_bytes()) {
        let at = position + found;
        position = at + delimiter.len();
        if at == 0 || body[at - 1] == b'\n' {
            starts.push((at, position));
        }
    }
    let (_, last) = *starts.last()?;
    if !body[last..].starts_with(b"--") {
        return None;
    }
    let mut parts = Vec::new();
    for pair in starts.windows(2) {
        let ((_, start), (end, _)) = (pair[0], pair[1]);
        let section = strip_line_end(&body[start..end]);
        let (headers, body) = head_and_body(strip_line_start(section)?)?;
        parts.push(Part { headers, body });
    }
    Some(parts)
}

/// Header lines and what follows the blank line.
pub(crate) fn head_and_body(section: &[u8]) -> Option<(HeaderLines, Vec<u8>)> {
    let (head, body) = split_blank_line(section)?;
    let mut headers = Vec::new();
    for line in std::str::from_utf8(head).ok()?.lines() {
        let (name, value) = line.split_once(':')?;
        headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Some((headers, body.to_vec()))
}

fn split_blank_line(section: &[u8]) -> Option<(&[u8], &[u8])> {
    for blank in [b"\r\n".as_slice(), b"\n"] {
        if let Some(body) = section.strip_prefix(blank) {
            return Some((&[], body));
        }
    }
    let at = [b"\r\n\r\n".as_slice(), b"\n\n"]
        .iter()
        .filter_map(|blank| find(section, blank).map(|at| (at, blank.len())))
        .min();
    match at {
        Some((at, length)) => Some((&section[..at], &section[at + length..])),
        // A request without a body may end after its headers.
        None => Some((section, &[])),
    }
}

fn strip_line_start(section: &[u8]) -> Option<&[u8]> {
    let end = section.iter().position(|byte| *byte == b'\n')?;
    section.get(end + 1..)
}

fn strip_line_end(section: &[u8]) -> &[u8] {
    let section = section.strip_suffix(b"\n").unwrap_or(section);
    section.strip_suffix(b"\r").unwrap_or(section)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    memchr::memmem::find(haystack, needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_end_at_boundaries_on_lines_of_their_own() {
        let body =
            b"--b\r\nContent-Type: text/plain\r\n\r\none --b\r\n--b\r\n\r\ntwo\r\n\r\n--b--\r\n";
        let parts = parts(body, "b").expect("two parts");
        assert_eq!(parts[0].body, b"one --b");
        assert_eq!(parts[0].content_type(), "text/plain");
        assert_eq!(parts[1].body, b"two\r\n");
    }

    #[test]
    fn a_body_without_its_closing_boundary_is_refused() {
        assert!(parts(b"--b\r\n\r\none\r\n", "b").is_none());
    }

    #[test]
    fn a_boundary_may_be_quoted() {
        let kind = "multipart/related; type=\"a/b\"; boundary=\"x y\"";
        assert_eq!(boundary(kind, "multipart/related").as_deref(), Some("x y"));
    }
}
