//! IMAP's terms to the uniform model's.

use chrono::{DateTime, FixedOffset, Utc};
use email_mime::{
    headers,
    structure::{Part, RawPart, Structure, classify},
};
use email_model::{Digest128, Envelope, Flags, FolderKey, Labels, Timestamp, digest};
use email_provider::{Entry, EntryState, Identity, ThreadHint};

use crate::{
    cursor::entry_key,
    protocol::{BodyContent, BodyPart, FetchData, FlagSet, MailboxName, Section, SystemFlags},
};

/// Keywords that are flags in the uniform model (RFC 5788's registry, and what Gmail calls important).
const FLAG_KEYWORDS: [(&str, Flags); 3] = [
    ("$Forwarded", Flags::FORWARDED),
    ("$Important", Flags::IMPORTANT),
    ("\\Important", Flags::IMPORTANT),
];

const SYSTEM_FLAGS: [(SystemFlags, Flags); 4] = [
    (SystemFlags::SEEN, Flags::SEEN),
    (SystemFlags::ANSWERED, Flags::ANSWERED),
    (SystemFlags::FLAGGED, Flags::FLAGGED),
    (SystemFlags::DRAFT, Flags::DRAFT),
];

/// Header fields that an envelope is made of.
pub(crate) const ENVELOPE_FIELDS: [&str; 12] = [
    "Message-ID",
    "In-Reply-To",
    "References",
    "Subject",
    "From",
    "To",
    "Cc",
    "Bcc",
    "Reply-To",
    "Date",
    "Sensitivity",
    "Thread-Index",
];

pub(crate) fn labels(flags: &FlagSet) -> Labels {
    let mut uniform = Flags::empty();
    for (system, flag) in SYSTEM_FLAGS {
        if flags.system.contains(system) {
            uniform |= flag;
        }
    }
    let mut keywords = Vec::new();
    for keyword in &flags.keywords {
        match FLAG_KEYWORDS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(keyword))
        {
            Some((_, flag)) => uniform |= *flag,
            None if keyword.starts_with('\\') => {}
            None => keywords.push(keyword.clone()),
        }
    }
    Labels::new(uniform, keywords)
}

/// The system flags and keywords that stand for uniform flags.
pub(crate) fn stored_flags(flags: Flags) -> (SystemFlags, Vec<String>) {
    let mut system = SystemFlags::empty();
    for (stored, flag) in SYSTEM_FLAGS {
        if flags.contains(flag) {
            system |= stored;
        }
    }
    let keywords = FLAG_KEYWORDS
        .iter()
        .filter(|(name, flag)| name.starts_with('$') && flags.contains(*flag))
        .map(|(name, _)| (*name).to_owned())
        .collect();
    (system, keywords)
}

pub(crate) fn is_deleted(flags: Option<&FlagSet>) -> bool {
    flags.is_some_and(|flags| flags.system.contains(SystemFlags::DELETED))
}

pub(crate) fn entry_state(mailbox: &MailboxName, flags: &FlagSet) -> EntryState {
    EntryState {
        labels: labels(flags),
        folders: vec![FolderKey(mailbox.to_key())],
    }
}

pub(crate) fn timestamp(date: DateTime<FixedOffset>) -> Timestamp {
    date.with_timezone(&Utc)
}

/// By which ids a mailbox's messages are recognised; fixed when it is first opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum IdentityKind {
    /// EMAILID (RFC 8474).
    ObjectId,
    /// A digest of the message's content.
    Content,
}

pub(crate) fn identity(kind: IdentityKind, data: &FetchData, envelope: &Envelope) -> Identity {
    match (kind, &data.email_id) {
        (IdentityKind::ObjectId, Some(id)) => Identity::Native(id.clone()),
        _ => Identity::from_content(envelope),
    }
}

/// The envelope that a fetched message tells: its header fields, date, size and structure.
pub(crate) fn envelope(data: &FetchData, header: Option<&[u8]>) -> Envelope {
    let mut envelope = headers::parse_header_block(header.unwrap_or_default());
    envelope.received_at = data.internal_date.map(timestamp);
    envelope.size = data.size;
    if let Some(structure) = &data.structure {
        let structure = classify(&part(structure));
        envelope.meeting_method = structure.meeting_method;
        envelope.attachments = Some(structure.attachments);
    }
    envelope
}

pub(crate) fn structure(body: &BodyPart) -> Structure {
    classify(&part(body))
}

/// The entry of a message fetched with [`crate::scan_items`].
pub(crate) fn entry(
    kind: IdentityKind,
    mailbox: &MailboxName,
    uid_validity: u32,
    data: &FetchData,
) -> Entry {
    let header = data
        .section(&Section::header_fields(&ENVELOPE_FIELDS))
        .map(|bytes| bytes.as_ref());
    let envelope = envelope(data, header);
    Entry {
        key: entry_key(uid_validity, data.uid),
        state: data.flags.as_ref().map(|flags| entry_state(mailbox, flags)),
        received_at: envelope.received_at,
        identity: Some(identity(kind, data, &envelope)),
        thread: Some(thread_hint(data)),
        envelope: Some(envelope),
        revised: false,
    }
}

pub(crate) fn thread_hint(data: &FetchData) -> ThreadHint {
    data.thread_id
        .clone()
        .map_or(ThreadHint::Derive, ThreadHint::Native)
}

/// An entry of which only the flags were fetched.
pub(crate) fn bare_entry(
    mailbox: &MailboxName,
    uid_validity: u32,
    uid: u32,
    flags: &FlagSet,
) -> Entry {
    Entry {
        key: entry_key(uid_validity, uid),
        state: Some(entry_state(mailbox, flags)),
        received_at: None,
        identity: None,
        thread: None,
        envelope: None,
        revised: false,
    }
}

/// A digest of a listing: equal while nothing changed.
pub(crate) fn listing_digest(listing: &[(u32, FlagSet)]) -> Digest128 {
    let mut sorted: Vec<_> = listing.iter().collect();
    sorted.sort_by_key(|(uid, _)| *uid);
    let mut bytes = Vec::with_capacity(sorted.len() * 8);
    for (uid, flags) in sorted {
        bytes.extend(uid.to_be_bytes());
        bytes.push((flags.system - SystemFlags::RECENT).bits());
        let mut keywords: Vec<&str> = flags.keywords.iter().map(String::as_str).collect();
        keywords.sort_unstable();
        for keyword in keywords {
            bytes.extend(keyword.as_bytes());
            bytes.push(0);
        }
        bytes.push(1);
    }
    digest("polypost.imap-listing.1", &[&bytes])
}

/// The part tree of a BODYSTRUCTURE; its depth is bounded where it was parsed.
fn part(body: &BodyPart) -> Part {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let pairs = |parameters: &crate::protocol::Parameters| -> Vec<(String, String)> {
        parameters
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect()
    };
    let (parameters, disposition_parameters) =
        (pairs(&body.parameters), pairs(&body.disposition_parameters));
    let id = body.id.as_ref().map(|id| text(id));
    let mut part = Part::from_raw(&RawPart {
        media_type: &body.media_type,
        subtype: &body.subtype,
        parameters: &parameters,
        disposition: body.disposition.as_deref(),
        disposition_parameters: &disposition_parameters,
        content_id: id.as_deref(),
        content_location: None,
        encoding: body.encoding.as_deref(),
        encoded_size: Some(body.size),
    });
    if let BodyContent::Multipart(children) = &body.content {
        part.children = children.iter().map(self::part).collect();
    }
    part
}
