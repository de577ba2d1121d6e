//! Contents kept in memory, bounded by bytes.

use std::{sync::Arc, time::Duration};

use email_model::{
    Address, Content, Digest128, Envelope, Flags, FolderRole, Labels, MessageId, Timestamp, digest,
};
use email_provider::{MessageRef, Position};
use gateway_store::AccountId;
use moka::{policy::EvictionPolicy, sync::Cache};

/// What an entry costs beside its text.
const OVERHEAD: usize = 512;
/// What a snippet costs beside its text.
const SNIPPET_OVERHEAD: usize = 160;
/// Snippets may take this part of what contents may.
const SNIPPETS_SHARE: u64 = 8;
/// How long a change of ours is kept in mind: far longer than any bound on freshness.
const CHANGES_KEPT: Duration = Duration::from_secs(3600);
/// Most accounts of which a change is kept in mind.
const MOST_CHANGES: u64 = 100_000;
/// How long it is kept in mind how far a search has come that has found nothing yet.
const SEARCHES_KEPT: Duration = Duration::from_secs(300);
/// Most such searches.
const MOST_SEARCHES: u64 = 1_000;

/// A content belongs to a message at its place: the same message may turn up elsewhere with other
/// bytes, where it is recognised by its Message-ID alone, and must not hit then.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ContentKey {
    account: AccountId,
    message: MessageId,
    at: Digest128,
}

impl ContentKey {
    fn new(account: AccountId, message: MessageId, at: &MessageRef) -> Self {
        let at = digest("polypost.content.1", &[at.scope.0.as_bytes(), &at.key.0]);
        Self {
            account,
            message,
            at,
        }
    }
}

/// Bodies, headers and envelopes of messages that cannot change; never flags or folders.
#[derive(Debug)]
pub(crate) struct ContentCache {
    contents: Cache<ContentKey, Arc<Content>>,
    /// `None`: nothing is to be read in the message.
    snippets: Cache<ContentKey, Option<Arc<str>>>,
    changes: Cache<AccountId, Timestamp>,
    searches: Cache<(AccountId, Digest128), Position>,
}

impl ContentCache {
    /// A cache of about so many bytes.
    pub fn new(bytes: u64) -> Self {
        let contents = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, content: &Arc<Content>| weight(content))
            // What was read ahead is asked for next, and must not be refused for what was asked for more often.
            .eviction_policy(EvictionPolicy::lru())
            .support_invalidation_closures()
            .build();
        let snippets = Cache::builder()
            .max_capacity(bytes / SNIPPETS_SHARE)
            .weigher(|_, snippet: &Option<Arc<str>>| {
                let text = snippet.as_ref().map_or(0, |text| text.len());
                u32::try_from(SNIPPET_OVERHEAD + text).unwrap_or(u32::MAX)
            })
            .support_invalidation_closures()
            .build();
        let changes = Cache::builder()
            .max_capacity(MOST_CHANGES)
            .time_to_live(CHANGES_KEPT)
            .build();
        let searches = Cache::builder()
            .max_capacity(MOST_SEARCHES)
            .time_to_live(SEARCHES_KEPT)
            .build();
        Self {
            contents,
            snippets,
            changes,
            searches,
        }
    }

    /// The content of a message at its place.
    pub fn get(
        &self,
        account: AccountId,
        message: MessageId,
        at: &MessageRef,
    ) -> Option<Arc<Content>> {
        self.contents.get(&ContentKey::new(account, message, at))
    }

    /// Keeps a content, unless the message is a draft: some backends change drafts in place.
    pub fn keep(
        &self,
        account: AccountId,
        message: MessageId,
        at: &MessageRef,
        labels: &Labels,
        roles: &[FolderRole],
        content: &Arc<Content>,
    ) {
        if cannot_change(labels, roles) {
            self.contents
                .insert(ContentKey::new(account, message, at), Arc::clone(content));
        }
    }

    /// The snippet of a message at its place. `None`: not known; `Some(None)`: it has none.
    pub fn snippet(
        &self,
        account: AccountId,
        message: MessageId,
        at: &MessageRef,
    ) -> Option<Option<Arc<str>>> {
        self.snippets.get(&ContentKey::new(account, message, at))
    }

    /// Keeps a snippet, unless the message is a draft.
    pub fn keep_snippet(
        &self,
        account: AccountId,
        message: MessageId,
        at: &MessageRef,
        labels: &Labels,
        roles: &[FolderRole],
        snippet: Option<&str>,
    ) {
        if cannot_change(labels, roles) {
            self.snippets.insert(
                ContentKey::new(account, message, at),
                snippet.map(Arc::from),
            );
        }
    }

    /// Drops all of an account.
    pub fn forget(&self, account: AccountId) {
        self.changes.invalidate(&account);
        // Fails only for a cache built without support for it.
        let _invalidated = self
            .contents
            .invalidate_entries_if(move |key, _| key.account == account);
        let _invalidated = self
            .snippets
            .invalidate_entries_if(move |key, _| key.account == account);
    }

    /// Notes that a change of ours was sent to the mailbox: what was known before is not current.
    pub fn note_change(&self, account: AccountId, at: Timestamp) {
        self.changes.insert(account, at);
    }

    /// Notes how far a page has searched that found nothing in its time: asked for again, it goes on
    /// there, so that it comes to an end.
    pub fn note_search(&self, account: AccountId, page: Digest128, position: Position) {
        self.searches.insert((account, page), position);
    }

    /// Where such a page goes on.
    pub fn take_search(&self, account: AccountId, page: Digest128) -> Option<Position> {
        self.searches.remove(&(account, page))
    }

    /// The last change of ours, if it was lately.
    pub fn last_change(&self, account: AccountId) -> Option<Timestamp> {
        self.changes.get(&account)
    }
}

