//! The server as its clients and its tests see it.

mod attachments;
mod batches;
mod changing;
mod deltas;
mod faults;
mod folders;
mod mirror;
mod pushing;
mod reading;
mod rules;
mod sending;
mod support;
