//! Wrappers around any [`EmailProvider`]: a [`Layer`] says what happens around a call, [`Layered`]
//! puts it around every operation.
//!
//! From the outside in: [`Measured`], [`RetryReads`], [`Budgeted`], so that a metric tells of what
//! the gateway saw, and every attempt of a retry pays from the budget.

mod budget;
mod layered;
mod metrics;
mod operation;
mod retry;
mod sending;

use std::sync::Arc;

pub use budget::{Budget, BudgetConfig, BudgetPermit, BudgetState, Budgeted, Cost, Rate};
pub use layered::{Layer, Layered};
pub use metrics::Measured;
pub use operation::Operation;
pub use retry::{RetryConfig, RetryReads};

use crate::{Charged, EmailProvider};

/// Puts all layers around a mailbox. `kind` is the plugin's; the budget is the account's, shared by
/// all that is opened for it, and charged here or by the mailbox itself.
pub fn layered(
    provider: Arc<dyn EmailProvider>,
    kind: &'static str,
    budget: Arc<Budget>,
    charged: Charged,
    retry: RetryConfig,
) -> Arc<dyn EmailProvider> {
    let provider: Arc<dyn EmailProvider> = match charged {
        Charged::Operation(cost) => Arc::new(Budgeted::new(provider, budget, cost)),
        Charged::Request => provider,
    };
    let provider = Arc::new(RetryReads::new(provider, retry));
    Arc::new(Measured::new(provider, kind))
}

#[cfg(test)]
mod tests;
