use serde::{Deserialize, Serialize};

/// A mailbox as it stands in an address header (RFC 5322 section 3.4).
///
/// Every field is written, absent ones too: envelopes are kept in a form without field names, in which
/// a field that is left out shifts all that follow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address {
    /// The display name, decoded.
    pub name: Option<String>,
    /// `local@domain`; absent where the header holds something that is no address.
    pub address: Option<String>,
}

impl Address {
    /// An address without a display name.
    pub fn bare(address: impl Into<String>) -> Self {
        Self {
            name: None,
            address: Some(address.into()),
        }
    }
}
