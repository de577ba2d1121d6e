//! Accounts, reading and writing, over a mailbox in memory and a store in a file.

mod accounts;
mod conversations;
mod folders;
mod harness;
mod listing;
mod reading;
mod writing;
