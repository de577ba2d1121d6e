//! From a request to an answer: who asks, for what, whether it may, and what goes wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use fake_oauth::{TokenOwner, TokenProblem};
use serde_json::Value;

use crate::error::ApiError;
use crate::faults::{ErrorKind, strikes};
use crate::fields::Mask;
use crate::handlers::{self, Request};
use crate::record::{RecordedRequest, Violation};
use crate::server::Inner;
use crate::tables::Kind;
use crate::tables::scopes::METADATA;
use crate::upload::{self, Upload};
use crate::validate::{self, Query, Route};
use crate::world::World;

const RECORDED_BODY: usize = 64 << 10;

/// A request, alone or from a batch.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub http: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub batched: bool,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What is sent back.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    pub transport: Transport,
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
        Self {
            status,
            headers: vec![("content-type", "application/json; charset=UTF-8".to_owned())],
            body: serde_json::to_vec_pretty(value).unwrap_or_default(),
            transport: Transport::Whole,
        }
    }

    pub fn error(error: &ApiError) -> Self {
        let mut answer = Self::json(error.status, &error.body());
        if let Some(challenge) = error.challenge() {
            answer
                .headers
                .push(("www-authenticate", challenge.to_owned()));
        }
        if let Some(value) = &error.retry_after {
            answer.headers.push(("retry-after", value.clone()));
        }
        answer
    }

    fn success(value: &Value) -> Self {
        if value.is_null() {
            return Self {
                status: 204,
                ..Self::default()
            };
        }
        Self::json(200, value)
    }
}

/// What is known of a request once it is understood, for the record.
#[derive(Default)]
struct Known {
    method: Option<&'static str>,
    user: Option<String>,
    units: u32,
}

/// Answers one request.
pub(crate) async fn answer(inner: &Arc<Inner>, call: Call) -> Answer {
    let mut known = Known::default();
    let owner = authenticate(inner, &call);
    let user = owner
        .as_ref()
        .map_or(String::new(), |owner| owner.user.clone());
    let (entered, delay) = {
        let mut world = inner.world();
        let limit = world.settings.concurrent_requests;
        let concerned = world.faults.concern(method_of(&call).unwrap_or_default());
        let delay = concerned.then_some(world.faults.delay);
        (world.quota.enter(&user, limit), delay.unwrap_or_default())
    };
    if delay > Duration::ZERO {
        tokio::time::sleep(delay).await;
    }
    let mut world = inner.world();
    if drops(&mut world, &call) {
        world.quota.leave(&user);
        known.method = method_of(&call);
        let answer = Answer {
            status: 200,
            transport: Transport::Cut,
            ..Answer::default()
        };
        record(inner, &mut world, call, &known, None, 0);
        return answer;
    }
    let result = if entered {
        let result = perform(inner, &mut world, &call, owner, &mut known);
        world.quota.leave(&user);
        result
    } else {
        Err(ErrorKind::TooManyConcurrent.error(None))
    };
    let (mut answer, refusal) = match result {
        Ok(answer) => (answer, None),
        Err(error) => (Answer::error(&error), Some(error)),
    };
    if answer.status < 300 && !call.batched {
        spoil(&mut world, known.method.unwrap_or_default(), &mut answer);
    }
    record(
        inner,
        &mut world,
        call,
        &known,
        refusal.as_ref(),
        answer.status,
    );
    answer
}

fn perform(
    inner: &Inner,
    world: &mut World,
    call: &Call,
    owner: Result<TokenOwner, ApiError>,
    known: &mut Known,
) -> Result<Answer, ApiError> {
    let now_ms = inner.clock.now_ms();
    let (upload, path) = Upload::of_path(&call.path);
    let unknown = || ApiError {
        violation: true,
        ..ApiError::refused(404, "notFound", "Not Found")
    };
    if let (true, Some(id)) = (upload != Upload::None, upload::session_id(call)) {
        if let Some(session) = world.sessions.get(id) {
            known.method = Some(session.method.id);
            known.user = Some(session.owner.user.clone());
        }
        return upload::resume(world, call, now_ms);
    }
    let Route { method, path } = validate::route(&call.http, path).ok_or_else(unknown)?;
    known.method = Some(method.id);
    if upload != Upload::None && method.upload_limit.is_none() {
        return Err(unknown());
    }
    let owner = owner?;
    known.user = Some(owner.user.clone());
    if !call.batched && call.http != "GET" && call.http != "DELETE" && !has_length(call) {
        return Err(ApiError {
            violation: true,
            ..ApiError::refused(
                411,
                "required",
                "POST requests require a Content-length header",
            )
        });
    }
    if !method
        .scopes
        .iter()
        .any(|scope| owner.scopes.contains(*scope))
    {
        return Err(ApiError::scope());
    }
    let query = Query::check(method, upload != Upload::None, call.query.clone())?;
    let mask = match query.get("fields") {
        Some(fields) => Some(Mask::parse(fields, method.response)?),
        None => None,
    };
    if world.mailbox(&owner.user).is_none() {
        return Err(ApiError::refused(
            400,
            "failedPrecondition",
            "Mail service not enabled",
        ));
    }
    check_user(&owner, &path)?;
    let World {
        faults,
        rng,
        quota,
        settings,
        ..
    } = world;
    if let Some(error) = faults.error(method.id, rng) {
        return Err(error);
    }
    quota.spend(&owner.user, method.units, settings, now_ms)?;
    known.units = method.units;
    let content = upload::read(world, upload, method, call, &query, &path, &owner, now_ms)?;
    let content = match content {
        upload::Read::Content(content) => content,
        upload::Read::Session(answer) => return Ok(answer),
    };
    let request = Request {
        method,
        path,
        query,
        body: content.body,
        media: content.media,
        restricted: owner.scopes.contains(METADATA),
        now_ms,
    };
    finish(world, &owner.user, request, mask.as_ref())
}

