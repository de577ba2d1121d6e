use std::ffi::OsString;

use anyhow::{Context as _, bail};
use email_provider::ProviderRegistry;
use figment::{
    Error, Metadata, Profile, Provider,
    util::nest,
    value::{Dict, Map, Value},
};

/// What all variables begin with.
pub(super) const PREFIX: &str = "POLYPOST_";

/// Secrets that may be given as the name of a file, in a variable with `_FILE` at its end.
const FROM_FILES: [&str; 3] = ["SECRET_KEY_FILE", "CLIENT_SECRET_FILE", "DATABASE_URL_FILE"];

/// Secrets of backends that may be given in the same way: ends of their names.
const SECRET_FILE: &str = "_SECRET_FILE";

/// Ends of names of a backend's settings that are text although they may look like a number.
const TEXT: [&str; 3] = ["_ID", "_SECRET", "_URL"];

/// The words by which backends are known in the environment, each with its kind: `POLYPOST_{word}_X` sets `x`
/// in the section of the kind.
#[derive(Clone, Debug, Default)]
pub struct BackendWords(Vec<(&'static str, &'static str)>);

impl BackendWords {
    /// Those of these backends.
    pub fn of(registry: &ProviderRegistry) -> Self {
        let infos = registry.plugins().map(|plugin| plugin.info());
        let words =
            infos.flat_map(|info| info.environment.iter().map(move |word| (*word, info.kind)));
        Self(words.collect())
    }

    /// The kind and the setting that a name stands for.
    fn find<'a>(&self, key: &'a str) -> Option<(&'static str, &'a str)> {
        self.0.iter().find_map(|(word, kind)| {
            let setting = key.strip_prefix(word)?.strip_prefix('_')?;
            // Two underscores are a section's.
            (!setting.is_empty() && !setting.starts_with('_')).then_some((*kind, setting))
        })
    }
}

/// The variables, read. All values are text; those of backends may be JSON.
pub(super) struct Environment(Dict);

impl Environment {
    /// Takes the gateway's variables. Empty ones count as not given, as compose files have them.
    pub(super) fn read(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        words: &BackendWords,
    ) -> anyhow::Result<Self> {
        let mut all = Settings::default();
        for (name, value) in variables {
            let Some(key) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else {
                continue;
            };
            if is_of_others(key) || value.is_empty() {
                continue;
            }
            let value = value
                .into_string()
                .ok()
                .with_context(|| format!("{PREFIX}{key} is not UTF-8"))?;
            match words.find(key) {
                Some((kind, setting)) => all.add_of_backend(kind, key, setting, value)?,
                None => all.add(key, value)?,
            }
        }
        Ok(Self(all.0))
    }
}

#[derive(Default)]
struct Settings(Dict);

impl Settings {
    fn add(&mut self, key: &str, value: String) -> anyhow::Result<()> {
        if FROM_FILES.contains(&key) {
            let text = from_file(key, &value)?;
            return self.add(key.trim_end_matches("_FILE"), text);
        }
        let path = key.to_ascii_lowercase().replace("__", ".");
        let known = path.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.".contains(&byte)
        });
        if !known || path.split('.').any(str::is_empty) {
            bail!("{PREFIX}{key} is no setting of the gateway");
        }
        let value = match path.starts_with("providers.") {
            true => serde_json::from_str(&value).unwrap_or_else(|_| Value::from(value)),
            false => Value::from(value),
        };
        merge(&mut self.0, nest(&path, value));
        Ok(())
    }
}

impl Settings {
    fn add_of_backend(
        &mut self,
        kind: &str,
        key: &str,
        setting: &str,
        value: String,
    ) -> anyhow::Result<()> {
        if let Some(start) = setting.strip_suffix("_FILE")
            && setting.ends_with(SECRET_FILE)
        {
            let text = from_file(key, &value)?;
            return self.add_of_backend(kind, key, start, text);
        }
        let path = format!("providers.{kind}.{}", setting.to_ascii_lowercase());
        let is_text = TEXT.iter().any(|end| setting.ends_with(end));
        let value = match is_text {
            true => Value::from(value),
            false => serde_json::from_str(&value).unwrap_or_else(|_| Value::from(value)),
        };
        merge(&mut self.0, nest(&path, value));
        Ok(())
    }
}

fn from_file(key: &str, path: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("{PREFIX}{key}: the file {path} cannot be read"))?;
    Ok(text.trim_end().to_owned())
}

/// Sections come variable by variable.
fn merge(into: &mut Dict, value: Value) {
    let Value::Dict(_, values) = value else {
        return;
    };
    for (key, value) in values {
        match (into.get_mut(&key), value) {
            (Some(Value::Dict(_, old)), Value::Dict(tag, new)) => merge(old, Value::Dict(tag, new)),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Variables that are not the gateway's settings: `CONFIG` names the file and is read with the command
/// line; `TEST_…` is for tests; and Kubernetes tells every container of the services around it by
/// variables that begin with the service's name
/// (<https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>).
fn is_of_others(key: &str) -> bool {
    let service_link = key.ends_with("SERVICE_HOST")
        || key.contains("SERVICE_PORT")
        || key == "PORT"
        || key.starts_with("PORT_")
        || key.ends_with("_PORT")
        || key.contains("_PORT_");
    key == "CONFIG" || key.starts_with("TEST_") || service_link
}

impl Provider for Environment {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment").interpolater(|_: &Profile, path: &[&str]| {
            format!("{PREFIX}{}", path.join("__").to_ascii_uppercase())
        })
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.0.clone()))
    }
}
