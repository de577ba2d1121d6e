//! The gateway's program.

use std::process::ExitCode;

/// Pages of mail are many small pieces and some large ones, made by one thread and dropped by another: the C library's
/// allocator took a quarter of the processor time of a walk.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    polypost::commands::main(std::env::args_os(), std::env::vars_os())
}
