//! The tables as JSON.

use serde_json::{Map, Value, json};

use super::{COMMON, Kind, Parameter, methods, schemas};

/// `{"methods": {…}, "schemas": {…}, "parameters": {…}}`, with the words of a discovery document.
#[must_use]
pub fn dump() -> Value {
    let methods: Map<String, Value> = methods()
        .map(|method| {
            let path = method.path.split('/').filter_map(|segment| {
                let name = segment.strip_prefix('{')?.strip_suffix('}')?;
                Some(json!({"name": name, "location": "path", "required": true}))
            });
            let query = method.query.iter().map(|parameter| {
                let mut value = describe(parameter);
                value["location"] = json!("query");
                value
            });
            let parameters: Vec<Value> = path.chain(query).collect();
            let value = json!({
                "httpMethod": method.http,
                "path": method.path,
                "parameters": parameters,
                "scopes": method.scopes,
                "units": method.units,
                "request": method.request,
                "response": method.response,
                "uploadLimit": method.upload_limit,
            });
            (method.id.to_owned(), value)
        })
        .collect();
    let schemas: Map<String, Value> = schemas()
        .iter()
        .map(|schema| {
            let properties: Map<String, Value> = schema
                .properties
                .iter()
                .map(|(name, kind)| ((*name).to_owned(), kind_json(*kind)))
                .collect();
            (schema.name.to_owned(), Value::Object(properties))
        })
        .collect();
    let common: Vec<Value> = COMMON.iter().map(describe).collect();
    json!({"methods": methods, "schemas": schemas, "parameters": common})
}

fn describe(parameter: &Parameter) -> Value {
    let mut value = kind_json(parameter.kind);
    value["name"] = json!(parameter.name);
    value["repeated"] = json!(parameter.repeated);
    value
}

fn kind_json(kind: Kind) -> Value {
    match kind {
        Kind::String => json!({"type": "string"}),
        Kind::Bytes => json!({"type": "string", "format": "byte"}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Int32 => json!({"type": "integer", "format": "int32"}),
        Kind::Uint32 => json!({"type": "integer", "format": "uint32"}),
        Kind::Int64 => json!({"type": "string", "format": "int64"}),
        Kind::Uint64 => json!({"type": "string", "format": "uint64"}),
        Kind::Enum(words) => json!({"type": "string", "enum": words}),
        Kind::Object(name) => json!({"$ref": name}),
        Kind::List(item) => json!({"type": "array", "items": kind_json(*item)}),
    }
}
