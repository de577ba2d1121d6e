//! A query in the API's languages.

use chrono::{Datelike as _, TimeDelta};
use email_model::{
    FolderKey, MessageQuery, Timestamp,
    query::{Condition, Place, Term},
};
use email_provider::ProviderResult;

use crate::error;

/// Longest expression, in octets.
const LONGEST: usize = 4_096;

/// How a query is searched.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// The index is searched for this.
    pub index: Option<String>,
    /// The index knows each of the terms: most of what it finds is a hit.
    pub is_all_in_index: bool,
    /// Properties must fulfil this, where the index is not searched.
    pub conditions: Vec<String>,
    /// Received at this time or later.
    pub since: Option<Timestamp>,
    /// Received at this time or before.
    pub until: Option<Timestamp>,
    /// In one of these folders; none: in any.
    pub folders: Vec<FolderKey>,
    /// Nothing can be found.
    pub is_empty: bool,
    /// Sizes are compared.
    pub needs_size: bool,
    /// Indexes of terms that are not applied.
    pub unchecked: Vec<usize>,
}

impl Plan {
    pub(super) fn new(query: &MessageQuery) -> ProviderResult<Self> {
        let mut plan = Self::default();
        let mut words = Vec::new();
        // A subject alone is found by its property, of which the index knows words only.
        let needs_index = query.terms.iter().any(|term| {
            let is_subject = matches!(term.condition, Condition::Subject(_));
            !is_subject && in_index(term).is_some()
        });
        for (index, term) in query.terms.iter().enumerate() {
            if needs_index {
                words.extend(in_index(term).or_else(|| narrowing(term)));
            } else {
                plan.conditions.extend(by_property(term));
            }
            plan.note(index, term);
        }
        plan.is_all_in_index = words.len() == query.terms.len();
        if needs_index {
            words.extend(plan.since.and_then(|since| day(">=", since, -1)));
            words.extend(plan.until.and_then(|until| day("<=", until, 2)));
            plan.index = Some(format!("\"{}\"", words.join(" AND ")));
        }
        let length = plan.conditions.iter().map(String::len).sum::<usize>()
            + plan.index.as_ref().map_or(0, String::len);
        match length > LONGEST {
            true => Err(error::invalid("the query is too long")),
            false => Ok(plan),
        }
    }

    /// What a term means for where and when is searched.
    fn note(&mut self, index: usize, term: &Term) {
        match &term.condition {
            Condition::Text(_) if in_index(term).is_none() => self.unchecked.push(index),
            Condition::In(Place::Named(_)) => self.unchecked.push(index),
            Condition::In(Place::Folders(folders)) if !term.negated => {
                match self.folders.is_empty() {
                    true => self.folders.clone_from(folders),
                    false => self.folders.retain(|folder| folders.contains(folder)),
                }
                self.is_empty |= self.folders.is_empty();
            }
            Condition::After(time) | Condition::Before(time) => {
                let is_after = matches!(term.condition, Condition::After(_)) != term.negated;
                match is_after {
                    true => self.since = Some(self.since.map_or(*time, |since| since.max(*time))),
                    false => self.until = Some(self.until.map_or(*time, |until| until.min(*time))),
                }
            }
            Condition::Larger(_) | Condition::Smaller(_) => self.needs_size = true,
            _ => {}
        }
    }
}

/// A term for the index, which looks for words and phrases. Free text is looked for in texts, subjects and senders, and here
/// in all who took part too.
fn in_index(term: &Term) -> Option<String> {
    let of = |property: &str, text: &str| Some(format!("{property}:{}", phrase(text)?));
    if term.negated {
        return None;
    }
    match &term.condition {
        Condition::Text(text) => {
            let phrase = phrase(text)?;
            Some(format!("({phrase} OR participants:{phrase})"))
        }
        Condition::From(text) => of("from", text),
        Condition::To(text) => of("to", text),
        Condition::Cc(text) => of("cc", text),
        Condition::Bcc(text) => of("bcc", text),
        Condition::Subject(text) => of("subject", text),
        _ => None,
    }
}

/// A term that is held against every message anyway, and leaves the index fewer to find. Flags are not dependable there, and
/// by what sizes it compares is not documented.
fn narrowing(term: &Term) -> Option<String> {
    match term.condition {
        Condition::HasAttachment => Some(format!("hasAttachments:{}", !term.negated)),
        _ => None,
    }
}

/// A bound of time. The index knows days, of a time zone that it does not tell, which may be 14 hours ahead or 12 behind;
/// nor does it tell whether a day is its beginning or all of it. So the bound is put off, and `None` for what has no day
/// with a year of four digits.
fn day(comparison: &str, bound: Timestamp, days: i64) -> Option<String> {
    let day = bound
        .checked_add_signed(TimeDelta::days(days))?
        .date_naive();
    let is_usual = (1_000..=9_999).contains(&day.year());
    is_usual.then(|| format!("received{comparison}{}", day.format("%Y-%m-%d")))
}

