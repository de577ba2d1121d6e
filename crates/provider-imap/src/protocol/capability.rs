use super::lexer::Lexer;

bitflags::bitflags! {
    /// Capabilities that make a difference here.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub struct Capability: u64 {
        /// RFC 3501
        const IMAP4REV1 = 1;
        /// RFC 9051
        const IMAP4REV2 = 1 << 1;
        /// RFC 3501: LOGIN would be refused.
        const LOGINDISABLED = 1 << 2;
        /// RFC 3501
        const STARTTLS = 1 << 3;
        /// RFC 4616
        const AUTH_PLAIN = 1 << 4;
        /// Google's
        const AUTH_XOAUTH2 = 1 << 5;
        /// RFC 7628
        const AUTH_OAUTHBEARER = 1 << 6;
        /// RFC 2177
        const IDLE = 1 << 7;
        /// RFC 2971
        const ID = 1 << 8;
        /// RFC 5161
        const ENABLE = 1 << 9;
        /// RFC 7162
        const CONDSTORE = 1 << 10;
        /// RFC 7162
        const QRESYNC = 1 << 11;
        /// RFC 4315
        const UIDPLUS = 1 << 12;
        /// RFC 6851
        const MOVE = 1 << 13;
        /// RFC 4731
        const ESEARCH = 1 << 14;
        /// RFC 5256
        const SORT = 1 << 15;
        /// RFC 5258
        const LIST_EXTENDED = 1 << 16;
        /// RFC 5819
        const LIST_STATUS = 1 << 17;
        /// RFC 6154
        const SPECIAL_USE = 1 << 18;
        /// RFC 8474
        const OBJECTID = 1 << 19;
        /// RFC 2342
        const NAMESPACE = 1 << 20;
        /// RFC 7888
        const LITERAL_PLUS = 1 << 21;
        /// RFC 7888: up to 4096 octets.
        const LITERAL_MINUS = 1 << 22;
        /// RFC 3691
        const UNSELECT = 1 << 23;
        /// Gmail's labels, message and thread ids.
        const X_GM_EXT_1 = 1 << 24;
        /// RFC 8970
        const PREVIEW = 1 << 25;
        /// RFC 8438
        const STATUS_SIZE = 1 << 26;
        /// RFC 5465
        const NOTIFY = 1 << 27;
        /// RFC 9586
        const UIDONLY = 1 << 28;
        /// RFC 9394
        const PARTIAL = 1 << 29;
        /// RFC 6855
        const UTF8_ACCEPT = 1 << 30;
        /// RFC 3348 or RFC 5258
        const CHILDREN = 1 << 31;
        /// RFC 5032
        const WITHIN = 1 << 32;
        /// RFC 5957
        const SORT_DISPLAY = 1 << 33;
        /// Apple's: a fingerprint.
        const XAPPLEPUSHSERVICE = 1 << 34;
        /// Yahoo's: a fingerprint.
        const XYMHIGHESTMODSEQ = 1 << 35;
    }
}

