//! `messages`, of the mailbox and of a folder.

use super::scopes::{MAIL_READ, MAIL_READ_BASIC, MAIL_READ_WRITE};
use super::{Answer, Body, Kind, Method, method};

const READ: &[&str] = &[MAIL_READ_BASIC, MAIL_READ, MAIL_READ_WRITE];
const READ_ALL: &[&str] = &[MAIL_READ, MAIL_READ_WRITE];
const WRITE: &[&str] = &[MAIL_READ_WRITE];
const LIST: &[&str] = &[
    "$select",
    "$top",
    "$skip",
    "$filter",
    "$search",
    "$orderby",
    "$count",
    "$expand",
    "$skiptoken",
];

pub(super) const METHODS: &[Method] = &[
    method(
        "messages.list",
        ("GET", "/me/messages"),
        LIST,
        READ,
        Body::Nothing,
        (200, Answer::Collection("message")),
    )
    .with_ids(),
    method(
        "messages.create",
        ("POST", "/me/messages"),
        &[],
        WRITE,
        Body::Entity("message"),
        (201, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "messages.get",
        ("GET", "/me/messages/{message}"),
        &["$select", "$expand"],
        READ,
        Body::Nothing,
        (200, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "messages.update",
        ("PATCH", "/me/messages/{message}"),
        &[],
        WRITE,
        Body::Entity("message"),
        (200, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "messages.delete",
        ("DELETE", "/me/messages/{message}"),
        &[],
        WRITE,
        Body::Nothing,
        (204, Answer::Nothing),
    )
    .with_ids(),
    method(
        "messages.permanentDelete",
        ("POST", "/me/messages/{message}/permanentDelete"),
        &[],
        WRITE,
        Body::Nothing,
        (204, Answer::Nothing),
    )
    .with_ids(),
    method(
        "messages.move",
        ("POST", "/me/messages/{message}/move"),
        &[],
        WRITE,
        Body::Parameters(&[("destinationId", Kind::String)]),
        (201, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "messages.copy",
        ("POST", "/me/messages/{message}/copy"),
        &[],
        WRITE,
        Body::Parameters(&[("destinationId", Kind::String)]),
        (201, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "messages.value",
        ("GET", "/me/messages/{message}/$value"),
        &[],
        READ_ALL,
        Body::Nothing,
        (200, Answer::Octets),
    )
    .with_ids(),
    method(
        "mailFolders.messages.list",
        ("GET", "/me/mailFolders/{folder}/messages"),
        LIST,
        READ,
        Body::Nothing,
        (200, Answer::Collection("message")),
    )
    .with_ids(),
    method(
        "mailFolders.messages.create",
        ("POST", "/me/mailFolders/{folder}/messages"),
        &[],
        WRITE,
        Body::Entity("message"),
        (201, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "mailFolders.messages.delta",
        ("GET", "/me/mailFolders/{folder}/messages/delta"),
        &[
            "$select",
            "$top",
            "$expand",
            "$filter",
            "$orderby",
            "changeType",
            "$skiptoken",
            "$deltatoken",
        ],
        READ,
        Body::Nothing,
        (200, Answer::Collection("message")),
    )
    .with_ids(),
    method(
        "mailFolders.messages.get",
        ("GET", "/me/mailFolders/{folder}/messages/{message}"),
        &["$select", "$expand"],
        READ,
        Body::Nothing,
        (200, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "mailFolders.messages.update",
        ("PATCH", "/me/mailFolders/{folder}/messages/{message}"),
        &[],
        WRITE,
        Body::Entity("message"),
        (200, Answer::Entity("message")),
    )
    .with_ids(),
    method(
        "mailFolders.messages.delete",
        ("DELETE", "/me/mailFolders/{folder}/messages/{message}"),
        &[],
        WRITE,
        Body::Nothing,
        (204, Answer::Nothing),
    )
    .with_ids(),
];
