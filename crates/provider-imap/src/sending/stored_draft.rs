//! A draft as it lies in its folder.

use bytes::Bytes;
use email_provider::{ByteStream, Call, DraftRef, ErrorKind, ProviderError, ProviderResult};
use futures::{StreamExt as _, stream};

use super::{
    draft_key::DraftKey,
    folders::{id_of, select_to_change, with_id},
    header::{self, DraftHeader, invalid},
};
use crate::{
    protocol::{Connection, PooledConnection, UidSet},
    provider::{ImapProvider, not_found},
    streams::Pieces,
};

/// A draft that is there, unchanged, on a connection that has its folder selected.
pub(super) struct Found {
    pub connection: PooledConnection,
    pub key: DraftKey,
    /// It and what is left of its earlier versions.
    pub versions: UidSet,
}

/// A draft's header, and a way to the rest.
pub(super) struct Opened {
    pub header: DraftHeader,
    /// What follows the header.
    pub body: ByteStream,
    /// Octets of the whole draft, as far as is known yet.
    pub size: u64,
}

impl ImapProvider {
    /// Looks for the draft of a reference.
    ///
    /// # Errors
    /// `Conflict` where there is another version by now, `NotFound` where there is none.
    pub(super) async fn find_unchanged(
        &self,
        call: Call,
        draft: &DraftRef,
    ) -> ProviderResult<Found> {
        let key = DraftKey::read(draft)?;
        let mut connection = self.short(call).await?;
        let versions = versions(&mut connection, &key, call).await?;
        match versions.uids.last() {
            None => Err(not_found("the draft")),
            Some(last) if last == key.uid && versions.is_same_validity => Ok(Found {
                connection,
                key,
                versions: versions.uids,
            }),
            Some(_) => Err(ProviderError::new(
                ErrorKind::Conflict,
                "the draft was changed elsewhere",
            )),
        }
    }

    /// Begins to read a draft, over a connection of its own.
    pub(super) async fn open_draft(&self, call: Call, key: &DraftKey) -> ProviderResult<Opened> {
        let (connection, uid) = self.open_message(call, &key.message(), true).await?;
        let mut pieces = Pieces::of_message(connection, uid);
        let first = pieces.next(call.deadline).await?.unwrap_or_default();
        let length = match header::length(&first) {
            Some(length) => length,
            None if pieces.is_done() => first.len(),
            None => return Err(invalid("the draft's header is too large")),
        };
        let header = DraftHeader::read(&first[..length])?;
        let begun: Bytes = first.slice(length..);
        let size = match pieces.is_done() {
            true => first.len() as u64,
            false => pieces.size(call.deadline).await?,
        };
        let rest = pieces.stream(call).await?;
        Ok(Opened {
            header,
            body: stream::iter([Ok(begun)]).chain(rest).boxed(),
            size,
        })
    }
}

/// What there is of a draft in its folder.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// All of them; the last is the newest.
    pub uids: UidSet,
    /// The UIDs are still those of the reference.
    pub is_same_validity: bool,
}

/// Looks for a draft and its other versions in its folder, which is selected afterwards. Nothing where the folder is
/// gone.
pub(super) async fn versions(
    connection: &mut Connection,
    key: &DraftKey,
    call: Call,
) -> ProviderResult<Versions> {
    let state = match select_to_change(connection, &key.mailbox(), call).await {
        Ok(state) => state,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Versions::default()),
        Err(error) => return Err(error),
    };
    let mut uids = with_id(connection, &key.message_id, call).await?;
    let is_same_validity = state.uid_validity == key.uid_validity;
    // The search may not know of it.
    if is_same_validity && id_of(connection, key.uid, call).await?.is_some() {
        uids = uids.union(&UidSet::range(key.uid, key.uid));
    }
    Ok(Versions {
        uids,
        is_same_validity,
    })
}
