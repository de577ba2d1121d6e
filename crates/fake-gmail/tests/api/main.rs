//! The server as its clients and its tests see it.

mod faults;
mod history;
mod mirror;
mod pushing;
mod reading;
mod rules;
mod search;
mod sending;
mod support;
