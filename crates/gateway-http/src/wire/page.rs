use gateway_operations::MessagePage;
use serde::Serialize;
use utoipa::ToSchema;

use super::EmailMessage;

/// A page of messages.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailMessagesPageNext {
    /// More after this.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
    /// How many records there are here.
    length: usize,
    /// The messages.
    records: Vec<EmailMessage>,
}

impl EmailMessagesPageNext {
    /// As the operations have it; with empty `nativeProperties` where a client asked for some.
    pub(crate) fn new(page: MessagePage, native_properties: bool) -> Self {
        let record = |view| EmailMessage::from(view).with_native_properties(native_properties);
        Self {
            next_page_token: page.next_page_token,
            length: page.records.len(),
            records: page.records.into_iter().map(record).collect(),
        }
    }
}
