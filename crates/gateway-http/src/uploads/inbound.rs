use std::time::Duration;

use axum::{
    body::{Body, BodyDataStream},
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use futures::StreamExt as _;
use tokio::time::{Instant, timeout};

use crate::error::{ApiError, ApiResult};

/// Longest wait for the next octets.
const IDLE: Duration = Duration::from_secs(30);

/// How long a client may keep the gateway waiting in all, whatever it sends…
const GRACE: Duration = Duration::from_secs(30);

/// …and one second more for so many octets: 128 kbit/s.
const RATE: u64 = 16 << 10;

/// How long a body is read of which nothing is wanted any more.
const LINGER: Duration = Duration::from_secs(10);

/// A body as it arrives: bounded in size, and given up when it comes too slowly. What the gateway itself takes for
/// writing it down does not count.
#[derive(Debug)]
pub(super) struct Inbound {
    body: BodyDataStream,
    largest: u64,
    taken: u64,
    waited: Duration,
}

impl Inbound {
    /// The body of a request.
    pub(super) fn new(body: Body, largest: u64) -> Self {
        Self {
            body: body.into_data_stream(),
            largest,
            taken: 0,
            waited: Duration::ZERO,
        }
    }

    /// Refuses a body that is announced as too large.
    pub(super) fn check(&self, headers: &HeaderMap) -> ApiResult<()> {
        let announced = headers
            .get(header::CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        match announced {
            Some(size) if size > self.largest => Err(self.too_large()),
            _ => Ok(()),
        }
    }

    /// Reads on for a while after a refusal: many clients look for an answer only when they have sent everything, and
    /// the end of the connection would take it from them.
    pub(super) fn discard(mut self) {
        tokio::spawn(timeout(LINGER, async move {
            while let Ok(Some(_)) = self.next().await {}
        }));
    }

    /// The next octets; `None` at the end.
    pub(super) async fn next(&mut self) -> ApiResult<Option<Bytes>> {
        loop {
            let earned = GRACE + Duration::from_secs(self.taken / RATE);
            let patience = earned.saturating_sub(self.waited).min(IDLE);
            let begun = Instant::now();
            let next = timeout(patience, self.body.next()).await;
            self.waited += begun.elapsed();
            match next {
                Ok(None) => return Ok(None),
                Ok(Some(Ok(octets))) if octets.is_empty() => {}
                Ok(Some(Ok(octets))) => {
                    self.taken += octets.len() as u64;
                    if self.taken > self.largest {
                        return Err(self.too_large());
                    }
                    return Ok(Some(octets));
                }
                Ok(Some(Err(_))) => return Err(ApiError::bad_request("the body ended early")),
                Err(_) => {
                    let slow = ApiError::of_status(StatusCode::REQUEST_TIMEOUT);
                    return Err(slow.with_retry_after(IDLE));
                }
            }
        }
    }

    fn too_large(&self) -> ApiError {
        let largest = self.largest;
        ApiError::too_large(format!("a message to be sent has at most {largest} octets"))
    }
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn inbound(body: Body, largest: u64) -> Inbound {
        Inbound::new(body, largest)
    }

    async fn refusal(mut inbound: Inbound) -> (u16, Duration) {
        let begun = Instant::now();
        loop {
            match inbound.next().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("it was taken"),
                Err(error) => return (error.failure().status.as_u16(), begun.elapsed()),
            }
        }
    }

    /// So many octets after each so many seconds.
    fn drip(octets: usize, seconds: u64) -> Body {
        let chunks = stream::repeat(()).then(move |()| async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            Ok::<_, std::io::Error>(vec![b' '; octets])
        });
        Body::from_stream(chunks)
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_refused_announced_or_not() {
        assert_eq!(refusal(inbound("12345".into(), 4)).await.0, 413);
        let mut exact = inbound("1234".into(), 4);
        assert_eq!(exact.next().await.unwrap().unwrap(), "1234");
        assert!(exact.next().await.unwrap().is_none());
        let announced = HeaderMap::from_iter([(header::CONTENT_LENGTH, "5".parse().unwrap())]);
        let error = inbound(Body::empty(), 4).check(&announced).unwrap_err();
        assert_eq!(error.failure().code, "tooLarge");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_falls_silent_is_given_up() {
        let stalled = stream::once(async { Ok::<_, std::io::Error>("{") }).chain(stream::pending());
        let (status, after) = refusal(inbound(Body::from_stream(stalled), 100)).await;
        assert_eq!((status, after.as_secs()), (408, 30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_only_drips_is_given_up_and_a_slow_one_is_not() {
        let (status, after) = refusal(inbound(drip(1, 10), 100)).await;
        assert_eq!((status, after.as_secs()), (408, 30));
        let twice_as_slow = RATE as usize * 5;
        let (status, after) = refusal(inbound(drip(twice_as_slow, 10), 100 << 20)).await;
        assert_eq!(status, 408);
        assert!((50..70).contains(&after.as_secs()), "{after:?}");
        let slow_enough = RATE as usize * 11;
        assert_eq!(
            refusal(inbound(drip(slow_enough, 10), 100 << 20)).await.0,
            413
        );
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_no_body() {
        let broken = stream::iter([Ok("{}"), Err(std::io::Error::other("reset"))]);
        assert_eq!(
            refusal(inbound(Body::from_stream(broken), 100)).await.0,
            400
        );
    }
}
