//! Fetching messages: their state, their envelopes, their contents.

use std::collections::{HashMap, HashSet};

use email_model::Content;
use email_provider::{
    Call, Detail, ErrorKind, Fetched, MessageRef, Priority, ProviderResult, ScopeKey,
};

use crate::{
    content::{read_content, whole_content},
    convert::{ENVELOPE_FIELDS, IdentityKind, entry, entry_state, is_deleted, thread_hint},
    cursor::read_key,
    protocol::{
        Connection, FetchData, FetchItem, FetchItems, MailboxName, Section, SelectOptions, UidSet,
    },
    provider::ImapProvider,
    selecting::{select_with, selected},
    snippets::{Unread, read_snippets},
};

/// Up to this size a message is fetched whole and parsed here; above it only the parts that are read. So much
/// is fetched of each, and a little more, which tells that there is more: sizes that a server claims need not
/// be true, and asking for them first would cost a round trip.
const WHOLE: u32 = 256 << 10;

/// What an entry of a list is made of.
pub(crate) fn listed_items(kind: IdentityKind) -> FetchItems {
    let mut items =
        FetchItem::FLAGS | FetchItem::INTERNAL_DATE | FetchItem::SIZE | FetchItem::STRUCTURE;
    if kind == IdentityKind::ObjectId {
        items |= FetchItem::OBJECT_ID;
    }
    FetchItems {
        items,
        sections: vec![Section::header_fields(&ENVELOPE_FIELDS)],
        at_most: None,
    }
}

/// What a first scan fetches of each message where the server tells no EMAILID: benchmarks measure the same
/// without the gateway.
pub fn scan_items() -> FetchItems {
    listed_items(IdentityKind::Content)
}

impl ImapProvider {
    pub(crate) async fn fetch_refs(
        &self,
        call: Call,
        refs: &[MessageRef],
        detail: Detail,
    ) -> ProviderResult<Vec<Fetched>> {
        let mut by_scope: Vec<(&ScopeKey, Vec<(u32, u32)>)> = Vec::new();
        for at in refs {
            let Some(key) = read_key(&at.key) else {
                continue;
            };
            match by_scope.iter_mut().find(|(scope, _)| *scope == &at.scope) {
                Some((_, keys)) => keys.push(key),
                None => by_scope.push((&at.scope, vec![key])),
            }
        }
        let mut found: HashMap<MessageRef, Fetched> = HashMap::new();
        for (scope, keys) in by_scope {
            for one in self.fetch_in(call, scope, &keys, detail).await? {
                found.insert(one.at.clone(), one);
            }
        }
        Ok(refs
            .iter()
            .filter_map(|at| found.get(at).cloned())
            .collect())
    }

    async fn fetch_in(
        &self,
        call: Call,
        scope: &ScopeKey,
        keys: &[(u32, u32)],
        detail: Detail,
    ) -> ProviderResult<Vec<Fetched>> {
        let mailbox = MailboxName::from_key(&scope.0);
        let mut connection = self.connection(call, Some(&mailbox)).await?;
        // Whether a message is there must be the truth of now; what is read of it may be that of the
        // moment at which the mailbox was last looked at. A content never changes, but who waits for one message is
        // told where it is.
        let mut fresh = match (detail, call.priority) {
            (Detail::Exists | Detail::State, _) | (Detail::Envelope, Priority::Background) => true,
            (Detail::Content, Priority::Interactive) => keys.len() == 1,
            _ => false,
        };
        let (mut fetched, mut absent) = (Vec::new(), keys.to_vec());
        loop {
            let is_kept = connection.selected().is_some_and(|s| s.mailbox == mailbox);
            let options = SelectOptions {
                fresh,
                ..SelectOptions::default()
            };
            match select_with(&mut connection, &mailbox, options, call).await {
                Ok(_) => {}
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
            let validity = selected(&connection)?.uid_validity;
            let uids: UidSet = absent
                .iter()
                .filter(|(of, _)| *of == validity)
                .map(|(_, uid)| *uid)
                .collect();
            if !uids.is_empty() {
                let fetch = Fetching {
                    scope,
                    mailbox: &mailbox,
                    validity,
                    kind: self.identity_kind(),
                    call,
                };
                let mut told = HashSet::new();
                let found = match detail {
                    Detail::Exists | Detail::State => {
                        fetch.states(&mut connection, &uids, &mut told).await?
                    }
                    Detail::Envelope => fetch.envelopes(&mut connection, &uids, &mut told).await?,
                    Detail::Content => fetch.contents(&mut connection, &uids, &mut told).await?,
                };
                fetched.extend(found);
                absent.retain(|(of, uid)| *of != validity || !told.contains(uid));
            }
            // What is left out is believed gone. A connection that has had the mailbox selected for a while
            // need not have been told of what others have seen come.
            if absent.is_empty() || fresh || !is_kept {
                return Ok(fetched);
            }
            fresh = true;
        }
    }
}

/// A fetch within one selected mailbox. `told` becomes the UIDs that the server told anything of: they are there,
/// if only as deleted.
pub(crate) struct Fetching<'a> {
    scope: &'a ScopeKey,
    mailbox: &'a MailboxName,
    validity: u32,
    kind: IdentityKind,
    call: Call,
}

