use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::{
    BudgetConfig, BudgetState,
    units::{Obstacle, Units},
};
use crate::{Call, ErrorKind, Priority, ProviderError};

/// A semaphore and an account of units in one, with two queues: the interactive one goes first.
#[derive(Debug)]
pub(super) struct Gate {
    config: BudgetConfig,
    state: Mutex<State>,
    /// Somebody left, entered or gave up: whoever is first now looks again.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    interactive: VecDeque<u64>,
    background: VecDeque<u64>,
    next_ticket: u64,
    running: usize,
    running_background: usize,
    /// Where units over time are bounded.
    units: Option<Units>,
    paused_until: Instant,
}

impl Gate {
    /// Longest pause that a backend can ask for.
    const LONGEST_PAUSE: Duration = Duration::from_secs(900);

    pub(super) fn new(config: BudgetConfig) -> Self {
        let now = Instant::now();
        let state = State {
            interactive: VecDeque::new(),
            background: VecDeque::new(),
            next_ticket: 0,
            running: 0,
            running_background: 0,
            units: config.rate.map(|rate| Units::new(rate, now)),
            paused_until: now,
        };
        Self {
            config,
            state: Mutex::new(state),
            changed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place and `cost` units.
    pub(super) async fn enter(
        &self,
        call: Call,
        cost: u32,
    ) -> Result<BudgetPermit<'_>, ProviderError> {
        let ticket = Ticket::take(self, call.priority);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let obstacle = match self.try_enter(&ticket, cost) {
                Ok(permit) => return Ok(permit),
                Err(obstacle) => obstacle,
            };
            let wake = match obstacle {
                Obstacle::Others => call.deadline,
                Obstacle::Until(time) if time >= call.deadline => return Err(exhausted(time)),
                Obstacle::Until(time) => time,
            };
            tokio::select! {
                () = changed => {}
                () = sleep_until(wake) => {
                    if wake >= call.deadline {
                        return Err(exhausted(wake + Duration::from_secs(1)));
                    }
                }
            }
        }
    }

    /// Nobody enters before `wait` is over.
    pub(super) fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait.min(Self::LONGEST_PAUSE);
        let mut state = self.state();
        state.paused_until = state.paused_until.max(until);
    }

    pub(super) fn standing(&self) -> BudgetState {
        let mut state = self.state();
        let now = Instant::now();
        BudgetState {
            running: state.running,
            waiting: state.interactive.len() + state.background.len(),
            units_left: state.units.as_mut().map(|units| units.left(now)),
            units_at_most: self.config.rate.map(|rate| rate.units),
            paused_for: state.paused_until.saturating_duration_since(now),
        }
    }

    fn try_enter(&self, ticket: &Ticket<'_>, cost: u32) -> Result<BudgetPermit<'_>, Obstacle> {
        let mut state = self.state();
        let background = ticket.priority == Priority::Background;
        let first = match ticket.priority {
            Priority::Interactive => state.interactive.front(),
            Priority::Background if state.interactive.is_empty() => state.background.front(),
            Priority::Background => None,
        };
        let full = state.running >= self.config.concurrency.max(1)
            || (background
                && state.running_background >= self.config.background_concurrency.max(1));
        if first != Some(&ticket.number) || full {
            return Err(Obstacle::Others);
        }
        let now = Instant::now();
        if state.paused_until > now {
            return Err(Obstacle::Until(state.paused_until));
        }
        if let Some(units) = &mut state.units {
            units.spend(cost, ticket.priority, now)?;
        }
        state.running += 1;
        state.running_background += usize::from(background);
        Ok(BudgetPermit {
            gate: self,
            background,
            cost,
        })
    }
}

impl State {
    fn queue(&mut self, priority: Priority) -> &mut VecDeque<u64> {
        match priority {
            Priority::Interactive => &mut self.interactive,
            Priority::Background => &mut self.background,
        }
    }
}

/// A place in a queue, given up when dropped.
struct Ticket<'a> {
    gate: &'a Gate,
    priority: Priority,
    number: u64,
}

impl<'a> Ticket<'a> {
    fn take(gate: &'a Gate, priority: Priority) -> Self {
        let mut state = gate.state();
        let number = state.next_ticket;
        state.next_ticket += 1;
        state.queue(priority).push_back(number);
        Self {
            gate,
            priority,
            number,
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state
            .queue(self.priority)
            .retain(|number| *number != self.number);
        drop(state);
        self.gate.changed.notify_waiters();
    }
}

/// The right to one call, until it is dropped.
#[derive(Debug)]
pub struct BudgetPermit<'a> {
    gate: &'a Gate,
    background: bool,
    cost: u32,
}

impl Drop for BudgetPermit<'_> {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        state.running -= 1;
        state.running_background -= usize::from(self.background);
        if let Some(units) = &mut state.units {
            units.end(self.cost, Instant::now());
        }
        drop(state);
        self.gate.changed.notify_waiters();
    }
}

fn exhausted(free_at: Instant) -> ProviderError {
    let wait = free_at.saturating_duration_since(Instant::now());
    ProviderError::new(ErrorKind::RateLimited, "the mailbox's budget is used up")
        .with_retry_after(wait.max(Duration::from_secs(1)))
}
