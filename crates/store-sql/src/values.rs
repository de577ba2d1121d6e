/// A value for a placeholder. `None` is NULL.
#[derive(Clone, Debug)]
pub enum Value {
    /// An integer of any width.
    Integer(Option<i64>),
    /// A truth value.
    Boolean(Option<bool>),
    /// Bytes, and text from outside.
    Bytes(Option<Vec<u8>>),
    /// Text without NUL: JSON, names of our own.
    Text(Option<String>),
}

/// Values for `$1`, `$2` ….
pub type Values = Vec<Value>;

macro_rules! from {
    ($($from:ty, $value:ident => $into:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                $into
            }
        }
    )*};
}

from! {
    i32, value => Self::Integer(Some(value.into()));
    u32, value => Self::Integer(Some(value.into()));
    i64, value => Self::Integer(Some(value));
    Option<i64>, value => Self::Integer(value);
    bool, value => Self::Boolean(Some(value));
    Option<bool>, value => Self::Boolean(value);
    &[u8], value => Self::Bytes(Some(value.to_vec()));
    Vec<u8>, value => Self::Bytes(Some(value));
    Option<Vec<u8>>, value => Self::Bytes(value);
    String, value => Self::Text(Some(value));
    Option<String>, value => Self::Text(value);
}

/// The values of a statement.
#[macro_export]
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::Value::from($value)),*] };
}
