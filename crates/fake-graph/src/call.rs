//! From a request to an answer: who asks, for what, whether it may, and what goes wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use fake_oauth::{TokenOwner, TokenProblem};

use crate::answer::{Answer, Transport, UnderWay};
use crate::error::ApiError;
use crate::faults::ErrorKind;
use crate::handlers::{self, Request, Step};
use crate::odata::Prefer;
use crate::query::Query;
use crate::record::{RecordedRequest, Violation};
use crate::server::Inner;
use crate::tables::{Body, Method, scopes};
use crate::validate::{self, Route};
use crate::world::World;

const RECORDED_BODY: usize = 64 << 10;

/// A request, alone or from a batch.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub http: String,
    /// From `/v1.0` on.
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub batched: bool,
    /// Where the server was reached, for links.
    pub origin: String,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What is known of a request once it is understood, for the record.
#[derive(Default)]
struct Known {
    method: Option<&'static str>,
    user: Option<String>,
    /// What is wrong with it although it is answered.
    flaws: Vec<String>,
}

/// Answers one request.
pub(crate) async fn answer(inner: &Arc<Inner>, call: Call) -> Answer {
    let mut known = Known::default();
    let owner = authenticate(inner, &call);
    let meter = owner.as_ref().map_or(String::new(), meter_of);
    let own = owner.as_ref().map_or("", |owner| owner.user.as_str());
    let route = find(&call, own);
    let id = route.as_ref().map_or("", |route| route.method.id);
    let (entered, delay) = {
        let mut world = inner.world();
        let concerned = world.faults.concern(id);
        let delay = if concerned {
            world.faults.delay
        } else {
            Duration::ZERO
        };
        let World {
            limits, settings, ..
        } = &mut *world;
        (limits.enter(&meter, settings), delay)
    };
    if delay > Duration::ZERO {
        tokio::time::sleep(delay).await;
    }
    let step = {
        let mut world = inner.world();
        if !call.batched
            && world.faults.concern(id)
            && strikes(&mut world, |faults| &mut faults.dropped_requests)
        {
            if entered {
                world.limits.leave(&meter);
            }
            known.method = Some(id).filter(|id| !id.is_empty());
            record(inner, &mut world, call, known, None, 0);
            return Answer {
                status: 200,
                transport: Transport::Cut,
                ..Answer::default()
            };
        }
        if entered {
            perform(inner, &mut world, &call, route, owner, &mut known)
        } else {
            known.method = Some(id).filter(|id| !id.is_empty());
            let mut error = ApiError::of(ErrorKind::MailboxConcurrency);
            error.violation = world.settings.concurrency_is_violation;
            error.retry_after = Some("1".to_owned());
            Err(error)
        }
    };
    // Some requests make the server ask somebody else, while they are under way.
    let result = match step {
        Ok(Step::Done(answer)) => Ok(answer),
        Ok(Step::Subscribe(proposal)) => crate::subscribe::finish(inner, *proposal).await,
        Err(error) => Err(error),
    };
    let mut world = inner.world();
    let (mut answer, refusal) = match result {
        Ok(answer) => (answer, None),
        Err(error) => (Answer::error(&error), Some(error)),
    };
    answer = answer.with("request-id", "6f1c3b6e-8e44-4a0c-9f5e-27b1f3a7a6c1");
    if answer.status < 300 && !call.batched {
        spoil(&mut world, known.method.unwrap_or_default(), &mut answer);
    }
    // Octets go out little by little, as they are taken.
    let is_stream = !call.batched && !answer.json && !answer.body.is_empty();
    if entered && is_stream {
        answer.under_way = Some(Arc::new(UnderWay {
            inner: Arc::clone(inner),
            meter,
        }));
    } else if entered {
        world.limits.leave(&meter);
    }
    let status = answer.status;
    record(inner, &mut world, call, known, refusal.as_ref(), status);
    answer
}

fn find(call: &Call, own: &str) -> Result<Route, ApiError> {
    let path = call.path.strip_prefix("/v1.0");
    let Some(path) = path.filter(|path| path.starts_with('/')) else {
        return Err(ApiError::wrong(400, "BadRequest", "Invalid version."));
    };
    validate::route(&call.http, path, own).map_err(|status| match status {
        405 => ApiError::wrong(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        ),
        _ => ApiError::wrong(
            400,
            "BadRequest",
            format!("Resource not found for the segment in '{path}'."),
        ),
    })
}

