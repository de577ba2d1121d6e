/// The grant of an account that is connected by OAuth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// The grant, sealed for its account and mailbox.
    pub secret: Vec<u8>,
    /// Rises with every change.
    pub version: i64,
}
