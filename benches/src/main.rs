//! The gateway's figures. Each is measured beside the raw limit of the same run: the same servers, the same mail, and
//! the same connection code without the gateway around it.
//!
//! The gateway is the program `polypost` that lies beside this one, as a process of its own. Nothing here judges by the
//! clock: the exit status says only whether every figure could be measured.

mod client;
mod figure;
mod gateway;
mod large;
mod lettre_alone;
mod meter;
mod raw;
mod rows;
mod samples;
mod setting;
mod sink;
mod stores;

use std::process::ExitCode;

use clap::Parser;
use figure::Report;
use setting::Setting;

/// Measures the gateway's figures and prints each beside the raw limit of the same run.
#[derive(Debug, Clone, Parser)]
struct Options {
    /// Which rows, 1 to 10; without one, all of them.
    rows: Vec<u8>,
    /// Messages of the realistic mailbox.
    #[arg(long, default_value_t = 20_000)]
    messages: usize,
    /// Messages of the large mailbox, of 1 kB each (row 3).
    #[arg(long, default_value_t = 200_000)]
    large: usize,
    /// How often what takes long is measured; the median counts.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How often what is short is measured; the median counts.
    #[arg(long, default_value_t = 200)]
    samples: usize,
    /// Idle accounts (row 6).
    #[arg(long, default_value_t = 1_000)]
    accounts: usize,
    /// Seconds of load for each figure of rows 8 and 9.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

fn main() -> ExitCode {
    let options = Options::parse();
    rustls::crypto::ring::default_provider()
        .install_default()
        .ok();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            figure::say(&format!("no runtime: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let complete = runtime.block_on(measure(options));
    if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Whether every figure that was asked for could be measured.
async fn measure(options: Options) -> bool {
    let mut wanted = options.rows.clone();
    if wanted.is_empty() {
        wanted = (1..=10).collect();
    }
    let mut setting = Setting::new(options);
    let mut report = Report::default();
    for row in wanted {
        if let Err(error) = rows::measure(row, &mut setting, &mut report).await {
            report.fail(row, &error);
        }
    }
    setting.end().await;
    report.print();
    report.is_complete()
}
