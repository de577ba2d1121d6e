//! Many reads as one request: <https://developers.google.com/workspace/gmail/api/guides/batch>.
//!
//! Each part has a status of its own and costs what it costs alone.

use std::fmt::Write as _;

use bytes::Bytes;
use email_provider::{Call, ProviderResult};
use hyper::{Method as HttpMethod, StatusCode};
use memchr::memmem;
use serde::de::DeserializeOwned;

use super::{
    Api, Failure,
    by_hand::{Sent, parsed},
};
use crate::{
    error::{Effect, Refusal},
    quota::Method,
};

/// Parts of one batch: the vendor advises against more.
const MOST_PARTS: usize = 50;

/// A part's answer.
#[derive(Debug)]
pub(crate) enum Batched {
    /// Success, with its body.
    Answer(Bytes),
    /// No success.
    Refused(Refusal),
}

impl Batched {
    fn refused_token(&self) -> Option<Refusal> {
        match self {
            Self::Refused(refusal) if refusal.is_of_token() => Some(refusal.clone()),
            _ => None,
        }
    }

    /// Its JSON, or why there is none.
    pub(crate) fn parsed<T: DeserializeOwned>(self) -> Result<T, Failure> {
        match self {
            Self::Answer(body) => parsed(&body),
            Self::Refused(refusal) => Err(Failure::Refused(refusal)),
        }
    }
}

impl Api {
    /// How many reads of this price are to be one batch.
    pub(crate) fn batch_size(&self, method: Method) -> usize {
        self.0.quota.batch(method).min(MOST_PARTS)
    }

    /// Reads at most [`Api::batch_size`] addresses below the root; the answers in their order. A token that a
    /// part refuses counts as refused for the whole.
    pub(crate) async fn batch(
        &self,
        call: Call,
        method: Method,
        paths: &[String],
    ) -> ProviderResult<Vec<Batched>> {
        let count = u32::try_from(paths.len()).unwrap_or(u32::MAX);
        let units = self.0.quota.units(method).saturating_mul(count);
        let boundary = format!("batch_{:032x}", rand::random::<u128>());
        let mut body = String::new();
        for (number, path) in paths.iter().enumerate() {
            // Writing to text cannot fail.
            let _ = write!(
                body,
                "--{boundary}\r\nContent-Type: application/http\r\nContent-ID: <{number}>\r\n\r\n\
                 GET /{path} HTTP/1.1\r\n\r\n\r\n"
            );
        }
        let _ = write!(body, "--{boundary}--\r\n");
        let sent = Sent {
            method: HttpMethod::POST,
            address: self.below("batch/gmail/v1"),
            body: Some((format!("multipart/mixed; boundary={boundary}"), body)),
        };
        let sent = &sent;
        self.attempt(call, units, Effect::None, |token| async move {
            let (content_type, answer) = self.exchange(&token, sent).await?;
            let parts = boundary_of(&content_type)
                .and_then(|boundary| split(&answer, boundary, paths.len(), self.now()))
                .ok_or(Failure::Lost)?;
            match parts.iter().find_map(Batched::refused_token) {
                Some(refusal) => Err(Failure::Refused(refusal)),
                None => Ok(parts),
            }
        })
        .await
    }

    /// Notes a part's failure as that of the whole request.
    pub(crate) fn part_failed(&self, failure: Failure) -> email_provider::ProviderError {
        self.note(failure, Effect::None)
    }
}

fn boundary_of(content_type: &str) -> Option<&str> {
    let (_, rest) = content_type.split_once("boundary=")?;
    let boundary = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split([';', ' ']).next()?,
    };
    (1..=200).contains(&boundary.len()).then_some(boundary)
}

/// The parts in the order asked for; `None` unless all are there to their end.
fn split(
    answer: &Bytes,
    boundary: &str,
    count: usize,
    now: email_model::Timestamp,
) -> Option<Vec<Batched>> {
    let delimiter = format!("--{boundary}");
    let starts: Vec<usize> = memmem::find_iter(answer, delimiter.as_bytes()).collect();
    let mut parts: Vec<Option<Batched>> = (0..count).map(|_| None).collect();
    let mut is_whole = false;
    for (at, start) in starts.iter().enumerate() {
        let inner = start + delimiter.len();
        if answer[inner..].starts_with(b"--") {
            is_whole = true;
            break;
        }
        let end = *starts.get(at + 1)?;
        let (number, part) = part(answer.slice(inner..end), now)?;
        *parts.get_mut(number)? = Some(part);
    }
    is_whole.then_some(())?;
    parts.into_iter().collect()
}

/// A part: its headers with the number of what it answers, then an answer of HTTP/1.1.
fn part(bytes: Bytes, now: email_model::Timestamp) -> Option<(usize, Batched)> {
    let (outer, inner) = head_and_rest(&bytes)?;
    let id = header(outer, "content-id")?;
    let number = id
        .trim_matches(['<', '>'])
        .rsplit('-')
        .next()?
        .parse()
        .ok()?;
    let (head, body) = head_and_rest(&inner)?;
    let status = head.split(' ').nth(1)?.get(..3)?;
    let status = StatusCode::from_bytes(status.as_bytes()).ok()?;
    let part = match status.is_success() {
        true => Batched::Answer(body),
        false => {
            let json = serde_json::from_slice(&body).ok();
            let wait = header(head, "retry-after");
            Batched::Refused(Refusal::new(status, wait, json.as_ref(), now))
        }
    };
    Some((number, part))
}

fn head_and_rest(bytes: &Bytes) -> Option<(&str, Bytes)> {
    let end = memmem::find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    Some((head.trim_start(), bytes.slice(end + 4..)))
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .trim()
            .eq_ignore_ascii_case(name)
            .then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "--b\r\nContent-Type: application/http\r\nContent-ID: <response-1>\r\n\r\n\
        HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\n\r\n{\"error\":{\"message\":\"slow\"}}\r\n\
        --b\r\nContent-Type: application/http\r\nContent-ID: <response-0>\r\n\r\n\
        HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"id\":\"1\"}\r\n--b--\r\n";

    fn read(answer: &str, count: usize) -> Option<Vec<Batched>> {
        let now = email_model::Timestamp::default();
        split(&Bytes::from(answer.to_owned()), "b", count, now)
    }

    #[test]
    fn parts_are_told_apart_by_their_number_and_status() {
        let parts = read(ANSWER, 2).unwrap();
        let [Batched::Answer(body), Batched::Refused(refusal)] = &parts[..] else {
            panic!("{parts:?}");
        };
        assert_eq!(body.trim_ascii(), b"{\"id\":\"1\"}");
        assert_eq!((refusal.status, refusal.message.as_str()), (429, "slow"));
        assert_eq!(refusal.retry_after, Some(std::time::Duration::from_secs(3)));
    }

    #[test]
    fn an_answer_without_its_end_or_a_part_is_none() {
        for cut in [0, 10, 60, 120, 200, ANSWER.len() - 6] {
            assert!(read(&ANSWER[..cut], 2).is_none(), "{cut}");
        }
        assert!(read(ANSWER, 3).is_none() && read(ANSWER, 1).is_none());
    }

    #[test]
    fn a_boundary_may_be_quoted() {
        assert_eq!(
            boundary_of("multipart/mixed; boundary=\"a b\"; x"),
            Some("a b")
        );
        assert_eq!(boundary_of("multipart/mixed; boundary=ab; x"), Some("ab"));
        assert_eq!(boundary_of("text/plain"), None);
    }
}
