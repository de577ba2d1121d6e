//! What is done with each input, by the fuzz targets and by the test that replays the corpus.

use bytes::Bytes;
use email_model::{BodyType, Timestamp, query};
use gateway_operations::{AccountId, TokenSeal};
use gateway_store::sealing::Sealer;
use provider_imap::protocol::{Limits, Splitter, parse_tagged, parse_untagged};
use secrecy::SecretBox;

/// Whatever a server sends, however it is cut, is split alike and read without harm.
pub fn imap_response(data: &[u8]) {
    let (responses, broken) = split(data, data.len().max(1));
    let (pieces, broken_in_pieces) = split(data, 7);
    assert!(
        broken || broken_in_pieces || responses == pieces,
        "the cut changes what is read"
    );
    let whole = Bytes::copy_from_slice(data);
    for response in responses.iter().chain([&whole]) {
        let _ = parse_untagged(response);
        let _ = parse_tagged(response);
    }
}

/// The responses of a stream that arrives in pieces of one size, and whether it broke a limit.
fn split(data: &[u8], size: usize) -> (Vec<Bytes>, bool) {
    let mut splitter = Splitter::new(Limits::default());
    let mut responses = Vec::new();
    for piece in data.chunks(size) {
        splitter.push(piece);
        loop {
            match splitter.next_response() {
                Ok(Some(response)) => responses.push(response),
                Ok(None) => break,
                Err(_) => return (responses, true),
            }
        }
    }
    (responses, false)
}

/// Whatever a caller searches for is understood or refused.
pub fn search_query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let now = Timestamp::from_timestamp(1_700_000_000, 0).expect("a moment");
    if let Ok(parsed) = query::parse(text, now) {
        let _ = parsed.needs_body();
    }
}

/// Whatever a caller gives as a sync token is refused, unless it is one that was made here; and even what was
/// sealed with the right key is read without harm.
pub fn sync_token(data: &[u8]) {
    let sealer = Sealer::new(&SecretBox::new(Box::new([7; 32])));
    let seal = TokenSeal {
        sealer: &sealer,
        account: AccountId(1),
        epoch: 0x0102_0304,
    };
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(
            seal.check(text).is_err(),
            "a token that nobody made is taken"
        );
    }
    let sealed = seal.seal(data).expect("random numbers");
    let _ = seal.check(&sealed);
    let mut altered = sealed.into_bytes();
    if let Some(last) = altered.last_mut() {
        *last = if *last == b'A' { b'B' } else { b'A' };
    }
    let altered = String::from_utf8(altered).expect("base64url");
    assert!(seal.check(&altered).is_err(), "an altered token is taken");
}

/// Whatever a stranger mails is read without harm.
pub fn mime(raw: &[u8]) {
    let _ = email_mime::headers::parse_header_block(raw);
    let _ = email_mime::headers::list(raw);
    let Ok(parsed) = email_mime::parse(raw) else {
        return;
    };
    let body = &parsed.content.body;
    for body_type in [BodyType::Html, BodyType::Text] {
        let shown = email_mime::body_as(body, body_type).unwrap_or_default();
        let _ = email_mime::strip_quoted(&shown, body_type);
    }
    for attachment in &parsed.structure.attachments {
        let _ = email_mime::attachment(raw, &attachment.part);
    }
}
