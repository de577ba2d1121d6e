//! An account's budget at its backend, in the backend's own units.

mod gate;
mod units;

use std::{sync::Arc, time::Duration};

use futures::future::BoxFuture;
pub use gate::BudgetPermit;
use gate::Gate;
use serde::Deserialize;
use tokio::time::Instant;

use super::{Layer, Layered, Operation};
use crate::{Call, EmailProvider, ErrorKind, Priority, ProviderResult};

/// What a call costs, in the backend's own units.
pub type Cost = fn(&Operation) -> u32;

/// An account's budget.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, rename_all = "snake_case", deny_unknown_fields)]
pub struct BudgetConfig {
    /// Calls at the same time.
    pub concurrency: usize,
    /// How many of them may be background work: the others stay free for who waits.
    pub background_concurrency: usize,
    /// Units over time; without it only concurrency is bounded.
    pub rate: Option<Rate>,
}

/// Units over time.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Rate {
    /// Units that may be spent in any time of the window's length, wherever it begins.
    pub units: u32,
    /// Length of the window in seconds.
    pub window_seconds: u32,
    /// Units that background work leaves for who waits.
    #[serde(default)]
    pub reserve: u32,
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self {
            concurrency: 4,
            background_concurrency: 2,
            rate: None,
        }
    }
}

/// How a budget stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BudgetState {
    /// Calls under way.
    pub running: usize,
    /// Calls that wait for their turn.
    pub waiting: usize,
    /// Units that may be spent now; below nothing after a call that cost more than the budget holds.
    /// `None`: only concurrency is bounded.
    pub units_left: Option<i64>,
    /// Units of a full budget.
    pub units_at_most: Option<u32>,
    /// How long nobody may call, because the backend asked to wait.
    pub paused_for: Duration,
}

/// An account's budget: one for all that is opened for the account.
#[derive(Debug)]
pub struct Budget {
    gate: Gate,
}

impl Budget {
    /// A full budget.
    pub fn new(config: BudgetConfig) -> Arc<Self> {
        Arc::new(Self {
            gate: Gate::new(config),
        })
    }

    /// Waits for a place and for `units`. With the permit the place is given back, and one window later the
    /// units are. A call that costs more than the budget holds begins when the budget is full and leaves it in
    /// debt.
    ///
    /// # Errors
    /// `RateLimited` where that takes longer than the call's deadline, at once where it is certain.
    ///
    /// The wait is counted in seconds in the histogram `polypost_budget_wait_seconds` by priority and outcome.
    pub async fn enter(&self, call: Call, units: u32) -> ProviderResult<BudgetPermit<'_>> {
        let begun = Instant::now();
        let entered = self.gate.enter(call, units).await;
        let priority = match call.priority {
            Priority::Interactive => "interactive",
            Priority::Background => "background",
        };
        let outcome = match &entered {
            Ok(_) => "entered",
            Err(_) => "refused",
        };
        let labels = [("priority", priority), ("outcome", outcome)];
        metrics::histogram!("polypost_budget_wait_seconds", &labels)
            .record(begun.elapsed().as_secs_f64());
        entered
    }

    /// The backend asks to wait: nobody begins before.
    pub fn pause(&self, wait: Duration) {
        self.gate.pause(wait);
    }

    /// How it stands now.
    pub fn state(&self) -> BudgetState {
        self.gate.standing()
    }
}

/// Makes each call wait for its share of the account's budget, interactive calls before background
/// work. A call that cannot get it within its deadline fails with `RateLimited`, at once where that
/// is certain. Where the backend asks to wait, the whole account does.
pub type Budgeted = Layered<WithinBudget>;

/// The layer of [`Budgeted`].
#[derive(Debug)]
pub struct WithinBudget {
    budget: Arc<Budget>,
    cost: Cost,
}

impl Budgeted {
    /// Puts the mailbox under this budget.
    pub fn new(inner: Arc<dyn EmailProvider>, budget: Arc<Budget>, cost: Cost) -> Self {
        Self::around(inner, WithinBudget { budget, cost })
    }
}

impl Layer for WithinBudget {
    async fn around<'a, T, F>(
        &'a self,
        operation: Operation,
        call: Call,
        run: F,
    ) -> ProviderResult<T>
    where
        T: Send + 'a,
        F: Fn() -> BoxFuture<'a, ProviderResult<T>> + Send + Sync + 'a,
    {
        let _permit = self.budget.enter(call, (self.cost)(&operation)).await?;
        let answer = run().await;
        if let Err(error) = &answer
            && error.kind == ErrorKind::RateLimited
            && let Some(wait) = error.retry_after
        {
            self.budget.pause(wait);
        }
        answer
    }
}
