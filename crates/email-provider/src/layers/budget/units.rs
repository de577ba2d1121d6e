use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use super::Rate;
use crate::Priority;

/// What was spent of a rate.
///
/// Units come back one window after their call ended, since nobody knows when before that the backend counted
/// it: so no window of that length, wherever it begins, sees more of them than it may. Background work is
/// spread over the window: what comes back then comes back evenly, and who waits need not wait for the next window.
#[derive(Debug)]
pub(super) struct Units {
    rate: Rate,
    /// Of calls under way.
    running: u64,
    /// Of calls that have ended, in the order in which they come back.
    spent: VecDeque<Spent>,
    /// The sum of these.
    sum: u64,
    /// Until when background work has had its share.
    background_until: Instant,
}

/// Units that come back together.
#[derive(Clone, Copy, Debug)]
struct Spent {
    /// When the first of their calls ended.
    since: Instant,
    /// One window after the last of them did.
    back_at: Instant,
    units: u64,
}

/// What stands in a call's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// Others: until something changes.
    Others,
    /// Nothing but time.
    Until(Instant),
}

impl Units {
    /// What is spent within such a part of a window comes back together, so that no more is remembered than the
    /// window has parts.
    const PARTS: u32 = 100;
    /// Most windows that one call is paid for with.
    const MOST_WINDOWS: u32 = 10;

    pub(super) fn new(rate: Rate, now: Instant) -> Self {
        Self {
            rate,
            running: 0,
            spent: VecDeque::new(),
            sum: 0,
            background_until: now,
        }
    }

    /// Units that may be spent; below nothing after a call that cost more than there are.
    pub(super) fn left(&mut self, now: Instant) -> i64 {
        self.take_back(now);
        i64::from(self.rate.units) - (self.sum + self.running).cast_signed()
    }

    /// Spends for a call that begins, or tells when to ask again. Who asks for more than there are gets all of
    /// them, once nothing of them is spent.
    pub(super) fn spend(
        &mut self,
        cost: u32,
        priority: Priority,
        now: Instant,
    ) -> Result<(), Obstacle> {
        self.take_back(now);
        let is_background = priority == Priority::Background;
        let reserve = if is_background { self.rate.reserve } else { 0 };
        self.is_free(cost.saturating_add(reserve))?;
        if is_background {
            let window = self.rate.window();
            // How much of its share it may have before its time.
            let ahead = window / 6;
            if self.background_until.saturating_duration_since(now) > ahead {
                return Err(Obstacle::Until(self.background_until - ahead));
            }
            let part = f64::from(cost) / f64::from(self.rate.units.max(1));
            let share = window.mul_f64(part.min(Self::MOST_WINDOWS.into()));
            self.background_until = self.background_until.max(now) + share;
        }
        self.running += u64::from(cost);
        Ok(())
    }

    /// A call that was paid for ends. What costs more than a window holds is paid for with the next ones: nobody
    /// enters meanwhile.
    pub(super) fn end(&mut self, cost: u32, now: Instant) {
        self.take_back(now);
        self.running -= u64::from(cost);
        let window = self.rate.window();
        let whole = (cost / self.rate.units.max(1)).min(Self::MOST_WINDOWS);
        let rest = cost - whole * self.rate.units;
        self.add(now, now + window * whole, cost - rest);
        self.add(now, now + window * (whole + 1), rest);
    }

    fn take_back(&mut self, now: Instant) {
        while let Some(first) = self.spent.front().copied()
            && first.back_at <= now
        {
            self.spent.pop_front();
            self.sum -= first.units;
        }
    }

    /// Whether so many units, or all that there are, can be spent now.
    fn is_free(&self, wanted: u32) -> Result<(), Obstacle> {
        let all = u64::from(self.rate.units);
        let wanted = u64::from(wanted).min(all);
        let mut spent = self.sum + self.running;
        let mut back = self.spent.iter();
        let mut free = Ok(());
        while all < spent + wanted {
            let Some(next) = back.next() else {
                return Err(Obstacle::Others);
            };
            spent -= next.units;
            free = Err(Obstacle::Until(next.back_at));
        }
        free
    }

    fn add(&mut self, since: Instant, back_at: Instant, units: u32) {
        if units == 0 {
            return;
        }
        let units = u64::from(units);
        self.sum += units;
        let part = self.rate.window() / Self::PARTS;
        let is_near = |last: &Spent| {
            since.saturating_duration_since(last.since) < part
                && back_at.saturating_duration_since(last.back_at) < part
        };
        match self.spent.back_mut().filter(|last| is_near(last)) {
            Some(last) => {
                last.back_at = last.back_at.max(back_at);
                last.units += units;
            }
            None => self.spent.push_back(Spent {
                since,
                back_at,
                units,
            }),
        }
    }
}

impl Rate {
    fn window(self) -> Duration {
        Duration::from_secs(self.window_seconds.max(1).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(units: u32) -> (Units, Instant) {
        let rate = Rate {
            units,
            window_seconds: 60,
            reserve: 0,
        };
        let now = Instant::now();
        (Units::new(rate, now), now)
    }

    /// A call that ends at once.
    fn call(units: &mut Units, cost: u32, now: Instant) -> Result<(), Obstacle> {
        units.spend(cost, Priority::Interactive, now)?;
        units.end(cost, now);
        Ok(())
    }

    #[test]
    fn however_many_calls_there_are_little_is_remembered() {
        let (mut units, begun) = units(1_000_000);
        let mut most = 0;
        for number in 0..200_000 {
            let now = begun + Duration::from_millis(number);
            call(&mut units, 1, now).unwrap();
            most = most.max(units.spent.len());
        }
        assert!(most <= 101, "{most}");
        // A window's worth of calls, and at most a part of it.
        let left = units.left(begun + Duration::from_secs(200));
        assert!((939_390..=940_000).contains(&left), "{left}");
    }

    #[test]
    fn units_come_back_a_window_after_their_call_has_ended() {
        let (mut units, begun) = units(100);
        let after = |seconds| begun + Duration::from_secs(seconds);
        units.spend(100, Priority::Interactive, begun).unwrap();
        assert_eq!(call(&mut units, 1, after(70)), Err(Obstacle::Others));
        units.end(100, after(80));
        let back = Obstacle::Until(after(140));
        assert_eq!(call(&mut units, 1, after(90)), Err(back));
        assert_eq!(call(&mut units, 100, after(140)), Ok(()));
    }

    #[test]
    fn a_call_that_costs_several_windows_is_paid_for_with_them() {
        let (mut units, begun) = units(100);
        call(&mut units, 250, begun).unwrap();
        assert_eq!(units.left(begun), -150);
        let free_at = begun + Duration::from_secs(180);
        let refused = Err(Obstacle::Until(free_at));
        assert_eq!(call(&mut units, 100, begun), refused);
        assert!(call(&mut units, 100, free_at).is_ok());
    }

    #[test]
    fn no_figures_overflow() {
        let (mut units, now) = units(0);
        assert!(units.spend(u32::MAX, Priority::Background, now).is_ok());
        units.end(u32::MAX, now);
        assert!(units.left(now) < 0);
        assert!(call(&mut units, 1, now).is_err());
    }
}
