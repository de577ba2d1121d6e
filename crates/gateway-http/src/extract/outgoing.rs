use axum::{
    extract::{FromRef, FromRequest, Request},
    http::request::Parts,
};
use gateway_operations::{AccountId, Idempotency};
use serde::de::DeserializeOwned;
use sha2::Digest as _;

use super::{body, idempotency::Keyed};
use crate::{
    error::{ApiError, ApiResult},
    layers::AnswerClock,
    uploads::{Received, Uploads},
    wire::Enclosed,
};

/// A message to be sent or kept, with its attachments. It comes after the account in the arguments of a handler: the
/// account's share of uploads is taken for it.
#[derive(Debug)]
pub(crate) struct Outgoing<T> {
    /// What its JSON says.
    pub(crate) message: T,
    /// Its attachments' contents, and files that came beside the JSON.
    pub(crate) enclosed: Enclosed,
    /// Its key, if it has one.
    pub(crate) idempotency: Option<Idempotency>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Outgoing<T>
where
    Uploads: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> ApiResult<Self> {
        let (parts, body) = request.into_parts();
        let keyed = Keyed::of(&parts)?;
        let digest = keyed.as_ref().map(|keyed| keyed.digest.clone());
        let account = parts.extensions.get::<AccountId>().copied();
        let account = account.ok_or_else(|| {
            ApiError::internal().with_cause("a message came without its account".to_owned())
        })?;
        let uploads = Uploads::from_ref(state);
        let received = {
            let _arriving = AnswerClock::stopped(&parts.extensions);
            uploads
                .receive(account, &parts.headers, body, digest)
                .await?
        };
        let Received {
            message,
            files,
            contents,
            holds,
            digest,
        } = received;
        Ok(Self {
            message: body::typed(message)?,
            enclosed: Enclosed {
                files,
                contents,
                holds,
            },
            idempotency: once(keyed, digest),
        })
    }
}

fn once(keyed: Option<Keyed>, digest: Option<[u8; 32]>) -> Option<Idempotency> {
    Some(keyed?.with(digest?))
}

/// A small JSON body of something that may be asked for once.
#[derive(Debug)]
pub(crate) struct OnceJson<T> {
    /// The body.
    pub(crate) value: T,
    /// The key, if there is one.
    pub(crate) idempotency: Option<Idempotency>,
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OnceJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &S) -> ApiResult<Self> {
        let (parts, body): (Parts, _) = request.into_parts();
        let keyed = Keyed::of(&parts)?;
        let octets = body::read_in_time(&parts.headers, body).await?;
        let value = body::of_octets(&parts.headers, &octets)?;
        let digest = keyed.as_ref().map(|keyed| {
            let mut digest = keyed.digest.clone();
            digest.update(&octets);
            digest.finalize().into()
        });
        Ok(Self {
            value,
            idempotency: once(keyed, digest),
        })
    }
}
