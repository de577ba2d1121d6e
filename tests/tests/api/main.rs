//! What each operation promises, against a real mail server.

#![expect(clippy::unwrap_used, reason = "a helper of a test may end it")]

mod access;
mod accounts;
mod attachments;
mod conversations;
mod folders;
mod lists;
mod reading;
mod setting;
mod sync;
mod tokens;
mod writing;