const NAMES: [(&str, Capability); 36] = [
    ("IMAP4REV1", Capability::IMAP4REV1),
    ("IMAP4REV2", Capability::IMAP4REV2),
    ("LOGINDISABLED", Capability::LOGINDISABLED),
    ("STARTTLS", Capability::STARTTLS),
    ("AUTH=PLAIN", Capability::AUTH_PLAIN),
    ("AUTH=XOAUTH2", Capability::AUTH_XOAUTH2),
    ("AUTH=OAUTHBEARER", Capability::AUTH_OAUTHBEARER),
    ("IDLE", Capability::IDLE),
    ("ID", Capability::ID),
    ("ENABLE", Capability::ENABLE),
    ("CONDSTORE", Capability::CONDSTORE),
    ("QRESYNC", Capability::QRESYNC),
    ("UIDPLUS", Capability::UIDPLUS),
    ("MOVE", Capability::MOVE),
    ("ESEARCH", Capability::ESEARCH),
    ("SORT", Capability::SORT),
    ("LIST-EXTENDED", Capability::LIST_EXTENDED),
    ("LIST-STATUS", Capability::LIST_STATUS),
    ("SPECIAL-USE", Capability::SPECIAL_USE),
    ("OBJECTID", Capability::OBJECTID),
    ("NAMESPACE", Capability::NAMESPACE),
    ("LITERAL+", Capability::LITERAL_PLUS),
    ("LITERAL-", Capability::LITERAL_MINUS),
    ("UNSELECT", Capability::UNSELECT),
    ("X-GM-EXT-1", Capability::X_GM_EXT_1),
    ("PREVIEW", Capability::PREVIEW),
    ("STATUS=SIZE", Capability::STATUS_SIZE),
    ("NOTIFY", Capability::NOTIFY),
    ("UIDONLY", Capability::UIDONLY),
    ("PARTIAL", Capability::PARTIAL),
    ("UTF8=ACCEPT", Capability::UTF8_ACCEPT),
    ("CHILDREN", Capability::CHILDREN),
    ("WITHIN", Capability::WITHIN),
    ("SORT=DISPLAY", Capability::SORT_DISPLAY),
    ("XAPPLEPUSHSERVICE", Capability::XAPPLEPUSHSERVICE),
    ("XYMHIGHESTMODSEQ", Capability::XYMHIGHESTMODSEQ),
];

/// What a server says it can do. A hint: what it does is the fact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// The ones known here, those that another implies included.
    pub known: Capability,
    /// Largest message for APPEND, in octets (RFC 7889).
    pub append_limit: Option<u64>,
    /// Most messages that one command works on (RFC 9738).
    pub message_limit: Option<u64>,
}

impl Capabilities {
    /// Whether all of these are there.
    pub fn has(&self, capability: Capability) -> bool {
        self.known.contains(capability)
    }

    /// Names up to the end or `]`.
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Self {
        let mut capabilities = Self::default();
        loop {
            lexer.spaces();
            let word = lexer.take_while(|b| !matches!(b, b' ' | b']'));
            if word.is_empty() {
                break;
            }
            capabilities.add(word);
        }
        capabilities.imply();
        capabilities
    }

    fn add(&mut self, word: &[u8]) {
        let word = word.to_ascii_uppercase();
        if let Some((_, capability)) = NAMES.iter().find(|(name, _)| name.as_bytes() == word) {
            self.known |= *capability;
        }
        let number = |prefix: &str| {
            let digits = word.strip_prefix(prefix.as_bytes())?;
            std::str::from_utf8(digits).ok()?.parse().ok()
        };
        self.append_limit = self.append_limit.or(number("APPENDLIMIT="));
        self.message_limit = self.message_limit.or(number("MESSAGELIMIT="));
    }

    fn imply(&mut self) {
        if self.has(Capability::QRESYNC) {
            // RFC 7162 section 3.2: implies CONDSTORE and ENABLE.
            self.known |= Capability::CONDSTORE | Capability::ENABLE;
        }
        if self.has(Capability::IMAP4REV2) {
            // RFC 9051 appendix E: part of the base.
            self.known |= Capability::NAMESPACE
                | Capability::UNSELECT
                | Capability::UIDPLUS
                | Capability::ESEARCH
                | Capability::ENABLE
                | Capability::IDLE
                | Capability::LIST_EXTENDED
                | Capability::LIST_STATUS
                | Capability::MOVE
                | Capability::SPECIAL_USE
                | Capability::STATUS_SIZE;
            if !self.has(Capability::LITERAL_PLUS) {
                self.known |= Capability::LITERAL_MINUS;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_read_whatever_their_case() {
        let input = bytes::Bytes::from_static(
            b" IMAP4rev1 Idle literal+ AUTH=XOAUTH2 APPENDLIMIT=35651584 X\xff QRESYNC\r\n",
        );
        let capabilities = Capabilities::parse(&mut Lexer::new(&input));
        assert!(
            capabilities.has(Capability::IMAP4REV1 | Capability::IDLE | Capability::LITERAL_PLUS)
        );
        assert!(capabilities.has(Capability::CONDSTORE | Capability::ENABLE));
        assert!(!capabilities.has(Capability::MOVE));
        assert_eq!(capabilities.append_limit, Some(35_651_584));
    }
}
