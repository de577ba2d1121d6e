//! Requests held against the tables.

/// Whether a text can be an id of this vendor's at all.
pub(crate) fn looks_like_id(text: &str) -> bool {
    text.len() >= 20
        && text.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=' | b'+' | b'/')
        })
}
