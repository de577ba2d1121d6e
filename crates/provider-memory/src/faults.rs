use std::{collections::VecDeque, time::Duration};

use email_provider::{Call, ErrorKind, ProviderError, ProviderResult};
use tokio::time::{Instant, sleep, sleep_until};

use crate::error;

/// What is to go wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails, nothing done.
    Fail(ErrorKind),
    /// It is throttled, with a wait.
    Throttle(Duration),
    /// It is answered after this time, if the caller waits so long; else nothing is done.
    Stall(Duration),
    /// It is done, but the answer is lost.
    LoseAnswer,
}

/// Faults to come, in order, each for one call.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    coming: VecDeque<(Option<&'static str>, Fault)>,
}

impl Faults {
    pub(crate) fn add(&mut self, operation: Option<&'static str>, fault: Fault, times: usize) {
        self.coming
            .extend(std::iter::repeat_n((operation, fault), times));
    }

    pub(crate) fn clear(&mut self) {
        self.coming.clear();
    }

    /// The next fault for this operation.
    pub(crate) fn take(&mut self, operation: &str) -> Option<Fault> {
        let at = self
            .coming
            .iter()
            .position(|(only, _)| only.is_none_or(|only| only == operation))?;
        self.coming.remove(at).map(|(_, fault)| fault)
    }
}

/// Lets the fault act around `work`.
pub(crate) async fn suffer<T>(
    fault: Option<Fault>,
    call: Call,
    is_write: bool,
    work: impl FnOnce() -> ProviderResult<T>,
) -> ProviderResult<T> {
    match fault {
        None => {}
        Some(Fault::Fail(kind)) => return Err(ProviderError::new(kind, "simulated failure")),
        Some(Fault::Throttle(wait)) => {
            let error = ProviderError::new(ErrorKind::RateLimited, "simulated throttling");
            return Err(error.with_retry_after(wait));
        }
        Some(Fault::Stall(time)) if Instant::now() + time >= call.deadline => {
            sleep_until(call.deadline).await;
            return Err(error::late(is_write));
        }
        Some(Fault::Stall(time)) => sleep(time).await,
        Some(Fault::LoseAnswer) => {
            work()?;
            return Err(error::late(is_write));
        }
    }
    work()
}
