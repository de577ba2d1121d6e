//! Many reads as one request: <https://learn.microsoft.com/graph/json-batching>.
//!
//! Each part has a status of its own and counts as a request; four of them run at the same time. A part that is
//! throttled stands in a batch that was not.

use std::collections::HashMap;

use bytes::Bytes;
use email_provider::{Call, ProviderError, ProviderResult};
use reqwest::Method;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use super::{
    Api, Body, Failure, Prefer, Wish,
    request::{LARGEST_GATHERED, PREFER, Sent, parsed},
};
use crate::{
    address::Address,
    error::{Effect, Refusal},
    names,
    transport::gathered,
};

/// Most parts of one batch.
pub(crate) const MOST_PARTS: usize = 20;

#[derive(Serialize)]
struct Requests<'a> {
    requests: Vec<Part<'a>>,
}

#[derive(Serialize)]
struct Part<'a> {
    id: String,
    method: &'static str,
    url: String,
    headers: HashMap<&'a str, String>,
}

#[derive(Deserialize)]
struct Answers {
    responses: Vec<PartAnswer>,
}

#[derive(Deserialize)]
struct PartAnswer {
    id: String,
    status: u16,
    #[serde(default)]
    headers: Option<HashMap<String, serde_json::Value>>,
    #[serde(default)]
    body: Option<Box<RawValue>>,
}

/// A part's answer.
#[derive(Debug)]
pub(crate) enum Batched {
    /// Success, with its body.
    Answer(Bytes),
    /// No success.
    Refused(Refusal),
    /// The answer has no such part.
    Missing,
}

impl Batched {
    /// Its JSON, or why there is none.
    pub(crate) fn parsed<T: DeserializeOwned>(self) -> Result<T, Failure> {
        match self {
            Self::Answer(body) => parsed(&body),
            Self::Refused(refusal) => Err(Failure::Refused(refusal)),
            Self::Missing => Err(Failure::Lost),
        }
    }
}

impl Api {
    /// Reads at most [`MOST_PARTS`] addresses; the answers in their order. A token that a part refuses counts as refused for
    /// the whole.
    pub(crate) async fn batch(
        &self,
        call: Call,
        parts: &[(Address, Prefer)],
    ) -> ProviderResult<Vec<Batched>> {
        let mut answers = Vec::with_capacity(parts.len());
        while answers.len() < parts.len() {
            let rest = &parts[answers.len()..];
            answers.append(&mut self.some(call, rest).await?);
        }
        Ok(answers)
    }

    /// As many of the first as may be under way at the same time as whatever else is: one at least.
    async fn some(&self, call: Call, parts: &[(Address, Prefer)]) -> ProviderResult<Vec<Batched>> {
        let wish = Wish::Parts(parts.len());
        let some = self.attempt_in(call, wish, Effect::None, |token, granted| async move {
            let parts = &parts[..granted];
            let answer = self.send(&token, &batched(parts)).await?;
            let answer = gathered(answer, LARGEST_GATHERED).await?;
            let answers: Answers = parsed(&answer)?;
            let answers = self.sorted(answers, parts.len());
            match answers.iter().find_map(refused_token) {
                Some(refusal) => Err(Failure::Refused(refusal)),
                None => Ok(answers),
            }
        });
        some.await.map(|(answers, _)| answers)
    }

    /// The parts come in any order.
    fn sorted(&self, answers: Answers, count: usize) -> Vec<Batched> {
        let mut sorted: Vec<Batched> = (0..count).map(|_| Batched::Missing).collect();
        for part in answers.responses {
            let place = part.id.parse::<usize>().ok();
            let place = place.and_then(|id| sorted.get_mut(id.checked_sub(1)?));
            if let Some(place) = place {
                *place = self.batched(part);
            }
        }
        sorted
    }

    fn batched(&self, part: PartAnswer) -> Batched {
        let body = part.body.map(|body| Bytes::from(body.get().to_owned()));
        let body = body.unwrap_or_default();
        if (200..300).contains(&part.status) {
            return Batched::Answer(body);
        }
        let headers = part.headers.unwrap_or_default();
        let wait = headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
        let wait = wait.map(|(_, value)| match value.as_str() {
            Some(text) => text.to_owned(),
            None => value.to_string(),
        });
        let json = serde_json::from_slice(&body).ok();
        let refusal = Refusal::new(part.status, wait.as_deref(), json.as_ref(), self.now());
        Batched::Refused(refusal)
    }

    /// Notes a part's failure as that of a request.
    pub(crate) fn part_failed(&self, failure: Failure) -> ProviderError {
        self.note(failure, Effect::None)
    }
}

/// The request that asks for these.
fn batched(parts: &[(Address, Prefer)]) -> Sent {
    let requests = (1..)
        .zip(parts)
        .map(|(id, (address, prefer)): (usize, _)| Part {
            id: id.to_string(),
            method: "GET",
            url: format!("/{}", address.as_str()),
            headers: HashMap::from([(PREFER, prefer.value())]),
        });
    let requests = Requests {
        requests: requests.collect(),
    };
    // Text and numbers have a JSON form.
    let body = serde_json::to_string(&requests).unwrap_or_default();
    Sent {
        method: Method::POST,
        address: names::batch(),
        prefer: Prefer::default(),
        body: Some(Body::Json(body.into())),
        version: None,
    }
}

fn refused_token(part: &Batched) -> Option<Refusal> {
    match part {
        Batched::Refused(refusal) if refusal.is_of_token() => Some(refusal.clone()),
        _ => None,
    }
}
