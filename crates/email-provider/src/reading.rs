use bytes::Bytes;
use email_model::{Content, Envelope, FolderKey, FolderKind, FolderRole, MessageQuery, Timestamp};
use futures::stream::BoxStream;

use crate::{EntryState, Identity, MessageRef, Position, ProviderError, ThreadHint};

/// Bytes as they arrive. Dropping it ends the transfer; an error ends the stream.
pub type ByteStream = BoxStream<'static, Result<Bytes, ProviderError>>;

/// A folder or label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// The backend's key.
    pub key: FolderKey,
    /// Last element of the path, decoded.
    pub name: String,
    /// The whole path, elements joined by `/`.
    pub full_name: String,
    /// The folder above it.
    pub parent: Option<FolderKey>,
    /// What it is for.
    pub role: Option<FolderRole>,
    /// Folder or label.
    pub kind: FolderKind,
    /// Can hold messages.
    pub selectable: bool,
}

/// A folder to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFolder {
    /// Its name: one path element, not empty, no control characters.
    pub name: String,
    /// The folder above it.
    pub parent: Option<FolderKey>,
}

/// How much of a message to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// Only whether it is there.
    Exists,
    /// State only.
    State,
    /// State, identity, envelope with its attachment list; for an interactive call with its snippet too.
    Envelope,
    /// All that and the body texts and headers; never an attachment's bytes.
    Content,
}

/// A fetched message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Which one.
    pub at: MessageRef,
    /// State; always there from `Detail::State` up.
    pub state: Option<EntryState>,
    /// Identity; always there from `Detail::Envelope` up.
    pub identity: Option<Identity>,
    /// Conversation; always there from `Detail::Envelope` up.
    pub thread: Option<ThreadHint>,
    /// Envelope; always there at `Detail::Envelope`.
    pub envelope: Option<Envelope>,
    /// Content; always there at `Detail::Content` (its envelope stands in for `envelope`).
    pub content: Option<Content>,
}

/// Where to search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchScope {
    /// Every folder that is not a view.
    Everywhere {
        /// Trash and Junk too.
        trash_and_junk: bool,
    },
    /// One folder, without those below it.
    Folder(FolderKey),
}

/// A search. An empty query lists.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Where.
    pub scope: SearchScope,
    /// What; every `in:` is resolved to folders.
    pub query: MessageQuery,
    /// Where the last page ended.
    pub position: Option<Position>,
    /// Most results wanted, 1 to 500.
    pub limit: usize,
}

/// Results, newest received first.
#[derive(Clone, Debug)]
pub struct SearchPage {
    /// Where they are. With the time of receipt, where known.
    pub hits: Vec<(MessageRef, Option<Timestamp>)>,
    /// More results after this; a page may be empty while there are more.
    pub next: Option<Position>,
    /// Indexes of terms that the backend did not apply: the gateway checks them on each hit.
    pub unchecked: Vec<usize>,
}
