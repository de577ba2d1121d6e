use std::path::{Path, PathBuf};

use anyhow::Context as _;
use figment::{
    Error, Metadata, Profile, Provider,
    providers::{Format as _, Toml},
    value::{Dict, Map},
};

/// The file, read.
pub(super) struct ConfigFile {
    path: PathBuf,
    values: Dict,
}

impl ConfigFile {
    /// Reads a file. An error tells the place but not the line, which may hold a secret.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("the configuration file {shown} cannot be read"))?;
        let values = Toml::from_str(&text).map_err(|error| {
            let place = error.span().map_or(0, |span| span.start);
            let line = 1 + text.bytes().take(place).filter(|b| *b == b'\n').count();
            let what = error.message();
            anyhow::anyhow!("the configuration file {shown} is not TOML: line {line}: {what}")
        })?;
        Ok(Self {
            path: path.to_owned(),
            values,
        })
    }
}

impl Provider for ConfigFile {
    fn metadata(&self) -> Metadata {
        Metadata::from("file", self.path.as_path())
            .interpolater(|_: &Profile, path: &[&str]| path.join("."))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}
