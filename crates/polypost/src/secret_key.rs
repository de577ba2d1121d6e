//! The key that seals secrets in the database: where it comes from, and the proof that it is the right one.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
};

use anyhow::{Context as _, bail, ensure};
use gateway_store::{
    Store,
    sealing::{Place, Sealer},
};
use secrecy::ExposeSecret as _;
use tempfile::NamedTempFile;

use crate::{Config, config::SecretKey};

/// The setting that holds a value sealed with the key.
const CHECK: &str = "sealing-check";
const CHECKED: &[u8] = b"polypost";

fn check_place() -> Place<'static> {
    Place {
        table: "setting",
        row: CHECK,
        column: "value",
    }
}

/// The sealer of a migrated database.
///
/// The key is the configured one. With an embedded database it may be missing: then it is the one in the
/// file `secret.key` of the data directory, which is made for a database that holds nothing sealed.
///
/// # Errors
/// Where there is no key, or it is not the one with which the database's secrets are sealed.
pub async fn sealer(config: &Config, store: &dyn Store) -> anyhow::Result<Arc<Sealer>> {
    let path = config.data_dir.join("secret.key");
    let (key, origin) = match &config.secret_key {
        Some(key) => (key.clone(), "secret_key".to_owned()),
        None if !store.is_shared() => {
            (key_of_file(&path, store).await?, path.display().to_string())
        }
        None => bail!(
            "secret_key is missing: with PostgreSQL it must be given, the same one on every machine. \
             One is made by: openssl rand -base64 32"
        ),
    };
    let sealer = Sealer::new(key.expose());
    check(&sealer, store, &origin).await?;
    Ok(Arc::new(sealer))
}

async fn check(sealer: &Sealer, store: &dyn Store, origin: &str) -> anyhow::Result<()> {
    let sealed = sealer.seal(check_place(), CHECKED)?;
    let kept = store.init_setting(CHECK, &sealed).await?;
    ensure!(
        sealer
            .open(check_place(), &kept)
            .is_ok_and(|plain| plain == CHECKED),
        "the key of {origin} is not the one with which this database's secrets are sealed: give the \
         right one, from a backup if need be. Nothing was changed"
    );
    Ok(())
}

async fn key_of_file(path: &Path, store: &dyn Store) -> anyhow::Result<SecretKey> {
    if let Some(key) = read(path)? {
        return Ok(key);
    }
    if store.holds_sealed().await? || store.setting(CHECK).await?.is_some() {
        // Another process may have made the key, and used it, since this one looked.
        return read(path)?.with_context(|| {
            format!(
                "the key file {} is missing, and the database holds secrets sealed with it: bring it back \
                 from a backup, or give the key as secret_key",
                path.display()
            )
        });
    }
    let key = SecretKey::from(Sealer::random_key()?);
    let made = write(path, &key)
        .with_context(|| format!("the key file {} cannot be written", path.display()))?;
    if made {
        tracing::info!(path = %path.display(), "a new key was made: back it up with the database");
    }
    // Another process may have been faster.
    read(path)?.with_context(|| format!("the key file {} is gone again", path.display()))
}

fn read(path: &Path) -> anyhow::Result<Option<SecretKey>> {
    let shown = path.display();
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("the key file {shown} cannot be read"));
        }
    };
    if fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0) {
        tracing::warn!(path = %shown, "others on this machine may read the key file: chmod 600");
    }
    let key = text
        .parse()
        .map_err(|why| anyhow::anyhow!("the key file {shown} {why}"))?;
    Ok(Some(key))
}

/// Puts the key in place whole, unless there is one. False: there is.
fn write(path: &Path, key: &SecretKey) -> io::Result<bool> {
    let directory = path.parent().unwrap_or(Path::new("."));
    // For its owner alone to read, and gone again if anything fails.
    let mut file = NamedTempFile::new_in(directory)?;
    writeln!(file, "{}", key.to_hex().expose_secret())?;
    file.as_file().sync_all()?;
    let made = match file.persist_noclobber(path) {
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => false,
        persisted => persisted.map(|_| true)?,
    };
    File::open(directory)?.sync_all()?;
    Ok(made)
}

#[cfg(test)]
mod tests;
