//! What the API takes and gives, as plain data: `scripts/check-fake-graph` holds it against the published model.

pub mod scopes;
