//! Reading messages, many at once.

use std::{collections::HashMap, time::Duration};

use email_provider::{Call, Detail, ErrorKind, Fetched, MessageRef, ProviderError, ProviderResult};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{Instant, sleep};

use crate::{
    address::Address,
    api::{MOST_PARTS, Prefer},
    convert, error,
    ids::ItemId,
    mailbox::Mailbox,
    names, wanted,
    wire::{ItemBody, Message},
};

/// Batches on their way at the same time.
const BATCHES: usize = 2;
/// How often a message that a list or a feed named must be absent to be believed so: not all that answers is of one mind.
pub(crate) const ABSENCES: u8 = 3;
/// How often the parts of a batch that failed are asked for.
const ROUNDS: u32 = 6;
/// Before they are asked for again; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// A message that was read, with its body as text where that was asked for.
pub(crate) struct Read {
    pub id: ItemId,
    pub message: Message,
    text: Option<ItemBody>,
}

/// A message is answered where it is: a reference into another folder names nothing.
pub(crate) async fn fetch(
    mailbox: &Mailbox,
    call: Call,
    refs: &[MessageRef],
    detail: Detail,
) -> ProviderResult<Vec<Fetched>> {
    let mut ids: Vec<ItemId> = refs.iter().filter_map(ItemId::of).collect();
    ids.sort_unstable();
    ids.dedup();
    let read = mailbox.messages(call, ids, detail, ABSENCES).await?;
    let found: HashMap<&ItemId, &Read> = read.iter().map(|read| (&read.id, read)).collect();
    let answer = refs.iter().filter_map(|at| {
        let read = found.get(&ItemId::of(at)?)?;
        let folder = convert::folder(&read.message)?;
        (folder.scope() == at.scope).then(|| fetched(at.clone(), read, detail))
    });
    Ok(answer.collect())
}

fn fetched(at: MessageRef, read: &Read, detail: Detail) -> Fetched {
    let is_full = detail >= Detail::Envelope;
    let message = &read.message;
    Fetched {
        at,
        state: (detail >= Detail::State)
            .then(|| convert::state(message))
            .flatten(),
        identity: is_full.then(|| convert::identity(&read.id)),
        thread: is_full.then(|| convert::thread(message)).flatten(),
        envelope: (detail == Detail::Envelope).then(|| convert::envelope(message)),
        content: (detail == Detail::Content).then(|| convert::content(message, read.text.clone())),
    }
}

/// What is asked of one message: with its content also the text, which is another answer.
fn parts(id: &ItemId, detail: Detail) -> Vec<(Address, Prefer)> {
    let message = || names::message(id);
    match detail {
        Detail::Content => vec![
            (wanted::of(message(), detail), Prefer::own_bodies()),
            (wanted::text(message()), Prefer::texts()),
        ],
        _ => vec![(wanted::of(message(), detail), Prefer::default())],
    }
}

impl Mailbox {
    /// Reads messages; what is absent is left out.
    pub(crate) async fn messages(
        &self,
        call: Call,
        ids: Vec<ItemId>,
        detail: Detail,
        absences: u8,
    ) -> ProviderResult<Vec<Read>> {
        let most = match detail {
            Detail::Content => MOST_PARTS / 2,
            _ => MOST_PARTS,
        };
        let chunks: Vec<Vec<ItemId>> = ids.chunks(most).map(<[ItemId]>::to_vec).collect();
        let read: Vec<Vec<Read>> = stream::iter(chunks)
            .map(|chunk| self.batch_of_messages(call, chunk, detail, absences))
            .buffer_unordered(BATCHES)
            .try_collect()
            .await?;
        Ok(read.into_iter().flatten().collect())
    }

    /// Reads a batch. Parts that failed are asked for again, so that what was paid for the others is not lost.
    async fn batch_of_messages(
        &self,
        call: Call,
        ids: Vec<ItemId>,
        detail: Detail,
        absences: u8,
    ) -> ProviderResult<Vec<Read>> {
        let mut found = Vec::with_capacity(ids.len());
        let mut open: Vec<(ItemId, u8)> = ids.into_iter().map(|id| (id, 0)).collect();
        let mut failed: Option<ProviderError> = None;
        for round in 0..ROUNDS {
            if round > 0 {
                sleep(FIRST_WAIT * 2_u32.pow(round - 1)).await;
                if Instant::now() >= call.deadline {
                    break;
                }
            }
            failed = None;
            let answers = match self.ask_for(call, &open, detail).await {
                Ok(answers) => answers,
                Err(error) if error.is_transient() && !found.is_empty() => {
                    failed = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            for ((id, absent), answer) in std::mem::take(&mut open).into_iter().zip(answers) {
                match answer {
                    Ok(read) => found.push(read),
                    Err(error) if error.kind == ErrorKind::NotFound => {
                        if absent + 1 < absences {
                            open.push((id, absent + 1));
                        }
                    }
                    Err(error) if error.is_transient() => {
                        open.push((id, absent));
                        failed = Some(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            if open.is_empty() {
                return Ok(found);
            }
        }
        // What was absent less often than it takes, before the time or the rounds were over, may be there.
        Err(failed.unwrap_or_else(|| error::late(error::Effect::None)))
    }

    async fn ask_for(
        &self,
        call: Call,
        ids: &[(ItemId, u8)],
        detail: Detail,
    ) -> ProviderResult<Vec<ProviderResult<Read>>> {
        let parts: Vec<(Address, Prefer)> =
            ids.iter().flat_map(|(id, _)| parts(id, detail)).collect();
        let mut answers = match self.ask_at_once(call, &parts).await {
            // All of them together are more than is gathered in memory.
            Err(error) if error.kind == ErrorKind::Unexpected && parts.len() > 1 => {
                let mut answers = Vec::with_capacity(parts.len());
                for (address, prefer) in &parts {
                    answers.push(self.api.read(call, address.clone(), *prefer).await);
                }
                answers.into_iter()
            }
            answers => answers?.into_iter(),
        };
        let mut missing = || Err(error::lost(error::Effect::None));
        let read = ids.iter().map(|(id, _)| {
            let message = answers.next().unwrap_or_else(&mut missing);
            let text =
                (detail == Detail::Content).then(|| answers.next().unwrap_or_else(&mut missing));
            let message = message?;
            if message.id != id.as_str() {
                return Err(error::unreadable());
            }
            let text = text.transpose()?.and_then(|text| text.body);
            Ok(Read {
                id: id.clone(),
                message,
                text,
            })
        });
        Ok(read.collect())
    }

    async fn ask_at_once(
        &self,
        call: Call,
        parts: &[(Address, Prefer)],
    ) -> ProviderResult<Vec<ProviderResult<Message>>> {
        if let [(address, prefer)] = parts {
            return Ok(vec![self.api.read(call, address.clone(), *prefer).await]);
        }
        let answers = self.api.batch(call, parts).await?.into_iter();
        let answers = answers.map(|part| {
            part.parsed::<Message>()
                .map_err(|failure| self.api.part_failed(failure))
        });
        Ok(answers.collect())
    }
}
