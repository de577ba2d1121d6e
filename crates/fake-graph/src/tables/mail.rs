//! Attachments, drafts on their way, and sending.

use super::scopes::{MAIL_READ, MAIL_READ_WRITE, MAIL_SEND};
use super::{Answer, Body, Kind, Method, method};

const READ_ALL: &[&str] = &[MAIL_READ, MAIL_READ_WRITE];
const WRITE: &[&str] = &[MAIL_READ_WRITE];
const SEND: &[&str] = &[MAIL_SEND];
const REPLY: &[(&str, Kind)] = &[("message", Kind::Of("message")), ("comment", Kind::String)];
const FORWARD: &[(&str, Kind)] = &[
    ("toRecipients", Kind::List(&Kind::Of("recipient"))),
    ("message", Kind::Of("message")),
    ("comment", Kind::String),
];

pub(super) const METHODS: &[Method] = &[
    method(
        "attachments.list",
        ("GET", "/me/messages/{message}/attachments"),
        &[
            "$select", "$expand", "$top", "$skip", "$filter", "$orderby", "$count",
        ],
        READ_ALL,
        Body::Nothing,
        (200, Answer::Collection("attachment")),
    )
    .with_ids(),
    method(
        "attachments.create",
        ("POST", "/me/messages/{message}/attachments"),
        &[],
        WRITE,
        Body::Entity("fileAttachment"),
        (201, Answer::Entity("attachment")),
    )
    .with_ids(),
    method(
        "attachments.createUploadSession",
        (
            "POST",
            "/me/messages/{message}/attachments/createUploadSession",
        ),
        &[],
        WRITE,
        Body::Parameters(&[("AttachmentItem", Kind::Of("attachmentItem"))]),
        (201, Answer::Entity("uploadSession")),
    )
    .with_ids()
    .beyond(),
    method(
        "attachments.get",
        ("GET", "/me/messages/{message}/attachments/{attachment}"),
        &["$select", "$expand"],
        READ_ALL,
        Body::Nothing,
        (200, Answer::Entity("attachment")),
    )
    .with_ids(),
    method(
        "attachments.delete",
        ("DELETE", "/me/messages/{message}/attachments/{attachment}"),
        &[],
        WRITE,
        Body::Nothing,
        (204, Answer::Nothing),
    )
    .with_ids(),
    method(
        "attachments.value",
        (
            "GET",
            "/me/messages/{message}/attachments/{attachment}/$value",
        ),
        &[],
        READ_ALL,
        Body::Nothing,
        (200, Answer::Octets),
    )
    .with_ids(),
    method(
        "messages.send",
        ("POST", "/me/messages/{message}/send"),
        &[],
        SEND,
        Body::Nothing,
        (202, Answer::Nothing),
    )
    .with_ids(),
    method(
        "messages.createReply",
        ("POST", "/me/messages/{message}/createReply"),
        &[],
        WRITE,
        Body::Parameters(REPLY),
        (201, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "messages.createReplyAll",
        ("POST", "/me/messages/{message}/createReplyAll"),
        &[],
        WRITE,
        Body::Parameters(REPLY),
        (201, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "messages.createForward",
        ("POST", "/me/messages/{message}/createForward"),
        &[],
        WRITE,
        Body::Parameters(FORWARD),
        (201, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "messages.reply",
        ("POST", "/me/messages/{message}/reply"),
        &[],
        SEND,
        Body::Parameters(REPLY),
        (202, Answer::Nothing),
    )
    .with_ids(),
    method(
        "messages.replyAll",
        ("POST", "/me/messages/{message}/replyAll"),
        &[],
        SEND,
        Body::Parameters(REPLY),
        (202, Answer::Nothing),
    )
    .with_ids(),
    method(
        "messages.forward",
        ("POST", "/me/messages/{message}/forward"),
        &[],
        SEND,
        Body::Parameters(FORWARD),
        (202, Answer::Nothing),
    )
    .with_ids(),
    method(
        "sendMail",
        ("POST", "/me/sendMail"),
        &[],
        SEND,
        Body::Parameters(&[
            ("message", Kind::Of("message")),
            ("saveToSentItems", Kind::Bool),
        ]),
        (202, Answer::Nothing),
    ),
];
