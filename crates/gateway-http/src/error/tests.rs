use email_provider::{ErrorKind, ProviderError};

use super::*;

#[test]
fn each_kind_of_failure_is_a_code_of_its_own() {
    use OperationErrorKind as Kind;
    let kinds = [
        (Kind::BadRequest, 400, "badRequest"),
        (Kind::TokenNotValid, 400, "token.notValid"),
        (Kind::Unauthorized, 401, "unauthorized"),
        (Kind::TokenDead, 401, "token.dead"),
        (Kind::TokenRefreshFailed, 401, "token.refresh.failed"),
        (Kind::Forbidden, 403, "forbidden"),
        (Kind::NotFound, 404, "notFound"),
        (Kind::RequestTimeout, 408, "requestTimeout"),
        (Kind::Conflict, 409, "conflict"),
        (Kind::SyncTokenExpired, 410, "syncToken.expired"),
        (Kind::TooLarge, 413, "tooLarge"),
        (Kind::Unprocessable, 422, "unprocessable"),
        (Kind::RateLimited, 429, "rateLimited"),
        (Kind::NotSupported, 501, "notSupported"),
        (Kind::Provider, 502, "provider.error"),
        (Kind::SendUnconfirmed, 502, "send.unconfirmed"),
        (Kind::ProviderUnavailable, 503, "provider.unavailable"),
        (Kind::MailboxUnavailable, 503, "mailbox.unavailable"),
        (Kind::Internal, 500, "internal"),
    ];
    for (kind, status, code) in kinds {
        let error = ApiError::from(OperationError::new(kind, "why"));
        assert_eq!(
            (error.failure().status.as_u16(), error.failure().code),
            (status, code)
        );
        let asked_again = matches!(status, 408 | 429 | 503);
        let response = error.into_response();
        assert_eq!(
            response.headers().contains_key("retry-after"),
            asked_again,
            "{code}"
        );
    }
}

#[test]
fn a_wait_is_told_in_whole_seconds_rounded_up() {
    for (wait, told) in [
        (0, "1"),
        (1, "1"),
        (999, "1"),
        (1000, "1"),
        (1001, "2"),
        (60_000, "60"),
    ] {
        let error = ApiError::overloaded("x").with_retry_after(Duration::from_millis(wait));
        assert_eq!(error.into_response().headers()["retry-after"], told);
    }
}

#[test]
fn a_refused_caller_is_told_how_to_sign_in() {
    let challenge = |error: ApiError| {
        let response = error.into_response();
        response.headers()["www-authenticate"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert!(challenge(ApiError::unauthorized("x")).starts_with("Bearer "));
    assert!(challenge(ApiError::unauthorized("x").asking_for_basic()).starts_with("Basic "));
    let other = ApiError::forbidden("x").asking_for_basic().into_response();
    assert!(!other.headers().contains_key("www-authenticate"));
}

#[test]
fn causes_are_for_the_log_only() {
    let source = std::io::Error::other("the cause");
    let provider = ProviderError::new(ErrorKind::Unexpected, "told").with_source(source);
    let error = ApiError::from(OperationError::from(provider));
    let failure = error.failure();
    assert_eq!(failure.message, "told");
    assert!(failure.cause.as_deref().unwrap().contains("the cause"));
    assert!(
        !failure
            .original
            .as_ref()
            .unwrap()
            .to_string()
            .contains("the cause")
    );
}
