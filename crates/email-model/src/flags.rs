use serde::{Deserialize, Serialize};

bitflags::bitflags! {
    /// The flags that every backend can tell. Stored as these bits: never renumber.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
    pub struct Flags: u16 {
        /// Read.
        const SEEN = 1;
        /// Starred, flagged for follow-up.
        const FLAGGED = 2;
        /// Answered.
        const ANSWERED = 4;
        /// A draft.
        const DRAFT = 8;
        /// Marked important by the mailbox (not the sender's priority).
        const IMPORTANT = 16;
        /// Forwarded.
        const FORWARDED = 32;
    }
}

/// The tabs into which some mailboxes sort incoming mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Classification {
    /// From people.
    Personal,
    /// From social networks.
    Social,
    /// Offers.
    Promotions,
    /// Receipts, notices.
    Updates,
    /// Mailing lists.
    Forums,
}

/// All that can change about a message while its content stays: flags, keywords, classifications.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Labels {
    /// The system flags.
    pub flags: Flags,
    /// User keywords, sorted, without duplicates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// Classifications, sorted, without duplicates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classifications: Vec<Classification>,
}

impl Labels {
    /// Labels with sorted, distinct keywords and no classification.
    pub fn new(flags: Flags, mut keywords: Vec<String>) -> Self {
        keywords.sort();
        keywords.dedup();
        Self {
            flags,
            keywords,
            classifications: Vec::new(),
        }
    }
}
