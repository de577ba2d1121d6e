//! The code in square brackets of a status response.

use super::{
    capability::Capabilities,
    flags::FlagSet,
    lexer::{Lexer, Parsed},
    uid_set::{UidSet, parse_ranges},
};

/// A response code (RFC 3501 section 7.1, RFC 5530, RFC 4315, RFC 7162, RFC 8474, RFC 9738).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseCode {
    /// For the eyes of the user.
    Alert,
    /// The mailbox exists already.
    AlreadyExists,
    /// Where an appended message is.
    AppendUid(u32, UidSet),
    /// The credentials were refused.
    AuthenticationFailed,
    /// The credentials are right, but for this they do not suffice.
    AuthorizationFailed,
    /// The server does not know the character set.
    BadCharset,
    /// Never possible.
    Cannot,
    /// What the server can do.
    Capability(Capabilities),
    /// The command was of no use.
    ClientBug,
    /// The mailbox selected before is closed: what follows belongs to the new one.
    Closed,
    /// Ask the administrator.
    ContactAdmin,
    /// Where copied messages are.
    CopyUid(CopyUid),
    /// The server's data is damaged.
    Corruption,
    /// The credentials are out of date.
    Expired,
    /// Messages are gone that another client removed.
    ExpungeIssued,
    /// The highest modification sequence of the mailbox.
    HighestModSeq(u64),
    /// Another session holds the mailbox.
    InUse,
    /// A limit of the server.
    Limit,
    /// The mailbox's id.
    MailboxId(String),
    /// Only part was done; all UIDs below the second number are still to do.
    MessageLimit(u64, Option<u32>),
    /// Not stored: changed meanwhile.
    Modified(UidSet),
    /// No modification sequences in this mailbox.
    NoModSeq,
    /// No such mailbox.
    NonExistent,
    /// Not allowed.
    NoPerm,
    /// Over quota.
    OverQuota,
    /// Flags that can be kept.
    PermanentFlags(FlagSet),
    /// Only over an encrypted connection.
    PrivacyRequired,
    /// Selected read-only.
    ReadOnly,
    /// Selected read-write.
    ReadWrite,
    /// A defect of the server.
    ServerBug,
    /// Gmail and others: slow down.
    Throttled,
    /// Too large.
    TooBig,
    /// Create the mailbox first.
    TryCreate,
    /// The next UID.
    UidNext(u32),
    /// UIDs do not last.
    UidNotSticky,
    /// The UIDs' validity.
    UidValidity(u32),
    /// Down for now.
    Unavailable,
    /// Some other, by its name.
    Other(String),
}

/// What COPY or MOVE did (RFC 4315 section 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyUid {
    /// UIDVALIDITY of the destination.
    pub uid_validity: u32,
    /// From and to, paired in the order given. Yahoo has been seen to permute the pairs of more than
    /// one message.
    pub pairs: Vec<(u32, u32)>,
}

impl CopyUid {
    /// Most pairs read.
    const MOST: usize = 100_000;

    fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        let uid_validity = lexer.number32()?;
        lexer.spaces();
        let from = parse_ranges(lexer)?;
        lexer.spaces();
        let to = parse_ranges(lexer)?;
        let each = |ranges: Vec<(u32, u32)>| {
            ranges
                .into_iter()
                .flat_map(|(a, b)| a.min(b)..=a.max(b))
                .take(Self::MOST)
        };
        Ok(Self {
            uid_validity,
            pairs: each(from).zip(each(to)).collect(),
        })
    }
}

impl ResponseCode {
    /// `[NAME arguments]`. A known name with unreadable arguments is `Other`.
    pub(super) fn parse(lexer: &mut Lexer<'_>) -> Parsed<Self> {
        lexer.expect(b'[', "a response code")?;
        let name = lexer
            .take_while(|b| !matches!(b, b' ' | b']'))
            .to_ascii_uppercase();
        let start = lexer.position();
        lexer.spaces();
        let code = match Self::parse_arguments(&name, lexer) {
            Ok(Some(code)) if lexer.peek() == Some(b']') => code,
            _ => {
                lexer.rewind(start);
                Self::Other(String::from_utf8_lossy(&name).chars().take(100).collect())
            }
        };
        lexer.take_while(|b| b != b']');
        lexer.expect(b']', "the end of a response code")?;
        Ok(code)
    }

