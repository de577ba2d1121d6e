use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A public id that is not of the right form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid id")]
pub struct IdError;

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// Written as 16 lower-case hex digits: safe in a URL path as it stands.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl $name {
            /// The same 64 bits as a signed integer, for databases.
            pub fn to_i64(self) -> i64 {
                i64::from_ne_bytes(self.0.to_ne_bytes())
            }

            /// The id that [`Self::to_i64`] gave.
            pub fn from_i64(value: i64) -> Self {
                Self(u64::from_ne_bytes(value.to_ne_bytes()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:016x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({:016x})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let well_formed = text.len() == 16
                    && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
                if !well_formed {
                    return Err(IdError);
                }
                u64::from_str_radix(text, 16).map(Self).map_err(|_| IdError)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hex_id! {
    /// A message, for life: through moves, cursor losses and a rebuilt database.
    MessageId
}
hex_id! {
    /// A conversation.
    ThreadId
}
hex_id! {
    /// A folder or label.
    FolderId
}
hex_id! {
    /// A draft, for as long as it is one, whatever becomes of its message.
    DraftId
}

/// A MIME part by its position, as IMAP numbers sections (RFC 9051 section 6.4.5): `1`, `2.1`.
/// Unlike backends' attachment ids it stays the same for as long as the message does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PartId(String);

impl PartId {
    /// The part at `path`, counted from 1 at each level.
    pub fn from_path(path: &[u32]) -> Self {
        Self(
            path.iter()
                .map(u32::to_string)
                .collect::<Vec<_>>()
                .join("."),
        )
    }

    /// The section number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PartId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PartId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let number = |n: &str| {
            !n.is_empty()
                && n.len() <= 6
                && !n.starts_with('0')
                && n.bytes().all(|b| b.is_ascii_digit())
        };
        let well_formed = text.len() <= 400 && text.split('.').all(number);
        well_formed.then(|| Self(text.to_owned())).ok_or(IdError)
    }
}
