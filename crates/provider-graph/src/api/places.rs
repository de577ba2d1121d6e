//! Places for requests under way at a mailbox, of which the vendor allows few:
//! <https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits>.
//!
//! Interactive requests go first, and background work leaves a place for the next of them. A batch begins with as many parts
//! as there are places for: the vendor runs some of them at the same time whatever else is under way. A stream keeps its
//! place until its end, which may be long after its beginning: one place at least is never a stream's.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use email_provider::{Call, Priority, ProviderResult};
use tokio::{
    sync::{Notify, OwnedSemaphorePermit, Semaphore},
    time::timeout_at,
};

use crate::error::{self, Effect};

/// Parts of a batch that the vendor runs at the same time (the same page, "JSON batching").
const AT_ONCE: usize = 4;

/// What a place is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// A request.
    One,
    /// A request whose answer is read little by little.
    Stream,
    /// As many of these parts as may be.
    Parts(usize),
}

/// The places of one mailbox.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    background: usize,
    state: Mutex<State>,
    /// Somebody left, entered or gave up: whoever is first now looks again.
    changed: Notify,
    streams: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    held_by_interactive: usize,
    held_by_background: usize,
    held_by_streams: usize,
    interactive: VecDeque<u64>,
    background: VecDeque<u64>,
    next_ticket: u64,
}

impl Places {
    /// So many, and how many of them background work may have.
    pub(crate) fn new(most: usize, background: usize) -> Arc<Self> {
        let most = most.max(1);
        Arc::new(Self {
            most,
            background: background.max(1),
            state: Mutex::default(),
            changed: Notify::new(),
            // The only place of a mailbox is given back where a stream begins.
            streams: Arc::new(Semaphore::new(most.saturating_sub(1).max(1))),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Most places that one kind of work may have beside the streams.
    fn limit(&self, state: &State, priority: Priority) -> usize {
        let left = self.most.saturating_sub(state.held_by_streams).max(1);
        match priority {
            Priority::Interactive => left,
            Priority::Background => self.background.min(left.saturating_sub(1).max(1)),
        }
    }

    /// How many requests of a wish would be granted now.
    pub(super) fn granted(&self, priority: Priority, wish: Wish) -> usize {
        let Wish::Parts(parts) = wish else { return 1 };
        granted(parts, places(parts, self.limit(&self.state(), priority)))
    }

    /// Waits for places for a wish, of which at most `requests` are granted.
    ///
    /// # Errors
    /// `Unavailable` where that takes longer than the call's deadline.
    pub(super) async fn enter(
        self: &Arc<Self>,
        call: Call,
        wish: Wish,
        requests: usize,
    ) -> ProviderResult<Place> {
        let late = |_| error::late(Effect::None);
        let stream = match wish {
            Wish::Stream => {
                let streams = Arc::clone(&self.streams).acquire_owned();
                let stream = timeout_at(call.deadline, streams).await.map_err(late)?;
                Some(stream.map_err(|_| error::late(Effect::None))?)
            }
            _ => None,
        };
        timeout_at(call.deadline, self.first(call.priority, requests, stream))
            .await
            .map_err(late)
    }

    async fn first(
        self: &Arc<Self>,
        priority: Priority,
        requests: usize,
        mut stream: Option<OwnedSemaphorePermit>,
    ) -> Place {
        let ticket = Ticket::take(self, priority);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if let Some(place) = self.try_enter(&ticket, requests, &mut stream) {
                return place;
            }
            changed.await;
        }
    }

    fn try_enter(
        self: &Arc<Self>,
        ticket: &Ticket<'_>,
        requests: usize,
        stream: &mut Option<OwnedSemaphorePermit>,
    ) -> Option<Place> {
        let mut state = self.state();
        let is_background = ticket.priority == Priority::Background;
        let first = match ticket.priority {
            Priority::Interactive => state.interactive.front(),
            Priority::Background if state.interactive.is_empty() => state.background.front(),
            Priority::Background => None,
        };
        let limit = self.limit(&state, ticket.priority);
        let places = places(requests, limit);
        let is_full = state.held() + places > self.most
            || (is_background && state.held_by_background + places > limit);
        if first != Some(&ticket.number) || is_full {
            return None;
        }
        let place = Place {
            places: Arc::clone(self),
            held: places,
            requests: granted(requests, places),
            is_background,
            stream: stream.take(),
        };
        *place.account(&mut state) += places;
        Some(place)
    }
}

/// Places that requests take where no more than `limit` may be had.
fn places(requests: usize, limit: usize) -> usize {
    requests.clamp(1, AT_ONCE).min(limit)
}

/// Requests of a batch that run in so many places.
fn granted(requests: usize, places: usize) -> usize {
    match places {
        AT_ONCE.. => requests,
        _ => requests.min(places),
    }
}

/// A place in a queue, given up when dropped.
struct Ticket<'a> {
    places: &'a Places,
    priority: Priority,
    number: u64,
}

impl<'a> Ticket<'a> {
    fn take(places: &'a Places, priority: Priority) -> Self {
        let mut state = places.state();
        let number = state.next_ticket;
        state.next_ticket += 1;
        state.queue(priority).push_back(number);
        Self {
            places,
            priority,
            number,
        }
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let mut state = self.places.state();
        let queue = state.queue(self.priority);
        queue.retain(|number| *number != self.number);
        drop(state);
        self.places.changed.notify_waiters();
    }
}

impl State {
    fn held(&self) -> usize {
        self.held_by_interactive + self.held_by_background + self.held_by_streams
    }

