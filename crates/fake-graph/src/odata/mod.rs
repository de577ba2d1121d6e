//! The query language of the API ("Use query parameters to customize Microsoft Graph responses").

mod evaluate;
mod filter;
mod kql;
mod order;
mod prefer;
mod select;

pub(crate) use evaluate::{Source, matches};
pub(crate) use filter::{Expr, Literal, Operator};
pub(crate) use kql::Query as Kql;
pub(crate) use order::{Order, fits};
pub(crate) use prefer::{BodyKind, Prefer};
pub(crate) use select::{Expand, Select};

use crate::error::ApiError;
use crate::tables::Kind;
use crate::tables::type_of;

/// What a path like `from/emailAddress/address` leads to from a type.
pub(crate) fn resolve(type_name: &str, path: &[String]) -> Result<Kind, ApiError> {
    let mut kind = Kind::List(&Kind::String);
    let mut at = type_name.to_owned();
    for (index, segment) in path.iter().enumerate() {
        let found = type_of(&at)
            .and_then(|held| held.property(segment).or_else(|| held.navigation(segment)));
        kind = found.ok_or_else(|| {
            ApiError::parse(format!(
                "Could not find a property named '{segment}' on type 'microsoft.graph.{at}'."
            ))
        })?;
        if let Kind::Of(name) = kind {
            name.clone_into(&mut at);
        } else if index + 1 < path.len() {
            return Err(ApiError::parse(format!(
                "The path after '{segment}' leads nowhere."
            )));
        }
    }
    Ok(kind)
}
