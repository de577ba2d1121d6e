//! `mailFolders`, and what is in them but messages.

use super::scopes::{MAIL_READ, MAIL_READ_BASIC, MAIL_READ_WRITE};
use super::{Answer, Body, Kind, Method, method};

const READ: &[&str] = &[MAIL_READ_BASIC, MAIL_READ, MAIL_READ_WRITE];
const WRITE: &[&str] = &[MAIL_READ_WRITE];
const FOLDERS: &[&str] = &[
    "$select",
    "$top",
    "$skip",
    "$filter",
    "$orderby",
    "$count",
    "$expand",
    "includeHiddenFolders",
];

pub(super) const METHODS: &[Method] = &[
    method(
        "mailFolders.list",
        ("GET", "/me/mailFolders"),
        FOLDERS,
        READ,
        Body::Nothing,
        (200, Answer::Collection("mailFolder")),
    ),
    method(
        "mailFolders.create",
        ("POST", "/me/mailFolders"),
        &[],
        WRITE,
        Body::Entity("mailSearchFolder"),
        (201, Answer::Entity("mailFolder")),
    ),
    method(
        "mailFolders.delta",
        ("GET", "/me/mailFolders/delta"),
        &[
            "$select",
            "$top",
            "$expand",
            "includeHiddenFolders",
            "$skiptoken",
            "$deltatoken",
        ],
        READ,
        Body::Nothing,
        (200, Answer::Collection("mailFolder")),
    ),
    method(
        "mailFolders.get",
        ("GET", "/me/mailFolders/{folder}"),
        &["$select", "$expand", "includeHiddenFolders"],
        READ,
        Body::Nothing,
        (200, Answer::Entity("mailFolder")),
    ),
    method(
        "mailFolders.update",
        ("PATCH", "/me/mailFolders/{folder}"),
        &[],
        WRITE,
        Body::Entity("mailSearchFolder"),
        (200, Answer::Entity("mailFolder")),
    ),
    method(
        "mailFolders.delete",
        ("DELETE", "/me/mailFolders/{folder}"),
        &[],
        WRITE,
        Body::Nothing,
        (204, Answer::Nothing),
    ),
    method(
        "mailFolders.permanentDelete",
        ("POST", "/me/mailFolders/{folder}/permanentDelete"),
        &[],
        WRITE,
        Body::Nothing,
        (204, Answer::Nothing),
    ),
    method(
        "mailFolders.move",
        ("POST", "/me/mailFolders/{folder}/move"),
        &[],
        WRITE,
        Body::Parameters(&[("destinationId", Kind::String)]),
        (201, Answer::Entity("mailFolder")),
    ),
    method(
        "mailFolders.copy",
        ("POST", "/me/mailFolders/{folder}/copy"),
        &[],
        WRITE,
        Body::Parameters(&[("destinationId", Kind::String)]),
        (201, Answer::Entity("mailFolder")),
    ),
    method(
        "mailFolders.childFolders.list",
        ("GET", "/me/mailFolders/{folder}/childFolders"),
        FOLDERS,
        READ,
        Body::Nothing,
        (200, Answer::Collection("mailFolder")),
    ),
    method(
        "mailFolders.childFolders.create",
        ("POST", "/me/mailFolders/{folder}/childFolders"),
        &[],
        WRITE,
        Body::Entity("mailSearchFolder"),
        (201, Answer::Entity("mailFolder")),
    ),
];
