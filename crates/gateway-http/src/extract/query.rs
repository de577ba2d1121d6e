//! Query strings, read as leniently as clients write them: unknown fields are ignored, an empty value
//! is no value, lists come repeated, comma-joined or separated by spaces.

use std::{fmt::Display, str::FromStr};

use axum::{extract::FromRequestParts, http::request::Parts};
use chrono::{DateTime, Utc};

use crate::{
    error::{ApiError, ApiResult},
    wire::BodyType,
};

/// Most fields read from one query string.
const MOST_FIELDS: usize = 200;

/// Most records on a page.
const MOST_RECORDS: u32 = 500;

/// The query of a request, as `T`.
#[derive(Debug)]
pub(crate) struct Query<T>(pub(crate) T);

/// What can be read from a query string.
pub(crate) trait FromQuery: Sized {
    /// Reads it.
    fn from_query(fields: &Fields) -> ApiResult<Self>;
}

impl<T: FromQuery, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        let fields = Fields::parse(parts.uri.query().unwrap_or_default())?;
        T::from_query(&fields).map(Self)
    }
}

/// The fields of a query string, in order, decoded; empty ones left out.
#[derive(Debug)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a query string (`application/x-www-form-urlencoded`).
    pub(crate) fn parse(query: &str) -> ApiResult<Self> {
        let fields: Vec<_> = url::form_urlencoded::parse(query.as_bytes())
            .filter(|(_, value)| !value.is_empty())
            .take(MOST_FIELDS + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if fields.len() > MOST_FIELDS {
            return Err(ApiError::bad_request("too many query parameters"));
        }
        Ok(Self(fields))
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[(String, String)] {
        &self.0
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// A text; the first of several.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.values(name).next().map(str::to_owned)
    }

    /// `true` or `false`, in any case.
    pub(crate) fn flag(&self, name: &str) -> ApiResult<Option<bool>> {
        match self.values(name).next() {
            None => Ok(None),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(Some(true)),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(Some(false)),
            Some(_) => Err(expected(name, "true or false")),
        }
    }

    /// A whole number that `T` can hold.
    pub(crate) fn whole<T: FromStr>(&self, name: &str) -> ApiResult<Option<T>> {
        self.values(name)
            .next()
            .map(|value| {
                value
                    .trim()
                    .parse()
                    .map_err(|_| expected(name, "a whole number within its range"))
            })
            .transpose()
    }

    /// `limit`: at least 1. More than a page may hold is no error, since a page may hold fewer
    /// records than `limit` anyway.
    pub(crate) fn limit(&self) -> ApiResult<Option<u32>> {
        match self.whole::<u64>("limit")? {
            Some(0) => Err(expected("limit", "a number from 1 to 500")),
            limit => Ok(limit.map(|n| u32::try_from(n).unwrap_or(u32::MAX).min(MOST_RECORDS))),
        }
    }

    /// `bodyType`.
    pub(crate) fn body_type(&self) -> ApiResult<Option<BodyType>> {
        match self.values("bodyType").next() {
            None => Ok(None),
            Some("html") => Ok(Some(BodyType::Html)),
            Some("text") => Ok(Some(BodyType::Text)),
            Some(_) => Err(expected("bodyType", "html or text")),
        }
    }

    /// A moment (RFC 3339). The `+` of an offset arrives as a space where it was not percent-encoded.
    pub(crate) fn moment(&self, name: &str) -> ApiResult<Option<DateTime<Utc>>> {
        let Some(text) = self.values(name).next() else {
            return Ok(None);
        };
        DateTime::parse_from_rfc3339(&text.trim().replace(' ', "+"))
            .map(|moment| Some(moment.to_utc()))
            .map_err(|_| expected(name, "a date and time with its offset (RFC 3339)"))
    }

    /// A list of words; empty ones left out.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        self.values(name)
            .flat_map(|value| value.split([',', ' ']))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }
}

/// A parameter is not as it should be. The value is not repeated: it may be a secret.
fn expected(name: &str, what: impl Display) -> ApiError {
    ApiError::bad_request(format!("query parameter {name}: expected {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(query: &str) -> Fields {
        Fields::parse(query).unwrap()
    }

    #[test]
    fn a_list_comes_repeated_comma_joined_or_separated_by_spaces() {
        for query in [
            "k=a&k=b&k=c",
            "k=a,b,c",
            "k=a+b%20c",
            "k=a,+b&x=9&k=c",
            "k=a&k=&k=b,,c",
        ] {
            assert_eq!(fields(query).list("k"), ["a", "b", "c"], "{query}");
        }
        assert!(fields("").list("k").is_empty());
    }

    #[test]
    fn an_empty_value_is_no_value() {
        let fields = fields("q=&loadInlines=&limit=&bodyType=&pageToken");
        assert_eq!(fields.text("q"), None);
        assert_eq!(fields.text("pageToken"), None);
        assert_eq!(fields.flag("loadInlines").unwrap(), None);
        assert_eq!(fields.limit().unwrap(), None);
        assert_eq!(fields.body_type().unwrap(), None);
    }

    #[test]
    fn colons_and_at_signs_may_stand_unescaped() {
        assert_eq!(
            fields("q=from:ann@example.org%20is:unread")
                .text("q")
                .unwrap(),
            "from:ann@example.org is:unread"
        );
    }

    #[test]
    fn a_wrong_value_is_refused_by_name_without_being_repeated() {
        let refused = [
            fields("loadInlines=yes-s3cret")
                .flag("loadInlines")
                .unwrap_err(),
            fields("limit=0").limit().unwrap_err(),
            fields("limit=-3").limit().unwrap_err(),
            fields("limit=s3cret").limit().unwrap_err(),
            fields("bodyType=pdf").body_type().unwrap_err(),
        ];
        for error in refused {
            let failure = error.failure();
            assert_eq!((failure.status.as_u16(), failure.code), (400, "badRequest"));
            assert!(failure.message.starts_with("query parameter "));
            assert!(!failure.message.contains("s3cret"));
        }
    }

    #[test]
    fn a_limit_beyond_a_page_is_a_page() {
        assert_eq!(fields("limit=500").limit().unwrap(), Some(500));
        assert_eq!(fields("limit=99999999999").limit().unwrap(), Some(500));
    }

    #[test]
    fn a_flag_is_understood_in_any_case() {
        assert_eq!(fields("f=True").flag("f").unwrap(), Some(true));
        assert_eq!(fields("f=FALSE").flag("f").unwrap(), Some(false));
    }

    #[test]
    fn a_moment_has_an_offset_percent_encoded_or_not() {
        let moment = |text: &str| {
            let moment = fields(&format!("at={text}")).moment("at");
            moment.map(|moment| moment.unwrap().timestamp())
        };
        for text in [
            "2026-01-02T03:04:05Z",
            "2026-01-02T04:04:05+01:00",
            "2026-01-02T04:04:05%2B01:00",
            "2026-01-02t03:04:05.000z",
        ] {
            assert_eq!(moment(text).unwrap(), 1_767_323_045, "{text}");
        }
        for text in [
            "tomorrow",
            "2026-01-02",
            "2026-01-02T03:04:05",
            "1767323045",
        ] {
            assert!(moment(text).is_err(), "{text}");
        }
        assert_eq!(fields("at=").moment("at").unwrap(), None);
    }

    #[test]
    fn too_many_fields_are_refused() {
        assert!(Fields::parse(&"a=b&".repeat(MOST_FIELDS)).is_ok());
        assert!(Fields::parse(&"a=b&".repeat(MOST_FIELDS + 1)).is_err());
    }
}
