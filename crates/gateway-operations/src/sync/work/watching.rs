//! When a mailbox may be watched again: a server that ends each watch at once is asked less and less often.

use std::time::Duration;

use tokio::time::Instant;

use super::RETRY;

/// A watch that lasted as long was one.
const LASTING: Duration = Duration::from_secs(60);

/// The watches of one account.
#[derive(Debug, Default)]
pub(super) struct Watching {
    began: Option<Instant>,
    /// Watches in a row that did not last.
    short: u32,
    due_at: Option<Instant>,
}

impl Watching {
    pub fn began(&mut self, now: Instant) {
        self.began = Some(now);
        self.due_at = None;
    }

    pub fn ended(&mut self, now: Instant) {
        let lasted = self.began.take().map(|began| now - began);
        if lasted.is_some_and(|lasted| lasted >= LASTING) {
            self.short = 0;
            return;
        }
        // The first one may have been the connection's bad luck.
        if self.short > 0 {
            let wait = RETRY.0 * 2_u32.saturating_pow(self.short.min(10));
            self.due_at = Some(now + wait.min(RETRY.1));
        }
        self.short = self.short.saturating_add(1);
    }

    /// When another watch may begin, if not now.
    pub fn due_at(&self, now: Instant) -> Option<Instant> {
        self.due_at.filter(|at| *at > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn watches_that_end_at_once_are_tried_less_and_less_often() {
        let mut watching = Watching::default();
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..12 {
            assert!(watching.due_at(now).is_none());
            watching.began(now);
            watching.ended(now);
            let due_at = watching.due_at(now).unwrap_or(now);
            waits.push((due_at - now).as_secs());
            now = due_at;
        }
        assert_eq!(waits, [0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
    }

    #[test]
    fn a_watch_that_lasted_is_begun_again_at_once() {
        let mut watching = Watching::default();
        let mut now = Instant::now();
        for _ in 0..5 {
            watching.began(now);
            watching.ended(now);
            now += RETRY.1;
        }
        watching.began(now);
        watching.ended(now + LASTING);
        assert!(watching.due_at(now + LASTING).is_none());
    }
}