/// Runs the method and shapes its answer.
pub(crate) fn finish(
    world: &mut World,
    user: &str,
    request: Request,
    mask: Option<&Mask>,
) -> Result<Answer, ApiError> {
    let method = request.method;
    let mut value = handlers::run(world, user, request)?;
    debug_assert!(
        fits(&value, method.response),
        "{}: {value} is no answer of its schema",
        method.id
    );
    if let Some(mask) = mask {
        mask.apply(&mut value);
    }
    let faulty = world.faults.concern(method.id);
    let World { faults, rng, .. } = world;
    if faulty && strikes(faults.failures_after_effect, rng) {
        return Err(ErrorKind::Unavailable.error(None));
    }
    Ok(Answer::success(&value))
}

/// Whether an answer is of the schema that the method promises.
fn fits(value: &Value, response: Option<&'static str>) -> bool {
    match response {
        Some(name) => validate::check(value, Kind::Object(name), "").is_ok(),
        None => value.is_null(),
    }
}

fn authenticate(inner: &Inner, call: &Call) -> Result<TokenOwner, ApiError> {
    let token = call
        .header("authorization")
        .and_then(|header| header.strip_prefix("Bearer "))
        .ok_or_else(|| ApiError::unauthenticated(true))?;
    // A token that expired or was revoked is nobody's mistake; one that was never issued is.
    inner
        .oauth
        .check(token)
        .map_err(|problem| ApiError::unauthenticated(problem == TokenProblem::Unknown))
}

fn check_user(owner: &TokenOwner, path: &[(&'static str, String)]) -> Result<(), ApiError> {
    let asked = path
        .iter()
        .find(|(name, _)| *name == "userId")
        .map_or("me", |(_, value)| value.as_str());
    if asked == "me" || asked.eq_ignore_ascii_case(&owner.user) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "Delegation denied for {}",
        owner.user
    )))
}

/// The front of this vendor's services refuses POST, PUT and PATCH without a length, even of an empty body.
fn has_length(call: &Call) -> bool {
    call.headers.contains_key("content-length") || call.headers.contains_key("transfer-encoding")
}

/// The method that a request is for.
fn method_of(call: &Call) -> Option<&'static str> {
    let (_, path) = Upload::of_path(&call.path);
    validate::route(&call.http, path).map(|route| route.method.id)
}

/// Whether a request gets lost on its way.
fn drops(world: &mut World, call: &Call) -> bool {
    let method = method_of(call).unwrap_or_default();
    let World { faults, rng, .. } = world;
    !call.batched && faults.concern(method) && strikes(faults.dropped_requests, rng)
}

/// Faults of the way back.
pub(crate) fn spoil(world: &mut World, method: &str, answer: &mut Answer) {
    let World { faults, rng, .. } = world;
    if !faults.concern(method) {
        return;
    }
    if strikes(faults.truncated_bodies, rng) {
        answer.body.truncate(answer.body.len() / 2);
    }
    if strikes(faults.cut_connections, rng) {
        answer.transport = Transport::Cut;
    } else if strikes(faults.stalls, rng) {
        let hour = Duration::from_secs(3600);
        answer.transport = Transport::Stall(faults.stall_for.unwrap_or(hour));
    }
}

fn record(
    inner: &Inner,
    world: &mut World,
    mut call: Call,
    known: &Known,
    refusal: Option<&ApiError>,
    status: u16,
) {
    if let Some(error) = refusal.filter(|error| error.violation) {
        world.violations.push(Violation {
            request: format!("{} {}", call.http, call.path),
            status,
            problem: error.message.clone(),
        });
    }
    call.body.truncate(RECORDED_BODY);
    world.requests.push_back(RecordedRequest {
        at_ms: inner.clock.now_ms(),
        method: known.method,
        http: call.http,
        path: call.path,
        query: call.query,
        body: call.body,
        user: known.user.clone(),
        status,
        units: known.units,
        batched: call.batched,
    });
}
