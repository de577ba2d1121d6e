//! The API as a client meets it: the router over a gateway with a mailbox in memory. Every answer is
//! held against the OpenAPI document.

mod accounts;
mod attachments;
mod contract;
mod errors;
mod folders;
mod mail;
mod messages;
mod routes;
mod scopes;
mod support;
mod sync;
