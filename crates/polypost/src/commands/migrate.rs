use crate::{Config, commands::print, lifecycle::Ended, store};

pub(super) async fn run(config: &Config) -> anyhow::Result<Ended> {
    let store = store::open_migrated(config).await?;
    store.close().await;
    print::line("the schema is up to date")?;
    Ok(Ended::Finished)
}
