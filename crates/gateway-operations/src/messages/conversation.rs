//! The messages of a conversation.

use std::{collections::HashSet, time::Duration};

use email_model::{
    BodyType, MessageId, MessageQuery, ThreadId, Timestamp, digest,
    query::{Condition, Term},
};
use email_provider::{Call, Detail, Priority, SearchRequest, SearchScope};
use gateway_store::{Account, MessageRow};
use serde::{Deserialize, Serialize};

use super::{MessagePage, page_token};
use crate::{
    Gateway, OperationError, OperationResult, journal::JournalHandle, mailboxes::OpenMailbox,
};

/// Most messages of a conversation that are shown.
const MOST: u32 = 2_000;
/// Records of a page, at most.
const MOST_OF_A_PAGE: u32 = 500;
/// Records of a page with bodies and without, where the client does not say.
const USUAL: (u32, u32) = (50, 200);
/// How long other members are looked for.
const LOOKED_FOR: Duration = Duration::from_secs(5);
/// Other members that are looked for by their Message-ID.
const MOST_MISSING: usize = 3;
/// Messages of the same subject that are looked at.
const MOST_ALIKE: usize = 100;

/// After which message a page begins.
#[derive(Serialize, Deserialize)]
struct Rest {
    received_at: Option<Timestamp>,
    id: u64,
}

impl Gateway {
    /// A page of a conversation, oldest first. Where the mailbox was not scanned, other members than
    /// those met so far are looked for as far as the provider's search goes.
    ///
    /// # Errors
    /// `NotFound` for a conversation without a message.
    pub async fn conversation(
        &self,
        account: &Account,
        thread: ThreadId,
        body_type: Option<BodyType>,
        page_token: Option<String>,
        limit: Option<u32>,
    ) -> OperationResult<MessagePage> {
        let limit = match limit {
            None if body_type.is_some() => USUAL.0,
            None => USUAL.1,
            Some(limit @ 1..=MOST_OF_A_PAGE) => limit,
            Some(_) => return Err(OperationError::bad_request("`limit` is 1 to 500")),
        };
        let (mailbox, journal) = self.reach(account).await?;
        let question = digest("polypost.conversation.1", &[&thread.0.to_be_bytes()]);
        let after: Option<Rest> = match &page_token {
            Some(token) => Some(page_token::read(&journal, "conversation", question, token)?),
            None => None,
        };
        let is_scanned = self
            .sync_progress(account)
            .await?
            .is_some_and(|progress| progress.ready);
        // A window leaves older members out of the scan.
        let is_whole = is_scanned && journal.journal().await?.record.window == Some(None);
        let mut rows = self.inner.store.thread(account.id, thread, MOST).await?;
        if rows.is_empty() {
            return Err(OperationError::not_found("conversation"));
        }
        if !is_whole && after.is_none() {
            let call = self.call(Priority::Interactive, LOOKED_FOR);
            let looking = self.look_for_members(account, &mailbox, &journal, &rows, call);
            // What is not found in time is not shown: it was never promised.
            if let Ok(Ok(true)) = tokio::time::timeout(LOOKED_FOR, looking).await {
                rows = self.inner.store.thread(account.id, thread, MOST).await?;
            }
        }
        if let Some(Rest { received_at, id }) = after {
            rows.retain(|row| (row.received_at, row.id) > (received_at, MessageId(id)));
        }
        let full = usize::try_from(limit).unwrap_or(usize::MAX);
        let rest = (rows.len() > full).then(|| rows.get(full - 1)).flatten();
        let rest = rest.map(|row| Rest {
            received_at: row.received_at,
            id: row.id.0,
        });
        rows.truncate(full);
        let call = self.call(Priority::Interactive, self.inner.config.page_wait);
        // Flags that no pass keeps up to date are read anew.
        let loaded = self
            .load_views(account, &journal, rows, body_type, !is_scanned, call)
            .await?;
        if let Some(failure) = loaded.failure
            && loaded.missed.len() == loaded.views.len()
            && !loaded.views.is_empty()
        {
            return Err(failure);
        }
        let mut records = loaded.views;
        if !is_scanned {
            let absent: HashSet<MessageId> = loaded.absent.into_iter().collect();
            records.retain(|view| !absent.contains(&view.id));
        }
        let next_page_token = match rest {
            Some(rest) => Some(page_token::write(
                &journal,
                "conversation",
                question,
                &rest,
            )?),
            None => None,
        };
        Ok(MessagePage {
            records,
            next_page_token,
        })
    }

