//! Ids in paths. Whatever is not a well-formed id names nothing: 404.

use std::{collections::HashMap, str::FromStr};

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use email_model::{DraftId, FolderId, MessageId, PartId, ThreadId};
use gateway_operations::AccountId;

use crate::error::{ApiError, ApiResult};

/// A public id and what it names.
pub(crate) trait PublicId: Sized {
    /// What it names, for people.
    const NAMES: &'static str;

    /// Reads it.
    fn read(text: &str) -> Option<Self>;
}

macro_rules! public_id {
    ($id:ty, $names:literal) => {
        impl PublicId for $id {
            const NAMES: &'static str = $names;

            fn read(text: &str) -> Option<Self> {
                Self::from_str(text).ok()
            }
        }
    };
}

public_id!(MessageId, "message");
public_id!(ThreadId, "conversation");
public_id!(FolderId, "folder");
public_id!(DraftId, "draft");
public_id!(PartId, "attachment");

impl PublicId for AccountId {
    const NAMES: &'static str = "account";

    fn read(text: &str) -> Option<Self> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse().ok().map(Self))?
    }
}

/// The one id in the path, percent-encoded or not.
#[derive(Debug)]
pub(crate) struct Id<T>(pub(crate) T);

impl<T: PublicId, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let Ok(Path(text)) = Path::<String>::from_request_parts(parts, state).await else {
            return Err(ApiError::not_found(T::NAMES));
        };
        id(&text).map(Self)
    }
}

/// Reads an id that a path or a body names.
pub(crate) fn id<T: PublicId>(text: &str) -> ApiResult<T> {
    T::read(text).ok_or_else(|| ApiError::not_found(T::NAMES))
}

/// A part of a message.
#[derive(Debug)]
pub(crate) struct AttachmentPath {
    /// The message.
    pub(crate) message: MessageId,
    /// The part.
    pub(crate) part: PartId,
}

impl<S: Send + Sync> FromRequestParts<S> for AttachmentPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let Ok(Path(named)) =
            Path::<HashMap<String, String>>::from_request_parts(parts, state).await
        else {
            return Err(ApiError::not_found(PartId::NAMES));
        };
        let text = |name: &str| named.get(name).map(String::as_str).unwrap_or_default();
        Ok(Self {
            message: id(text("messageId"))?,
            part: id(text("attachmentId"))?,
        })
    }
}

/// A code, which is no id: whatever its form, it is looked up.
pub(crate) struct CodePath(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for CodePath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> ApiResult<Self> {
        let code = Path::<String>::from_request_parts(parts, state).await;
        let Path(code) = code.map_err(|_| ApiError::not_found("code"))?;
        Ok(Self(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_is_digits_only() {
        assert_eq!(AccountId::read("17"), Some(AccountId(17)));
        for text in ["", "+17", "-17", "17 ", "1e3", "99999999999999999999"] {
            assert_eq!(AccountId::read(text), None, "{text}");
        }
    }

    #[test]
    fn a_malformed_id_names_nothing() {
        let error = id::<MessageId>("../../etc").unwrap_err();
        assert_eq!(error.failure().status.as_u16(), 404);
        assert_eq!(error.failure().message, "message not found");
    }
}
