//! Holds answers against the OpenAPI document.

use std::sync::LazyLock;

use serde_json::{Value, json};

static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&gateway_http::openapi_json()).unwrap());

/// Every path template with its methods.
pub fn operations() -> Vec<(String, String)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect()
}

fn fits(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) =
        (template.split('/').collect(), path.split('/').collect());
    template.len() == path.len()
        && template
            .iter()
            .zip(&path)
            .all(|(t, p)| t == p || t.starts_with('{'))
}

/// The schema of an answer; of a failure where the document does not know the path or status.
fn schema(method: &str, path: &str, status: u16) -> Value {
    let failure = json!({ "$ref": "#/components/schemas/ApiRequestFailed" });
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let exact = paths.get(path);
    let item = exact.or_else(|| {
        let mut fitting = paths.iter().filter(|(template, _)| fits(template, path));
        fitting.next().map(|(_, item)| item)
    });
    let answers = item.map(|item| &item[method.to_lowercase()]["responses"]);
    let answer = answers.and_then(|all| all.get(status.to_string()).or(all.get("default")));
    match answer.and_then(|answer| answer.pointer("/content/application~1json/schema")) {
        Some(schema) => schema.clone(),
        None if status >= 400 => failure,
        None => panic!("{method} {path} answers {status}, which is not in the document"),
    }
}

/// Fails the test where an answer is not as the document says.
pub fn check(method: &str, path: &str, status: u16, body: &Value) {
    let mut schema = schema(method, path, status);
    schema["components"] = DOCUMENT["components"].clone();
    let validator = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .unwrap();
    let faults: Vec<_> = validator
        .iter_errors(body)
        .map(|error| format!("{}: {error}", error.instance_path))
        .collect();
    assert!(
        faults.is_empty(),
        "{method} {path} {status}: {faults:#?}\n{body:#}"
    );
    assert!(
        !has_null(body),
        "{method} {path} {status} holds null: {body:#}"
    );
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        _ => false,
    }
}
