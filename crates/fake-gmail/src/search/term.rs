//! One condition, and whether a message meets it.

use std::collections::BTreeMap;

use crate::content::{Content, Words, tokens};
use crate::mailbox::{Label, Labels};

/// Midnight of a day in a search is that of this offset from UTC, in seconds.
const DAY_OFFSET: i64 = 8 * 3600;

/// What a condition is held against.
pub(crate) struct Subject<'a> {
    pub labels: &'a Labels,
    pub date_ms: i64,
    pub content: &'a Content,
    /// All labels of the mailbox.
    pub names: &'a BTreeMap<String, Label>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    From,
    To,
    Cc,
    Bcc,
    Subject,
    Filename,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// Consecutive words anywhere.
    Words(Vec<String>),
    Within(Field, Vec<String>),
    Label(String),
    Unlabelled(String),
    Anywhere,
    Attachment,
    /// Seconds of the Unix epoch.
    After(i64),
    Before(i64),
    Larger(u64),
    Smaller(u64),
    MessageId(String),
    /// An operator with a value that cannot be.
    Nothing,
}

impl Term {
    /// A condition by its operator; none for an unknown one.
    pub fn of_operator(name: &str, value: &str) -> Option<Self> {
        let within = |field| Some(Self::Within(field, tokens(value)));
        match name {
            "from" => within(Field::From),
            "to" => within(Field::To),
            "cc" => within(Field::Cc),
            "bcc" => within(Field::Bcc),
            "subject" => within(Field::Subject),
            "filename" => within(Field::Filename),
            "in" | "is" | "label" | "category" => Some(place(name, value)),
            "has" if value == "attachment" => Some(Self::Attachment),
            "after" | "newer" => Some(time(value).map_or(Self::Nothing, Self::After)),
            "before" | "older" => Some(time(value).map_or(Self::Nothing, Self::Before)),
            "larger" | "size" => Some(size(value).map_or(Self::Nothing, Self::Larger)),
            "smaller" => Some(size(value).map_or(Self::Nothing, Self::Smaller)),
            "rfc822msgid" => {
                let id = value.trim_start_matches('<').trim_end_matches('>');
                Some(Self::MessageId(id.to_owned()))
            }
            _ => None,
        }
    }

    pub fn matches(&self, subject: &Subject<'_>) -> bool {
        let content = subject.content;
        match self {
            Self::Words(wanted) => anywhere(content.words(), wanted),
            Self::Within(field, wanted) => within(content.words(), *field, wanted),
            Self::Label(name) => has_label(subject, name),
            Self::Unlabelled(id) => !subject.labels.contains(id),
            Self::Anywhere => true,
            Self::Attachment => !content.words().filenames.is_empty(),
            Self::After(seconds) => subject.date_ms >= seconds.saturating_mul(1000),
            Self::Before(seconds) => subject.date_ms < seconds.saturating_mul(1000),
            Self::Larger(octets) => content.raw.len() as u64 > *octets,
            Self::Smaller(octets) => (content.raw.len() as u64) < *octets,
            Self::MessageId(id) => content.message_id.as_deref() == Some(id),
            Self::Nothing => false,
        }
    }

    /// Whether it asks for what lists leave out otherwise.
    pub fn reaches_spam_trash(&self) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Label(name) => matches!(name.as_str(), "spam" | "trash"),
            _ => false,
        }
    }
}

fn place(operator: &str, value: &str) -> Term {
    let value = value.to_lowercase();
    match (operator, value.as_str()) {
        ("in", "anywhere") => Term::Anywhere,
        ("in", "drafts") | ("is", "draft") => Term::Label("draft".to_owned()),
        ("in" | "is", "chats") => Term::Label("chat".to_owned()),
        ("is" | "in", "read") => Term::Unlabelled("UNREAD".to_owned()),
        ("category", "primary") => Term::Label("category_personal".to_owned()),
        ("category", name) => Term::Label(format!("category_{name}")),
        _ => Term::Label(value),
    }
}

/// Label names are compared without case, and with a dash for every blank and slash.
fn has_label(subject: &Subject<'_>, wanted: &str) -> bool {
    let plain = |name: &str| name.to_lowercase().replace([' ', '/'], "-");
    let wanted = plain(wanted);
    subject.labels.iter().any(|id| {
        let name = subject.names.get(id).map(|label| plain(&label.name));
        name.is_some_and(|name| name == wanted) || plain(id) == wanted
    })
}

fn anywhere(words: &Words, wanted: &[String]) -> bool {
    [
        &words.subject,
        &words.text,
        &words.from,
        &words.to,
        &words.cc,
    ]
    .iter()
    .any(|field| has_phrase(field, wanted))
        || words.filenames.iter().any(|name| has_phrase(name, wanted))
}

fn within(words: &Words, field: Field, wanted: &[String]) -> bool {
    match field {
        Field::From => has_phrase(&words.from, wanted),
        // The box's `to:` finds all who got the message.
        Field::To => [&words.to, &words.cc, &words.bcc]
            .iter()
            .any(|list| has_phrase(list, wanted)),
        Field::Cc => has_phrase(&words.cc, wanted),
        Field::Bcc => has_phrase(&words.bcc, wanted),
        Field::Subject => has_phrase(&words.subject, wanted),
        Field::Filename => words.filenames.iter().any(|name| has_phrase(name, wanted)),
    }
}

/// Whole words next to each other; a phrase of no words is found everywhere.
fn has_phrase(words: &[String], wanted: &[String]) -> bool {
    wanted.is_empty() || words.windows(wanted.len()).any(|window| window == wanted)
}

/// Seconds of the epoch, or `2004/04/16`.
fn time(value: &str) -> Option<i64> {
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let numbers: Vec<i64> = value
        .split(['/', '-'])
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    let [year, month, day] = numbers[..] else {
        return None;
    };
    let date = mail_parser::DateTime {
        year: u16::try_from(year).ok()?,
        month: u8::try_from(month).ok()?,
        day: u8::try_from(day).ok()?,
        hour: 0,
        minute: 0,
        second: 0,
        tz_before_gmt: false,
        tz_hour: 0,
        tz_minute: 0,
    };
    date.is_valid().then(|| date.to_timestamp() + DAY_OFFSET)
}

/// Octets, with K or M.
fn size(value: &str) -> Option<u64> {
    let lower = value.to_lowercase();
    let (digits, factor) = match lower.strip_suffix(['k', 'm']) {
        Some(digits) if lower.ends_with('k') => (digits, 1 << 10),
        Some(digits) => (digits, 1 << 20),
        None => (lower.as_str(), 1),
    };
    digits.parse::<u64>().ok()?.checked_mul(factor)
}
