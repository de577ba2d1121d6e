use bytes::Bytes;
use chrono::{DateTime, FixedOffset};

use super::{
    body_structure::BodyPart,
    envelope::Envelope,
    flags::FlagSet,
    lexer::{Lexer, Parsed},
    section::Section,
};

/// A message's data as FETCH tells it. `None`: not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchData {
    /// The sequence number: of use only while no message is removed, so never a key.
    pub sequence: u32,
    /// The UID; 0 where it was not told.
    pub uid: u32,
    /// Flags.
    pub flags: Option<FlagSet>,
    /// RFC 7162.
    pub mod_seq: Option<u64>,
    /// When the server got it.
    pub internal_date: Option<DateTime<FixedOffset>>,
    /// Octets of the whole message.
    pub size: Option<u64>,
    /// The most important header fields.
    pub envelope: Option<Box<Envelope>>,
    /// What it is made of.
    pub structure: Option<Box<BodyPart>>,
    /// Contents.
    pub sections: Vec<SectionData>,
    /// RFC 8474: the same for the same content, in every mailbox.
    pub email_id: Option<String>,
    /// RFC 8474.
    pub thread_id: Option<String>,
    /// Gmail's id of the message.
    pub gmail_message_id: Option<u64>,
    /// Gmail's id of the conversation.
    pub gmail_thread_id: Option<u64>,
    /// Gmail's labels in modified UTF-7, system labels with a backslash.
    pub gmail_labels: Option<Vec<Bytes>>,
    /// RFC 8970.
    pub preview: Option<Bytes>,
    /// Some item could not be read: what is `None` here may be there.
    pub damaged: bool,
}

/// Sections kept of one answer: more than any command asks for.
const MOST_SECTIONS: usize = 100;

/// A part of a message's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionData {
    /// Between the brackets, in upper case: `1.2.MIME`, `HEADER.FIELDS (SUBJECT)`.
    pub name: String,
    /// Where a partial answer begins.
    pub origin: Option<u32>,
    /// The octets; `None` where there is no such section.
    pub data: Option<Bytes>,
}

impl FetchData {
    /// The octets of a section. Header fields are found whatever their order and spelling, so ask for
    /// one list of them only.
    pub fn section(&self, section: &Section) -> Option<&Bytes> {
        self.find_section(section)?.data.as_ref()
    }

    pub(super) fn find_section(&self, section: &Section) -> Option<&SectionData> {
        self.sections
            .iter()
            .find(|s| section.is_answered_by(&s.name))
    }

    /// What follows `* 5 FETCH `.
    pub(super) fn parse(lexer: &mut Lexer<'_>, sequence: u32) -> Parsed<Self> {
        let mut data = Self {
            sequence,
            ..Self::default()
        };
        lexer.spaces();
        match lexer.list(|lexer| data.parse_item(lexer)) {
            Ok(_) => Ok(data),
            // The UID is known: the caller is told that something of this message could not be read,
            // which is not the same as a message that is not there.
            Err(_) if data.uid != 0 => Ok(Self {
                damaged: true,
                ..data
            }),
            Err(error) => Err(error),
        }
    }

    fn parse_item(&mut self, lexer: &mut Lexer<'_>) -> Parsed<()> {
        let name = lexer
            .take_while(|b| !matches!(b, b' ' | b'(' | b')' | b'['))
            .to_ascii_uppercase();
        if name.is_empty() {
            return lexer.error("a fetch item");
        }
        let section = if lexer.peek() == Some(b'[') {
            Some(bracketed(lexer)?)
        } else {
            None
        };
        let origin = match lexer.eat(b'<') {
            true => {
                let origin = lexer.number32()?;
                lexer.take_while(|b| b != b'>' && b != b' ');
                lexer.expect(b'>', "the end of an origin")?;
                Some(origin)
            }
            false => None,
        };
        lexer.spaces();
        let start = lexer.position();
        if self.parse_value(lexer, &name, section, origin).is_err() {
            lexer.rewind(start);
            lexer.skip_value()?;
            self.damaged = true;
        }
        Ok(())
    }

    fn parse_value(
        &mut self,
        lexer: &mut Lexer<'_>,
        name: &[u8],
        section: Option<String>,
        origin: Option<u32>,
    ) -> Parsed<()> {
        match (name, section) {
            (b"BODY" | b"BINARY", Some(name)) => {
                let data = lexer.nstring()?;
                if self.sections.len() < MOST_SECTIONS {
                    self.sections.push(SectionData { name, origin, data });
                }
            }
            (b"UID", _) => self.uid = lexer.number32()?,
            (b"FLAGS", _) => self.flags = Some(FlagSet::parse(lexer)?),
            (b"MODSEQ", _) => self.mod_seq = lexer.list(Lexer::number)?.first().copied(),
            (b"INTERNALDATE", _) => self.internal_date = internal_date(lexer)?,
            (b"RFC822.SIZE", _) => self.size = Some(lexer.number()?),
            (b"ENVELOPE", _) => self.envelope = Some(Box::new(Envelope::parse(lexer)?)),
            (b"BODYSTRUCTURE", _) => self.structure = Some(Box::new(BodyPart::parse(lexer)?)),
            (b"EMAILID", _) => self.email_id = object_id(lexer)?,
            (b"THREADID", _) => self.thread_id = object_id(lexer)?,
            (b"X-GM-MSGID", _) => self.gmail_message_id = Some(lexer.number()?),
            (b"X-GM-THRID", _) => self.gmail_thread_id = Some(lexer.number()?),
            (b"X-GM-LABELS", _) => self.gmail_labels = Some(lexer.list(Lexer::astring)?),
            (b"PREVIEW", _) => self.preview = lexer.nstring()?,
            _ => lexer.skip_value()?,
        }
        Ok(())
    }
}

