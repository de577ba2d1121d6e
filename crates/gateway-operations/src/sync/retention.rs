//! What is forgotten in the course of time: removals that are older than clients are promised.

use email_model::Timestamp;

use super::{pass::PassError, supervisor::AccountSync};
use crate::{Gateway, OperationResult, journal::JournalHandle};

/// Between two looks for removals that are to be forgotten.
const LOOK: chrono::Duration = chrono::Duration::days(1);

impl Gateway {
    /// Whether there are removals to be forgotten; looked for once a day.
    pub(super) async fn has_old_removals(
        &self,
        sync: &AccountSync,
        journal: &JournalHandle,
    ) -> OperationResult<bool> {
        if !sync.may_look_for_removals(self.now(), LOOK) {
            return Ok(false);
        }
        match self.removals_end() {
            Some(until) => Ok(journal.has_removals_until(until).await?),
            None => Ok(false),
        }
    }

    /// Forgets some removals that are old enough. False: there was none.
    pub(super) async fn forget_removals(&self, journal: &JournalHandle) -> Result<bool, PassError> {
        match self.removals_end() {
            Some(until) => Ok(journal.forget_removals(until).await?),
            None => Ok(false),
        }
    }

    /// Removals noticed until then may be forgotten.
    fn removals_end(&self) -> Option<Timestamp> {
        let kept = chrono::Duration::from_std(self.inner.config.tombstones).ok()?;
        self.now().checked_sub_signed(kept)
    }
}
