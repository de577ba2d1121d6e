//! What a reply takes over from what it answers.

use email_model::{Address, Envelope};

use super::{Mailbox, ids};
use crate::text::{head, one_line};

/// Longest subject, in octets.
const MAX_SUBJECT: usize = 998;

/// Fields of a reply where its author leaves them out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplyHeaders {
    /// Whom to write to.
    pub to: Vec<Address>,
    /// With `Re:` in front.
    pub subject: String,
    /// The id of what is answered.
    pub in_reply_to: Option<String>,
    /// The ids of the conversation so far, in order; at most 100.
    pub references: Vec<String>,
}

/// What a reply to `original` takes over (RFC 5322 sections 3.6.2, 3.6.4 and 3.6.5). It goes to `Reply-To`, else
/// `From`; where that is one of `own`, the addresses of the mailbox itself, the reply goes to whom the original
/// went to.
///
/// The original comes from a stranger: addresses and ids that may not be written are left out, and nothing
/// taken over holds a line break. Where nobody is left, `to` is empty.
pub fn reply(original: &Envelope, own: &[Mailbox]) -> ReplyHeaders {
    let sender = original.from.iter().cloned().collect::<Vec<_>>();
    let is_own = |mailbox: &Mailbox| {
        own.iter()
            .any(|own| own.address().eq_ignore_ascii_case(&mailbox.address()))
    };
    let sent_by_owner = writable(&sender).iter().any(|(mailbox, _)| is_own(mailbox));
    let mut to = if sent_by_owner {
        Vec::new()
    } else {
        writable(&original.reply_to)
    };
    if to.is_empty() {
        to = writable(if sent_by_owner { &original.to } else { &sender });
    }
    let parent = original
        .message_id
        .as_deref()
        .and_then(|id| ids::checked(id).ok());
    ReplyHeaders {
        to: to.into_iter().map(|(_, address)| address).collect(),
        subject: subject(original.subject.as_deref().unwrap_or_default()),
        references: references(original, parent.as_deref()),
        in_reply_to: parent,
    }
}

/// The addresses that may be written to, with names of one line.
fn writable(list: &[Address]) -> Vec<(Mailbox, Address)> {
    let read = |address: &Address| {
        let name = address.name.as_deref().map(one_line);
        let name = name.map(|name| head(&name, 256).trim().to_owned());
        let address = Address {
            name: name.filter(|name| !name.is_empty()),
            address: address.address.clone(),
        };
        let mailbox = Mailbox::parse(&address, "to").ok()?;
        Some((mailbox, address))
    };
    list.iter().filter_map(read).collect()
}

fn references(original: &Envelope, parent: Option<&str>) -> Vec<String> {
    let before: Vec<&String> = if original.references.is_empty() {
        original.in_reply_to.iter().collect()
    } else {
        original.references.iter().collect()
    };
    let mut all: Vec<String> = before
        .iter()
        .filter_map(|id| ids::checked(id).ok())
        .collect();
    if let Some(parent) = parent {
        all.retain(|id| id != parent);
        all.push(parent.to_owned());
    }
    ids::bounded(all)
}

fn subject(original: &str) -> String {
    let line = one_line(original);
    let line = head(&line, MAX_SUBJECT).trim_end();
    if line
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case("re:"))
    {
        return line.to_owned();
    }
    format!("Re: {line}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn original() -> Envelope {
        Envelope {
            message_id: Some("<m3@x>".into()),
            in_reply_to: Some("<m2@x>".into()),
            references: vec!["<m1@x>".into(), "<m2@x>".into()],
            subject: Some("Plans".into()),
            from: Some(Address {
                name: Some("Ann".into()),
                address: Some("ann@x.org".into()),
            }),
            to: vec![Address::bare("me@here.org"), Address::bare("bob@x.org")],
            ..Envelope::default()
        }
    }

    fn to(reply: &ReplyHeaders) -> Vec<&str> {
        reply
            .to
            .iter()
            .filter_map(|address| address.address.as_deref())
            .collect()
    }

    fn me() -> Vec<Mailbox> {
        vec![Mailbox::parse(&Address::bare("me@here.org"), "from").unwrap()]
    }

    #[test]
    fn a_reply_goes_to_its_sender_in_the_same_thread() {
        let reply = reply(&original(), &me());
        assert_eq!(to(&reply), ["ann@x.org"]);
        assert_eq!(reply.subject, "Re: Plans");
        assert_eq!(reply.in_reply_to.as_deref(), Some("<m3@x>"));
        assert_eq!(reply.references, ["<m1@x>", "<m2@x>", "<m3@x>"]);
    }

    #[test]
    fn reply_to_goes_before_from() {
        let mut original = original();
        original.reply_to = vec![Address::bare("list@x.org")];
        assert_eq!(to(&reply(&original, &me())), ["list@x.org"]);
        original.reply_to = vec![Address::bare("no address")];
        assert_eq!(to(&reply(&original, &me())), ["ann@x.org"]);
    }

    #[test]
    fn a_reply_to_an_own_message_goes_to_its_recipients() {
        let mut original = original();
        original.from = Some(Address::bare("Me@here.org"));
        original.to = vec![Address::bare("bob@x.org")];
        assert_eq!(to(&reply(&original, &me())), ["bob@x.org"]);
    }

    #[test]
    fn re_is_written_once() {
        for (given, replied) in [
            ("Re: x", "Re: x"),
            ("RE:x", "RE:x"),
            ("AW: x", "Re: AW: x"),
            ("", "Re:"),
            ("é", "Re: é"),
            ("Report", "Re: Report"),
        ] {
            assert_eq!(subject(given), replied);
        }
    }

    #[test]
    fn a_thread_without_references_begins_with_what_the_original_answers() {
        let mut original = original();
        original.references.clear();
        assert_eq!(reply(&original, &[]).references, ["<m2@x>", "<m3@x>"]);
        original.message_id = None;
        let reply = reply(&original, &[]);
        assert_eq!((reply.in_reply_to, reply.references.len()), (None, 1));
    }

    #[test]
    fn a_hostile_original_gives_a_reply_that_may_be_written() {
        let original = Envelope {
            message_id: Some("<a\r\nBcc: eve@x.org@x>".into()),
            references: vec!["<ok@x>".into(), "<b\0@x>".into(), "<c d@x>".into()],
            subject: Some("Hi\r\nBcc: eve@x.org".into()),
            from: Some(Address {
                name: Some("Ann\r\nBcc: eve@x.org".into()),
                address: Some("ann@x.org".into()),
            }),
            reply_to: vec![Address::bare("\"a@evil.example x\"@internal.example")],
            ..Envelope::default()
        };
        let reply = reply(&original, &[]);
        assert_eq!(reply.subject, "Re: Hi  Bcc: eve@x.org");
        assert_eq!(reply.in_reply_to, None);
        assert_eq!(reply.references, ["<ok@x>"]);
        assert_eq!(to(&reply), ["ann@x.org"]);
        assert_eq!(reply.to[0].name.as_deref(), Some("Ann  Bcc: eve@x.org"));
    }
}
