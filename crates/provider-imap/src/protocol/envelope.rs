use bytes::Bytes;

use super::lexer::{Lexer, Parsed};

/// ENVELOPE (RFC 3501 section 7.4.2). Texts are octets as the header has them: RFC 2047 words are not
/// decoded, and raw 8-bit text is possible.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// `Date:`
    pub date: Option<Bytes>,
    /// `Subject:`
    pub subject: Option<Bytes>,
    /// `From:`
    pub from: Vec<Address>,
    /// `Sender:`
    pub sender: Vec<Address>,
    /// `Reply-To:`
    pub reply_to: Vec<Address>,
    /// `To:`
    pub to: Vec<Address>,
    /// `Cc:`
    pub cc: Vec<Address>,
    /// `Bcc:`
    pub bcc: Vec<Address>,
    /// `In-Reply-To:`
    pub in_reply_to: Option<Bytes>,
    /// `Message-ID:`
    pub message_id: Option<Bytes>,
}

/// An address as IMAP takes it apart. A group begins with an address without a host, and ends with one
/// that has neither mailbox nor host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The name.
    pub name: Option<Bytes>,
    /// Before the `@`.
    pub mailbox: Option<Bytes>,
    /// After the `@`.
    pub host: Option<Bytes>,
}

impl Envelope {
    /// Most addresses kept of a field.
    const MOST_ADDRESSES: usize = 5000;

    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        lexer.expect(b'(', "an envelope")?;
        let text = |lexer: &mut Lexer<'_>| {
            lexer.spaces();
            lexer.nstring()
        };
        let envelope = Self {
            date: text(lexer)?,
            subject: text(lexer)?,
            from: Self::addresses(lexer)?,
            sender: Self::addresses(lexer)?,
            reply_to: Self::addresses(lexer)?,
            to: Self::addresses(lexer)?,
            cc: Self::addresses(lexer)?,
            bcc: Self::addresses(lexer)?,
            in_reply_to: text(lexer)?,
            message_id: text(lexer)?,
        };
        lexer.spaces();
        lexer.expect(b')', "the end of an envelope")?;
        Ok(envelope)
    }

    fn addresses(lexer: &mut Lexer<'_>) -> Parsed<Vec<Address>> {
        lexer.spaces();
        if lexer.nil() {
            return Ok(Vec::new());
        }
        let mut addresses = Vec::new();
        lexer.list(|lexer| {
            let address = Address::parse(lexer)?;
            if addresses.len() < Self::MOST_ADDRESSES {
                addresses.push(address);
            }
            Ok(())
        })?;
        Ok(addresses)
    }
}

impl Address {
    fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        lexer.expect(b'(', "an address")?;
        let mut fields = [const { None }; 4];
        for field in &mut fields {
            lexer.spaces();
            *field = lexer.nstring()?;
        }
        lexer.spaces();
        lexer.expect(b')', "the end of an address")?;
        let [name, _source_route, mailbox, host] = fields;
        Ok(Self {
            name,
            mailbox,
            host,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_envelope_is_read() {
        let input = Bytes::from_static(
            b"(\"Wed, 17 Jul 1996 02:23:25 -0700\" {3}\r\na\"b ((\"J \\\"K\\\"\" NIL \"k\" \"x.org\")(NIL NIL \"l\" \"y.org\")) \
              NIL () NIL NIL NIL NIL \"<a@b>\")",
        );
        let envelope = Envelope::parse(&mut Lexer::new(&input)).unwrap();
        assert_eq!(envelope.subject.as_deref(), Some(&b"a\"b"[..]));
        assert_eq!(envelope.from.len(), 2);
        assert_eq!(envelope.from[0].name.as_deref(), Some(&b"J \"K\""[..]));
        assert_eq!(envelope.message_id.as_deref(), Some(&b"<a@b>"[..]));
    }

    #[test]
    fn an_unescaped_quote_is_an_error_and_no_more() {
        let input = Bytes::from_static(b"(NIL NIL NIL NIL NIL NIL NIL NIL NIL \"<\"a\"@b>\")");
        assert!(Envelope::parse(&mut Lexer::new(&input)).is_err());
        Lexer::new(&input).skip_value().unwrap();
    }
}