    /// Gives ids to messages that may belong to the conversation: those that its members name, and
    /// those of the same subject. True: some were met.
    async fn look_for_members(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        rows: &[MessageRow],
        call: Call,
    ) -> OperationResult<bool> {
        let envelopes: Vec<_> = rows
            .iter()
            .filter_map(|row| journal.open_envelope(row))
            .collect();
        let known: HashSet<&str> = rows
            .iter()
            .filter_map(|row| row.message_id.as_deref())
            .collect();
        let mut missing: Vec<&str> = envelopes
            .iter()
            .flat_map(|envelope| envelope.references.iter().chain(&envelope.in_reply_to))
            .map(String::as_str)
            .filter(|id| !known.contains(id))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        missing.truncate(MOST_MISSING);
        let mut met = false;
        let subject = envelopes
            .iter()
            .find_map(|envelope| bare_subject(envelope.subject.as_deref()?));
        if let Some(subject) = subject {
            met |= self
                .meet_alike(account, mailbox, journal, subject, call)
                .await?;
        }
        for id in missing {
            met |= !self
                .copies(account, mailbox, journal, id, call)
                .await?
                .is_empty();
        }
        Ok(met)
    }

    async fn meet_alike(
        &self,
        account: &Account,
        mailbox: &OpenMailbox,
        journal: &JournalHandle,
        subject: &str,
        call: Call,
    ) -> OperationResult<bool> {
        let term = Term {
            negated: false,
            condition: Condition::Subject(subject.to_owned()),
        };
        let request = SearchRequest {
            scope: SearchScope::Everywhere {
                trash_and_junk: true,
            },
            query: MessageQuery { terms: vec![term] },
            position: None,
            limit: MOST_ALIKE,
        };
        let page = self
            .told(account, mailbox.provider.search(call, request).await)
            .await?;
        if !page.unchecked.is_empty() || page.hits.is_empty() {
            return Ok(false);
        }
        let refs: Vec<_> = page
            .hits
            .into_iter()
            .map(|(at, _)| at)
            .take(MOST_ALIKE)
            .collect();
        let fetched = self
            .told(
                account,
                mailbox.provider.fetch(call, &refs, Detail::Envelope).await,
            )
            .await?;
        self.recognise(mailbox, journal, call, &fetched).await?;
        Ok(true)
    }
}

/// The subject without what replies and forwards put before it; `None` where too little is left to
/// look for.
fn bare_subject(subject: &str) -> Option<&str> {
    let mut subject = subject.trim();
    while let Some((prefix, rest)) = subject.split_once(':') {
        let is_prefix = matches!(
            prefix.trim().to_ascii_lowercase().as_str(),
            "re" | "fw"
                | "fwd"
                | "aw"
                | "wg"
                | "sv"
                | "vs"
                | "tr"
                | "rv"
                | "r"
                | "i"
                | "ynt"
                | "odp"
        );
        if !is_prefix {
            break;
        }
        subject = rest.trim();
    }
    (subject.chars().count() >= 3).then_some(subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_replies_and_forwards_are_taken_off() {
        assert_eq!(
            bare_subject("Re: AW: Fwd: Lunch: today"),
            Some("Lunch: today")
        );
        assert_eq!(bare_subject("Lunch"), Some("Lunch"));
        assert_eq!(bare_subject("Re: hi"), None);
    }
}
