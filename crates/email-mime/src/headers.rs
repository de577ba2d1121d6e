//! Header blocks to envelopes.

mod addresses;
pub(crate) mod fields;
mod ids;
pub(crate) mod parameters;
mod words;

use email_model::{Address, Envelope, Header, Sensitivity, Timestamp};
use mail_parser::{HeaderValue, parsers::MessageStream};

pub use addresses::parse_addresses;
pub use ids::message_ids;
pub use words::decode_unstructured;

use addresses::MAX_ADDRESSES;
use fields::{Field, fields, unfold};

/// Most octets of a header block that are looked at.
pub const MAX_BLOCK: usize = 256 << 10;
/// Octets of the longest name of a field that an envelope is made of.
const LONGEST_NAME: usize = "in-reply-to".len() + 1;
/// Most fields listed.
const MAX_HEADERS: usize = 1_000;

/// The envelope that a raw header block tells: all but what depends on the mailbox or the body. Of a field
/// that must stand once, the first counts; recipients of several fields of one name are joined, so
/// that nobody is shown fewer of them than another reader of the same mail.
///
/// At most the first 256 KiB are looked at, and 1,000 mailboxes of each kind kept.
pub fn parse_header_block(block: &[u8]) -> Envelope {
    let mut envelope = Envelope::default();
    let mut from_seen = false;
    for field in fields(capped(block)) {
        let value = field.value;
        let mut lower = [0; LONGEST_NAME];
        let Some(name) = lower.get_mut(..field.name.len()) else {
            continue;
        };
        name.copy_from_slice(field.name);
        name.make_ascii_lowercase();
        match &*name {
            b"message-id" => first(&mut envelope.message_id, || ids::message_id(value)),
            b"in-reply-to" => first(&mut envelope.in_reply_to, || ids::message_id(value)),
            b"references" if envelope.references.is_empty() => {
                envelope.references = message_ids(value);
            }
            b"subject" => first(&mut envelope.subject, || Some(decode_unstructured(value))),
            b"from" if !from_seen => {
                from_seen = true;
                envelope.from = parse_addresses(value).into_iter().next();
            }
            b"to" => join(&mut envelope.to, value),
            b"cc" => join(&mut envelope.cc, value),
            b"bcc" => join(&mut envelope.bcc, value),
            b"reply-to" => join(&mut envelope.reply_to, value),
            b"date" => first(&mut envelope.sent_at, || parse_date(value)),
            b"sensitivity" => first(&mut envelope.sensitivity, || sensitivity(value)),
            b"thread-index" => first(&mut envelope.thread_index, || {
                let index: String = unfold(value)
                    .chars()
                    .filter(char::is_ascii_graphic)
                    .collect();
                (!index.is_empty()).then_some(index)
            }),
            _ => {}
        }
    }
    envelope
}

/// The fields of a header block, unfolded and decoded, in order: at most 1,000, of the first 256 KiB.
pub fn list(block: &[u8]) -> Vec<Header> {
    let header = |field: Field<'_>| Header {
        name: unfold(field.name),
        value: decode_unstructured(field.value),
    };
    fields(capped(block))
        .take(MAX_HEADERS)
        .map(header)
        .collect()
}

/// The moment of a date field (RFC 5322 section 3.3, obsolete forms included).
pub fn parse_date(value: &[u8]) -> Option<Timestamp> {
    let value = unfold(value) + "\n";
    match MessageStream::new(value.as_bytes()).parse_date() {
        HeaderValue::DateTime(mut date) => {
            // A leap second is the last one of its minute: most clocks cannot tell it.
            date.second = if date.second == 60 { 59 } else { date.second };
            date.is_valid()
                .then(|| Timestamp::from_timestamp(date.to_timestamp(), 0))
                .flatten()
        }
        _ => None,
    }
}

/// Cut at a line's end, so that no half value is taken for a whole one.
fn capped(block: &[u8]) -> &[u8] {
    match block.get(..MAX_BLOCK) {
        Some(head) => &head[..memchr::memrchr(b'\n', head).map_or(MAX_BLOCK, |end| end + 1)],
        None => block,
    }
}

fn first<T>(slot: &mut Option<T>, value: impl FnOnce() -> Option<T>) {
    if slot.is_none() {
        *slot = value();
    }
}

fn join(list: &mut Vec<Address>, value: &[u8]) {
    if list.len() < MAX_ADDRESSES {
        list.extend(parse_addresses(value));
        list.truncate(MAX_ADDRESSES);
    }
}

/// RFC 2156 section 5.3.4.
fn sensitivity(value: &[u8]) -> Option<Sensitivity> {
    let value = unfold(value).trim().to_ascii_lowercase();
    Some(match value.as_str() {
        "normal" => Sensitivity::Normal,
        "private" => Sensitivity::Private,
        "personal" => Sensitivity::Personal,
        "company-confidential" | "confidential" => Sensitivity::Confidential,
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
