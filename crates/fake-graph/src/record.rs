//! What was asked of the server, and what it sent.

/// A request as it came in, or one of a batch, with the answer's status.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// Milliseconds of the Unix epoch on the server's clock.
    pub at_ms: i64,
    /// The method's id, such as `messages.get`, one of [`crate::tables::methods`]; none for an unknown one.
    pub method: Option<&'static str>,
    /// `GET`, `POST`.
    pub http: String,
    /// The path alone, from `/v1.0` on.
    pub path: String,
    /// The query parameters, decoded, in order.
    pub query: Vec<(String, String)>,
    /// The values of `Prefer`, in order.
    pub prefer: Vec<String>,
    /// The body, up to 64 KiB of it.
    pub body: Vec<u8>,
    /// Whose token it carried.
    pub user: Option<String>,
    /// The answer's status; 0 for a request that was dropped.
    pub status: u16,
    /// It was part of a batch.
    pub batched: bool,
}

/// A request that no correct client makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `POST /v1.0/me/messages`.
    pub request: String,
    /// The answer's status: a request that the vendor would answer is answered nonetheless.
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
    /// The immutable id of the copy in Sent Items; none where it was not to be saved.
    pub id: Option<String>,
}

/// A notification that was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where to.
    pub url: String,
    /// The `changeNotificationCollection`.
    pub body: serde_json::Value,
    /// The answer's status; none where there was no answer in time.
    pub status: Option<u16>,
}