/// Words in quotes, in which nothing but the quote itself has a meaning; `None` for none that an index knows.
fn phrase(text: &str) -> Option<String> {
    let is_odd = |c: char| c == '"' || c == '\\' || c.is_control();
    let plain: String = text
        .chars()
        .map(|c| if is_odd(c) { ' ' } else { c })
        .collect();
    let plain = plain.trim();
    plain
        .chars()
        .any(char::is_alphanumeric)
        .then(|| format!("\\\"{plain}\\\""))
}

/// A term for the properties, where that loses nothing.
fn by_property(term: &Term) -> Option<String> {
    let (is, equals) = match term.negated {
        true => (false, "ne"),
        false => (true, "eq"),
    };
    match &term.condition {
        Condition::Unread => Some(format!("isRead eq {}", !is)),
        Condition::Read => Some(format!("isRead eq {is}")),
        Condition::Flagged => Some(format!("flag/flagStatus {equals} 'flagged'")),
        Condition::HasAttachment => Some(format!("hasAttachments eq {is}")),
        Condition::Subject(text) if is && text.is_ascii() => {
            Some(format!("contains(subject,{})", literal(text)?))
        }
        Condition::MessageId(id) if is => Some(format!(
            "internetMessageId eq {}",
            literal(&format!("<{id}>"))?
        )),
        _ => None,
    }
}

/// Text as OData has it; `None` for what it cannot hold.
fn literal(text: &str) -> Option<String> {
    let is_plain = !text.is_empty() && !text.contains(char::is_control);
    is_plain.then(|| format!("'{}'", text.replace('\'', "''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(text: &str) -> Plan {
        let now = Timestamp::from_timestamp(1_700_000_000, 0).unwrap();
        Plan::new(&email_model::query::parse(text, now).unwrap()).unwrap()
    }

    #[test]
    fn properties_are_searched_where_no_words_are_asked_for() {
        let plan = plan("is:unread -is:flagged has:attachment rfc822msgid:<a'b@x> subject:it's");
        assert_eq!(plan.index, None);
        assert_eq!(
            plan.conditions,
            [
                "isRead eq false",
                "flag/flagStatus ne 'flagged'",
                "hasAttachments eq true",
                "internetMessageId eq '<a''b@x>'",
                "contains(subject,'it''s')",
            ]
        );
        assert!(plan.unchecked.is_empty());
    }

    #[test]
    fn words_are_quoted_for_the_index_and_conditions_left_to_be_checked() {
        let searched = plan("from:ann \"a \\\"b OR c\" is:unread -subject:x after:2024-01-01");
        assert_eq!(
            searched.index.as_deref(),
            Some(
                "\"from:\\\"ann\\\" AND (\\\"a  b OR c\\\" OR participants:\\\"a  b OR c\\\") \
                 AND received>=2023-12-31\""
            )
        );
        assert!(searched.conditions.is_empty() && searched.since.is_some());
        let unsearchable = plan("-from:ann -word \"...\"");
        assert_eq!(unsearchable.index, None);
        assert_eq!(unsearchable.unchecked, [1, 2]);
    }

    #[test]
    fn the_index_is_told_all_that_narrows_and_no_bound_of_time_by_its_day_alone() {
        let bounded = plan("from:ann before:2020-01-01 after:2019-12-01 has:attachment is:read");
        assert_eq!(
            bounded.index.as_deref(),
            Some(
                "\"from:\\\"ann\\\" AND hasAttachments:true AND received>=2019-11-30 \
                 AND received<=2020-01-03\""
            )
        );
        assert!(!bounded.is_all_in_index && plan("from:ann bob").is_all_in_index);
        let without = plan("to:ann -has:attachment");
        let index = without.index.expect("words");
        assert!(index.ends_with("AND hasAttachments:false\""), "{index}");
        let early = Term {
            negated: false,
            condition: Condition::After(Timestamp::MIN_UTC),
        };
        let mut query = MessageQuery { terms: vec![early] };
        let ann = Condition::From("ann".into());
        query.terms.push(Term {
            negated: false,
            condition: ann,
        });
        let index = Plan::new(&query).unwrap().index;
        assert_eq!(index.as_deref(), Some("\"from:\\\"ann\\\"\""));
    }

    #[test]
    fn bounds_of_time_are_the_narrowest() {
        let plan = plan("after:100000 after:200000 before:900000 -after:800000");
        assert_eq!(plan.since.unwrap().timestamp(), 200_000);
        assert_eq!(plan.until.unwrap().timestamp(), 800_000);
    }

    #[test]
    fn a_message_is_in_all_of_the_places_that_are_asked_for() {
        let term = |keys: &[&str]| Term {
            negated: false,
            condition: Condition::In(Place::Folders(
                keys.iter()
                    .map(|key| FolderKey((*key).to_owned()))
                    .collect(),
            )),
        };
        let plan = |terms: Vec<Term>| Plan::new(&MessageQuery { terms }).unwrap();
        assert_eq!(
            plan(vec![term(&["a", "b"]), term(&["b"])]).folders,
            [FolderKey("b".into())]
        );
        assert!(plan(vec![term(&["a"]), term(&["b"])]).is_empty);
        assert!(plan(vec![term(&[])]).is_empty);
    }
}
