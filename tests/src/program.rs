//! The gateway's program as tests run it.

use std::io::Read;
use std::process::ExitCode;

/// Does what `polypost` does, and ends when its standard input does, which is when whoever started it has died.
#[must_use]
pub fn gateway_main() -> ExitCode {
    std::thread::spawn(|| {
        let mut ignored = [0; 64];
        while std::io::stdin()
            .read(&mut ignored)
            .is_ok_and(|count| count > 0)
        {}
        std::process::exit(9);
    });
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    polypost::commands::main(std::env::args_os(), std::env::vars_os())
}
