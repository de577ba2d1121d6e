//! Commands, written so that nothing which is put into them can become another command.

use super::{
    error::{Error, Result},
    flags::SystemFlags,
    mailbox::MailboxName,
};

/// A command: text, and literals where text cannot hold it.
#[derive(Clone, Debug)]
pub(super) struct Command {
    /// For errors: the command's name.
    pub(super) name: &'static str,
    /// Whether it changes something at the server, so that a lost connection leaves its outcome unknown.
    pub(super) changes: bool,
    /// Whether untagged responses that cannot be read leave the command a success.
    pub(super) tolerant: bool,
    /// Octets of contents that the answer may have, besides [`super::Limits::facts`].
    pub(super) contents: u64,
    /// ASCII text before each literal.
    pub(super) literals: Vec<(String, Vec<u8>)>,
    /// ASCII text after the last one.
    pub(super) text: String,
}

impl Command {
    /// One that begins with these words.
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            changes: false,
            tolerant: false,
            contents: 0,
            literals: Vec::new(),
            text: name.into(),
        }
    }

    /// One that changes something and may not be repeated blindly.
    pub(super) fn changing(name: &'static str) -> Self {
        Self {
            changes: true,
            tolerant: true,
            ..Self::new(name)
        }
    }

    /// One whose answer holds contents of so many octets.
    pub(super) fn with_contents(self, contents: u64) -> Self {
        Self { contents, ..self }
    }

    /// Text of our own making.
    pub(super) fn raw(mut self, text: impl AsRef<str>) -> Self {
        debug_assert!(text.as_ref().bytes().all(|b| matches!(b, b' '..=b'~')));
        self.text.push_str(text.as_ref());
        self
    }

    /// A space and text of our own making.
    pub(super) fn word(self, text: impl std::fmt::Display) -> Self {
        self.raw(format!(" {text}"))
    }

    /// A space and a mailbox.
    pub(super) fn mailbox(self, mailbox: &MailboxName) -> Result<Self> {
        self.string(mailbox.wire())
    }

    /// A space and a string, quoted or as a literal. Line breaks and NUL are refused, although a literal
    /// could hold the former: nothing that is searched for or named has them.
    pub(super) fn string(mut self, string: &[u8]) -> Result<Self> {
        if string.iter().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
            return Err(Error::Invalid(
                "a line break or NUL cannot be part of this".into(),
            ));
        }
        self.text.push(' ');
        if string.len() > LONGEST_QUOTED || !string.iter().all(|b| matches!(b, b' '..=b'~')) {
            return Ok(self.literal(string.to_vec()));
        }
        self.text.push('"');
        for &octet in string {
            if matches!(octet, b'"' | b'\\') {
                self.text.push('\\');
            }
            self.text.push(char::from(octet));
        }
        self.text.push('"');
        Ok(self)
    }

    /// A literal. Its length and braces are written when it is sent.
    pub(super) fn literal(mut self, octets: Vec<u8>) -> Self {
        let text = std::mem::take(&mut self.text);
        self.literals.push((text, octets));
        self
    }

    /// A space and a list of flags and keywords in parentheses.
    pub(super) fn flags(
        mut self,
        system: SystemFlags,
        keywords: &[impl AsRef<str>],
    ) -> Result<Self> {
        let mut names: Vec<&str> = system.names().collect();
        for keyword in keywords {
            names.push(checked_keyword(keyword.as_ref())?);
        }
        self.text.push_str(&format!(" ({})", names.join(" ")));
        Ok(self)
    }
}

/// Servers limit the length of a line; longer strings go as literals.
const LONGEST_QUOTED: usize = 500;

/// A keyword is an atom (RFC 3501 section 9) of bounded length.
pub(super) fn checked_keyword(keyword: &str) -> Result<&str> {
    let allowed = |b: u8| {
        b.is_ascii_graphic() && !matches!(b, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\' | b']')
    };
    match !keyword.is_empty() && keyword.len() <= 255 && keyword.bytes().all(allowed) {
        true => Ok(keyword),
        false => Err(Error::Invalid(
            "this is not a keyword that a mailbox can hold".into(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_stays_a_string() {
        let command = Command::new("X").string(br#"a"b\c"#).unwrap();
        assert_eq!(command.text, r#"X "a\"b\\c""#);
        let command = Command::new("X")
            .string("ä {5}".as_bytes())
            .unwrap()
            .word("Y");
        assert_eq!(
            command.literals,
            [("X ".to_owned(), "ä {5}".as_bytes().to_vec())]
        );
        assert_eq!(command.text, " Y");
        for bad in ["a\r\nA1 DELETE x", "a\n", "\0"] {
            assert!(Command::new("X").string(bad.as_bytes()).is_err());
        }
    }

    #[test]
    fn a_keyword_is_an_atom() {
        let none: [&str; 0] = [];
        let command = Command::new("X")
            .flags(SystemFlags::SEEN | SystemFlags::RECENT, &["$Junk", "a"])
            .unwrap();
        assert_eq!(command.text, "X (\\Seen $Junk a)");
        assert_eq!(
            Command::new("X")
                .flags(SystemFlags::empty(), &none)
                .unwrap()
                .text,
            "X ()"
        );
        for bad in ["", "a b", "a)", "\\Seen", "a\r\nb", "ä", "x]", "{3}", "*"] {
            assert!(checked_keyword(bad).is_err(), "{bad}");
        }
    }
}
