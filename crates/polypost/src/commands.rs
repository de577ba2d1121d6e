//! The command line.

mod account;
mod app;
mod health;
mod migrate;
mod openapi;
mod print;
mod quickstart;
mod serve;

use std::{
    ffi::OsString,
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Duration,
};

use clap::{Parser, Subcommand};

use crate::{Config, config::BackendWords, lifecycle::Ended, providers, telemetry};

/// One API for every mailbox.
#[derive(Debug, Parser)]
#[command(name = "polypost", version)]
struct CommandLine {
    /// The configuration file [default: polypost.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "POLYPOST_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve,
    /// Show the gateway at work on a sample mailbox, with nothing to set up
    Quickstart(quickstart::Arguments),
    /// Applications, which use the gateway
    #[command(subcommand)]
    App(app::Command),
    /// Accounts, which are connected mailboxes
    #[command(subcommand)]
    Account(account::Command),
    /// Bring the database's schema up to date (`serve` does so too)
    Migrate,
    /// Print the API's OpenAPI document
    Openapi,
    /// Ask the gateway of this configuration whether it takes requests
    Health,
}

/// How long blocking work may hold up the end of the process.
const LEFT_OVER: Duration = Duration::from_secs(1);

/// Runs the program. The exit code is 0 where everything was done, 1 for a failure, 2 for a command
/// line that makes no sense, and 3 for a stop that broke something off.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let line = match CommandLine::try_parse_from(arguments) {
        Ok(line) => line,
        Err(error) => {
            let code = if error.use_stderr() { 2 } else { 0 };
            error.print().ok();
            return ExitCode::from(code);
        }
    };
    match run(line, environment) {
        Ok(ended) => ended.into(),
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            let told = print::printable(&format!("{error:#}"));
            writeln!(io::stderr(), "polypost: {told}").ok();
            ExitCode::FAILURE
        }
    }
}

fn run(
    line: CommandLine,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Ended> {
    if matches!(line.command, Command::Openapi) {
        return openapi::run();
    }
    let words = BackendWords::of(&providers::registry());
    let config = Config::load(line.config.as_deref(), environment, &words)?;
    let default = match line.command {
        Command::Serve => "info",
        // These speak for themselves.
        _ => "warn",
    };
    telemetry::log(&config, default)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        match line.command {
            Command::Serve => serve::run(&config).await,
            Command::Quickstart(arguments) => quickstart::run(config, arguments).await,
            Command::App(command) => app::run(&config, command).await,
            Command::Account(command) => account::run(&config, command).await,
            Command::Migrate => migrate::run(&config).await,
            Command::Openapi => openapi::run(),
            Command::Health => health::run(&config).await,
        }
    });
    runtime.shutdown_timeout(LEFT_OVER);
    ended
}

/// Whoever read the output wanted no more of it.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
