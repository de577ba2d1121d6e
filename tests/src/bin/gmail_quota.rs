//! What the gateway spends of Gmail's quota: `cargo run -p polypost-tests --bin gmail_quota [messages]`.

use std::io::Write;
use std::process::ExitCode;

use polypost_tests::{gateway_main, quota};

fn main() -> anyhow::Result<ExitCode> {
    let argument = std::env::args().nth(1);
    // It starts itself as the gateway.
    if argument.as_deref() == Some("serve") {
        return Ok(gateway_main());
    }
    let messages = argument.map_or(Ok(2_000), |text| text.parse())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let program = std::env::current_exe()?;
    let mut out = std::io::stdout();
    runtime.block_on(async {
        writeln!(out, "{}", quota::prices(&program, messages).await?)?;
        writeln!(out, "{}", quota::shared(&program).await?)?;
        anyhow::Ok(())
    })?;
    Ok(ExitCode::SUCCESS)
}
