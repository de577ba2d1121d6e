//! What of a body is quoted history, by the marks that common mail programs leave.

mod html;
mod phrases;
mod text;

use email_model::BodyType;

/// `body` without the messages it answers. What was forwarded stays. A body of nothing but quotation is
/// given as it is, for there would be nothing left.
pub fn strip_quoted(body: &str, body_type: BodyType) -> String {
    match body_type {
        BodyType::Text => text::strip(body),
        BodyType::Html => html::strip(body),
    }
}
