//! Which conversation a message belongs to, where the mailbox does not tell.

use email_model::Envelope;

/// Longest id (RFC 5322 section 2.1.1).
const MAX_ID: usize = 998;

/// Where a thread's root was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootSource {
    /// First id of `References`.
    References,
    /// `In-Reply-To`.
    InReplyTo,
    /// The message's own id: it begins a thread, as far as it tells.
    Own,
}

/// The message that began a thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadRoot {
    /// Its message id, without angle brackets.
    pub root: String,
    /// Where that was found.
    pub from: RootSource,
}

/// The root of a message's thread: RFC 5322 section 3.6.4 lets a reply's `References` begin with those of
/// what it answers, so that all messages of a thread name the same one first. `None` without any usable id.
pub fn thread_root(envelope: &Envelope) -> Option<ThreadRoot> {
    let found = |ids: &[String], from| {
        ids.iter()
            .find_map(|id| normalised(id))
            .map(|root| ThreadRoot { root, from })
    };
    found(&envelope.references, RootSource::References)
        .or_else(|| found(envelope.in_reply_to.as_slice(), RootSource::InReplyTo))
        .or_else(|| found(envelope.message_id.as_slice(), RootSource::Own))
}

fn normalised(id: &str) -> Option<String> {
    let id = id.trim();
    let id = id.strip_prefix('<').unwrap_or(id);
    let id = id.strip_suffix('>').unwrap_or(id).trim();
    let usable = !id.is_empty() && id.len() <= MAX_ID && !id.contains(char::is_control);
    usable.then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(
        references: &[&str],
        in_reply_to: Option<&str>,
        own: Option<&str>,
    ) -> Option<(String, RootSource)> {
        let envelope = Envelope {
            references: references.iter().map(|&id| id.to_owned()).collect(),
            in_reply_to: in_reply_to.map(str::to_owned),
            message_id: own.map(str::to_owned),
            ..Envelope::default()
        };
        thread_root(&envelope).map(|root| (root.root, root.from))
    }

    #[test]
    fn the_earliest_known_message_is_the_root() {
        let own = Some("<own@x>");
        assert_eq!(
            root(&["<a@x>", "<b@x>"], Some("<b@x>"), own),
            Some(("a@x".into(), RootSource::References))
        );
        assert_eq!(
            root(&[], Some(" <b@x> "), own),
            Some(("b@x".into(), RootSource::InReplyTo))
        );
        assert_eq!(
            root(&[], None, own),
            Some(("own@x".into(), RootSource::Own))
        );
        assert_eq!(root(&[], None, None), None);
    }

    #[test]
    fn an_unusable_id_is_passed_over() {
        let long = format!("<{}>", "a".repeat(2_000));
        assert_eq!(
            root(&["<>", &long, "a@x"], None, None),
            Some(("a@x".into(), RootSource::References))
        );
    }
}
