//! The gateway's program as the tests run it.

use std::process::ExitCode;

fn main() -> ExitCode {
    polypost_tests::gateway_main()
}
