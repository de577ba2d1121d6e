use super::lexer::{Lexer, Parsed};

bitflags::bitflags! {
    /// The system flags of RFC 3501 section 2.3.2.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub struct SystemFlags: u8 {
        /// `\Seen`
        const SEEN = 1;
        /// `\Answered`
        const ANSWERED = 2;
        /// `\Flagged`
        const FLAGGED = 4;
        /// `\Deleted`
        const DELETED = 8;
        /// `\Draft`
        const DRAFT = 16;
        /// `\Recent`: cannot be set.
        const RECENT = 32;
    }
}

const NAMES: [(&str, SystemFlags); 6] = [
    ("\\Seen", SystemFlags::SEEN),
    ("\\Answered", SystemFlags::ANSWERED),
    ("\\Flagged", SystemFlags::FLAGGED),
    ("\\Deleted", SystemFlags::DELETED),
    ("\\Draft", SystemFlags::DRAFT),
    ("\\Recent", SystemFlags::RECENT),
];

impl SystemFlags {
    /// Their names as in a command; never `\Recent`, which no client may set.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        NAMES
            .iter()
            .filter(move |(_, f)| self.contains(*f) && *f != Self::RECENT)
            .map(|(n, _)| *n)
    }
}

/// All flags of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagSet {
    /// The system flags.
    pub system: SystemFlags,
    /// Keywords, and system flags of no standard, in the server's order and spelling.
    pub keywords: Vec<String>,
}

impl FlagSet {
    /// Most keywords kept of one message or mailbox.
    const MOST: usize = 1000;

    /// `(\Seen $Forwarded)`, leniently: what is no text is replaced, not refused.
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        let mut flags = Self::default();
        lexer.list(|lexer| {
            let name = lexer.astring()?;
            match NAMES
                .iter()
                .find(|(n, _)| n.as_bytes().eq_ignore_ascii_case(&name))
            {
                Some((_, flag)) => flags.system |= *flag,
                None if flags.keywords.len() < Self::MOST => {
                    flags
                        .keywords
                        .push(String::from_utf8_lossy(&name).into_owned());
                }
                None => {}
            }
            Ok(())
        })?;
        Ok(flags)
    }

    /// Whether `\*` is among them: in PERMANENTFLAGS it says that new keywords can be made.
    pub fn allows_new_keywords(&self) -> bool {
        self.keywords.iter().any(|k| k == "\\*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_flags_are_kept() {
        let input =
            bytes::Bytes::from_static(b"(\\SEEN \\* $Forwarded a]b \"x y\" \\AllMail caf\xe9)");
        let flags = FlagSet::parse(&mut Lexer::new(&input)).unwrap();
        assert_eq!(flags.system, SystemFlags::SEEN);
        assert_eq!(
            flags.keywords,
            [
                "\\*",
                "$Forwarded",
                "a]b",
                "x y",
                "\\AllMail",
                "caf\u{fffd}"
            ]
        );
        assert!(flags.allows_new_keywords());
    }
}
