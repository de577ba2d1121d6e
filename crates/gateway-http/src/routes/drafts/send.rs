use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use email_model::DraftId;
use gateway_operations::{Gateway, SendOptions};

use crate::{
    error::{ApiError, ApiResult},
    extract::{DraftSendingAccount, Fields, FromQuery, Id, OnceJson, Query},
    json::Json,
    wire::{DraftSendDetails, EmailDraftSendResponse, OutEmailTrack},
};

/// What is due by then is sent at once.
const AT_ONCE: TimeDelta = TimeDelta::minutes(1);

/// How far ahead a send can be scheduled.
const FURTHEST: TimeDelta = TimeDelta::days(366);

/// When to send.
#[derive(Debug, utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct SendQuery {
    /// Send it then, up to a year ahead. Within a minute, or in the past: at once.
    send_time: Option<DateTime<Utc>>,
    /// Tell ids of the sent message.
    return_ids: Option<bool>,
}

impl FromQuery for SendQuery {
    fn from_query(fields: &Fields) -> ApiResult<Self> {
        Ok(Self {
            send_time: fields.moment("sendTime")?,
            return_ids: fields.flag("returnIds")?,
        })
    }
}

/// Send a draft, now or at a time. A scheduled send is cancelled by removing the draft.
#[utoipa::path(
    post,
    path = "/v1/email/drafts/{draftId}/send",
    operation_id = "sendDraft",
    tag = "drafts",
    params(
        ("draftId" = String, Path, description = "Id of the draft"),
        SendQuery,
        (
            "Idempotency-Key" = Option<String>,
            Header,
            description = "The same key and request again are answered as before and not sent again. Addition."
        )
    ),
    request_body = Option<DraftSendDetails>,
    responses((status = 200, description = "It went out, or will", body = EmailDraftSendResponse))
)]
pub(crate) async fn send(
    State(gateway): State<Gateway>,
    DraftSendingAccount(account): DraftSendingAccount,
    Id(draft): Id<DraftId>,
    Query(query): Query<SendQuery>,
    details: OnceJson<DraftSendDetails>,
) -> ApiResult<Json<EmailDraftSendResponse>> {
    OutEmailTrack::refused_in(details.value.tracking.as_ref())?;
    let at = later(query.send_time, gateway.now())?;
    let options = SendOptions {
        return_ids: query.return_ids.unwrap_or(false),
        idempotency: details.idempotency,
    };
    let outcome = gateway.send_draft(&account, draft, at, options).await?;
    Ok(Json(outcome.into()))
}

/// When to send; `None`: now.
fn later(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> ApiResult<Option<DateTime<Utc>>> {
    let at = at.filter(|at| *at - now > AT_ONCE);
    if at.is_some_and(|at| at - now > FURTHEST) {
        return Err(ApiError::unprocessable(
            "query parameter sendTime: at most a year ahead",
        ));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_soon_is_sent_now_and_nothing_is_put_off_for_years() {
        let now = DateTime::UNIX_EPOCH;
        let in_seconds = |seconds| later(Some(now + TimeDelta::seconds(seconds)), now);
        assert_eq!(later(None, now).unwrap(), None);
        for soon in [-1_000_000, 0, 60] {
            assert_eq!(in_seconds(soon).unwrap(), None, "{soon}");
        }
        for far in [61, 366 * 86_400] {
            assert_eq!(
                in_seconds(far).unwrap(),
                Some(now + TimeDelta::seconds(far))
            );
        }
        let error = in_seconds(366 * 86_400 + 1).unwrap_err();
        assert_eq!(error.failure().code, "unprocessable");
        assert!(later(Some(DateTime::<Utc>::MAX_UTC), now).is_err());
    }
}
