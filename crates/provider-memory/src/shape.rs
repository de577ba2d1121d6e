use email_provider::SearchCapability;

/// How the mailbox behaves: which family of real backends it is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// One scope for the whole mailbox, a message carries any number of labels. Otherwise one scope
    /// a folder.
    pub labels: bool,
    /// Messages have an id for life, which is also their key. Otherwise a key is an epoch and a
    /// number within the folder, and a move gives a new one. Labels imply it.
    pub native_identity: bool,
    /// `begin` gives no cursor: the end of a scan does.
    pub cursor_at_end_of_scan: bool,
    /// Removals are told as a listing of what is left.
    pub removed_as_listing: bool,
    /// What came and went between two answers of the change feed is not told at all.
    pub forgets_passages: bool,
    /// A scan tells only keys and identities: no dates, no state, no envelope.
    pub bare_scan: bool,
    /// The survey can tell what has not moved.
    pub cheap_level_check: bool,
    /// User keywords can be stored.
    pub keywords: bool,
    /// How far it searches. `Headers` leaves free text to the gateway, `None` refuses every term.
    pub search: SearchCapability,
    /// It sends. Drafts are kept in any case.
    pub sends: bool,
    /// The server files the sender's copy. Where messages have an id for life too, it sends drafts by
    /// itself: with acceptance, the draft is gone.
    pub files_sent: bool,
    /// A draft keeps its key when it is changed and when it is sent. Ids for life imply that it can.
    pub drafts_in_place: bool,
    /// Drafts alone are sent.
    pub drafts_only: bool,
    /// Most entries on a page, whatever is asked for.
    pub page: usize,
}

impl Shape {
    /// Like an IMAP server with QRESYNC: folders, keys of epoch and number, removals told one by one.
    pub fn folders() -> Self {
        Self {
            labels: false,
            native_identity: false,
            cursor_at_end_of_scan: false,
            removed_as_listing: false,
            forgets_passages: false,
            bare_scan: false,
            cheap_level_check: true,
            keywords: true,
            search: SearchCapability::FullText,
            sends: true,
            files_sent: false,
            drafts_in_place: false,
            drafts_only: false,
            page: 500,
        }
    }

    /// Like an IMAP server without extensions: what is gone is found by listing what is left. What is
    /// sent is filed by the server.
    pub fn listing() -> Self {
        Self {
            removed_as_listing: true,
            files_sent: true,
            ..Self::folders()
        }
    }

    /// Like a label mailbox with a history: one scope, ids for life, bare listings, small pages. A draft
    /// that is changed or sent becomes another message.
    pub fn labels() -> Self {
        Self {
            labels: true,
            native_identity: true,
            bare_scan: true,
            keywords: false,
            files_sent: true,
            page: 100,
            ..Self::folders()
        }
    }

    /// Like a delta query: folders, ids for life, the cursor at the end of the enumeration, nothing told
    /// of what came and went, no cheap level check, free text not searched. Drafts are changed and sent in
    /// their place, and nothing else is sent.
    pub fn delta() -> Self {
        Self {
            native_identity: true,
            cursor_at_end_of_scan: true,
            forgets_passages: true,
            cheap_level_check: false,
            search: SearchCapability::Headers,
            files_sent: true,
            drafts_in_place: true,
            drafts_only: true,
            page: 50,
            ..Self::folders()
        }
    }
}

impl Default for Shape {
    fn default() -> Self {
        Self::folders()
    }
}
