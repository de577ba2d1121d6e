//! Fetching in batches: one bad message does not spoil the others, one bad moment ends it.

use std::collections::HashMap;

use email_provider::{Call, Detail, ErrorKind, Fetched, MessageRef, ProviderError};
use futures::future::join3;

use crate::mailboxes::OpenMailbox;

/// What to ask the provider for, by how much of each.
#[derive(Debug, Default)]
pub(super) struct Plan {
    states: Vec<MessageRef>,
    envelopes: Vec<MessageRef>,
    contents: Vec<MessageRef>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Told,
    Absent,
    Failed,
}

#[derive(Debug, Default)]
pub(super) struct Answers {
    /// What became of each place asked for.
    pub asked: HashMap<MessageRef, Answer>,
    pub fetched: HashMap<MessageRef, Fetched>,
    /// Why some failed.
    pub failure: Option<ProviderError>,
}

impl Plan {
    pub fn ask(&mut self, detail: Detail, at: &MessageRef) {
        let list = match detail {
            Detail::Content => &mut self.contents,
            Detail::Envelope => &mut self.envelopes,
            Detail::State | Detail::Exists => &mut self.states,
        };
        list.push(at.clone());
    }

    /// Asks for all of it, as far as it is to be had.
    pub async fn run(self, mailbox: &OpenMailbox, call: Call) -> Answers {
        let (mut all, envelopes, contents) = join3(
            fetch(mailbox, call, &self.states, Detail::State, 500),
            fetch(mailbox, call, &self.envelopes, Detail::Envelope, 200),
            fetch(mailbox, call, &self.contents, Detail::Content, 50),
        )
        .await;
        for more in [envelopes, contents] {
            all.asked.extend(more.asked);
            all.fetched.extend(more.fetched);
            if let Some(error) = more.failure {
                all.note(error);
            }
        }
        all
    }
}

/// Fetches, `at_once` in a call. A message that breaks a call is told from the others by asking for
/// each alone; what is refused as a whole is not asked for again.
async fn fetch(
    mailbox: &OpenMailbox,
    call: Call,
    refs: &[MessageRef],
    detail: Detail,
    at_once: usize,
) -> Answers {
    let mut answers = Answers::default();
    for some in refs.chunks(at_once) {
        match mailbox.provider.fetch(call, some, detail).await {
            Ok(fetched) => answers.take(some, fetched),
            Err(error) if is_of_one_message(&error) && some.len() > 1 => {
                let mut failures = 0;
                for one in some.chunks(1) {
                    match mailbox.provider.fetch(call, one, detail).await {
                        Ok(fetched) => answers.take(one, fetched),
                        Err(error) => {
                            failures += 1;
                            answers.fail(one, error);
                        }
                    }
                    if answers.has_stopped() || failures == MOST_FAILURES {
                        break;
                    }
                }
            }
            Err(error) => answers.fail(some, error),
        }
        if answers.has_stopped() {
            break;
        }
    }
    for at in refs {
        answers.asked.entry(at.clone()).or_insert(Answer::Failed);
    }
    answers
}

/// Messages of one call that may break it, before it is taken for the mailbox's fault.
const MOST_FAILURES: usize = 10;

/// Whether the error may come from one message among many.
pub(super) fn is_of_one_message(error: &ProviderError) -> bool {
    use ErrorKind::{Forbidden, Invalid, NotFound, Unexpected, Unsupported};
    matches!(
        error.kind,
        NotFound | Invalid | Unexpected | Forbidden | Unsupported
    )
}

impl Answers {
    fn take(&mut self, asked: &[MessageRef], fetched: Vec<Fetched>) {
        for at in asked {
            self.asked.insert(at.clone(), Answer::Absent);
        }
        for one in fetched {
            if let Some(answer) = self.asked.get_mut(&one.at) {
                *answer = Answer::Told;
                self.fetched.insert(one.at.clone(), one);
            }
        }
    }

    fn fail(&mut self, asked: &[MessageRef], error: ProviderError) {
        let answer = match error.kind {
            ErrorKind::NotFound => Answer::Absent,
            _ => Answer::Failed,
        };
        for at in asked {
            self.asked.insert(at.clone(), answer);
        }
        if answer == Answer::Failed {
            self.note(error);
        }
    }

    /// An error that stops everything says more than one about a single message.
    fn note(&mut self, error: ProviderError) {
        if !self.has_stopped() {
            self.failure = Some(error);
        }
    }

    fn has_stopped(&self) -> bool {
        self.failure
            .as_ref()
            .is_some_and(|error| !is_of_one_message(error))
    }
}
