//! Reading messages, many at once.

use std::{collections::HashMap, time::Duration};

use email_provider::{Call, Detail, ErrorKind, Fetched, MessageRef, ProviderError, ProviderResult};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{Instant, sleep};

use crate::{
    api::Failure,
    convert,
    ids::{HexId, is_attachment_id},
    labels::CHAT,
    mailbox::Mailbox,
    quota::Method,
    wanted::{self, attachment_path, is_cut, path},
    wire::{Body, Message, Part},
};

/// Messages with texts in one batch: each may hold a megabyte of them.
const MOST_CONTENTS: usize = 10;
/// Batches at the same time.
const BATCHES: usize = 3;
/// How often a message that a list or the history named must be absent to be believed so: lists and messages
/// are not of one replica.
const ABSENCES: u8 = 3;
/// How often the parts of a batch that failed are asked for.
const ROUNDS: u32 = 5;
/// Before they are asked for again; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// Texts of one message that are fetched beside it, where it does not hold them.
const MOST_TEXTS: usize = 8;

pub(crate) async fn fetch(
    mailbox: &Mailbox,
    call: Call,
    refs: &[MessageRef],
    detail: Detail,
) -> ProviderResult<Vec<Fetched>> {
    let mut ids: Vec<HexId> = refs.iter().filter_map(HexId::of).collect();
    ids.sort_unstable();
    ids.dedup();
    let most = match detail {
        Detail::Content => MOST_CONTENTS,
        _ => usize::MAX,
    };
    let most = most.min(mailbox.api.batch_size(Method::MessagesGet));
    let chunks: Vec<Vec<HexId>> = ids.chunks(most).map(<[HexId]>::to_vec).collect();
    let read: Vec<Vec<Message>> = stream::iter(chunks)
        .map(|chunk| mailbox.messages(call, chunk, detail))
        .buffer_unordered(BATCHES)
        .try_collect()
        .await?;
    let read: Vec<Message> = read.into_iter().flatten().collect();
    let labels = read.iter().map(|message| message.label_ids.as_slice());
    let table = mailbox.labels_of(call, labels).await?;
    let mut found = HashMap::new();
    for message in &read {
        let is_mail = !message.label_ids.iter().any(|label| label == CHAT);
        if let Some(id) = HexId::parse(&message.id).filter(|_| is_mail) {
            found.insert(id.clone(), fetched(&id, message, detail, &table));
        }
    }
    let answer = refs
        .iter()
        .filter_map(|at| found.get(&HexId::of(at)?).cloned());
    Ok(answer.collect())
}

fn fetched(
    id: &HexId,
    message: &Message,
    detail: Detail,
    table: &crate::labels::LabelTable,
) -> Fetched {
    let is_full = detail >= Detail::Envelope;
    let content = is_full.then(|| convert::content(message));
    let (envelope, content) = match (content, detail) {
        (Some(mut content), Detail::Envelope) => {
            content.envelope.snippet = convert::snippet(message);
            (Some(content.envelope), None)
        }
        (content, _) => (None, content),
    };
    Fetched {
        at: id.at(),
        state: (detail >= Detail::State).then(|| table.state(&message.label_ids)),
        identity: is_full.then(|| convert::identity(id)),
        thread: is_full
            .then(|| convert::thread(&message.thread_id))
            .flatten(),
        envelope,
        content: content.map(|mut content| {
            let learned = content.envelope.snippet.take();
            content.envelope.snippet = learned.or_else(|| Some(String::new()));
            content
        }),
    }
}

