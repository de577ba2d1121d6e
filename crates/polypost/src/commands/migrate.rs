use crate::{Config, commands::print, lifecycle::Ended, store};

pub(super) async fn run(config: &Config) -> anyhow::Result<Ended> {
    let database = store::open_migrated(config).await?;
    database.store.close().await;
    print::line("the schema is up to date")?;
    Ok(Ended::Finished)
}
