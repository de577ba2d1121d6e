use bytes::Bytes;

use super::{
    capability::Capabilities,
    fetch_response::FetchData,
    flags::FlagSet,
    lexer::{Lexer, ParseError, Parsed},
    list::{ListedMailbox, Namespaces},
    mailbox::MailboxName,
    mailbox_status::MailboxStatus,
    response_code::ResponseCode,
    search_response::{ExtendedSearch, SearchNumbers},
    uid_set::UidSet,
};

/// The word of a status response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Done, or for information.
    Ok,
    /// Refused, or a warning.
    No,
    /// Not understood.
    Bad,
    /// The server closes the connection.
    Bye,
    /// Signed in already.
    PreAuth,
}

/// A status response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusResponse {
    /// Its word.
    pub condition: Condition,
    /// Its code, if any.
    pub code: Option<ResponseCode>,
    /// Its text, at most 300 characters, none of them a control character.
    pub text: String,
}

/// What a server says without being the end of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Untagged {
    /// OK, NO, BAD, BYE, PREAUTH.
    Status(StatusResponse),
    /// What the server can do.
    Capability(Capabilities),
    /// What has been enabled (RFC 5161), in upper case.
    Enabled(Vec<String>),
    /// Flags in use in the mailbox.
    Flags(FlagSet),
    /// A mailbox.
    List(ListedMailbox),
    /// A mailbox's state.
    MailboxStatus(MailboxName, MailboxStatus),
    /// Found.
    Search(SearchNumbers),
    /// Sorted.
    Sort(SearchNumbers),
    /// Found.
    ExtendedSearch(ExtendedSearch),
    /// Messages in the mailbox.
    Exists(u32),
    /// The message of this sequence number is gone.
    Expunge(u32),
    /// Messages gone.
    Vanished {
        /// Before this session: the answer to a question.
        earlier: bool,
        /// Which; may name some that were never known.
        uids: UidSet,
    },
    /// A message.
    Fetch(FetchData),
    /// Where mailboxes can be.
    Namespace(Namespaces),
    /// What the server is: names and values.
    Id(Vec<(String, String)>),
    /// Of no interest here.
    Other,
}

/// Reads one complete untagged response. Total: linear time, no panic, bounded recursion.
///
/// # Errors
/// When it is not what its first word says. The stream as a whole is still in order then.
pub fn parse_untagged(response: &Bytes) -> Result<Untagged, ParseError> {
    let mut lexer = Lexer::new(response);
    lexer.expect(b'*', "an untagged response")?;
    lexer.spaces();
    if lexer.peek().is_some_and(|b| b.is_ascii_digit()) {
        return parse_numbered(&mut lexer);
    }
    let word = lexer
        .take_while(|b| !matches!(b, b' ' | b'\r' | b'['))
        .to_ascii_uppercase();
    if let Some(condition) = Condition::from_word(&word) {
        return Ok(Untagged::Status(StatusResponse::parse(
            &mut lexer, condition,
        )));
    }
    lexer.spaces();
    let lexer = &mut lexer;
    // What nothing depends on is passed over where it cannot be read; the rest is an error.
    Ok(match word.as_slice() {
        b"CAPABILITY" => Untagged::Capability(Capabilities::parse(lexer)),
        b"ENABLED" => Untagged::Enabled(words(lexer)),
        b"FLAGS" => FlagSet::parse(lexer).map_or(Untagged::Other, Untagged::Flags),
        b"LIST" | b"XLIST" => Untagged::List(ListedMailbox::parse(lexer)?),
        b"STATUS" => {
            let (name, status) = MailboxStatus::parse(lexer)?;
            Untagged::MailboxStatus(name, status)
        }
        b"SEARCH" => Untagged::Search(SearchNumbers::parse(lexer)?),
        b"SORT" => Untagged::Sort(SearchNumbers::parse(lexer)?),
        b"ESEARCH" => Untagged::ExtendedSearch(ExtendedSearch::parse(lexer)?),
        b"VANISHED" => parse_vanished(lexer)?,
        b"NAMESPACE" => Namespaces::parse(lexer).map_or(Untagged::Other, Untagged::Namespace),
        b"ID" => parse_id(lexer).map_or(Untagged::Other, Untagged::Id),
        _ => Untagged::Other,
    })
}

