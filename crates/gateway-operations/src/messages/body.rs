//! Body texts as clients ask for them.

use email_model::{Body, BodyType};

/// The body in this type, made from the other one where it is missing; empty where there is none.
pub(super) fn body_as(body: &Body, body_type: BodyType) -> String {
    email_mime::body_as(body, body_type).unwrap_or_default()
}

/// The body without quoted history.
pub(super) fn strip_quoted(text: &str, body_type: BodyType) -> String {
    email_mime::strip_quoted(text, body_type)
}

/// The body as it is searched: the plain text is made from the HTML where there is no other.
pub(super) fn searched(body: &Body) -> Body {
    Body {
        html: None,
        text: Some(body_as(body, BodyType::Text)),
    }
}
