//! Message ids (RFC 5322 section 3.6.4).

/// Longest id: what fits a line (RFC 5322 section 2.1.1).
const MAX_ID: usize = 998;
/// Most ids kept of `References`.
const MAX_IDS: usize = 100;

/// The ids of a field, with angle brackets and without white space, at most 100: the first and the
/// last 99. Text between ids is passed over.
pub fn message_ids(value: &[u8]) -> Vec<String> {
    let value = super::fields::unfold(value);
    let mut ids = Vec::new();
    for piece in value.split_inclusive('>') {
        let Some(end) = piece.strip_suffix('>') else {
            break;
        };
        let Some((_, id)) = end.rsplit_once('<') else {
            continue;
        };
        let id: String = id
            .chars()
            .filter(|c| !c.is_whitespace() && !c.is_control())
            .collect();
        if !id.is_empty() && id.len() <= MAX_ID - 2 {
            ids.push(format!("<{id}>"));
        }
    }
    if ids.len() > MAX_IDS {
        ids.drain(1..ids.len() + 1 - MAX_IDS);
    }
    ids
}

/// The id of a field that should hold one; where brackets are missing, the text as it stands.
pub(super) fn message_id(value: &[u8]) -> Option<String> {
    message_ids(value).into_iter().next().or_else(|| {
        let text = crate::text::one_line(&super::fields::unfold(value));
        (!text.is_empty() && text.len() <= MAX_ID && !text.contains(char::is_whitespace))
            .then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_found_among_other_text() {
        assert_eq!(
            message_ids(b"<a@b>\r\n\t<c@d> (x) junk <e\r\n f@g><>"),
            ["<a@b>", "<c@d>", "<ef@g>"]
        );
        assert_eq!(message_ids(b"<a <b@c> d>"), ["<b@c>"]);
        assert_eq!(message_ids(b"none"), [""; 0]);
    }

    #[test]
    fn a_single_id_may_lack_its_brackets() {
        assert_eq!(message_id(b" a@b\r\n"), Some("a@b".into()));
        assert_eq!(message_id(b"your message of Monday"), None);
        assert_eq!(message_id(&[b'a'; 2_000]), None);
    }

    #[test]
    fn the_first_and_the_last_99_are_kept() {
        let many: String = (0..300).map(|n| format!("<{n}@x> ")).collect();
        let ids = message_ids(many.as_bytes());
        assert_eq!(ids.len(), 100);
        assert_eq!(
            (ids[0].as_str(), ids[1].as_str(), ids[99].as_str()),
            ("<0@x>", "<201@x>", "<299@x>")
        );
    }
}
