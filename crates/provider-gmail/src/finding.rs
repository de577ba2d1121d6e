//! Messages found by their `Message-ID`.

use email_provider::{Call, ErrorKind, ProviderResult};

use crate::{
    ids::HexId,
    labels::{DRAFT, SENT},
    listing::List,
    mailbox::Mailbox,
    quota::Method,
    searching,
    wanted::{self, path},
    wire::Message,
};

/// Messages that a search is believed to find of one `Message-ID`.
const MOST_FOUND: usize = 10;
/// How many of the newest are read where the search finds nothing: its index is up to two minutes behind, and
/// does not tell a message that was given another `Message-ID`.
const NEWEST: usize = 10;

/// Among which messages one is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    Sent,
    Drafts,
}

impl Among {
    fn label(self) -> &'static str {
        match self {
            Self::Sent => SENT,
            Self::Drafts => DRAFT,
        }
    }

    fn holds(self, message: &Message) -> bool {
        let has = |label: &str| message.label_ids.iter().any(|one| one == label);
        match self {
            Self::Sent => has(SENT) && !has(DRAFT),
            Self::Drafts => has(DRAFT),
        }
    }
}

impl Mailbox {
    /// The newest message with this `Message-ID`, angle brackets included. `None` is no proof of its absence.
    pub(crate) async fn by_message_id(
        &self,
        call: Call,
        message_id: &str,
        among: Among,
    ) -> ProviderResult<Option<HexId>> {
        let bare = message_id.trim_start_matches('<').trim_end_matches('>');
        let mut searches = vec![(None, NEWEST)];
        if let Some(query) = searching::of_message_id(bare) {
            searches.insert(0, (Some(query), MOST_FOUND));
        }
        let mut read = Vec::new();
        for (query, limit) in searches {
            let list = List {
                labels: vec![among.label().to_owned()],
                query: query.as_deref(),
                // What was sent may have been thrown away since; a draft in the trash is none.
                spam_and_trash: among == Among::Sent,
                page: None,
                limit,
            };
            let (listed, _) = self.list(call, list).await?;
            let ids = listed.into_iter().map(|one| one.id);
            let ids: Vec<HexId> = ids.filter(|id| !read.contains(id)).collect();
            let mut found = Vec::new();
            for ids in ids.chunks(self.api.batch_size(Method::MessagesGet)) {
                for message in self.headers(call, ids).await? {
                    read.extend(HexId::parse(&message.id));
                    if among.holds(&message) && is_of(&message, message_id) {
                        found.push((message.internal_date, HexId::parse(&message.id)));
                    }
                }
            }
            if let Some((_, Some(id))) = found.into_iter().max() {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// Those that are there, with the fields that name them.
    async fn headers(&self, call: Call, ids: &[HexId]) -> ProviderResult<Vec<Message>> {
        let paths: Vec<String> = ids.iter().map(|id| path(id, wanted::MESSAGE_ID)).collect();
        let answers = match &paths[..] {
            [] => return Ok(Vec::new()),
            [one] => vec![self.api.read(call, Method::MessagesGet, one).await],
            _ => {
                let parts = self.api.batch(call, Method::MessagesGet, &paths).await?;
                let read = |part: crate::api::Batched| part.parsed();
                let parts = parts.into_iter().map(read);
                parts
                    .map(|part| part.map_err(|failure| self.api.part_failed(failure)))
                    .collect()
            }
        };
        let there = answers.into_iter().filter(|answer| {
            let kind = answer.as_ref().err().map(|error| error.kind);
            kind != Some(ErrorKind::NotFound)
        });
        there.collect()
    }
}

/// Whether it has this `Message-ID`, or had it before the vendor gave it another one.
fn is_of(message: &Message, message_id: &str) -> bool {
    let Some(part) = &message.payload else {
        return false;
    };
    ["Message-ID", "X-Google-Original-Message-ID"]
        .into_iter()
        .filter_map(|name| part.header(name))
        .any(|value| value.trim() == message_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Header, Part};

    #[test]
    fn a_message_is_known_by_the_id_it_was_made_with() {
        let with = |name: &str, value: &str| Message {
            payload: Some(Part {
                headers: vec![Header {
                    name: name.into(),
                    value: value.into(),
                }],
                ..Part::default()
            }),
            ..Message::default()
        };
        for name in ["Message-Id", "x-google-original-message-id"] {
            assert!(is_of(&with(name, " <a@b>"), "<a@b>"));
            assert!(!is_of(&with(name, "<a@b.c>"), "<a@b>"));
        }
        assert!(!is_of(&with("References", "<a@b>"), "<a@b>"));
        assert!(!is_of(&Message::default(), "<a@b>"));
    }
}
