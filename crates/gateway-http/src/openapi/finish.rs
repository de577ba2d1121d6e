//! What every operation and every answer has in common, said once.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

const FAILED: &str = "#/components/schemas/ApiRequestFailed";

/// Adds the answers that every operation of the API may give, and takes `null` out of what is never
/// `null`: parameters and answers. What is accepted may hold `null`, which counts as absent.
pub(super) fn finish(mut document: Value) -> Value {
    let mut answered = BTreeSet::new();
    for (path, operation) in operations(&mut document) {
        if let Some(parameters) = operation.get_mut("parameters") {
            drop_null(parameters);
        }
        let Some(answers) = operation
            .get_mut("responses")
            .and_then(Value::as_object_mut)
        else {
            continue;
        };
        if path.starts_with("/v1/") {
            answers.insert(
                "401".to_owned(),
                failure("Credentials are missing or refused"),
            );
        }
        answers.insert("default".to_owned(), failure("The request failed"));
        for answer in answers.values_mut() {
            octets_are_binary(answer);
            references(answer, &mut answered);
        }
    }
    let Some(schemas) = document
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut)
    else {
        return document;
    };
    for name in reachable(schemas, answered) {
        if let Some(schema) = schemas.get_mut(&name) {
            drop_null(schema);
        }
    }
    document
}

fn operations(document: &mut Value) -> impl Iterator<Item = (String, &mut Map<String, Value>)> {
    document
        .get_mut("paths")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
        .flat_map(|(path, item)| {
            item.as_object_mut()
                .into_iter()
                .flatten()
                .filter_map(|(_, operation)| Some((path.clone(), operation.as_object_mut()?)))
        })
}

fn failure(description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/json": { "schema": { "$ref": FAILED } } },
    })
}

/// Octets are no JSON: their schema says so in the way that readers of OpenAPI know.
fn octets_are_binary(answer: &mut Value) {
    let octets = "/content/application~1octet-stream/schema";
    if let Some(schema) = answer.pointer_mut(octets) {
        *schema = json!({ "type": "string", "format": "binary" });
    }
}

/// Names of the schemas that a value refers to.
fn references(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(target)) = members.get("$ref") {
                names.extend(target.rsplit('/').next().map(str::to_owned));
            }
            members
                .values()
                .for_each(|member| references(member, names));
        }
        Value::Array(elements) => elements.iter().for_each(|e| references(e, names)),
        _ => {}
    }
}

/// Those and all that they refer to.
fn reachable(schemas: &Map<String, Value>, mut names: BTreeSet<String>) -> BTreeSet<String> {
    loop {
        let before = names.len();
        for name in names.clone() {
            if let Some(schema) = schemas.get(&name) {
                references(schema, &mut names);
            }
        }
        if names.len() == before {
            return names;
        }
    }
}

/// Takes `null` out of types and out of choices; a choice of one is that one.
fn drop_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [only] = types.as_slice() {
                    let only = only.clone();
                    members.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("oneOf") {
                choices.retain(|choice| choice.get("type") != Some(&json!("null")));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    members.remove("oneOf");
                    members.extend(only);
                }
            }
            members.values_mut().for_each(drop_null);
        }
        Value::Array(elements) => elements.iter_mut().for_each(drop_null),
        _ => {}
    }
}
