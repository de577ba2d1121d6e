//! The server as its clients and its tests see it.

mod history;
mod reading;
mod rules;
mod support;
