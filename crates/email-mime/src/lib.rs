//! RFC 5322 bytes to the uniform model: parsing, body conversion, snippets, quote stripping.
//!
//! Mail comes from strangers. Every function here takes any bytes, gives valid UTF-8 without NUL,
//! works in linear time and with a stack that does not grow with its input.
//!
//! A message is either parsed whole ([`parse`]) or, where a server describes its structure, piece by
//! piece: the header block ([`headers::parse_header_block`]), the part tree ([`structure::Part`],
//! [`structure::classify`]) and single fetched parts ([`decode_text`], [`TransferDecoder`]). Both
//! ways give the same part ids and the same choice of body text and attachments.

mod body;
mod charset;
pub mod compose;
pub mod file_name;
pub mod headers;
mod html;
mod message;
mod quotes;
pub mod structure;
mod text;
mod threads;
mod transfer;

pub use body::{body_as, snippet};
pub use message::{MimeError, Parsed, attachment, parse};
pub use quotes::strip_quoted;
pub use text::decode_text;
pub use threads::{RootSource, ThreadRoot, thread_root};
pub use transfer::{TransferDecoder, TransferEncoding};
