//! What a feed has left out, found by counting.

use chrono::Duration;
use email_provider::ScopeState;
use gateway_store::ScopeRow;

use super::{PassContext, PassError};
use crate::{
    Gateway,
    sync::scope_state::{Covered, ScopeRecord},
};

/// Between two counts of one scope.
const EVERY: Duration = Duration::hours(1);

impl Gateway {
    /// Whether a scope that is said not to have moved holds another number of messages than before, beside those
    /// in the journal: then it is to be compared in full. A backend may count what the journal leaves out, such
    /// as items that are no mail, so that only a change of the difference tells of anything.
    pub(super) async fn count_differs(
        &self,
        context: &PassContext<'_>,
        scope: &ScopeRow,
        state: &ScopeState,
    ) -> Result<bool, PassError> {
        let record = ScopeRecord::of(scope);
        let Some(count) = state.count else {
            return Ok(false);
        };
        if record.covered != Covered::All
            || record.scan.is_some()
            || record.failure.is_some()
            || !context.sync.may_count(scope.number, self.now(), EVERY)
        {
            return Ok(false);
        }
        let journal = context.journal;
        let known = journal
            .store
            .count_entries(journal.account, scope.number)
            .await?;
        let surplus = i64::try_from(count)
            .unwrap_or(i64::MAX)
            .saturating_sub_unsigned(known);
        if record.surplus == Some(surplus) {
            return Ok(false);
        }
        let differs = record.surplus.is_some();
        journal
            .amend_scope(scope.number, |row| {
                ScopeRecord::edit(row, |record| {
                    record.surplus = (!differs).then_some(surplus);
                    record.rescan |= differs;
                });
            })
            .await?;
        if differs {
            tracing::info!(account = %journal.account, scope = scope.number.0, "a folder is compared in full: its count differs");
            context.sync.want_scan();
        }
        Ok(differs)
    }
}
