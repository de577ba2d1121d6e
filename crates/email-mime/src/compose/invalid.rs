//! Why a message is not composed.

/// A field of a message that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
pub struct Invalid {
    /// As a client names it, with its place in a list: `to[0].address`, `attachments[2].name`.
    pub field: String,
    /// What is wrong with it.
    pub rule: Rule,
}

/// The rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rule {
    /// CR, LF, NUL or another control character: in a header it could begin a line of its own.
    #[error("holds a line break, NUL or another control character")]
    Control,
    /// Nothing stands there.
    #[error("is missing")]
    Missing,
    /// Neither `to`, `cc` nor `bcc` names anybody.
    #[error("names nobody to send to")]
    NoRecipients,
    /// Not of the form `local@domain`.
    #[error("is no address of the form local@domain")]
    NotAnAddress,
    /// Comments, groups, routes, literals, a quoted local part with special characters, characters that
    /// are drawn or normalised like others: what one reader takes for this address, another takes for
    /// a different one.
    #[error("could be read as another address")]
    Ambiguous,
    /// The local part is not ASCII, and where the message is to go this is not supported (RFC 6531).
    #[error("has characters before the @ that cannot be sent from here")]
    Internationalised,
    /// Not a domain by RFC 5891 or RFC 1123.
    #[error("has no valid domain")]
    Domain,
    /// Not the name of a header field (RFC 5322 section 2.2).
    #[error("is no name of a header field")]
    HeaderName,
    /// A field that the gateway or a mail server sets.
    #[error("names a header field that cannot be set")]
    Reserved,
    /// Other than `List-…`.
    #[error("names no List- header field")]
    NotAListHeader,
    /// May stand once.
    #[error("stands more than once")]
    Repeated,
    /// A field of machine-readable syntax, which must be printable ASCII.
    #[error("may hold printable ASCII alone")]
    NotAscii,
    /// Not of the form `<left@right>`, in ASCII.
    #[error("is no message id of the form <left@right>")]
    MessageId,
    /// Not a content id (RFC 2392) in ASCII.
    #[error("is no content id")]
    ContentId,
    /// Not a media type (RFC 2045 section 5.1), or one that holds other parts.
    #[error("is no media type of a file")]
    MediaType,
    /// More than so many octets.
    #[error("is longer than {0} octets")]
    TooLong(usize),
    /// More than so many.
    #[error("are more than {0}")]
    TooMany(usize),
    /// The whole message, in octets as it would be sent.
    #[error("make a message of {octets} octets, of which {most} can be sent")]
    TooLarge {
        /// Its size.
        octets: u64,
        /// The limit.
        most: u64,
    },
    /// Reading the composed header again gave something else.
    #[error("cannot be written so that every reader understands the same")]
    NotReadBack,
}

impl Rule {
    pub(super) fn at(self, field: impl Into<String>) -> Invalid {
        Invalid {
            field: field.into(),
            rule: self,
        }
    }
}

/// Text for a header that must be one line. Tabs count as control characters.
pub(super) fn one_line(text: &str, most: usize) -> Result<(), Rule> {
    if text.chars().any(char::is_control) {
        return Err(Rule::Control);
    }
    within(text, most)
}

pub(super) fn within(text: &str, most: usize) -> Result<(), Rule> {
    if text.len() > most {
        return Err(Rule::TooLong(most));
    }
    Ok(())
}

pub(super) fn at_most<T>(list: &[T], most: usize, field: &str) -> Result<(), Invalid> {
    if list.len() > most {
        return Err(Rule::TooMany(most).at(field));
    }
    Ok(())
}