fn parse_numbered(lexer: &mut Lexer<'_>) -> Parsed<Untagged> {
    let number = lexer.number32()?;
    lexer.spaces();
    let word = lexer
        .take_while(|b| !matches!(b, b' ' | b'('))
        .to_ascii_uppercase();
    Ok(match word.as_slice() {
        b"EXISTS" => Untagged::Exists(number),
        b"EXPUNGE" => Untagged::Expunge(number),
        b"FETCH" => Untagged::Fetch(FetchData::parse(lexer, number)?),
        // RFC 9586: with UIDONLY the number is the UID.
        b"UIDFETCH" => {
            let data = FetchData::parse(lexer, 0)?;
            Untagged::Fetch(FetchData {
                uid: number,
                ..data
            })
        }
        _ => Untagged::Other,
    })
}

fn parse_vanished(lexer: &mut Lexer<'_>) -> Parsed<Untagged> {
    let earlier = lexer.peek() == Some(b'(');
    if earlier {
        lexer.skip_value()?;
        lexer.spaces();
    }
    let uids = UidSet::parse(lexer)?;
    Ok(Untagged::Vanished { earlier, uids })
}

fn parse_id(lexer: &mut Lexer<'_>) -> Parsed<Vec<(String, String)>> {
    if lexer.nil() {
        return Ok(Vec::new());
    }
    let flat = lexer.list(Lexer::nstring)?;
    let text = |t: &Option<Bytes>| clean(t.as_deref().unwrap_or_default());
    Ok(flat
        .as_chunks::<2>()
        .0
        .iter()
        .take(30)
        .map(|[name, value]| (text(name), text(value)))
        .collect())
}

fn words(lexer: &mut Lexer<'_>) -> Vec<String> {
    let rest = lexer
        .rest()
        .split(|&b| b == b' ')
        .filter(|w| !w.is_empty())
        .take(100);
    rest.map(|w| String::from_utf8_lossy(w).to_ascii_uppercase())
        .collect()
}

impl Condition {
    fn from_word(word: &[u8]) -> Option<Self> {
        let conditions: [(&[u8], Self); 5] = [
            (b"OK", Self::Ok),
            (b"NO", Self::No),
            (b"BAD", Self::Bad),
            (b"BYE", Self::Bye),
            (b"PREAUTH", Self::PreAuth),
        ];
        conditions
            .into_iter()
            .find(|(w, _)| w.eq_ignore_ascii_case(word))
            .map(|(_, c)| c)
    }
}

impl StatusResponse {
    fn parse(lexer: &mut Lexer<'_>, condition: Condition) -> Self {
        lexer.spaces();
        let start = lexer.position();
        let code = match lexer.peek() {
            Some(b'[') => match ResponseCode::parse(lexer) {
                Ok(code) => Some(code),
                Err(_) => {
                    lexer.rewind(start);
                    None
                }
            },
            _ => None,
        };
        lexer.spaces();
        Self {
            condition,
            code,
            text: clean(lexer.rest()),
        }
    }
}

/// Reads a tagged response, the end of a command: its tag and its status.
///
/// # Errors
/// When it is none.
pub fn parse_tagged(response: &Bytes) -> Result<(String, StatusResponse), ParseError> {
    let mut lexer = Lexer::new(response);
    let tag = lexer.take_while(|b| b.is_ascii_alphanumeric());
    if tag.is_empty() || tag.len() > 20 {
        return lexer.error("a tag");
    }
    let tag = String::from_utf8_lossy(tag).into_owned();
    lexer.expect(b' ', "a space")?;
    lexer.spaces();
    let word = lexer.take_while(|b| !matches!(b, b' ' | b'['));
    match Condition::from_word(word) {
        Some(condition @ (Condition::Ok | Condition::No | Condition::Bad)) => {
            Ok((tag, StatusResponse::parse(&mut lexer, condition)))
        }
        _ => lexer.error("OK, NO or BAD"),
    }
}

