//! Times, ages, sizes and message ids as they are written in a query.

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, TimeDelta, Utc};

use crate::Timestamp;

const BAD_TIME: &str =
    "a date is written 2024-12-31, 2024/12/31, 12/31/2024, as RFC 3339 or in seconds since 1970";
const BAD_AGE: &str = "an age is a number and h, d, m (months) or y, such as 7d";
const BAD_SIZE: &str = "a size is a number of octets, or a number and K, M or G (powers of 1,024)";

/// A moment; a date without time is its midnight in UTC. Years 1 to 9999, because no mail protocol
/// writes any other.
pub(super) fn time(value: &str) -> Result<Timestamp, &'static str> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let parsed = if digits(value.strip_prefix('-').unwrap_or(value)) {
        value
            .parse()
            .ok()
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
    } else if let Ok(moment) = DateTime::parse_from_rfc3339(value) {
        Some(moment.with_timezone(&Utc))
    } else {
        date(value).map(|date| date.and_time(NaiveTime::MIN).and_utc())
    };
    parsed.filter(writable).ok_or(BAD_TIME)
}

fn date(value: &str) -> Option<NaiveDate> {
    let separator = if value.contains('/') { '/' } else { '-' };
    let mut fields = value.split(separator);
    let (first, second, third) = (fields.next()?, fields.next()?, fields.next()?);
    let (year, month, day) = match (first.len(), third.len()) {
        (4, 1..=2) => (first, second, third),
        (1..=2, 4) if separator == '/' => (third, first, second),
        _ => return None,
    };
    let plain = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if fields.next().is_some()
        || ![year, month, day].into_iter().all(plain)
        || month.len() > 2
        || day.len() > 2
    {
        return None;
    }
    NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
}

/// The moment that lies `value` before `now`.
pub(super) fn ago(value: &str, now: Timestamp) -> Result<Timestamp, &'static str> {
    let unit = value.chars().next_back().ok_or(BAD_AGE)?;
    let number = &value[..value.len() - unit.len_utf8()];
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BAD_AGE);
    }
    let count: u32 = number.parse().map_err(|_| BAD_AGE)?;
    let moment = match unit.to_ascii_lowercase() {
        'h' => now.checked_sub_signed(TimeDelta::hours(count.into())),
        'd' => now.checked_sub_signed(TimeDelta::days(count.into())),
        'm' => now.checked_sub_months(Months::new(count)),
        'y' => count
            .checked_mul(12)
            .and_then(|months| now.checked_sub_months(Months::new(months))),
        _ => return Err(BAD_AGE),
    };
    moment
        .filter(writable)
        .ok_or("this lies too far in the past")
}

fn writable(moment: &Timestamp) -> bool {
    (1..=9999).contains(&moment.year())
}

/// A number of octets.
pub(super) fn octets(value: &str) -> Result<u64, &'static str> {
    let upper = value.to_ascii_uppercase();
    let number = upper.strip_suffix('B').unwrap_or(&upper);
    let (number, unit) = match number.as_bytes().last() {
        Some(b'K') => (&number[..number.len() - 1], 1 << 10),
        Some(b'M') => (&number[..number.len() - 1], 1 << 20),
        Some(b'G') => (&number[..number.len() - 1], 1 << 30),
        _ => (number, 1),
    };
    if !number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(BAD_SIZE);
    }
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit))
        .ok_or(BAD_SIZE)
}

/// The id without its angle brackets.
pub(super) fn message_id(value: String) -> Result<String, &'static str> {
    let bare = match value.strip_prefix('<').and_then(|id| id.strip_suffix('>')) {
        Some(inner) => inner.to_owned(),
        None => value,
    };
    if bare.trim().is_empty() {
        Err("the message id is empty")
    } else {
        Ok(bare)
    }
}
