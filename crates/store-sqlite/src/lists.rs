//! Lists as JSON text, which `json_each` turns into rows: SQLite has no arrays. Bytes are written in
//! hexadecimal, which `unhex` reads.

use email_model::EntryKey;
use gateway_store::{EntryRow, ScopeNumber};
use store_sql::encoding;

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn push_hex(text: &mut String, bytes: &[u8]) {
    text.reserve(2 * bytes.len());
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

fn list<T>(items: impl IntoIterator<Item = T>, push: impl Fn(&mut String, T)) -> String {
    let mut text = String::from("[");
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        push(&mut text, item);
    }
    text.push(']');
    text
}

/// `[1,2]`
pub(crate) fn integers(integers: impl IntoIterator<Item = i64>) -> String {
    list(integers, |text, integer| {
        text.push_str(&integer.to_string())
    })
}

/// `[[1,"hex"]]`
pub(crate) fn pairs<'a>(pairs: impl IntoIterator<Item = (i32, &'a [u8])>) -> String {
    list(pairs, |text, (number, bytes)| {
        text.push('[');
        text.push_str(&number.to_string());
        text.push_str(",\"");
        push_hex(text, bytes);
        text.push_str("\"]");
    })
}

/// Scopes and keys as [`pairs`].
pub(crate) fn keys<'a>(keys: impl IntoIterator<Item = &'a (ScopeNumber, EntryKey)>) -> String {
    pairs(keys.into_iter().map(|(scope, key)| (scope.0, &key.0[..])))
}

/// `[[1,"hex",2]]`
pub(crate) fn entries<'a>(entries: impl IntoIterator<Item = &'a EntryRow>) -> String {
    list(entries, |text, entry| {
        text.push('[');
        text.push_str(&entry.scope.0.to_string());
        text.push_str(",\"");
        push_hex(text, &entry.key.0);
        text.push_str("\",");
        text.push_str(&encoding::message_id(entry.message).to_string());
        text.push(']');
    })
}
