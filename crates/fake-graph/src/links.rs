//! The links that answers carry: full, on the origin that was asked.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::handlers::Request;

const VALUE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b',')
    .remove(b'/');

/// The same list from another place on.
pub(crate) fn next(request: &Request, name: &str, value: &str) -> String {
    let mut pairs: Vec<(String, String)> = request
        .query
        .pairs
        .iter()
        .filter(|(known, _)| known != name)
        .cloned()
        .collect();
    pairs.push((name.to_owned(), value.to_owned()));
    url(request, &pairs)
}

/// A link with these options alone.
pub(crate) fn url(request: &Request, pairs: &[(String, String)]) -> String {
    let written: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, VALUE)))
        .collect();
    format!(
        "{}{}?{}",
        request.origin,
        request.url_path,
        written.join("&")
    )
}
