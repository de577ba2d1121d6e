use std::{io::Read as _, path::PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use gateway_operations::{
    Account, AccountFilter, AccountInput, Application, Gateway, OperationErrorKind, SaveOptions,
};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    Config,
    commands::{app, print},
    lifecycle::Ended,
    server::{self, Parts},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Connect a mailbox and print its token, which is not shown again
    Add(AddArguments),
    /// List the accounts
    List {
        /// Only those of this application
        #[arg(long, value_name = "CLIENT_ID")]
        app: Option<String>,
    },
    /// Remove an account and all that is kept of it; its mailbox is not touched
    Remove {
        /// Its number
        id: i64,
    },
}

#[derive(Debug, Args)]
pub(super) struct AddArguments {
    /// The application that it belongs to
    #[arg(long, value_name = "CLIENT_ID")]
    app: String,
    /// Its service type, as the API names it
    #[arg(long, value_name = "TYPE", default_value = "IMAP")]
    service_type: String,
    /// The mailbox's address
    #[arg(long)]
    email: String,
    /// Login name, where it is not the address
    #[arg(long)]
    login: Option<String>,
    #[command(flatten)]
    password: PasswordArguments,
    /// The reading server, such as imaps://mail.example.org:993; found from the address by default
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The sending server, such as smtps://mail.example.org:465; found from the address by default
    #[arg(long, value_name = "URL")]
    smtp_server: Option<String>,
    /// Accept a certificate that nobody vouches for, on a network named in allow_hosts
    #[arg(long)]
    trust_server: bool,
}

/// Never on the command line, which other users of the machine can see.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct PasswordArguments {
    /// Read the password from standard input
    #[arg(long)]
    password_stdin: bool,
    /// Read the password from a file
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Longest password that is read, in octets.
const LONGEST: u64 = 64 << 10;

impl PasswordArguments {
    /// The password, without the line break at its end.
    fn read(&self) -> anyhow::Result<SecretString> {
        let mut text = String::new();
        match &self.password_file {
            Some(path) => std::fs::File::open(path)
                .and_then(|file| file.take(LONGEST).read_to_string(&mut text))
                .with_context(|| format!("{} cannot be read", path.display()))?,
            None => std::io::stdin().take(LONGEST).read_to_string(&mut text)?,
        };
        let password = text.strip_suffix('\n').unwrap_or(&text);
        let password = password.strip_suffix('\r').unwrap_or(password);
        Ok(password.into())
    }
}

/// What is written is in force at once: a gateway that runs on the same database is woken.
pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<Ended> {
    let assembled = server::assemble(config, &Parts::default()).await?;
    let done = act(config, &assembled.gateway, command).await;
    assembled.gateway.stop().await;
    assembled.store.close().await;
    done.map(|()| Ended::Finished)
}

async fn act(config: &Config, gateway: &Gateway, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add(arguments) => add(config, gateway, arguments).await,
        Command::List {
            app: Some(client_id),
        } => list(gateway, app::find(gateway, &client_id).await?).await,
        Command::List { app: None } => {
            for application in gateway.applications().await? {
                list(gateway, application).await?;
            }
            Ok(())
        }
        Command::Remove { id } => {
            let account = find(gateway, id).await?;
            gateway.delete_account(&account).await?;
            Ok(print::line(format!("removed {id}"))?)
        }
    }
}

async fn add(config: &Config, gateway: &Gateway, arguments: AddArguments) -> anyhow::Result<()> {
    let application = app::find(gateway, &arguments.app).await?;
    let input = AccountInput {
        service_type: arguments.service_type,
        active: true,
        email: Some(arguments.email),
        login: arguments.login,
        password: Some(arguments.password.read()?),
        server_url: arguments.server,
        server_url2: arguments.smtp_server,
        trust_server: arguments.trust_server,
        ..AccountInput::default()
    };
    let options = SaveOptions {
        ensure_access: true,
        ..SaveOptions::default()
    };
    let saved = gateway.save_account(&application, input, options).await?;
    let token = saved.access_token.expose_secret();
    print::line(format!("account id     {}", saved.account.id))?;
    print::line(format!("account token  {token}"))?;
    print::line("")?;
    let base = config.base_url(config.listen);
    print::line("With the gateway running, its mail is synchronised by:")?;
    print::line(format!(
        "curl -X POST -H 'Authorization: Bearer {token}' '{base}/v1/email/sync?daysWithin=30&awaitReady=true'"
    ))?;
    Ok(())
}

async fn list(gateway: &Gateway, application: Application) -> anyhow::Result<()> {
    let mut filter = AccountFilter {
        limit: 500,
        ..AccountFilter::default()
    };
    loop {
        let page = gateway.list_accounts(&application, filter.clone()).await?;
        for account in &page.records {
            print::line(row(&application, account))?;
        }
        filter.offset += u32::try_from(page.records.len())?;
        if page.records.is_empty() || u64::from(filter.offset) >= page.total {
            return Ok(());
        }
    }
}

fn row(application: &Application, account: &Account) -> String {
    let address = account.email.as_deref().unwrap_or(&account.login);
    let status = match account.active {
        true => format!("{:?}", account.credentials.status).to_lowercase(),
        false => "switched off".to_owned(),
    };
    print::printable(&format!(
        "{:<17} {:<16} {:<10} {address} ({status})",
        account.id, application.client_id, account.service_type
    ))
}

async fn find(gateway: &Gateway, id: i64) -> anyhow::Result<Account> {
    for application in gateway.applications().await? {
        match gateway.account_of(&application, id).await {
            Err(error) if error.kind == OperationErrorKind::NotFound => {}
            found => return Ok(found?),
        }
    }
    bail!("there is no account {id}")
}
