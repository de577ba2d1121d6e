//! What the API takes and gives, as plain data: `scripts/check-fake-graph` holds it against the published model.

mod dump;
mod folders;
mod mail;
mod messages;
mod other;
pub mod scopes;
mod types;

pub use dump::dump;

/// A method of the API.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// `messages.get`.
    pub id: &'static str,
    /// `GET`, `POST`, `PUT`, `PATCH`, `DELETE`.
    pub http: &'static str,
    /// The path's template after `/v1.0`; what stands in braces is one segment.
    pub path: &'static str,
    /// The query options that it takes.
    pub query: &'static [&'static str],
    /// One of these must be granted.
    pub scopes: &'static [&'static str],
    /// What the request's body is.
    pub body: Body,
    /// What the answer's body is.
    pub answer: Answer,
    /// The answer's status.
    pub status: u16,
    /// It takes or gives ids of messages.
    pub ids: bool,
    /// The published model that the tables are held against has it; parts of the API are not in it.
    pub in_model: bool,
}

/// A request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// None.
    Nothing,
    /// An entity of this type, or some of its properties.
    Entity(&'static str),
    /// The parameters of an action.
    Parameters(&'static [(&'static str, Kind)]),
    /// Octets.
    Octets,
}

/// An answer's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// None.
    Nothing,
    /// An entity of this type.
    Entity(&'static str),
    /// A page of a collection of these.
    Collection(&'static str),
    /// Octets.
    Octets,
    /// Something else in JSON.
    Other,
}

/// What a property holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `Edm.String`.
    String,
    /// `Edm.Boolean`.
    Bool,
    /// `Edm.Int32`.
    Int32,
    /// `Edm.Int64`.
    Int64,
    /// `Edm.Binary`: octets in base64.
    Binary,
    /// `Edm.DateTimeOffset`.
    DateTime,
    /// `Edm.Guid`.
    Guid,
    /// A member of this enumeration.
    Enum(&'static str),
    /// An object of this type.
    Of(&'static str),
    /// Any number of these.
    List(&'static Self),
}

/// An entity or complex type.
#[derive(Clone, Copy, Debug)]
pub struct Type {
    /// `message`.
    pub name: &'static str,
    /// The type whose properties it has too.
    pub base: Option<&'static str>,
    /// It may have other properties than these.
    pub open: bool,
    /// Names and what they hold.
    pub properties: &'static [(&'static str, Kind)],
    /// Names of what is given only when expanded, or has a path of its own.
    pub navigation: &'static [(&'static str, Kind)],
}

impl Type {
    /// What a property holds, of this type or a base.
    #[must_use]
    pub fn property(&self, name: &str) -> Option<Kind> {
        find(self.properties, name).or_else(|| self.base_type()?.property(name))
    }

    /// What a navigation property leads to, of this type or a base.
    #[must_use]
    pub fn navigation(&self, name: &str) -> Option<Kind> {
        find(self.navigation, name).or_else(|| self.base_type()?.navigation(name))
    }

    /// All properties, those of bases first.
    #[must_use]
    pub fn all_properties(&self) -> Vec<&'static str> {
        let mut names = self
            .base_type()
            .map(|base| base.all_properties())
            .unwrap_or_default();
        names.extend(self.properties.iter().map(|(name, _)| *name));
        names
    }

    fn base_type(&self) -> Option<&'static Self> {
        self.base.and_then(type_of)
    }
}

fn find(properties: &[(&'static str, Kind)], name: &str) -> Option<Kind> {
    properties
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, kind)| *kind)
}

/// Every method that this server has.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    folders::METHODS
        .iter()
        .chain(messages::METHODS)
        .chain(mail::METHODS)
        .chain(other::METHODS)
}

/// Every type that the methods name, directly or through others.
#[must_use]
pub fn types() -> &'static [Type] {
    types::TYPES
}

/// A type by its name.
#[must_use]
pub fn type_of(name: &str) -> Option<&'static Type> {
    types::TYPES.iter().find(|known| known.name == name)
}

/// The members of an enumeration.
#[must_use]
pub fn members(name: &str) -> &'static [&'static str] {
    types::ENUMS
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(&[], |(_, members)| members)
}

const fn method(
    id: &'static str,
    (http, path): (&'static str, &'static str),
    query: &'static [&'static str],
    scopes: &'static [&'static str],
    body: Body,
    (status, answer): (u16, Answer),
) -> Method {
    Method {
        id,
        http,
        path,
        query,
        scopes,
        body,
        answer,
        status,
        ids: false,
        in_model: true,
    }
}

impl Method {
    const fn with_ids(mut self) -> Self {
        self.ids = true;
        self
    }

    const fn beyond(mut self) -> Self {
        self.in_model = false;
        self
    }
}
