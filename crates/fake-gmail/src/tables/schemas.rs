//! The fields of what is sent and answered.

use super::{Kind, Schema};

pub(super) const SCHEMAS: &[Schema] = &[
    Schema {
        name: "Message",
        properties: &[
            (
                "classificationLabelValues",
                Kind::List(&Kind::Object("ClassificationLabelValue")),
            ),
            ("historyId", Kind::Uint64),
            ("id", Kind::String),
            ("internalDate", Kind::Int64),
            ("labelIds", Kind::List(&Kind::String)),
            ("payload", Kind::Object("MessagePart")),
            ("raw", Kind::Bytes),
            ("sizeEstimate", Kind::Int32),
            ("snippet", Kind::String),
            ("threadId", Kind::String),
        ],
    },
    Schema {
        name: "MessagePart",
        properties: &[
            ("body", Kind::Object("MessagePartBody")),
            ("filename", Kind::String),
            ("headers", Kind::List(&Kind::Object("MessagePartHeader"))),
            ("mimeType", Kind::String),
            ("partId", Kind::String),
            ("parts", Kind::List(&Kind::Object("MessagePart"))),
        ],
    },
    Schema {
        name: "MessagePartBody",
        properties: &[
            ("attachmentId", Kind::String),
            ("data", Kind::Bytes),
            ("size", Kind::Int32),
        ],
    },
    Schema {
        name: "MessagePartHeader",
        properties: &[("name", Kind::String), ("value", Kind::String)],
    },
    Schema {
        name: "ClassificationLabelValue",
        properties: &[
            (
                "fields",
                Kind::List(&Kind::Object("ClassificationLabelFieldValue")),
            ),
            ("labelId", Kind::String),
        ],
    },
    Schema {
        name: "ClassificationLabelFieldValue",
        properties: &[("fieldId", Kind::String), ("selection", Kind::String)],
    },
    Schema {
        name: "Thread",
        properties: &[
            ("historyId", Kind::Uint64),
            ("id", Kind::String),
            ("messages", Kind::List(&Kind::Object("Message"))),
            ("snippet", Kind::String),
        ],
    },
    Schema {
        name: "Draft",
        properties: &[("id", Kind::String), ("message", Kind::Object("Message"))],
    },
    Schema {
        name: "Label",
        properties: &[
            ("color", Kind::Object("LabelColor")),
            ("id", Kind::String),
            (
                "labelListVisibility",
                Kind::Enum(&["labelShow", "labelShowIfUnread", "labelHide"]),
            ),
            ("messageListVisibility", Kind::Enum(&["show", "hide"])),
            ("messagesTotal", Kind::Int32),
            ("messagesUnread", Kind::Int32),
            ("name", Kind::String),
            ("threadsTotal", Kind::Int32),
            ("threadsUnread", Kind::Int32),
            ("type", Kind::Enum(&["system", "user"])),
        ],
    },
    Schema {
        name: "LabelColor",
        properties: &[
            ("backgroundColor", Kind::String),
            ("textColor", Kind::String),
        ],
    },
    Schema {
        name: "History",
        properties: &[
            ("id", Kind::Uint64),
            (
                "labelsAdded",
                Kind::List(&Kind::Object("HistoryLabelAdded")),
            ),
            (
                "labelsRemoved",
                Kind::List(&Kind::Object("HistoryLabelRemoved")),
            ),
            ("messages", Kind::List(&Kind::Object("Message"))),
            (
                "messagesAdded",
                Kind::List(&Kind::Object("HistoryMessageAdded")),
            ),
            (
                "messagesDeleted",
                Kind::List(&Kind::Object("HistoryMessageDeleted")),
            ),
        ],
    },
    Schema {
        name: "HistoryMessageAdded",
        properties: &[("message", Kind::Object("Message"))],
    },
    Schema {
        name: "HistoryMessageDeleted",
        properties: &[("message", Kind::Object("Message"))],
    },
    Schema {
        name: "HistoryLabelAdded",
        properties: &[
            ("labelIds", Kind::List(&Kind::String)),
            ("message", Kind::Object("Message")),
        ],
    },
    Schema {
        name: "HistoryLabelRemoved",
        properties: &[
            ("labelIds", Kind::List(&Kind::String)),
            ("message", Kind::Object("Message")),
        ],
    },
    Schema {
        name: "ListHistoryResponse",
        properties: &[
            ("history", Kind::List(&Kind::Object("History"))),
            ("historyId", Kind::Uint64),
            ("nextPageToken", Kind::String),
        ],
    },
    Schema {
        name: "ListMessagesResponse",
        properties: &[
            ("messages", Kind::List(&Kind::Object("Message"))),
            ("nextPageToken", Kind::String),
            ("resultSizeEstimate", Kind::Uint32),
        ],
    },
    Schema {
        name: "ListThreadsResponse",
        properties: &[
            ("nextPageToken", Kind::String),
            ("resultSizeEstimate", Kind::Uint32),
            ("threads", Kind::List(&Kind::Object("Thread"))),
        ],
    },
    Schema {
        name: "ListDraftsResponse",
        properties: &[
            ("drafts", Kind::List(&Kind::Object("Draft"))),
            ("nextPageToken", Kind::String),
            ("resultSizeEstimate", Kind::Uint32),
        ],
    },
    Schema {
        name: "ListLabelsResponse",
        properties: &[("labels", Kind::List(&Kind::Object("Label")))],
    },
    Schema {
        name: "Profile",
        properties: &[
            ("emailAddress", Kind::String),
            ("historyId", Kind::Uint64),
            ("messagesTotal", Kind::Int32),
            ("threadsTotal", Kind::Int32),
        ],
    },
    Schema {
        name: "WatchRequest",
        properties: &[
            ("labelFilterAction", Kind::Enum(&["include", "exclude"])),
            ("labelFilterBehavior", Kind::Enum(&["include", "exclude"])),
            ("labelIds", Kind::List(&Kind::String)),
            ("topicName", Kind::String),
        ],
    },
    Schema {
        name: "WatchResponse",
        properties: &[("expiration", Kind::Int64), ("historyId", Kind::Uint64)],
    },
    Schema {
        name: "ModifyMessageRequest",
        properties: &[
            (
                "addClassificationLabels",
                Kind::List(&Kind::Object("ClassificationLabelValue")),
            ),
            ("addLabelIds", Kind::List(&Kind::String)),
            ("removeClassificationLabelIds", Kind::List(&Kind::String)),
            ("removeLabelIds", Kind::List(&Kind::String)),
        ],
    },
    Schema {
        name: "ModifyThreadRequest",
        properties: &[
            ("addLabelIds", Kind::List(&Kind::String)),
            ("removeLabelIds", Kind::List(&Kind::String)),
        ],
    },
    Schema {
        name: "BatchModifyMessagesRequest",
        properties: &[
            (
                "addClassificationLabels",
                Kind::List(&Kind::Object("ClassificationLabelValue")),
            ),
            ("addLabelIds", Kind::List(&Kind::String)),
            ("ids", Kind::List(&Kind::String)),
            ("removeClassificationLabelIds", Kind::List(&Kind::String)),
            ("removeLabelIds", Kind::List(&Kind::String)),
        ],
    },
    Schema {
        name: "BatchDeleteMessagesRequest",
        properties: &[("ids", Kind::List(&Kind::String))],
    },
    Schema {
        name: "SendAs",
        properties: &[
            ("displayName", Kind::String),
            ("isDefault", Kind::Bool),
            ("isPrimary", Kind::Bool),
            ("replyToAddress", Kind::String),
            ("sendAsEmail", Kind::String),
            ("signature", Kind::String),
            ("smtpMsa", Kind::Object("SmtpMsa")),
            ("treatAsAlias", Kind::Bool),
            (
                "verificationStatus",
                Kind::Enum(&["verificationStatusUnspecified", "accepted", "pending"]),
            ),
        ],
    },
    Schema {
        name: "SmtpMsa",
        properties: &[
            ("host", Kind::String),
            ("password", Kind::String),
            ("port", Kind::Int32),
            (
                "securityMode",
                Kind::Enum(&["securityModeUnspecified", "none", "ssl", "starttls"]),
            ),
            ("username", Kind::String),
        ],
    },
    Schema {
        name: "ListSendAsResponse",
        properties: &[("sendAs", Kind::List(&Kind::Object("SendAs")))],
    },
];
