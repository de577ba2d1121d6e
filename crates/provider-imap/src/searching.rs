//! Search and lists: SEARCH or SORT in each folder, merged by the time of receipt, newest first.

mod compile;

use email_model::{
    FolderRole, ScopeKey, Timestamp,
    query::{Condition, Place, Term},
};
use email_provider::{
    Call, Folder, MessageRef, ProviderResult, SearchPage, SearchRequest, SearchScope,
};

use self::compile::{Compiled, compile};
use crate::{
    convert::{is_deleted, timestamp},
    cursor::{SearchPosition, entry_key},
    listing::list_folders,
    protocol::{
        Capability, Connection, FetchData, FetchItem, FetchItems, MailboxName, SearchKey,
        SortOrder, UidSet,
    },
    provider::ImapProvider,
    selecting::{select, selected},
};

/// Messages of the same second that are read to tell where a page ends.
const MOST_ALIKE: usize = 5_000;

/// A message found, ordered as results are: newest first, then by folder, then by UID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Hit {
    older: std::cmp::Reverse<i64>,
    folder: String,
    uid: u32,
    validity: u32,
}

impl Hit {
    fn is_after(&self, position: &SearchPosition) -> bool {
        let last = (
            std::cmp::Reverse(position.received),
            &position.folder,
            position.uid,
        );
        (self.older, &self.folder, self.uid) > last
    }
}

impl ImapProvider {
    pub(crate) async fn search_page(
        &self,
        call: Call,
        request: SearchRequest,
    ) -> ProviderResult<SearchPage> {
        let limit = request.limit.clamp(1, 500);
        let position = request
            .position
            .as_ref()
            .map(SearchPosition::read)
            .transpose()?;
        let Compiled { key, unchecked } = compile(&request.query.terms);
        let mut connection = self.connection(call, None).await?;
        let folders = match &request.scope {
            SearchScope::Folder(key) => vec![MailboxName::from_key(&key.0)],
            SearchScope::Everywhere { trash_and_junk } => {
                let all = list_folders(&mut connection, call.deadline).await?;
                everywhere(&all, *trash_and_junk)
            }
        };
        let folders = folders
            .into_iter()
            .filter(|folder| is_in_place(folder, &request.query.terms));
        let mut hits = Vec::new();
        for folder in folders {
            let found = search_folder(
                &mut connection,
                call,
                &folder,
                &key,
                position.as_ref(),
                limit + 1,
            )
            .await;
            match found {
                Ok(found) => hits.extend(found),
                // A folder that went away since it was listed holds nothing.
                Err(error)
                    if error.kind == email_provider::ErrorKind::NotFound
                        && matches!(request.scope, SearchScope::Everywhere { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        hits.sort_unstable();
        let has_more = hits.len() > limit;
        hits.truncate(limit);
        let next = match hits.last() {
            Some(last) if has_more => Some(
                SearchPosition {
                    received: last.older.0,
                    folder: last.folder.clone(),
                    uid: last.uid,
                }
                .write()?,
            ),
            _ => None,
        };
        let hits = hits
            .into_iter()
            .map(|hit| {
                let received = Timestamp::from_timestamp(hit.older.0, 0);
                let key = entry_key(hit.validity, hit.uid);
                (
                    MessageRef {
                        scope: ScopeKey(hit.folder),
                        key,
                    },
                    received,
                )
            })
            .collect();
        Ok(SearchPage {
            hits,
            next,
            unchecked,
        })
    }
}

fn everywhere(folders: &[Folder], trash_and_junk: bool) -> Vec<MailboxName> {
    let is_wanted = |folder: &&Folder| {
        folder.selectable
            && match folder.role {
                Some(FolderRole::Trash | FolderRole::Junk) => trash_and_junk,
                Some(role) => !role.is_view(),
                None => true,
            }
    };
    folders
        .iter()
        .filter(is_wanted)
        .map(|folder| MailboxName::from_key(&folder.key.0))
        .collect()
}

/// Whether the terms that name places let a folder in.
fn is_in_place(folder: &MailboxName, terms: &[Term]) -> bool {
    terms.iter().all(|term| match &term.condition {
        Condition::In(Place::Folders(keys)) => {
            let named = keys
                .iter()
                .any(|key| MailboxName::from_key(&key.0) == *folder);
            named != term.negated
        }
        _ => true,
    })
}

/// The first hits of a folder after a position.
async fn search_folder(
    connection: &mut Connection,
    call: Call,
    folder: &MailboxName,
    key: &SearchKey,
    position: Option<&SearchPosition>,
    wanted: usize,
) -> ProviderResult<Vec<Hit>> {
    let state = select(connection, folder, call).await?.state;
    if state.exists == 0 {
        return Ok(Vec::new());
    }
    let mut keys = vec![SearchKey::Deleted.negated(), key.clone()];
    if let Some(day) = position.and_then(|position| Timestamp::from_timestamp(position.received, 0))
    {
        // A day in whatever time zone the server thinks of.
        keys.push(SearchKey::Before(
            (day + chrono::Duration::days(2)).date_naive(),
        ));
    }
    let key = SearchKey::And(keys);
    let sorted = connection.has(Capability::SORT);
    let uids = if sorted {
        connection
            .uid_sort(SortOrder::NewestReceived, &key, call.deadline)
            .await?
    } else {
        connection
            .uid_search(&key, call.deadline)
            .await?
            .iter()
            .rev()
            .collect()
    };
    let validity = selected(connection)?.uid_validity;
    let mut hits: Vec<Hit> = Vec::new();
    let mut read = 0;
    // In order of receipt, so much as fills the page and what is of the same second as its end.
    let step = if sorted { wanted.max(50) } else { usize::MAX };
    while read < uids.len() {
        let chunk = &uids[read..read.saturating_add(step).min(uids.len())];
        read += chunk.len();
        let mut take = |data: FetchData| {
            if let Some(date) = data.internal_date
                && !is_deleted(data.flags.as_ref())
            {
                hits.push(Hit {
                    older: std::cmp::Reverse(timestamp(date).timestamp()),
                    folder: folder.to_key(),
                    uid: data.uid,
                    validity,
                });
            }
            Ok(())
        };
        let set: UidSet = chunk.iter().copied().collect();
        let items = FetchItems::from(FetchItem::INTERNAL_DATE | FetchItem::FLAGS);
        connection
            .uid_fetch(&set, &items, None, call.deadline, &mut take)
            .await?;
        hits.retain(|hit| position.is_none_or(|position| hit.is_after(position)));
        hits.sort_unstable();
        let is_clear = hits.len() > wanted
            && (hits[wanted - 1].older != hits[hits.len() - 1].older
                || hits.len() > wanted + MOST_ALIKE);
        if is_clear {
            break;
        }
    }
    hits.truncate(wanted);
    Ok(hits)
}
