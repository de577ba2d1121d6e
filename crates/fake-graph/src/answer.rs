//! What is sent back.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::error::{ApiError, Form};
use crate::server::Inner;

#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The body is JSON: in a batch it stands as it is.
    pub json: bool,
    pub transport: Transport,
    /// The request is under way until the last of the body is taken.
    pub under_way: Option<Arc<UnderWay>>,
}

/// A request that counts among those at the same time.
pub(crate) struct UnderWay {
    pub inner: Arc<Inner>,
    pub meter: String,
}

impl fmt::Debug for UnderWay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnderWay").field(&self.meter).finish()
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.inner.world().limits.leave(&self.meter);
    }
}

/// How far the answer gets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Transport {
    #[default]
    Whole,
    /// The connection ends in the middle.
    Cut,
    /// Nothing comes after the middle for a time.
    Stall(Duration),
}

impl Answer {
    pub fn json(status: u16, value: &Value) -> Self {
        let kind = "application/json; odata.metadata=minimal; odata.streaming=true; IEEE754Compatible=false; charset=utf-8";
        Self {
            status,
            headers: vec![("content-type", kind.to_owned())],
            body: serde_json::to_vec(value).unwrap_or_default(),
            json: true,
            ..Self::default()
        }
    }

    pub fn empty(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub fn octets(kind: &str, body: Vec<u8>) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", kind.to_owned())],
            body,
            ..Self::default()
        }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn error(error: &ApiError) -> Self {
        let mut answer = match error.form {
            Form::Json => Self::json(error.status, &error.body_json()),
            Form::Html => {
                let page = format!(
                    "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>",
                    error.message
                );
                Self {
                    status: error.status,
                    ..Self::octets("text/html", page.into_bytes())
                }
            }
            Form::Nothing => Self::empty(error.status),
        };
        if let Some(challenge) = error.challenge() {
            answer = answer.with("www-authenticate", challenge);
        }
        if let Some(value) = &error.retry_after {
            answer = answer.with("retry-after", value.clone());
        }
        if let Some(location) = &error.location {
            answer = answer.with("location", location.clone());
        }
        answer
    }
}