/// Text of a server for a log or an error: bounded, no control characters.
fn clean(text: &[u8]) -> String {
    const LONGEST: usize = 300;
    let text = &text[..text.len().min(LONGEST * 4)];
    let text = String::from_utf8_lossy(text);
    text.chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::MailboxAttributes;

    fn parse(text: &str) -> Result<Untagged, ParseError> {
        parse_untagged(&Bytes::from(format!("{text}\r\n")))
    }

    fn status(text: &str) -> StatusResponse {
        match parse(text) {
            Ok(Untagged::Status(status)) => status,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_letter_behind_a_code_is_text() {
        let response = status("* OK [READ-WRITE]é\u{1}x");
        assert_eq!(response.code, Some(ResponseCode::ReadWrite));
        assert_eq!(response.text, "é x");
        assert_eq!(
            status("* OK [HIGHESTMODSEQ 7]").code,
            Some(ResponseCode::HighestModSeq(7))
        );
        assert_eq!(status("* BYE").condition, Condition::Bye);
        assert_eq!(status("* OK [UNFINISHED").text, "[UNFINISHED");
    }

    #[test]
    fn data_is_read() {
        assert_eq!(parse("* 23 EXISTS"), Ok(Untagged::Exists(23)));
        assert_eq!(parse("* 5 expunge"), Ok(Untagged::Expunge(5)));
        assert_eq!(
            parse("* VANISHED (EARLIER) 1:3,9"),
            Ok(Untagged::Vanished {
                earlier: true,
                uids: UidSet::from_iter([1, 2, 3, 9])
            })
        );
        assert_eq!(
            parse("* ENABLED qresync"),
            Ok(Untagged::Enabled(vec!["QRESYNC".into()]))
        );
        assert_eq!(parse("* METADATA INBOX (/x NIL)"), Ok(Untagged::Other));
        let Ok(Untagged::ExtendedSearch(found)) =
            parse("* ESEARCH (TAG \"A5\") UID ALL 1:3 COUNT 3")
        else {
            panic!()
        };
        assert_eq!(
            (found.tag.as_deref(), found.count, found.all.unwrap().len()),
            (Some("A5"), Some(3), 3)
        );
        let Ok(Untagged::Search(found)) = parse("* SEARCH 5 3 (MODSEQ 9)") else {
            panic!()
        };
        assert_eq!((found.numbers, found.mod_seq), (vec![5, 3], Some(9)));
        assert_eq!(
            parse("* SEARCH"),
            Ok(Untagged::Search(SearchNumbers::default()))
        );
        assert!(parse("* SEARCH 1 x").is_err());
    }

    #[test]
    fn a_list_is_read() {
        let Ok(Untagged::List(listed)) = parse(
            "* LIST (\\HasNoChildren \\AllMail) \"\\\\\" \"Weird \\\"n\\\\me\" (\"CHILDINFO\" (\"SUBSCRIBED\"))",
        ) else {
            panic!()
        };
        assert_eq!(listed.name.wire(), b"Weird \"n\\me");
        assert_eq!(listed.delimiter, Some('\\'));
        assert!(listed.attributes.contains(MailboxAttributes::ALL));
        let Ok(Untagged::Namespace(found)) =
            parse("* NAMESPACE ((\"INBOX.\" \".\" \"X\" (\"a\"))) NIL ((\"#shared/\" \"/\"))")
        else {
            panic!()
        };
        assert_eq!(found.personal, [(MailboxName::encode("INBOX."), Some('.'))]);
        assert_eq!(found.shared.len(), 1);
    }

    #[test]
    fn a_status_is_read_as_far_as_it_is_sound() {
        let Ok(Untagged::MailboxStatus(name, found)) = parse(
            "* STATUS {3}\r\na b (MESSAGES 5 HIGHESTMODSEQ -1 X (a) MAILBOXID (F1) SIZE 9999999999)",
        ) else {
            panic!()
        };
        assert_eq!(name.wire(), b"a b");
        assert_eq!(
            (found.messages, found.highest_mod_seq, found.size),
            (Some(5), None, Some(9_999_999_999))
        );
        assert_eq!(found.mailbox_id.as_deref(), Some("F1"));
        assert!(parse("* STATUS \"INBOX\" ()").is_ok());
    }

    #[test]
    fn a_tagged_response_is_read() {
        let parse = |text: &'static str| parse_tagged(&Bytes::from(text));
        let (tag, done) = parse("A0001 no [LIMIT] Too many\r\n").unwrap();
        assert_eq!(
            (tag.as_str(), done.condition, done.code),
            ("A0001", Condition::No, Some(ResponseCode::Limit))
        );
        assert_eq!(parse("A0001 OK\r\n").unwrap().1.text, "");
        assert!(parse("A0001 BYE x\r\n").is_err());
        assert!(parse("A0001x\r\n").is_err());
        assert!(parse("\r\n").is_err());
    }
}
