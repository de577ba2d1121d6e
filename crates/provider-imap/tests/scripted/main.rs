//! Mailboxes on servers whose answers are written down.

mod filing;
mod play;
mod reading;