impl Mailbox {
    /// Reads a batch of messages; what is absent is left out. Parts that failed are asked for again, so that
    /// what was paid for the others is not lost.
    async fn messages(
        &self,
        call: Call,
        ids: Vec<HexId>,
        detail: Detail,
    ) -> ProviderResult<Vec<Message>> {
        let mut messages = Vec::with_capacity(ids.len());
        let mut open: Vec<(HexId, u8)> = ids.into_iter().map(|id| (id, 0)).collect();
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
                Err(error) if error.is_transient() && !messages.is_empty() => {
                    failed = Some(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            for ((id, absences), answer) in std::mem::take(&mut open).into_iter().zip(answers) {
                match answer {
                    Ok(message) => messages.push(message),
                    Err(error) if error.kind == ErrorKind::NotFound => {
                        if absences + 1 < ABSENCES {
                            open.push((id, absences + 1));
                        }
                    }
                    Err(error) if error.is_transient() => {
                        open.push((id, absences));
                        failed = Some(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            if open.is_empty() {
                return Ok(messages);
            }
        }
        // What was absent again and again until the end is absent.
        match failed {
            Some(error) => Err(error),
            None if open.iter().all(|(_, absences)| *absences > 0) => Ok(messages),
            None => Err(crate::error::late(crate::error::Effect::None)),
        }
    }

    async fn ask_for(
        &self,
        call: Call,
        ids: &[(HexId, u8)],
        detail: Detail,
    ) -> ProviderResult<Vec<ProviderResult<Message>>> {
        let paths: Vec<String> = ids
            .iter()
            .map(|(id, _)| path(id, wanted::of(detail)))
            .collect();
        let mut answers = Vec::with_capacity(ids.len());
        if let [path] = &paths[..] {
            answers.push(self.api.read(call, Method::MessagesGet, path).await);
        } else {
            let parts = self.api.batch(call, Method::MessagesGet, &paths).await?;
            answers.extend(parts.into_iter().map(|part| {
                part.parsed()
                    .map_err(|failure: Failure| self.api.part_failed(failure))
            }));
        }
        for (answer, (id, _)) in answers.iter_mut().zip(ids) {
            let whole = self.whole(call, id, detail, answer).await;
            if let Some(whole) = whole {
                *answer = whole;
            }
        }
        Ok(answers)
    }

    /// What an answer leaves out or hides, if anything.
    async fn whole(
        &self,
        call: Call,
        id: &HexId,
        detail: Detail,
        answer: &mut ProviderResult<Message>,
    ) -> Option<ProviderResult<Message>> {
        let message = match answer {
            // Parts nested deeper than JSON is read: the bytes are read instead.
            Err(error) if error.kind == ErrorKind::Unexpected && detail >= Detail::Envelope => {
                return Some(
                    self.api
                        .read(call, Method::MessagesGet, &path(id, wanted::RAW))
                        .await,
                );
            }
            Err(_) => return None,
            Ok(message) => message,
        };
        if message.id != id.as_str() {
            return Some(Err(crate::error::unreadable()));
        }
        let payload = message.payload.as_mut()?;
        match detail {
            Detail::Envelope if is_cut(payload) => Some(
                self.api
                    .read(call, Method::MessagesGet, &path(id, wanted::CONTENT))
                    .await,
            ),
            Detail::Content => self.texts(call, id, payload).await.err().map(Err),
            _ => None,
        }
    }

    /// Fetches the texts that are too long to be in the message itself.
    async fn texts(&self, call: Call, id: &HexId, payload: &mut Part) -> ProviderResult<()> {
        let mut found = Vec::new();
        long_texts(payload, &mut found);
        for body in found.into_iter().take(MOST_TEXTS) {
            let attachment = body.attachment_id.as_deref().unwrap_or_default();
            let path = attachment_path(id, attachment);
            let fetched: Body = self.api.read(call, Method::AttachmentsGet, &path).await?;
            body.data = fetched.data;
        }
        Ok(())
    }
}

/// The bodies of texts that can be fetched, but were not told.
fn long_texts<'a>(part: &'a mut Part, found: &mut Vec<&'a mut Body>) {
    if part.is_multipart() {
        for inner in &mut part.parts {
            long_texts(inner, found);
        }
        return;
    }
    let is_text = ["text/plain", "text/html"]
        .iter()
        .any(|text| part.mime_type.eq_ignore_ascii_case(text));
    let can_be_fetched = part
        .body
        .attachment_id
        .as_deref()
        .is_some_and(is_attachment_id);
    if is_text && part.filename.is_empty() && part.body.data.is_none() && can_be_fetched {
        found.push(&mut part.body);
    }
}
