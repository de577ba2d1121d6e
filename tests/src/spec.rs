//! The published OpenAPI document as a judge of answers.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result, anyhow};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// All answers that the document allows, compiled.
///
/// Objects that the document describes may not hold fields that it does not name: an undocumented field is a fault of the
/// document.
#[derive(Debug)]
pub struct Spec {
    operations: HashMap<(String, String), Operation>,
}

#[derive(Debug, Default)]
struct Operation {
    answers: HashMap<String, Described>,
}

/// Media types of one status, each with the schema of its body.
#[derive(Debug, Default)]
struct Described {
    content: HashMap<String, Validator>,
}

impl Spec {
    /// `docs/openapi.json`, read once.
    ///
    /// # Panics
    /// When it is missing or holds a schema that is none.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SPEC: OnceLock<Arc<Spec>> = OnceLock::new();
        let spec = SPEC.get_or_init(|| {
            // From the package's directory, in which its tests run.
            let path = Path::new("../docs/openapi.json");
            let read = std::fs::read_to_string(path)
                .with_context(|| path.display().to_string())
                .and_then(|text| Ok(serde_json::from_str(&text)?))
                .and_then(|document| Self::compile(&document));
            match read {
                Ok(spec) => Arc::new(spec),
                Err(error) => panic!("the OpenAPI document: {error:#}"),
            }
        });
        Arc::clone(spec)
    }

    fn compile(document: &Value) -> Result<Self> {
        let mut components = document["components"].clone();
        let mut joined = BTreeSet::new();
        name_joined(&components, &mut joined);
        close_objects(&mut components);
        for name in joined {
            let part = components.pointer_mut(&name.replacen("#/components", "", 1));
            if let Some(Value::Object(part)) = part {
                part.remove("additionalProperties");
            }
        }
        let mut operations = HashMap::new();
        for (path, methods) in object(&document["paths"])? {
            for (method, operation) in object(methods)? {
                let Some(responses) = operation.get("responses") else {
                    continue;
                };
                let mut compiled = Operation::default();
                for (status, response) in object(responses)? {
                    let described = describe(response, &components)
                        .with_context(|| format!("{method} {path}: {status}"))?;
                    compiled.answers.insert(status.clone(), described);
                }
                operations.insert((path.clone(), method.to_uppercase()), compiled);
            }
        }
        Ok(Self { operations })
    }

    /// Holds an answer against the document. `json` is the body, parsed, if it is JSON.
    ///
    /// # Errors
    /// With what is wrong and where.
    pub fn check(
        &self,
        template: &str,
        method: &str,
        status: u16,
        content_type: Option<&str>,
        json: Option<&Value>,
    ) -> Result<()> {
        let operation = self
            .operations
            .get(&(template.to_owned(), method.to_owned()))
            .ok_or_else(|| anyhow!("no such operation in the document"))?;
        let described = operation
            .answers
            .get(&status.to_string())
            .or_else(|| operation.answers.get("default"))
            .ok_or_else(|| anyhow!("status {status} is not in the document"))?;
        if described.content.is_empty() {
            return Ok(());
        }
        let media = content_type
            .unwrap_or("nothing")
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        let validator = described
            .content
            .get(media)
            .or_else(|| described.content.get("*/*"))
            .ok_or_else(|| anyhow!("{media} is not in the document for status {status}"))?;
        let Some(json) = json else {
            return Ok(());
        };
        let complaints: Vec<String> = validator
            .iter_errors(json)
            .map(|error| format!("{}: {error}", error.instance_path))
            .collect();
        anyhow::ensure!(complaints.is_empty(), "{}", complaints.join("\n"));
        Ok(())
    }
}

fn describe(response: &Value, components: &Value) -> Result<Described> {
    let mut described = Described::default();
    let Some(content) = response.get("content") else {
        return Ok(described);
    };
    for (media, body) in object(content)? {
        let mut schema = body.get("schema").cloned().unwrap_or_else(|| json!({}));
        close_objects(&mut schema);
        // References lead from the root to `#/components/…`, so the components come along.
        let root = json!({ "allOf": [schema], "components": components });
        let validator = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&root)
            .map_err(|error| anyhow!("{media}: {error}"))?;
        described.content.insert(media.clone(), validator);
    }
    Ok(described)
}

/// References to schemas that are parts of another object, whose fields stand beside theirs.
fn name_joined(value: &Value, joined: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            let parts = members.get("allOf").and_then(Value::as_array);
            let names = parts
                .into_iter()
                .flatten()
                .filter_map(|part| part["$ref"].as_str());
            joined.extend(names.map(str::to_owned));
            members
                .values()
                .for_each(|member| name_joined(member, joined));
        }
        Value::Array(elements) => elements.iter().for_each(|one| name_joined(one, joined)),
        _ => {}
    }
}

/// Forbids fields without a name in the document, of an object that is made of parts in none of them.
fn close_objects(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(close_objects);
            if let Some(Value::Array(parts)) = members.get_mut("allOf") {
                for part in parts.iter_mut().filter_map(Value::as_object_mut) {
                    part.remove("additionalProperties");
                }
                members.insert("unevaluatedProperties".to_owned(), json!(false));
                return;
            }
            let listed = members.get("type") == Some(&json!("object"))
                && members.get("properties").is_some_and(Value::is_object);
            if listed && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), json!(false));
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(close_objects),
        _ => {}
    }
}

fn object(value: &Value) -> Result<&Map<String, Value>> {
    value.as_object().context("not an object")
}