    fn parse_arguments(name: &[u8], lexer: &mut Lexer<'_>) -> Parsed<Option<Self>> {
        Ok(Some(match name {
            b"ALERT" => Self::Alert,
            b"ALREADYEXISTS" => Self::AlreadyExists,
            b"APPENDUID" => {
                let uid_validity = lexer.number32()?;
                lexer.spaces();
                Self::AppendUid(uid_validity, UidSet::parse(lexer)?)
            }
            b"AUTHENTICATIONFAILED" => Self::AuthenticationFailed,
            b"AUTHORIZATIONFAILED" => Self::AuthorizationFailed,
            b"BADCHARSET" => {
                lexer.take_while(|b| b != b']');
                Self::BadCharset
            }
            b"CANNOT" => Self::Cannot,
            b"CAPABILITY" => Self::Capability(Capabilities::parse(lexer)),
            b"CLIENTBUG" => Self::ClientBug,
            b"CLOSED" => Self::Closed,
            b"CONTACTADMIN" => Self::ContactAdmin,
            b"COPYUID" => Self::CopyUid(CopyUid::parse(lexer)?),
            b"CORRUPTION" => Self::Corruption,
            b"EXPIRED" => Self::Expired,
            b"EXPUNGEISSUED" => Self::ExpungeIssued,
            b"HIGHESTMODSEQ" => Self::HighestModSeq(lexer.number()?),
            b"INUSE" => Self::InUse,
            b"LIMIT" => Self::Limit,
            b"MAILBOXID" => {
                let id = lexer.list(Lexer::astring)?;
                Self::MailboxId(
                    id.first()
                        .map_or(String::new(), |i| String::from_utf8_lossy(i).into_owned()),
                )
            }
            b"MESSAGELIMIT" => {
                let limit = lexer.number()?;
                lexer.spaces();
                Self::MessageLimit(limit, lexer.number32().ok())
            }
            b"MODIFIED" => Self::Modified(UidSet::parse(lexer)?),
            b"NOMODSEQ" => Self::NoModSeq,
            b"NONEXISTENT" => Self::NonExistent,
            b"NOPERM" => Self::NoPerm,
            b"OVERQUOTA" => Self::OverQuota,
            b"PERMANENTFLAGS" => Self::PermanentFlags(FlagSet::parse(lexer)?),
            b"PRIVACYREQUIRED" => Self::PrivacyRequired,
            b"READ-ONLY" => Self::ReadOnly,
            b"READ-WRITE" => Self::ReadWrite,
            b"SERVERBUG" => Self::ServerBug,
            b"THROTTLED" => Self::Throttled,
            b"TOOBIG" => Self::TooBig,
            b"TRYCREATE" => Self::TryCreate,
            b"UIDNEXT" => Self::UidNext(lexer.number32()?),
            b"UIDNOTSTICKY" => Self::UidNotSticky,
            b"UIDVALIDITY" => Self::UidValidity(lexer.number32()?),
            b"UNAVAILABLE" => Self::Unavailable,
            _ => return Ok(None),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(code: &'static str) -> ResponseCode {
        let input = bytes::Bytes::from(code);
        let mut lexer = Lexer::new(&input);
        let code = ResponseCode::parse(&mut lexer).unwrap();
        assert_eq!(lexer.rest(), b"rest");
        code
    }

    #[test]
    fn codes_are_read_with_their_arguments() {
        assert_eq!(parse("[uidvalidity 5]rest"), ResponseCode::UidValidity(5));
        assert_eq!(
            parse("[APPENDUID 5 7]rest"),
            ResponseCode::AppendUid(5, 7.into())
        );
        assert_eq!(
            parse("[MESSAGELIMIT 1000 23221]rest"),
            ResponseCode::MessageLimit(1000, Some(23221))
        );
        assert_eq!(
            parse("[MAILBOXID (F2)]rest"),
            ResponseCode::MailboxId("F2".into())
        );
        let ResponseCode::CopyUid(copy) = parse("[COPYUID 9 4,2:3 11:13]rest") else {
            panic!()
        };
        assert_eq!(copy.pairs, [(4, 11), (2, 12), (3, 13)]);
    }

    #[test]
    fn an_unreadable_code_is_kept_by_its_name() {
        assert_eq!(
            parse("[UIDNEXT nonsense]rest"),
            ResponseCode::Other("UIDNEXT".into())
        );
        assert_eq!(
            parse("[REFERRAL imap://x/]rest"),
            ResponseCode::Other("REFERRAL".into())
        );
        assert_eq!(
            parse("[MODIFIED ]rest"),
            ResponseCode::Other("MODIFIED".into())
        );
        assert_eq!(parse("[]rest"), ResponseCode::Other(String::new()));
    }

    #[test]
    fn a_copyuid_of_everything_is_bounded() {
        let ResponseCode::CopyUid(copy) = parse("[COPYUID 9 1:4294967295 1:4294967295]rest") else {
            panic!()
        };
        assert_eq!(copy.pairs.len(), CopyUid::MOST);
    }
}
