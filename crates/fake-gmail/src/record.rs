//! What was asked of the server, and what it sent.

/// A request as it came in, or one of a batch, with the answer's status.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// Milliseconds of the Unix epoch on the server's clock.
    pub at_ms: i64,
    /// The method's id, such as `gmail.users.messages.get`; none for an unknown one.
    pub method: Option<&'static str>,
    /// `GET`, `POST`.
    pub http: String,
    /// The path alone.
    pub path: String,
    /// The query parameters, in order.
    pub query: Vec<(String, String)>,
    /// The body, up to 64 KiB of it.
    pub body: Vec<u8>,
    /// Whose token it carried.
    pub user: Option<String>,
    /// The answer's status; 0 for a request that was dropped.
    pub status: u16,
    /// The quota units that it cost.
    pub units: u32,
    /// It was part of a batch.
    pub batched: bool,
}

/// A request that no correct client makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `POST /gmail/v1/users/me/messages/send`.
    pub request: String,
    /// The answer's status.
    pub status: u16,
    /// What is wrong with it.
    pub problem: String,
}

/// A message that was handed over for delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentMail {
    /// The user who sent it.
    pub user: String,
    /// Everyone in `To`, `Cc` and `Bcc`.
    pub recipients: Vec<String>,
    /// The bytes delivered: without `Bcc`.
    pub raw: Vec<u8>,
    /// The id of the copy in the user's mailbox.
    pub id: String,
}
