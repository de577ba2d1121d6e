//! What is kept of a scope besides its cursor.

use std::ops::Not;

use email_model::Timestamp;
use gateway_store::ScopeRow;
use serde::{Deserialize, Serialize};

/// Which of a scope's entries are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Covered {
    /// None for certain.
    #[default]
    Nothing,
    /// Those received at this time or later.
    Since(Timestamp),
    /// All.
    All,
}

impl Covered {
    /// Whether every entry of the window (all entries: `None`) is known.
    pub fn reaches(self, window: Option<Timestamp>) -> bool {
        match (self, window) {
            (Self::Nothing, _) | (Self::Since(_), None) => false,
            (Self::All, _) => true,
            (Self::Since(since), Some(window)) => since <= window,
        }
    }
}

/// A first scan in progress.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ScanProgress {
    /// The scan's lower bound.
    pub since: Option<Timestamp>,
    /// The scan's upper bound.
    pub before: Option<Timestamp>,
    /// Where the last committed page ended.
    pub position: Option<Vec<u8>>,
    /// Entries found so far.
    pub found: u64,
    /// Entries in all, where known.
    pub total: Option<u64>,
}

/// A scope that cannot be read now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Failure {
    pub since: Timestamp,
    pub retry_at: Timestamp,
    pub reason: String,
}

/// The record of a scope.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct ScopeRecord {
    /// A survey has named it.
    #[serde(skip_serializing_if = "Not::not")]
    pub surveyed: bool,
    /// Its first scan announces what it finds: it appeared after the first survey.
    #[serde(skip_serializing_if = "Not::not")]
    pub announces: bool,
    pub covered: Covered,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan: Option<ScanProgress>,
    /// The cursor was lost: to be compared in full.
    #[serde(skip_serializing_if = "Not::not")]
    pub rescan: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// By how many more messages the backend counted than the journal has, when both were level.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub surplus: Option<i64>,
    /// It is no longer there; what it held is being removed.
    #[serde(skip_serializing_if = "Not::not")]
    pub removed: bool,
}

impl ScopeRecord {
    pub fn of(row: &ScopeRow) -> Self {
        serde_json::from_str(&row.state).unwrap_or_default()
    }

    pub fn put(&self, row: &mut ScopeRow) {
        row.state = serde_json::to_string(self).unwrap_or_default();
    }

    /// Changes the record within a row.
    pub fn edit(row: &mut ScopeRow, change: impl FnOnce(&mut Self)) {
        let mut record = Self::of(row);
        change(&mut record);
        record.put(row);
    }

    /// A message that left another scope may be here without anybody having told yet.
    pub fn may_hide_moves(&self, row: &ScopeRow) -> bool {
        !self.removed
            && (row.cursor.is_none()
                || self.rescan
                || self.failure.is_some()
                || (self.announces && self.covered != Covered::All))
    }
}
