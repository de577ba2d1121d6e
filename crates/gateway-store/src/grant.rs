/// The grant of an account that is connected by OAuth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantRow {
    /// The grant, sealed for (`account_grant`, account, `secret`).
    pub secret: Vec<u8>,
    /// Rises with every change.
    pub version: i64,
}
