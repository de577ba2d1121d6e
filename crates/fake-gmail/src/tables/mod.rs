//! What the API takes and gives, as plain data: `scripts/check-fake-gmail` holds it against a discovery document.

mod account;
mod dump;
mod messages;
mod schemas;
pub mod scopes;
mod threads_drafts;

pub use dump::dump;

/// A method of the API.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// `gmail.users.messages.get`.
    pub id: &'static str,
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub http: &'static str,
    /// The path's template, without a slash before it; what stands in braces is one segment.
    pub path: &'static str,
    /// The query parameters besides the common ones.
    pub query: &'static [Parameter],
    /// One of these must be granted.
    pub scopes: &'static [&'static str],
    /// Quota units a call, as of projects made since May 2026.
    pub units: u32,
    /// The schema of the request's body.
    pub request: Option<&'static str>,
    /// The schema of the answer's body; none is status 204.
    pub response: Option<&'static str>,
    /// The largest message in octets that the upload variants take.
    pub upload_limit: Option<u64>,
}

/// A query parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its values.
    pub kind: Kind,
    /// It may stand more than once.
    pub repeated: bool,
}

/// What a parameter or field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    String,
    /// Octets in base64url.
    Bytes,
    /// `true`, `false`.
    Bool,
    /// A number.
    Int32,
    /// A number from 0 on.
    Uint32,
    /// A number in a string.
    Int64,
    /// A number from 0 on in a string.
    Uint64,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// An object of this schema.
    Object(&'static str),
    /// Any number of these.
    List(&'static Kind),
}

/// An object's fields.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// `Message`.
    pub name: &'static str,
    /// Names and what they hold.
    pub properties: &'static [(&'static str, Kind)],
}

impl Schema {
    /// What a field holds.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<Kind> {
        self.properties
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, kind)| *kind)
    }
}

/// The query parameters that every method takes and this server knows.
pub const COMMON: &[Parameter] = &[
    common("$.xgafv", Kind::Enum(&["1", "2"])),
    common("alt", Kind::Enum(&["json", "media", "proto"])),
    common("fields", Kind::String),
    common("key", Kind::String),
    common("prettyPrint", Kind::Bool),
    common("quotaUser", Kind::String),
    common("uploadType", Kind::String),
    common("upload_protocol", Kind::String),
];

const fn common(name: &'static str, kind: Kind) -> Parameter {
    Parameter {
        name,
        kind,
        repeated: false,
    }
}

/// Every method that this server has.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    account::METHODS
        .iter()
        .chain(messages::METHODS)
        .chain(threads_drafts::METHODS)
}

/// A method by its id, which is one of [`methods`].
#[must_use]
pub fn method(id: &str) -> Option<&'static Method> {
    methods().find(|method| method.id == id)
}

/// Every schema that the methods name, directly or through others.
#[must_use]
pub fn schemas() -> &'static [Schema] {
    schemas::SCHEMAS
}

/// A schema by its name.
#[must_use]
pub fn schema(name: &str) -> Option<&'static Schema> {
    schemas::SCHEMAS.iter().find(|schema| schema.name == name)
}