    fn queue(&mut self, priority: Priority) -> &mut VecDeque<u64> {
        match priority {
            Priority::Interactive => &mut self.interactive,
            Priority::Background => &mut self.background,
        }
    }
}

/// Places that are had, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    held: usize,
    /// Requests that may be sent.
    pub(super) requests: usize,
    is_background: bool,
    /// One stream less may begin.
    stream: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// By whom it is held.
    fn account<'a>(&self, state: &'a mut State) -> &'a mut usize {
        match self.is_background {
            _ if self.stream.is_some() => &mut state.held_by_streams,
            true => &mut state.held_by_background,
            false => &mut state.held_by_interactive,
        }
    }

    /// For as long as a stream takes; `None` where nothing else could go on meanwhile.
    pub(super) fn kept(self) -> Option<Self> {
        (self.places.most > 1).then_some(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.places.state();
        *self.account(&mut state) -= self.held;
        drop(state);
        self.places.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use Priority::{Background, Interactive};
    use futures::FutureExt as _;
    use tokio::time::Instant;

    use super::*;

    fn call(priority: Priority) -> Call {
        Call {
            priority,
            deadline: Instant::now() + Duration::from_secs(3_600),
        }
    }

    /// What is granted at once, if anything.
    fn now(places: &Arc<Places>, priority: Priority, wish: Wish, requests: usize) -> Option<Place> {
        let entered = places.enter(call(priority), wish, requests);
        entered
            .now_or_never()
            .map(|entered| entered.expect("a place"))
    }

    #[tokio::test]
    async fn background_work_leaves_a_place_and_waits_for_nobody_elses() {
        let places = Places::new(4, 3);
        let parts = Wish::Parts(20);
        assert_eq!(places.granted(Background, parts), 3);
        assert_eq!(places.granted(Interactive, parts), 20);
        let batch = now(&places, Background, parts, 20).expect("a place");
        assert_eq!(batch.requests, 3);
        let mut second = Box::pin(places.enter(call(Background), parts, 20));
        assert!(second.as_mut().now_or_never().is_none());
        let read = now(&places, Interactive, Wish::One, 1).expect("the place that is left");
        drop((batch, read));
        assert_eq!(second.await.expect("a place").requests, 3);
    }

    #[tokio::test]
    async fn who_waits_goes_before_background_work_that_came_earlier() {
        let places = Places::new(4, 3);
        let all = now(&places, Interactive, Wish::Parts(20), 20).expect("places");
        assert_eq!(all.requests, 20);
        let mut background = Box::pin(places.enter(call(Background), Wish::One, 1));
        assert!(background.as_mut().now_or_never().is_none());
        let mut batch = Box::pin(places.enter(call(Interactive), Wish::Parts(20), 20));
        assert!(batch.as_mut().now_or_never().is_none());
        drop(all);
        assert!(background.as_mut().now_or_never().is_none());
        drop(batch.await.expect("places"));
        background.await.expect("a place");
    }

    #[tokio::test]
    async fn streams_keep_all_places_but_one_and_batches_become_smaller() {
        let places = Places::new(4, 3);
        let stream = || now(&places, Interactive, Wish::Stream, 1);
        let first = stream().expect("a place");
        assert_eq!(places.granted(Interactive, Wish::Parts(20)), 3);
        assert_eq!(places.granted(Background, Wish::Parts(20)), 2);
        let others = (stream().expect("a place"), stream().expect("a place"));
        assert!(stream().is_none());
        for priority in [Interactive, Background] {
            let batch = now(&places, priority, Wish::Parts(20), 20).expect("a place");
            assert_eq!(batch.requests, 1);
        }
        drop(first);
        assert!(stream().is_some());
        drop(others);
        let batch = now(&places, Interactive, Wish::Parts(20), 20).expect("places");
        assert_eq!(batch.requests, 20);
    }

    #[tokio::test]
    async fn the_only_place_is_not_kept_and_a_wait_ends_with_its_call() {
        let places = Places::new(1, 3);
        let stream = now(&places, Interactive, Wish::Stream, 1).expect("a place");
        let mut late = call(Background);
        late.deadline = Instant::now();
        let failed = places.enter(late, Wish::One, 1).await.expect_err("late");
        assert_eq!(failed.kind, email_provider::ErrorKind::Unavailable);
        assert!(stream.kept().is_none());
        assert!(now(&places, Background, Wish::Parts(9), 9).is_some_and(|one| one.requests == 1));
    }
}
