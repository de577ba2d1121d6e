//! Walks over one stream.

use chrono::{DateTime, Utc};

use super::WalkError;
use super::copy::Change;
use crate::{Answer, Api, Call};

/// Where a client stands in a stream.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    template: &'static str,
    is_live: bool,
    parameter: &'static str,
    token: String,
    issued: u64,
}

/// What a walk got.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub changes: Vec<Change>,
    /// `verifiedAt` of the last page, where the walk reached it.
    pub verified: Option<DateTime<Utc>>,
    /// Why it ended before.
    pub error: Option<WalkError>,
}

impl Stream {
    pub fn updated(token: String, issued: u64) -> Self {
        Self {
            template: "/v1/email/sync/updated",
            is_live: true,
            parameter: "deltaToken",
            token,
            issued,
        }
    }

    pub fn deleted(token: String, issued: u64) -> Self {
        Self {
            template: "/v1/email/sync/deleted",
            is_live: false,
            ..Self::updated(token, issued)
        }
    }

    /// Walks to the end, or for so many pages.
    pub async fn walk(
        &mut self,
        api: &Api,
        limit: Option<usize>,
        pages: usize,
        step: u64,
    ) -> Walked {
        let mut walked = Walked::default();
        for _ in 0..pages {
            match self.page(api, limit, step, &mut walked).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(error) => {
                    walked.error = Some(error);
                    break;
                }
            }
        }
        walked
    }

    /// One page; whether it was the last.
    async fn page(
        &mut self,
        api: &Api,
        limit: Option<usize>,
        step: u64,
        walked: &mut Walked,
    ) -> Result<bool, WalkError> {
        let mut call = Call::get(self.template).query(self.parameter, &self.token);
        if let Some(limit) = limit {
            call = call.query("limit", limit);
        }
        let answer = accepted(api.call(call).await?, self.issued)?;
        let wrong = |what: &str| WalkError::Violation(format!("{what}: {}", answer.told()));
        let records = answer.records();
        let default = 200;
        if answer.json["length"].as_u64() != u64::try_from(records.len()).ok() {
            return Err(wrong("length is not the number of records"));
        }
        if records.len() > limit.unwrap_or(default) {
            return Err(wrong("more records than asked for"));
        }
        for record in records {
            walked.changes.push(Change::read(record, self.is_live)?);
        }
        let verified = answer.json["verifiedAt"].as_str();
        let verified = verified.and_then(|text| text.parse().ok());
        let next = |field: &str| answer.json[field].as_str().map(str::to_owned);
        let last = match (next("nextPageToken"), next("nextDeltaToken")) {
            (Some(token), None) => {
                if records.is_empty() {
                    return Err(wrong("an empty page that is not the last"));
                }
                self.parameter = "pageToken";
                self.token = token;
                false
            }
            (None, Some(token)) => {
                // Left out until a pass has reached every folder: nothing is claimed then.
                walked.verified = verified;
                self.parameter = "deltaToken";
                self.token = token;
                true
            }
            _ => return Err(wrong("not exactly one of nextPageToken and nextDeltaToken")),
        };
        self.issued = step;
        Ok(last)
    }
}

/// Sorts answers that are no success.
pub(super) fn accepted(answer: Answer, issued: u64) -> Result<Answer, WalkError> {
    match answer.status {
        200 => Ok(answer),
        429 | 503 => Err(WalkError::NotNow(Box::new(answer))),
        410 => Err(WalkError::Expired(Box::new(answer), issued)),
        _ => Err(WalkError::Violation(answer.told())),
    }
}
