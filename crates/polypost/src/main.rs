//! The gateway's program.

use std::process::ExitCode;

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    polypost::commands::main(std::env::args_os(), std::env::vars_os())
}