impl Fetching<'_> {
    fn at(&self, uid: u32) -> MessageRef {
        MessageRef {
            scope: self.scope.clone(),
            key: crate::cursor::entry_key(self.validity, uid),
        }
    }

    async fn collect(
        &self,
        connection: &mut Connection,
        uids: &UidSet,
        items: &FetchItems,
    ) -> ProviderResult<HashMap<u32, FetchData>> {
        let mut found: HashMap<u32, FetchData> = HashMap::new();
        let mut take = |data: FetchData| {
            found.insert(data.uid, data);
            Ok(())
        };
        connection
            .uid_fetch(uids, items, None, self.call.deadline, &mut take)
            .await?;
        Ok(found)
    }

    async fn states(
        &self,
        connection: &mut Connection,
        uids: &UidSet,
        told: &mut HashSet<u32>,
    ) -> ProviderResult<Vec<Fetched>> {
        let found = self
            .collect(connection, uids, &FetchItem::FLAGS.into())
            .await?;
        told.extend(found.keys());
        let live = found
            .into_values()
            .filter(|data| !is_deleted(data.flags.as_ref()));
        Ok(live
            .map(|data| Fetched {
                at: self.at(data.uid),
                state: data
                    .flags
                    .as_ref()
                    .map(|flags| entry_state(self.mailbox, flags)),
                identity: None,
                thread: None,
                envelope: None,
                content: None,
            })
            .collect())
    }

    async fn envelopes(
        &self,
        connection: &mut Connection,
        uids: &UidSet,
        told: &mut HashSet<u32>,
    ) -> ProviderResult<Vec<Fetched>> {
        let with_snippets = self.call.priority == Priority::Interactive;
        let mut fetched = Vec::new();
        let mut unread = Vec::new();
        let mut take = |data: FetchData| {
            told.insert(data.uid);
            if !is_deleted(data.flags.as_ref()) {
                if with_snippets && data.preview.is_none() {
                    unread.extend(Unread::of(fetched.len(), &data));
                }
                fetched.push(self.listed(&data));
            }
            Ok(())
        };
        let mut items = listed_items(self.kind);
        if with_snippets {
            items.items |= FetchItem::PREVIEW;
        }
        connection
            .uid_fetch(uids, &items, None, self.call.deadline, &mut take)
            .await?;
        for (index, snippet) in read_snippets(connection, unread, self.call.deadline).await? {
            if let Some(envelope) = &mut fetched[index].envelope {
                envelope.snippet = snippet;
            }
        }
        Ok(fetched)
    }

    fn listed(&self, data: &FetchData) -> Fetched {
        let entry = entry(self.kind, self.mailbox, self.validity, data);
        let mut envelope = entry.envelope;
        if let (Some(envelope), Some(preview)) = (&mut envelope, &data.preview) {
            let text = String::from_utf8_lossy(preview).replace('\0', "");
            envelope.snippet = Some(text).filter(|text| !text.trim().is_empty());
        }
        Fetched {
            at: self.at(data.uid),
            state: entry.state,
            identity: entry.identity,
            thread: entry.thread,
            envelope,
            content: None,
        }
    }

    async fn contents(
        &self,
        connection: &mut Connection,
        uids: &UidSet,
        told: &mut HashSet<u32>,
    ) -> ProviderResult<Vec<Fetched>> {
        let mut items = FetchItem::FLAGS | FetchItem::INTERNAL_DATE | FetchItem::SIZE;
        if self.kind == IdentityKind::ObjectId {
            items |= FetchItem::OBJECT_ID;
        }
        let items = FetchItems {
            items,
            sections: vec![Section::message()],
            at_most: Some(WHOLE + 1),
        };
        let mut fetched = Vec::new();
        let mut large = Vec::new();
        let mut take = |mut data: FetchData| {
            told.insert(data.uid);
            let raw = data.section(&Section::message()).cloned();
            data.sections.clear();
            match raw {
                _ if is_deleted(data.flags.as_ref()) => {}
                Some(raw) if raw.len() <= WHOLE as usize => {
                    fetched.push(self.read(&data, whole_content(&raw)));
                }
                Some(_) => large.push(data),
                None => {}
            }
            Ok(())
        };
        connection
            .uid_fetch(uids, &items, None, self.call.deadline, &mut take)
            .await?;
        for data in large {
            if let Some(content) = read_content(connection, data.uid, self.call.deadline).await? {
                fetched.push(self.read(&data, content));
            }
        }
        Ok(fetched)
    }

    /// A message and its content; date and size are the server's word.
    fn read(&self, data: &FetchData, mut content: Content) -> Fetched {
        content.envelope.received_at = data.internal_date.map(crate::convert::timestamp);
        content.envelope.size = data.size;
        Fetched {
            at: self.at(data.uid),
            state: data
                .flags
                .as_ref()
                .map(|flags| entry_state(self.mailbox, flags)),
            identity: Some(crate::convert::identity(self.kind, data, &content.envelope)),
            thread: Some(thread_hint(data)),
            envelope: None,
            content: Some(content),
        }
    }
}
