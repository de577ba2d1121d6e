//! The user, categories, ids and subscriptions.

use super::scopes::{
    MAIL_READ, MAIL_READ_BASIC, MAIL_READ_WRITE, MAILBOX_SETTINGS_READ,
    MAILBOX_SETTINGS_READ_WRITE, USER_READ,
};
use super::{Answer, Body, Kind, Method, method};

const USER: &[&str] = &[USER_READ];
const ANY: &[&str] = &[USER_READ, MAIL_READ_BASIC, MAIL_READ, MAIL_READ_WRITE];
const READ_ALL: &[&str] = &[MAIL_READ_BASIC, MAIL_READ, MAIL_READ_WRITE];
const SETTINGS: &[&str] = &[MAILBOX_SETTINGS_READ, MAILBOX_SETTINGS_READ_WRITE];
const SETTINGS_WRITE: &[&str] = &[MAILBOX_SETTINGS_READ_WRITE];
const CATEGORY: &[(&str, Kind)] = &[("displayName", Kind::String), ("color", Kind::String)];

pub(super) const METHODS: &[Method] = &[
    method(
        "me.get",
        ("GET", "/me"),
        &["$select"],
        USER,
        Body::Nothing,
        (200, Answer::Other),
    )
    .beyond(),
    method(
        "translateExchangeIds",
        ("POST", "/me/translateExchangeIds"),
        &[],
        ANY,
        Body::Parameters(&[
            ("inputIds", Kind::List(&Kind::String)),
            ("sourceIdType", Kind::String),
            ("targetIdType", Kind::String),
        ]),
        (200, Answer::Other),
    )
    .beyond(),
    method(
        "mailboxSettings.get",
        ("GET", "/me/mailboxSettings"),
        &["$select"],
        SETTINGS,
        Body::Nothing,
        (200, Answer::Other),
    )
    .beyond(),
    method(
        "masterCategories.list",
        ("GET", "/me/outlook/masterCategories"),
        &["$select", "$top", "$skip"],
        SETTINGS,
        Body::Nothing,
        (200, Answer::Other),
    )
    .beyond(),
    method(
        "masterCategories.create",
        ("POST", "/me/outlook/masterCategories"),
        &[],
        SETTINGS_WRITE,
        Body::Parameters(CATEGORY),
        (201, Answer::Other),
    )
    .beyond(),
    method(
        "masterCategories.get",
        ("GET", "/me/outlook/masterCategories/{category}"),
        &["$select"],
        SETTINGS,
        Body::Nothing,
        (200, Answer::Other),
    )
    .beyond(),
    method(
        "masterCategories.update",
        ("PATCH", "/me/outlook/masterCategories/{category}"),
        &[],
        SETTINGS_WRITE,
        Body::Parameters(CATEGORY),
        (200, Answer::Other),
    )
    .beyond(),
    method(
        "masterCategories.delete",
        ("DELETE", "/me/outlook/masterCategories/{category}"),
        &[],
        SETTINGS_WRITE,
        Body::Nothing,
        (204, Answer::Nothing),
    )
    .beyond(),
    method(
        "subscriptions.list",
        ("GET", "/subscriptions"),
        &[],
        READ_ALL,
        Body::Nothing,
        (200, Answer::Collection("subscription")),
    ),
    method(
        "subscriptions.create",
        ("POST", "/subscriptions"),
        &[],
        READ_ALL,
        Body::Entity("subscription"),
        (201, Answer::Entity("subscription")),
    )
    .with_ids(),
    method(
        "subscriptions.get",
        ("GET", "/subscriptions/{subscription}"),
        &[],
        READ_ALL,
        Body::Nothing,
        (200, Answer::Entity("subscription")),
    ),
    method(
        "subscriptions.update",
        ("PATCH", "/subscriptions/{subscription}"),
        &[],
        READ_ALL,
        Body::Entity("subscription"),
        (200, Answer::Entity("subscription")),
    ),
    method(
        "subscriptions.delete",
        ("DELETE", "/subscriptions/{subscription}"),
        &[],
        READ_ALL,
        Body::Nothing,
        (204, Answer::Nothing),
    ),
    method(
        "subscriptions.reauthorize",
        ("POST", "/subscriptions/{subscription}/reauthorize"),
        &[],
        READ_ALL,
        Body::Nothing,
        (204, Answer::Nothing),
    )
    .beyond(),
];
