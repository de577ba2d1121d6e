//! The program as its users run it.

mod commands;
mod process;
mod quickstart;
mod serve;
