//! Search and messages.

use std::{collections::BTreeMap, fs::File, io::Read as _, ops::Range};

use email_model::{Content, FolderKey, FolderRole, PartId, ScopeKey};
use email_provider::{
    ByteStream, Detail, ErrorKind, Fetched, Identity, MessageRef, ProviderResult, SearchPage,
    SearchRequest, SearchScope, ThreadHint,
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio_util::io::ReaderStream;

use crate::{
    cursor::ListedDownTo,
    error, folders,
    maildir::{Listing, Maildir, MessageFile},
};

/// Most octets of a message that are looked into.
const MOST: u64 = 64 << 20;

/// All messages of these folders.
pub(crate) fn newest_first(
    maildir: &Maildir,
    folders: &[String],
) -> ProviderResult<Vec<(ListedDownTo, MessageFile)>> {
    let mut all = Vec::new();
    for folder in folders {
        for file in maildir.listing(folder)?.into_values() {
            let at = MessageRef {
                scope: ScopeKey(folder.clone()),
                key: file.key.clone(),
            };
            match maildir.with_file(&at, MessageFile::facts) {
                Ok((received, _)) => all.push((
                    ListedDownTo(received.timestamp(), folder.clone(), at.key.0),
                    file,
                )),
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    all.sort_by(|(one, _), (other, _)| other.cmp(one));
    Ok(all)
}

/// Lists; nothing is indexed, so that every term is the gateway's to check.
pub(crate) fn search(maildir: &Maildir, request: &SearchRequest) -> ProviderResult<SearchPage> {
    let mut wanted = match &request.scope {
        SearchScope::Folder(FolderKey(folder)) => vec![folder.clone()],
        SearchScope::Everywhere { .. } => maildir.folders()?,
    };
    if let SearchScope::Everywhere {
        trash_and_junk: false,
    } = request.scope
    {
        wanted.retain(|key| {
            !matches!(
                folders::role(key),
                Some(FolderRole::Trash | FolderRole::Junk)
            )
        });
    }
    let below = request.position.as_ref().map(ListedDownTo::from_position);
    let below = below.transpose()?;
    let mut all = newest_first(maildir, &wanted)?;
    all.retain(|(at, _)| below.as_ref().is_none_or(|last| at < last));
    let page = request.limit.clamp(1, 500);
    let next = (all.len() > page).then(|| all[page - 1].0.to_position());
    let hits = all.into_iter().take(page).map(|(at, file)| {
        let ListedDownTo(received, folder, _) = at;
        let at = MessageRef {
            scope: ScopeKey(folder),
            key: file.key,
        };
        (at, email_model::Timestamp::from_timestamp(received, 0))
    });
    Ok(SearchPage {
        hits: hits.collect(),
        next,
        unchecked: (0..request.query.terms.len()).collect(),
    })
}

pub(crate) fn fetch(
    maildir: &Maildir,
    refs: &[MessageRef],
    detail: Detail,
) -> ProviderResult<Vec<Fetched>> {
    let mut listings: BTreeMap<&ScopeKey, Listing> = BTreeMap::new();
    let mut found = Vec::new();
    for at in refs {
        if !listings.contains_key(&at.scope) {
            let listing = match maildir.listing(&at.scope.0) {
                Err(error) if error.kind == ErrorKind::NotFound => Listing::new(),
                listing => listing?,
            };
            listings.insert(&at.scope, listing);
        }
        let Some(file) = listings[&at.scope].get(&at.key) else {
            continue;
        };
        let is_full = detail >= Detail::Envelope;
        let content = match is_full.then(|| content(maildir, at)).transpose() {
            Err(error) if error.kind == ErrorKind::NotFound => continue,
            content => content?,
        };
        let envelope = content.as_ref().map(|content| content.envelope.clone());
        found.push(Fetched {
            at: at.clone(),
            state: (detail >= Detail::State).then(|| file.state(&at.scope.0)),
            identity: envelope.as_ref().map(Identity::from_content),
            thread: is_full.then_some(ThreadHint::Derive),
            envelope: envelope.filter(|_| detail == Detail::Envelope),
            content: content.filter(|_| detail == Detail::Content),
        });
    }
    Ok(found)
}

/// What the gateway is to see of a message. Octets that are no mail at all give an empty one.
pub(crate) fn content(maildir: &Maildir, at: &MessageRef) -> ProviderResult<Content> {
    let (raw, (received_at, size)) =
        maildir.with_file(at, |file| Ok((octets(file)?, file.facts()?)))?;
    let parsed = email_mime::parse(&raw).map(|parsed| parsed.content);
    let mut content = parsed.unwrap_or_default();
    content.envelope.received_at = Some(received_at);
    content.envelope.size = Some(size);
    Ok(content)
}

fn octets(file: &MessageFile) -> std::io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    File::open(&file.path)?
        .take(MOST)
        .read_to_end(&mut octets)?;
    Ok(octets)
}

/// The file as it is read from the disk.
pub(crate) fn raw(maildir: &Maildir, at: &MessageRef) -> ProviderResult<ByteStream> {
    let file = maildir.with_file(at, |file| File::open(&file.path))?;
    let stream = ReaderStream::new(tokio::fs::File::from_std(file));
    Ok(stream.map_err(error::of_disk).boxed())
}

pub(crate) fn attachment(
    maildir: &Maildir,
    at: &MessageRef,
    part: &PartId,
    range: Option<Range<u64>>,
) -> ProviderResult<ByteStream> {
    let raw = maildir.with_file(at, octets)?;
    let mut part = email_mime::attachment(&raw, part).ok_or_else(error::no_message)?;
    if let Some(range) = range {
        let within = |at: u64| usize::try_from(at).map_or(part.len(), |at| at.min(part.len()));
        let (start, end) = (within(range.start), within(range.end));
        part.truncate(end.max(start));
        part.drain(..start);
    }
    Ok(stream::iter([Ok(part.into())]).boxed())
}
