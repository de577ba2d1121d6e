//! The search box's language: words, phrases, operators, `-`, `OR`, braces and parentheses.

mod parse;
mod term;

pub(crate) use parse::Query;
pub(crate) use term::Subject;