/// `[HEADER.FIELDS ("From" To)]` without its brackets, in upper case.
fn bracketed(lexer: &mut Lexer<'_>) -> Parsed<String> {
    lexer.expect(b'[', "a section")?;
    let mut name = String::new();
    loop {
        let text = lexer.take_while(|b| !matches!(b, b']' | b'"'));
        name.push_str(&String::from_utf8_lossy(text).to_ascii_uppercase());
        if lexer.eat(b']') {
            return Ok(name);
        }
        let quoted = lexer.astring()?;
        name.push_str(&String::from_utf8_lossy(&quoted).to_ascii_uppercase());
    }
}

/// `"17-Jul-1996 02:44:25 -0700"`, the day perhaps with a space before it. NIL and nonsense are `None`.
fn internal_date(lexer: &mut Lexer<'_>) -> Parsed<Option<DateTime<FixedOffset>>> {
    let Some(text) = lexer.nstring()? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&text);
    Ok(DateTime::parse_from_str(text.trim(), "%d-%b-%Y %H:%M:%S %z").ok())
}

/// `(M6d99ac3275bb4e)`, or NIL.
fn object_id(lexer: &mut Lexer<'_>) -> Parsed<Option<String>> {
    if lexer.nil() {
        return Ok(None);
    }
    let id = match lexer.peek() {
        Some(b'(') => lexer.list(Lexer::astring)?.into_iter().next(),
        _ => Some(lexer.astring()?),
    };
    Ok(id
        .filter(|id| !id.is_empty())
        .map(|id| String::from_utf8_lossy(&id).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parsed<FetchData> {
        let input = Bytes::from(text.to_owned());
        FetchData::parse(&mut Lexer::new(&input), 1)
    }

    #[test]
    fn items_come_in_any_order() {
        let data = parse(
            "(BODY[HEADER.FIELDS (\"from\" SUBJECT)] {4}\r\nA: b UID 7 BODY[1]<5> \"x\" MODSEQ (99) FLAGS (\\Seen) \
             INTERNALDATE \" 1-Feb-2024 01:02:03 +0100\" RFC822.SIZE 5000000000 EMAILID (M1) THREADID NIL \
             X-GM-LABELS (\"\\\\Inbox\" {1}\r\na b) X-NEW ((a) \"b\") PREVIEW NIL)\r\n",
        )
        .unwrap();
        assert_eq!(
            (data.uid, data.mod_seq, data.size),
            (7, Some(99), Some(5_000_000_000))
        );
        assert_eq!(
            data.internal_date.unwrap().to_rfc3339(),
            "2024-02-01T01:02:03+01:00"
        );
        assert_eq!(
            data.section(&Section::header_fields(&["Subject"])).unwrap(),
            "A: b"
        );
        assert_eq!(
            data.sections[1],
            SectionData {
                name: "1".into(),
                origin: Some(5),
                data: Some("x".into())
            }
        );
        assert_eq!(data.email_id.as_deref(), Some("M1"));
        assert_eq!(data.thread_id, None);
        assert_eq!(data.gmail_labels.unwrap(), ["\\Inbox", "a", "b"]);
        assert!(!data.damaged);
    }

    #[test]
    fn an_internal_date_of_nil_is_no_date() {
        let data = parse("(UID 5 INTERNALDATE NIL)").unwrap();
        assert_eq!(data.internal_date, None);
        assert!(!data.damaged);
        let nonsense = parse("(UID 5 INTERNALDATE \"99-Foo-2024 é\")").unwrap();
        assert_eq!(nonsense.internal_date, None);
    }

    #[test]
    fn one_unreadable_item_spoils_no_other() {
        let data = parse("(UID 5 ENVELOPE (NIL \"<\"a\"@b>\") FLAGS (\\Seen))").unwrap();
        assert!(data.damaged);
        assert_eq!(data.envelope, None);
        assert!(data.flags.is_some());
    }

    #[test]
    fn a_response_that_is_cut_off_still_names_its_message() {
        assert!(parse("(UID 5 FLAGS (\\Seen").unwrap().damaged);
        assert!(parse("(FLAGS (\\Seen").is_err());
    }
}
