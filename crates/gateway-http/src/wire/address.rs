use email_model::{Address, Header};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A mailbox of an address header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EmailAddress {
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `local@domain`, as the header has it: not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// Name and address in one, for display. Not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<String>,
}

impl From<Address> for EmailAddress {
    fn from(address: Address) -> Self {
        let raw = match (&address.name, &address.address) {
            (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
            (name, address) => name.clone().or_else(|| address.clone()),
        };
        Self {
            name: address.name,
            address: address.address,
            raw,
        }
    }
}

impl From<EmailAddress> for Address {
    fn from(EmailAddress { name, address, .. }: EmailAddress) -> Self {
        Self { name, address }
    }
}

/// A header field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct EmailHeader {
    /// Field name as it stands.
    name: String,
    /// Field value, decoded.
    value: String,
}

impl From<Header> for EmailHeader {
    fn from(Header { name, value }: Header) -> Self {
        Self { name, value }
    }
}
