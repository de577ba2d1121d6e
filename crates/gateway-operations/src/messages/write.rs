//! Changing and removing messages.

use email_model::{Flags, MessageId};
use email_provider::{Call, Detail, ErrorKind, MessageEdit, MessageRef, ProviderResult, Removal};
use gateway_store::Account;

use super::{
    StatusChange,
    resolve::{Places, is_absent, not_found},
};
use crate::{Gateway, OperationError, OperationErrorKind, OperationResult};

/// Most keywords of one message.
const MOST_KEYWORDS: usize = 100;
/// Longest keyword, in characters.
const LONGEST_KEYWORD: usize = 100;

impl Gateway {
    /// Changes flags, keywords and whether the message is archived.
    ///
    /// # Errors
    /// `NotFound`; `Unprocessable` for a keyword that cannot be one; `NotSupported` names what this
    /// mailbox cannot do.
    pub async fn update_status(
        &self,
        account: &Account,
        id: MessageId,
        change: StatusChange,
    ) -> OperationResult<()> {
        let call = self.interactive();
        let mut places = self.places(account, id).await?;
        let edit = self.edit(account, &places, change)?;
        if edit == MessageEdit::default() {
            return Ok(());
        }
        while let Some(at) = places.next(call).await? {
            self.inner.contents.note_change(account.id, self.now());
            let mut answer = places.mailbox.provider.update(call, &at, &edit).await;
            if matches!(&answer, Err(error) if error.kind == ErrorKind::OutcomeUnknown) {
                // The same edit twice does no harm.
                answer = places.mailbox.provider.update(call, &at, &edit).await;
            }
            if matches!(&answer, Err(error) if is_absent(error)) {
                continue;
            }
            let moved_to = self
                .told(account, answer)
                .await?
                .filter(|now_at| *now_at != at);
            self.after_change(account, &places, moved_to, call).await;
            return Ok(());
        }
        Err(not_found())
    }

    /// Moves the message to the trash, or removes it for good.
    ///
    /// # Errors
    /// `NotFound`; `NotSupported` where there is no trash.
    pub async fn delete_message(
        &self,
        account: &Account,
        id: MessageId,
        permanent: bool,
    ) -> OperationResult<()> {
        let call = self.interactive();
        let removal = if permanent {
            Removal::Forever
        } else {
            Removal::Trash
        };
        let mut places = self.places(account, id).await?;
        while let Some(at) = places.next(call).await? {
            self.inner.contents.note_change(account.id, self.now());
            let mut answer = places.mailbox.provider.remove(call, &at, removal).await;
            if matches!(&answer, Err(error) if error.kind == ErrorKind::OutcomeUnknown)
                && matches!(is_there(&places, &at, call).await, Ok(false))
            {
                answer = Ok(());
            }
            if matches!(&answer, Err(error) if is_absent(error)) {
                continue;
            }
            self.told(account, answer).await?;
            self.after_change(account, &places, None, call).await;
            return Ok(());
        }
        Err(not_found())
    }

    fn edit(
        &self,
        account: &Account,
        places: &Places<'_>,
        change: StatusChange,
    ) -> OperationResult<MessageEdit> {
        let mut edit = MessageEdit::default();
        let mut set = |flag, wanted: Option<bool>| match wanted {
            Some(true) => edit.add_flags |= flag,
            Some(false) => edit.remove_flags |= flag,
            None => {}
        };
        set(Flags::SEEN, change.unread.map(|unread| !unread));
        set(Flags::FLAGGED, change.flagged);
        if let Some(keywords) = change.keywords {
            edit.keywords = Some(checked_keywords(keywords)?);
            if !places.mailbox.provider.capabilities().keywords {
                let message = "keywords: this mailbox cannot store them";
                return Err(OperationError::new(
                    OperationErrorKind::NotSupported,
                    message,
                ));
            }
        }
        match self.chosen_archive(account, &places.journal) {
            Some(folder) if change.archived == Some(true) => edit.move_to = Some(folder),
            _ => edit.archived = change.archived,
        }
        Ok(edit)
    }

    /// The mailbox has changed: the feed is to tell of it soon, and where no feed runs the message's
    /// new place is kept at once. Neither can undo what is done, so neither fails the call.
    async fn after_change(
        &self,
        account: &Account,
        places: &Places<'_>,
        moved_to: Option<MessageRef>,
        call: Call,
    ) {
        self.inner.contents.note_change(account.id, self.now());
        self.hint_pass(account.id);
        let Some(at) = moved_to else { return };
        match places
            .mailbox
            .provider
            .fetch(call, &[at], Detail::Envelope)
            .await
        {
            Ok(fetched) => {
                let recognised = self
                    .recognise(&places.mailbox, &places.journal, call, &fetched)
                    .await;
                if let Err(error) = recognised {
                    tracing::debug!(account = %account.id, %error, "a moved message's place was not kept");
                }
            }
            Err(error) => {
                tracing::debug!(account = %account.id, %error, "a moved message was not read again");
            }
        }
    }
}

async fn is_there(places: &Places<'_>, at: &MessageRef, call: Call) -> ProviderResult<bool> {
    let refs = std::slice::from_ref(at);
    Ok(!places
        .mailbox
        .provider
        .fetch(call, refs, Detail::Exists)
        .await?
        .is_empty())
}

/// Sorted and distinct. What a backend cannot store beyond this it refuses itself.
fn checked_keywords(mut keywords: Vec<String>) -> OperationResult<Vec<String>> {
    let refused = |message: String| OperationError::new(OperationErrorKind::Unprocessable, message);
    if keywords.len() > MOST_KEYWORDS {
        return Err(refused(format!("more than {MOST_KEYWORDS} keywords")));
    }
    for keyword in &keywords {
        let length = keyword.chars().count();
        if keyword.trim().is_empty()
            || length > LONGEST_KEYWORD
            || keyword.chars().any(char::is_control)
        {
            return Err(refused(format!(
                "a keyword is 1 to {LONGEST_KEYWORD} characters, none of them a control character"
            )));
        }
    }
    keywords.sort();
    keywords.dedup();
    Ok(keywords)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_and_given_once() {
        let keywords = ["b", "a", "b"].map(str::to_owned).to_vec();
        assert_eq!(checked_keywords(keywords).unwrap(), ["a", "b"]);
    }

    #[test]
    fn an_empty_too_long_or_broken_keyword_is_refused() {
        for keyword in [String::new(), " ".into(), "x".repeat(101), "a\r\nb".into()] {
            let refused = checked_keywords(vec![keyword]).unwrap_err();
            assert_eq!(refused.kind, OperationErrorKind::Unprocessable);
        }
        assert!(checked_keywords(vec!["x".repeat(100)]).is_ok());
    }
}
