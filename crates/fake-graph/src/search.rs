//! What `$search` finds: words that begin so, in the properties that are named.

use crate::content::{Address, AttachmentBody};
use crate::encoding::parse_instant;
use crate::mailbox::Stored;
use crate::odata::Kql;

const DAY_MS: i64 = 86_400_000;

pub(crate) fn finds(query: &Kql, stored: &Stored) -> bool {
    match query {
        Kql::And(left, right) => finds(left, stored) && finds(right, stored),
        Kql::Or(left, right) => finds(left, stored) || finds(right, stored),
        Kql::Not(inner) => !finds(inner, stored),
        Kql::Term(None, _, text) => ["from", "subject", "body"]
            .iter()
            .any(|name| term(name, ":", text, stored)),
        Kql::Term(Some(name), operator, text) => term(name, operator, text, stored),
    }
}

fn term(name: &str, operator: &str, text: &str, stored: &Stored) -> bool {
    let content = &stored.content;
    let people = |list: &[&[Address]]| {
        list.iter()
            .flat_map(|list| list.iter())
            .any(|entry| has_words(&format!("{} {}", entry.name, entry.address), text))
    };
    match name {
        "from" => people(&[content.from.as_slice()]),
        "to" => people(&[&content.to]),
        "cc" => people(&[&content.cc]),
        "bcc" => people(&[&content.bcc]),
        "recipients" => people(&[&content.to, &content.cc, &content.bcc]),
        "participants" => people(&[
            content.from.as_slice(),
            &content.to,
            &content.cc,
            &content.bcc,
        ]),
        "subject" => has_words(&content.subject, text),
        "body" => {
            has_words(&content.as_text(), text)
                || content
                    .text
                    .as_ref()
                    .is_some_and(|body| has_words(body, text))
        }
        "attachment" => content
            .attachments
            .iter()
            .any(|attachment| has_words(&attachment.name, text)),
        "hasattachment" | "hasattachments" => {
            content.has_attachments() == matches!(text, "true" | "1" | "yes")
        }
        "importance" => stored.importance.eq_ignore_ascii_case(text),
        "kind" => text.eq_ignore_ascii_case("email"),
        "received" => day(stored.received_ms, operator, text),
        "sent" => day(
            content.sent_ms.unwrap_or(stored.received_ms),
            operator,
            text,
        ),
        "size" => {
            let attached = |attachment: &crate::content::Attachment| match &attachment.body {
                AttachmentBody::File(octets) | AttachmentBody::Item(octets) => octets.len(),
                AttachmentBody::Reference(_) => 0,
            };
            let least: usize = content.attachments.iter().map(attached).sum();
            number(content.size().max(least), operator, text)
        }
        _ => false,
    }
}

/// Whether every word of the one begins a word of the other, next to each other where there are several.
fn has_words(text: &str, wanted: &str) -> bool {
    let wanted = wanted.trim_end_matches('*');
    let words = words(text);
    let wanted = self::words(wanted);
    if wanted.is_empty() {
        return false;
    }
    words.windows(wanted.len()).any(|window| {
        let last = wanted.len() - 1;
        window
            .iter()
            .zip(&wanted)
            .enumerate()
            .all(|(index, (word, wanted))| {
                if index == last {
                    word.starts_with(wanted.as_str())
                } else {
                    word == wanted
                }
            })
    })
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Dates count by the day.
fn day(ms: i64, operator: &str, text: &str) -> bool {
    let day = ms.div_euclid(DAY_MS);
    if let Some((from, to)) = text.split_once("..") {
        return date(from).is_some_and(|from| day >= from) && date(to).is_some_and(|to| day <= to);
    }
    let Some(wanted) = date(text) else {
        return false;
    };
    compare(&day, operator, &wanted)
}

/// `2024-03-01` or, as the documentation's examples have it, `03/01/2024`.
fn date(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split('/').collect();
    let iso = match parts.as_slice() {
        [month, day, year] => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => text.to_owned(),
    };
    Some(parse_instant(&iso)?.div_euclid(DAY_MS))
}

fn number(size: usize, operator: &str, text: &str) -> bool {
    if let Some((from, to)) = text.split_once("..") {
        return from.parse::<usize>().is_ok_and(|from| size >= from)
            && to.parse::<usize>().is_ok_and(|to| size <= to);
    }
    text.parse::<usize>()
        .is_ok_and(|wanted| compare(&size, operator, &wanted))
}

fn compare<T: Ord>(value: &T, operator: &str, wanted: &T) -> bool {
    match operator {
        ">" => value > wanted,
        ">=" => value >= wanted,
        "<" => value < wanted,
        "<=" => value <= wanted,
        "<>" => value != wanted,
        _ => value == wanted,
    }
}