fn perform(
    inner: &Inner,
    world: &mut World,
    call: &Call,
    route: Result<Route, ApiError>,
    owner: Result<TokenOwner, ApiError>,
    known: &mut Known,
) -> Result<Step, ApiError> {
    let now_ms = inner.clock.now_ms();
    if let Ok(route) = &route {
        known.method = Some(route.method.id);
    }
    let owner = owner?;
    known.user = Some(owner.user.clone());
    let Route { method, path } = route?;
    let basic = permit(&owner, method)?;
    if call.body.len() > world.settings.body_limit {
        return Err(ApiError::wrong(
            413,
            "RequestEntityTooLarge",
            "The request body is too large.",
        ));
    }
    if !world.users.contains_key(&owner.user.to_lowercase()) {
        return Err(ApiError::of(ErrorKind::MailboxNotEnabled));
    }
    let prefer = Prefer::read(&call.headers);
    for unknown in &prefer.unknown {
        known.flaws.push(format!("Prefer: {unknown}"));
    }
    if method.ids && world.settings.immutable_ids_required && !prefer.immutable_ids {
        known
            .flaws
            .push("no Prefer: IdType=\"ImmutableId\"".to_owned());
    }
    let query = Query::read(method, call.query.clone())?;
    let World {
        faults,
        rng,
        limits,
        settings,
        ..
    } = world;
    if let Some(error) = faults.error(method.id, rng) {
        return Err(error);
    }
    limits.count(&meter_of(&owner), settings, now_ms)?;
    let plain = call
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/plain"));
    let mime = plain
        && matches!(
            method.id,
            "messages.create" | "mailFolders.messages.create" | "sendMail"
        );
    let mime = mime
        || (plain
            && method.id.starts_with("messages.")
            && matches!(method.body, Body::Parameters(_)));
    let body = if mime {
        serde_json::Value::Null
    } else {
        content_type(call)?;
        validate::body(method.body, &call.body)?
    };
    let request = Request {
        method,
        path,
        query,
        prefer,
        body,
        mime: mime.then(|| call.body.clone()),
        headers: call.headers.clone(),
        now_ms,
        origin: call.origin.clone(),
        url_path: call.path.clone(),
        owner,
        basic,
    };
    let step = handlers::run(world, &request)?;
    let faulty = world.faults.concern(method.id);
    if faulty && strikes(world, |faults| &mut faults.failures_after_effect) {
        return Err(ApiError::of(ErrorKind::Unavailable));
    }
    Ok(match step {
        Step::Done(answer) => Step::Done(match request.prefer.applied() {
            Some(applied) => answer.with("preference-applied", applied),
            None => answer,
        }),
        other => other,
    })
}

/// Whether the token allows the method, and then whether it gives the basic properties alone.
fn permit(owner: &TokenOwner, method: &Method) -> Result<bool, ApiError> {
    let granted: Vec<&str> = owner
        .scopes
        .iter()
        .map(|scope| scope.rsplit('/').next().unwrap_or(scope))
        .collect();
    let fitting: Vec<&&str> = method
        .scopes
        .iter()
        .filter(|scope| granted.contains(*scope))
        .collect();
    if fitting.is_empty() {
        return Err(ApiError::scope());
    }
    Ok(fitting
        .iter()
        .all(|scope| ***scope == *scopes::MAIL_READ_BASIC))
}

fn content_type(call: &Call) -> Result<(), ApiError> {
    if call.body.is_empty() {
        return Ok(());
    }
    let kind = call.header("content-type").unwrap_or_default();
    if kind.starts_with("application/json") {
        return Ok(());
    }
    Err(ApiError::wrong(
        415,
        "RequestBodyRead",
        format!(
            "A supported MIME type could not be found that matches the content type of the request: '{kind}'."
        ),
    ))
}

fn meter_of(owner: &TokenOwner) -> String {
    format!("{} {}", owner.client, owner.user.to_lowercase())
}

pub(crate) fn authenticate(inner: &Inner, call: &Call) -> Result<TokenOwner, ApiError> {
    let header = call.header("authorization");
    let token = header
        .and_then(|header| header.strip_prefix("Bearer "))
        .ok_or_else(|| ApiError::unauthenticated(true, "Access token is empty."))?;
    // A token that expired or was revoked is nobody's mistake; one that was never issued is.
    inner.oauth.check(token).map_err(|problem| match problem {
        TokenProblem::Unknown => ApiError::unauthenticated(true, "IDX14100: JWT is not well formed, there are no dots (.)."),
        TokenProblem::Expired => ApiError::unauthenticated(false, "Lifetime validation failed, the token is expired."),
        TokenProblem::Revoked => ApiError::unauthenticated(false, "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"),
    })
}

fn strikes(
    world: &mut World,
    which: impl Fn(&mut crate::faults::Faults) -> &mut crate::faults::When,
) -> bool {
    let World { faults, rng, .. } = world;
    which(faults).strikes(rng)
}

/// Faults of the way back.
pub(crate) fn spoil(world: &mut World, method: &str, answer: &mut Answer) {
    if !world.faults.concern(method) {
        return;
    }
    if strikes(world, |faults| &mut faults.truncated_bodies) {
        answer.body.truncate(answer.body.len() / 2);
    }
    if strikes(world, |faults| &mut faults.cut_connections) {
        answer.transport = Transport::Cut;
    } else if strikes(world, |faults| &mut faults.stalls) {
        let hour = Duration::from_secs(3600);
        answer.transport = Transport::Stall(world.faults.stall_for.unwrap_or(hour));
    }
}

/// Records a violation.
pub(crate) fn violate(world: &mut World, call: &Call, status: u16, problem: &str) {
    world.violations.push(Violation {
        request: format!("{} {}", call.http, call.path),
        status,
        problem: problem.to_owned(),
    });
}

/// Records a request that has no method of the tables.
pub(crate) fn note(
    inner: &Inner,
    world: &mut World,
    call: &Call,
    method: &'static str,
    user: Option<String>,
    status: u16,
) {
    let known = Known {
        method: Some(method),
        user,
        flaws: Vec::new(),
    };
    record(inner, world, call.clone(), known, None, status);
}

fn record(
    inner: &Inner,
    world: &mut World,
    mut call: Call,
    known: Known,
    refusal: Option<&ApiError>,
    status: u16,
) {
    if let Some(error) = refusal.filter(|error| error.violation) {
        violate(
            world,
            &call,
            status,
            &format!("{}: {}", error.code, error.message),
        );
    }
    for flaw in &known.flaws {
        violate(world, &call, status, flaw);
    }
    call.body.truncate(RECORDED_BODY);
    world.requests.push_back(RecordedRequest {
        at_ms: inner.clock.now_ms(),
        method: known.method,
        prefer: Prefer::read(&call.headers).sent,
        http: call.http,
        path: call.path,
        query: call.query,
        body: call.body,
        user: known.user,
        status,
        batched: call.batched,
    });
}
