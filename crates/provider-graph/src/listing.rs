//! Lists of messages, page by page.
//!
//! The API's own links count how many items to skip, so that mail that comes in between shifts the rest. Lists by time of
//! receipt therefore go on from the last time that was listed, by a filter.

use std::collections::HashSet;

use email_model::Timestamp;
use email_provider::{Call, ErrorKind, ProviderError, ProviderResult};

use crate::{
    address::Address,
    api::Prefer,
    cursor::{Listed, MOST_MARKS},
    error,
    ids::ItemId,
    mailbox::Mailbox,
    wire::{Message, Page},
};

/// Pages that one call goes over without finding anything new.
const MOST_EMPTY_PAGES: usize = 30;
/// Before anybody wrote mail: a filter that lets everything through.
const ALWAYS: &str = "1900-01-01T00:00:00Z";

/// A list by time of receipt, newest first.
#[derive(Clone, Debug)]
pub(crate) struct List {
    /// The messages, with what is asked of them.
    pub messages: Address,
    /// What they have to fulfil besides, in the API's language.
    pub conditions: Vec<String>,
    /// Received at this time or later.
    pub since: Option<Timestamp>,
    /// Received at this time or before.
    pub until: Option<Timestamp>,
}

impl List {
    /// A page. The time has to be the first condition, since it is what is sorted by.
    fn address(&self, from: Option<&Listed>, size: usize) -> Address {
        let mut conditions = Vec::new();
        let until = match from {
            Some(listed) => Timestamp::from_timestamp(listed.until, 0),
            None => self.until,
        };
        conditions.extend(until.map(|time| format!("receivedDateTime le {}", ceiling(time))));
        conditions.extend(
            self.since
                .map(|time| format!("receivedDateTime ge {}", floor(time))),
        );
        if conditions.is_empty() && !self.conditions.is_empty() {
            conditions.push(format!("receivedDateTime ge {ALWAYS}"));
        }
        conditions.extend(self.conditions.iter().cloned());
        let mut address = self.messages.clone();
        if !conditions.is_empty() {
            address = address.with("$filter", &conditions.join(" and "));
        }
        address
            .with("$orderby", "receivedDateTime desc")
            .with("$top", &size.to_string())
    }
}

/// The whole second at or before a time.
pub(crate) fn floor(time: Timestamp) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The whole second at or after a time.
fn ceiling(time: Timestamp) -> String {
    let more = chrono::TimeDelta::nanoseconds(999_999_999);
    floor(time.checked_add_signed(more).unwrap_or(time))
}

impl Mailbox {
    /// A page of messages from an address.
    pub(crate) async fn page(
        &self,
        call: Call,
        address: Address,
        size: usize,
    ) -> ProviderResult<Page<Message>> {
        let prefer = Prefer::page(self.api.page_size(size));
        let page = self.api.read(call, address, prefer).await?;
        self.api.page_was_read();
        Ok(page)
    }

    /// What follows in a list: at most `limit` messages, and where it goes on.
    pub(crate) async fn list(
        &self,
        call: Call,
        list: &List,
        from: Option<&Listed>,
        limit: usize,
    ) -> ProviderResult<(Vec<(ItemId, Message)>, Option<Listed>)> {
        let mut found = Vec::new();
        let mut from = from.cloned();
        let mut link = None;
        for _ in 0..MOST_EMPTY_PAGES {
            let known: HashSet<u64> = from
                .iter()
                .flat_map(|from| from.told.iter().copied())
                .collect();
            let wanted = limit - found.len();
            let size = wanted.saturating_add(known.len());
            let size = self.api.page_size(size.min(Prefer::LARGEST_PAGE));
            let address = match link.take() {
                Some(link) => link,
                None => list.address(from.as_ref(), size),
            };
            let page = self.page(call, address, size).await?;
            let new = page.value.into_iter().filter_map(|message| {
                let id = ItemId::parse(&message.id)?;
                (!known.contains(&id.mark(""))).then_some((id, message))
            });
            let mut new: Vec<(ItemId, Message)> = new.collect();
            let is_cut = new.len() > wanted;
            new.truncate(wanted);
            let is_over = page.next_link.is_none() && !is_cut;
            match new.is_empty() {
                // Nothing but what was listed: further on, as the API has it.
                true => {
                    link = page
                        .next_link
                        .map(|link| self.api.link(&link))
                        .transpose()?;
                }
                false => from = Some(after(from.as_ref(), &new)),
            }
            found.append(&mut new);
            if is_over {
                return Ok((found, None));
            }
            if found.len() == limit {
                return Ok((found, from));
            }
        }
        match found.is_empty() {
            false => Ok((found, from)),
            true => Err(ProviderError::new(
                ErrorKind::Unexpected,
                "a list of empty pages without end",
            )),
        }
    }
}

