use serde::Serialize;
use utoipa::ToSchema;

/// Which text of a message is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum BodyType {
    /// HTML; made from the text where there is none.
    Html,
    /// Plain text; made from the HTML where there is none.
    Text,
}

impl From<BodyType> for email_model::BodyType {
    fn from(body_type: BodyType) -> Self {
        match body_type {
            BodyType::Html => Self::Html,
            BodyType::Text => Self::Text,
        }
    }
}
