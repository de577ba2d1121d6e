//! The IMAP protocol, on async-imap.
//!
//! async-imap connects, signs in, numbers and writes commands. What a server says is not its business:
//! [`Stream`]s are tapped, complete responses are taken aside and read by parsers of our own, which are
//! total and linear ([`parse_untagged`], [`Splitter`]). Each command runs to its tagged OK; a lost
//! connection, a silence or an answer that cannot be read is an error, never an empty answer.
//!
//! - [`Pool`] lends connections by [`Class`]; [`Connection`] has the operations, each with a deadline.
//! - [`MailboxName`], [`UidSet`], [`Section`], [`SearchKey`], [`FetchItems`] say what is wanted, and can be
//!   written only as what they are; [`FetchData`], [`Selection`], [`ListedMailbox`] are what is found.
//! - [`Error`] knows its [kind](email_provider::ErrorKind) and becomes a
//!   [`ProviderError`](email_provider::ProviderError).
//! - [`Quirks`] are what well-known servers do otherwise than they say.
//!
//! Flow of a reading use:
//! ```ignore
//! let mut connection = pool.acquire(Class::Interactive, deadline, Some(&mailbox)).await?;
//! let selection = connection.select(&mailbox, SelectOptions { fresh: true, ..Default::default() }, deadline).await?;
//! let uids = connection.uid_search(&SearchKey::Deleted.negated(), deadline).await?;
//! connection.uid_fetch(&uids, &FetchItem::FLAGS.into(), None, deadline, &mut |data| Ok(note(data))).await?;
//! ```

mod append;
mod body_structure;
mod capability;
mod changes;
mod command;
mod config;
mod connect;
mod connection;
mod envelope;
mod error;
mod exec;
mod fetch;
mod fetch_response;
mod flags;
mod idle;
mod lexer;
mod list;
mod mailbox;
mod mailbox_status;
mod mailboxes;
mod pool;
mod quirks;
mod refusal;
mod response_code;
mod search;
mod search_key;
mod search_response;
mod section;
mod select;
mod sign_in;
mod splitter;
mod tap;
mod tls;
mod uid_set;
mod untagged;

pub use append::AppendOptions;
pub use body_structure::{BodyContent, BodyPart, Parameters};
pub use capability::{Capabilities, Capability};
pub use changes::{Store, StoreAction};
pub use config::{Auth, ImapConfig, PoolOptions, Security, Timeouts};
pub use connection::Connection;
pub use envelope::{Address, Envelope};
pub use error::{Error, Result};
pub use fetch::{ChangedSince, FetchItem, FetchItems, Piece};
pub use fetch_response::{FetchData, SectionData};
pub use flags::{FlagSet, SystemFlags};
pub use idle::IdleEnd;
pub use lexer::ParseError;
pub use list::{ListedMailbox, MailboxAttributes, NamespacePrefix, Namespaces};
pub use mailbox::MailboxName;
pub use mailbox_status::MailboxStatus;
pub use pool::{Class, Pool, PooledConnection};
pub use quirks::Quirks;
pub use response_code::{CopyUid, ResponseCode};
pub use search::SortOrder;
pub use search_key::SearchKey;
pub use search_response::{ExtendedSearch, SearchNumbers};
pub use section::Section;
pub use select::{Change, SelectOptions, Selected, Selection};
pub use splitter::{Limits, SplitError, Splitter};
pub use tap::Stream;
pub use tls::Tls;
pub use uid_set::UidSet;
pub use untagged::{Condition, StatusResponse, Untagged, parse_tagged, parse_untagged};

#[cfg(test)]
mod tests;