/// Where a list goes on after these.
pub(crate) fn after(from: Option<&Listed>, found: &[(ItemId, Message)]) -> Listed {
    let second = |message: &Message| message.received_date_time.map(|time| time.timestamp());
    let until = found.iter().rev().find_map(|(_, message)| second(message));
    let until = until.or(from.map(|from| from.until)).unwrap_or_default();
    let mut told: Vec<u64> = match from {
        Some(from) if from.until == until => from.told.clone(),
        _ => Vec::new(),
    };
    let of_second = found
        .iter()
        .filter(|(_, message)| second(message).is_none_or(|second| second == until));
    told.extend(of_second.map(|(id, _)| id.mark("")));
    if told.len() > MOST_MARKS {
        tracing::warn!(
            told = told.len(),
            "too many messages of one second to list them all"
        );
        return Listed {
            until: until - 1,
            told: Vec::new(),
        };
    }
    Listed { until, told }
}

/// A list's failure. What it asks for is well formed: what is unknown is the folder.
pub(crate) fn failed(error: ProviderError, is_folder: bool) -> ProviderError {
    match error.kind {
        ErrorKind::NotFound | ErrorKind::Invalid if is_folder => {
            error::no_folder().with_source(error)
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(conditions: &[&str]) -> List {
        List {
            messages: Address::of("me/messages"),
            conditions: conditions.iter().map(|&one| one.to_owned()).collect(),
            since: None,
            until: None,
        }
    }

    fn filter(address: &Address) -> Option<String> {
        let url = url::Url::parse(&format!("https://x/{}", address.as_str())).unwrap();
        let mut pairs = url.query_pairs();
        let (_, value) = pairs.find(|(name, _)| name == "$filter")?;
        Some(value.into_owned())
    }

    #[test]
    fn the_time_is_the_first_condition_where_there_is_any() {
        assert_eq!(filter(&list(&[]).address(None, 5)), None);
        assert_eq!(
            filter(&list(&["isRead eq true"]).address(None, 5)).as_deref(),
            Some("receivedDateTime ge 1900-01-01T00:00:00Z and isRead eq true")
        );
        let from = Listed {
            until: 1_700_000_000,
            told: Vec::new(),
        };
        let since = Timestamp::from_timestamp(1_600_000_000, 500_000_000);
        let list = List {
            since,
            ..list(&["isRead eq true"])
        };
        assert_eq!(
            filter(&list.address(Some(&from), 5)).as_deref(),
            Some(
                "receivedDateTime le 2023-11-14T22:13:20Z and receivedDateTime ge \
                 2020-09-13T12:26:40Z and isRead eq true"
            )
        );
    }

    #[test]
    fn a_window_is_widened_to_whole_seconds() {
        let time = Timestamp::from_timestamp(1_700_000_000, 1).unwrap();
        assert_eq!(floor(time), "2023-11-14T22:13:20Z");
        assert_eq!(ceiling(time), "2023-11-14T22:13:21Z");
        let whole = Timestamp::from_timestamp(1_700_000_000, 0).unwrap();
        assert_eq!(ceiling(whole), "2023-11-14T22:13:20Z");
    }

    #[test]
    fn a_list_goes_on_within_a_second() {
        let found = |id: &str, second| {
            let message = Message {
                received_date_time: Timestamp::from_timestamp(second, 0),
                ..Message::default()
            };
            (ItemId::parse(id).unwrap(), message)
        };
        let first = after(None, &[found("a", 9), found("b", 8), found("c", 8)]);
        assert_eq!((first.until, first.told.len()), (8, 2));
        let second = after(Some(&first), &[found("d", 8)]);
        assert_eq!((second.until, second.told.len()), (8, 3));
        let third = after(Some(&second), &[found("e", 7)]);
        assert_eq!((third.until, third.told.len()), (7, 1));
    }
}