fn cannot_change(labels: &Labels, roles: &[FolderRole]) -> bool {
    !labels.flags.contains(Flags::DRAFT) && !roles.contains(&FolderRole::Drafts)
}

/// About how many octets of memory a content takes.
pub(super) fn weight(content: &Content) -> u32 {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let headers: usize = content
        .headers
        .iter()
        .map(|h| h.name.len() + h.value.len() + 48)
        .sum();
    let all = OVERHEAD
        + text(&content.body.html)
        + text(&content.body.text)
        + headers
        + envelope_weight(&content.envelope);
    u32::try_from(all).unwrap_or(u32::MAX)
}

fn envelope_weight(envelope: &Envelope) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let addresses = |all: &[Address]| -> usize {
        all.iter()
            .map(|one| 48 + text(&one.name) + text(&one.address))
            .sum()
    };
    let references: usize = envelope.references.iter().map(|id| id.len() + 24).sum();
    let attachments = envelope
        .attachments
        .iter()
        .flatten()
        .map(|one| 160 + text(&one.name))
        .sum::<usize>();
    text(&envelope.subject)
        + text(&envelope.snippet)
        + references
        + attachments
        + addresses(&envelope.to)
        + addresses(&envelope.cc)
        + addresses(&envelope.bcc)
        + addresses(&envelope.reply_to)
}

#[cfg(test)]
mod tests {
    use email_model::{Body, EntryKey, ScopeKey};

    use super::*;

    const ACCOUNT: AccountId = AccountId(1);
    const MESSAGE: MessageId = MessageId(7);

    fn place(key: &[u8]) -> MessageRef {
        MessageRef {
            scope: ScopeKey("INBOX".into()),
            key: EntryKey(key.to_vec()),
        }
    }

    fn content(text: String) -> Arc<Content> {
        let body = Body {
            html: None,
            text: Some(text),
        };
        Arc::new(Content {
            body,
            ..Content::default()
        })
    }

    #[test]
    fn a_message_at_another_place_does_not_hit() {
        let cache = ContentCache::new(1 << 20);
        let labels = Labels::default();
        cache.keep(
            ACCOUNT,
            MESSAGE,
            &place(b"1"),
            &labels,
            &[],
            &content("text".into()),
        );
        assert!(cache.get(ACCOUNT, MESSAGE, &place(b"1")).is_some());
        assert!(cache.get(ACCOUNT, MESSAGE, &place(b"2")).is_none());
        assert!(cache.get(AccountId(2), MESSAGE, &place(b"1")).is_none());
    }

    #[test]
    fn drafts_are_not_kept() {
        let cache = ContentCache::new(1 << 20);
        let draft = Labels::new(Flags::DRAFT, Vec::new());
        cache.keep(
            ACCOUNT,
            MESSAGE,
            &place(b"1"),
            &draft,
            &[],
            &content("text".into()),
        );
        let roles = [FolderRole::Drafts];
        cache.keep(
            ACCOUNT,
            MESSAGE,
            &place(b"2"),
            &Labels::default(),
            &roles,
            &content("text".into()),
        );
        assert!(cache.get(ACCOUNT, MESSAGE, &place(b"1")).is_none());
        assert!(cache.get(ACCOUNT, MESSAGE, &place(b"2")).is_none());
    }

    #[test]
    fn a_forgotten_account_leaves_nothing() {
        let cache = ContentCache::new(1 << 20);
        let labels = Labels::default();
        cache.keep(
            ACCOUNT,
            MESSAGE,
            &place(b"1"),
            &labels,
            &[],
            &content("text".into()),
        );
        cache.forget(ACCOUNT);
        assert!(cache.get(ACCOUNT, MESSAGE, &place(b"1")).is_none());
    }

    #[test]
    fn it_holds_no_more_bytes_than_it_may() {
        let cache = ContentCache::new(100_000);
        for n in 0..100_u8 {
            let text = "x".repeat(10_000);
            cache.keep(
                ACCOUNT,
                MESSAGE,
                &place(&[n]),
                &Labels::default(),
                &[],
                &content(text),
            );
        }
        cache.contents.run_pending_tasks();
        assert!(cache.contents.weighted_size() <= 100_000);
    }
}
