use std::{fmt::Debug, ops::Range};

use async_trait::async_trait;
use email_model::PartId;
use futures::stream::BoxStream;
use tokio::time::Instant;

use crate::{
    ByteStream, Capabilities, ChangePage, Cursor, Detail, Drafts, ErrorKind, Fetched, Folder,
    MessageEdit, MessageRef, NewFolder, ProviderError, ProviderResult, Removal, ScanPage,
    ScanRequest, ScopeKey, SearchPage, SearchRequest, Submitter, Survey,
};

/// Who waits for a call. Interactive calls go before background work in every budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// Scans, rescans, inventories.
    Background,
    /// A client's request waits for it.
    Interactive,
}

/// What every call carries.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Who waits.
    pub priority: Priority,
    /// When the caller stops waiting: the call ends by then with `Unavailable`, or with
    /// `OutcomeUnknown` where an effect may have happened.
    pub deadline: Instant,
}

/// A signed-in mailbox.
///
/// # Behaviour of every implementation
/// - Calls may come at the same time; none waits for another longer than its own deadline.
/// - A call is finished within its deadline. A dropped future leaves the mailbox usable.
/// - A lost connection is an error (`Unavailable`), never an empty or a short answer.
/// - Memory is bounded by the limits asked for, whatever the server sends.
/// - What the server says is data: no text of its reaches an error longer than 300 characters or with
///   control characters.
#[async_trait]
pub trait EmailProvider: Send + Sync + Debug {
    /// Facts of this mailbox, as learned at sign-in.
    fn capabilities(&self) -> Capabilities;

    // ---- reading

    /// Every folder and label, views included.
    /// - Keys are distinct; a parent named is in the list.
    /// - At most one folder has a given role.
    async fn folders(&self, call: Call) -> ProviderResult<Vec<Folder>>;

    /// Finds messages, newest received first.
    /// - With an empty query it lists every message of the scope, each once over all pages.
    /// - A term is applied exactly, or its index is in `unchecked`, or the call fails with
    ///   `Unsupported` naming the term.
    /// - A message that is marked as deleted and not yet expunged is not there.
    async fn search(&self, call: Call, request: SearchRequest) -> ProviderResult<SearchPage>;

    /// Fetches messages.
    /// - The answer follows the order of `refs`; what is absent is left out; a ref named twice is
    ///   answered twice or once.
    /// - A ref never yields another message than the one it was made for: a key that the backend
    ///   has given to another message is absent.
    /// - A message that is marked as deleted and not yet expunged is absent.
    /// - Nothing is marked as read.
    async fn fetch(
        &self,
        call: Call,
        refs: &[MessageRef],
        detail: Detail,
    ) -> ProviderResult<Vec<Fetched>>;

    /// The raw message, byte for byte as the backend serves it. `NotFound` where there is none.
    async fn raw(&self, call: Call, at: &MessageRef) -> ProviderResult<ByteStream>;

    /// A part's decoded bytes; the `range` of them where one is given (past the end: nothing).
    /// `NotFound` where the message or the part does not exist.
    async fn attachment(
        &self,
        call: Call,
        at: &MessageRef,
        part: &PartId,
        range: Option<Range<u64>>,
    ) -> ProviderResult<ByteStream>;

    // ---- change feed

    /// The level check: which folders and scopes there are, and which of them have moved since the
    /// cursors in `known`.
    /// - A scope without a cursor in `known` counts as moved.
    /// - `moved: false` is a proof; where the backend cannot tell cheaply, it is `true`.
    /// - An answer is complete: a scope that it does not name does not exist.
    async fn survey(&self, call: Call, known: &[(ScopeKey, Cursor)]) -> ProviderResult<Survey>;

    /// A cursor for "now", taken before a scan: every change after this call is told by `changes`
    /// from it. `None` where only the end of a scan yields one. `NotFound` where the scope is gone.
    async fn begin(&self, call: Call, scope: &ScopeKey) -> ProviderResult<Option<Cursor>>;

    /// Lists a scope.
    /// - Over all pages every entry that is there from beginning to end is told at least once.
    /// - With `ScanDetail::Envelopes` newest come first where the backend can.
    /// - `proof: true` only for a listing that was one response, ended by the server's own word and
    ///   counted.
    async fn scan(
        &self,
        call: Call,
        scope: &ScopeKey,
        request: ScanRequest<'_>,
    ) -> ProviderResult<ScanPage>;

    /// Changes since the cursor.
    /// - Complete: from any cursor, the changes told bring a copy of that moment to the present one.
    /// - Idempotent: the same cursor may be asked twice.
    /// - An entry that is marked as deleted and not yet expunged counts as removed; unmarking it
    ///   brings it back as a new entry.
    /// - `CursorExpired` where the backend has forgotten; `NotFound` where the scope is gone.
    async fn changes(
        &self,
        call: Call,
        scope: &ScopeKey,
        cursor: &Cursor,
        limit: usize,
    ) -> ProviderResult<ChangePage>;

    // ---- writing

    /// Changes a message: all of the edit or none of it where the backend allows, else in the order
    /// flags, keywords, place. Repeating it is harmless. `NotFound` where it is absent;
    /// `Unsupported` names what this mailbox cannot do. Returns where the message is now, where the
    /// backend tells.
    async fn update(
        &self,
        call: Call,
        at: &MessageRef,
        edit: &MessageEdit,
    ) -> ProviderResult<Option<MessageRef>>;

    /// Removes a message, and no other. `NotFound` where it is absent.
    async fn remove(&self, call: Call, at: &MessageRef, removal: Removal) -> ProviderResult<()>;

    /// Makes a folder. `Conflict` where it exists.
    async fn create_folder(&self, _call: Call, _folder: NewFolder) -> ProviderResult<Folder> {
        Err(ProviderError::new(
            ErrorKind::Unsupported,
            "this mailbox cannot create folders",
        ))
    }

    // ---- facets: a feature exists exactly when its facet does

    /// Pushed hints.
    fn notifier(&self) -> Option<&dyn Notifier> {
        None
    }

    /// Sending.
    fn submitter(&self) -> Option<&dyn Submitter> {
        None
    }

    /// Drafts.
    fn drafts(&self) -> Option<&dyn Drafts> {
        None
    }

    /// Ends connections and background work. The mailbox is not used afterwards.
    async fn close(&self) {}
}

/// A mailbox that says when it changed.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Hints, each one "something may have changed". A hint is never a truth: it only starts a
    /// pass. The stream ends when the watch is lost; dropping it ends the watch.
    async fn watch(&self) -> ProviderResult<BoxStream<'static, ()>>;
}
