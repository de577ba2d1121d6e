//! The API as a client meets it: the router over a gateway with a mailbox in memory. Every answer is
//! held against the OpenAPI document.

#![expect(
    clippy::unwrap_used,
    reason = "a failure of a helper is the failure of its test"
)]

mod accounts;
mod attachments;
mod contract;
mod drafts;
mod errors;
mod folders;
mod forms;
mod logs;
mod mail;
mod messages;
mod refusals;
mod routes;
mod scopes;
mod sending;
mod support;
mod sync;
mod uploads;
