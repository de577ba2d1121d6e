//! What was asked of the server.

/// A request as it came in, with the answer's status.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// Milliseconds of the Unix epoch on the server's clock.
    pub at_ms: i64,
    /// `GET`, `POST`.
    pub method: String,
    /// The path alone.
    pub path: String,
    /// The query or form parameters, in order.
    pub parameters: Vec<(String, String)>,
    /// The answer's status.
    pub status: u16,
}

impl RecordedRequest {
    /// The first parameter of this name.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A request that no correct client makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `POST /token`.
    pub request: String,
    /// What is wrong with it.
    pub problem: String,
}
