use anyhow::{Context as _, ensure};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Subcommand;
use gateway_operations::{Application, Gateway};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    Config,
    commands::print,
    lifecycle::Ended,
    server::{self, Parts},
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make an application and print its secret, which is not shown again
    Add {
        /// Its client id: visible ASCII characters without a colon
        client_id: String,
        /// Where its sign-ins may return to; may be given several times
        #[arg(long, value_name = "URL")]
        return_url: Vec<String>,
        /// Let its sign-ins return an account token instead of a code
        #[arg(long)]
        allow_token_response: bool,
        /// Give an application that is there already a new secret
        #[arg(long)]
        renew: bool,
    },
    /// List the applications
    List,
    /// Remove an application with all its accounts
    Remove {
        /// Its client id
        client_id: String,
    },
}

/// What is written is in force at once: a gateway that runs on the same database reads it there.
pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<Ended> {
    let assembled = server::assemble(config, &Parts::default()).await?;
    let done = act(&assembled.gateway, command).await;
    assembled.gateway.stop().await;
    assembled.store.close().await;
    done.map(|()| Ended::Finished)
}

async fn act(gateway: &Gateway, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Add {
            client_id,
            return_url,
            allow_token_response,
            renew,
        } => {
            let there = find(gateway, &client_id).await.is_ok();
            ensure!(
                renew || !there,
                "{client_id} is there already; --renew gives it a new secret"
            );
            let secret = new_secret()?;
            gateway
                .put_application(&client_id, &secret, return_url, allow_token_response)
                .await?;
            print::line(format!("client id      {client_id}"))?;
            print::line(format!("client secret  {}", secret.expose_secret()))?;
        }
        Command::List => {
            for application in gateway.applications().await? {
                let since = application.created_at.format("%Y-%m-%d");
                let urls = application.return_urls.join(" ");
                print::line(
                    format!("{:<24} since {since} {urls}", application.client_id).trim_end(),
                )?;
            }
        }
        Command::Remove { client_id } => {
            let removed = gateway.remove_application(&client_id).await?;
            ensure!(removed, "there is no application {client_id}");
            print::line(format!("removed {client_id}"))?;
        }
    }
    Ok(())
}

/// The application of this client id.
pub(super) async fn find(gateway: &Gateway, client_id: &str) -> anyhow::Result<Application> {
    let all = gateway.applications().await?;
    all.into_iter()
        .find(|application| application.client_id == client_id)
        .with_context(|| {
            format!("there is no application {client_id}: polypost app add {client_id}")
        })
}

/// A secret that nobody guesses: 256 random bits.
pub(super) fn new_secret() -> anyhow::Result<SecretString> {
    let mut octets = [0; 32];
    SystemRandom::new()
        .fill(&mut octets)
        .map_err(|_| anyhow::anyhow!("the machine gives no random numbers"))?;
    Ok(URL_SAFE_NO_PAD.encode(octets).into())
}
