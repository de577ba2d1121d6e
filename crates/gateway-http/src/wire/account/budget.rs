use gateway_operations::BudgetState;
use serde::Serialize;
use utoipa::ToSchema;

/// What an account may spend at its provider, in the provider's own units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Budget {
    /// Units that may be spent now; below nothing after a call that cost more than there are.
    units_left: i64,
    /// Units of a full budget.
    units_at_most: u32,
    /// Calls under way.
    running: u64,
    /// Calls that wait for their turn.
    waiting: u64,
    /// Seconds for which nothing is asked of the provider, because it asked to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_for: Option<u64>,
}

impl Budget {
    /// None where only the number of calls at a time is bounded.
    pub(super) fn of(state: BudgetState) -> Option<Self> {
        let paused = state.paused_for;
        Some(Self {
            units_left: state.units_left?,
            units_at_most: state.units_at_most?,
            running: state.running as u64,
            waiting: state.waiting as u64,
            paused_for: (!paused.is_zero()).then(|| paused.as_secs().max(1)),
        })
    }
}
