use std::ffi::OsString;

use anyhow::{Context as _, bail};
use figment::{
    Error, Metadata, Profile, Provider,
    util::nest,
    value::{Dict, Map, Value},
};

/// What all variables begin with.
pub(super) const PREFIX: &str = "POLYPOST_";

/// Secrets that may be given as the name of a file, in a variable with `_FILE` at its end.
const FROM_FILES: [&str; 3] = ["SECRET_KEY_FILE", "CLIENT_SECRET_FILE", "DATABASE_URL_FILE"];

/// The variables, read. All values are text; those of backends may be JSON.
pub(super) struct Environment(Dict);

impl Environment {
    /// Takes the gateway's variables. Empty ones count as not given, as compose files have them.
    pub(super) fn read(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
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
            all.add(key, value)?;
        }
        Ok(Self(all.0))
    }
}

#[derive(Default)]
struct Settings(Dict);

impl Settings {
    fn add(&mut self, key: &str, value: String) -> anyhow::Result<()> {
        if FROM_FILES.contains(&key) {
            let text = std::fs::read_to_string(&value)
                .with_context(|| format!("{PREFIX}{key}: the file {value} cannot be read"))?;
            return self.add(key.trim_end_matches("_FILE"), text.trim_end().to_owned());
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
