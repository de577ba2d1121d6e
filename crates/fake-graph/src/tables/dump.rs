//! The tables as JSON, in the words of a CSDL document.

use serde_json::{Map, Value, json};

use super::{Answer, Body, Kind, methods, types};

/// `{"methods": {…}, "types": {…}, "enums": {…}}`.
#[must_use]
pub fn dump() -> Value {
    let methods: Map<String, Value> = methods()
        .map(|method| {
            let value = json!({
                "http": method.http,
                "path": method.path,
                "query": method.query,
                "scopes": method.scopes,
                "body": body(method.body),
                "answer": answer(method.answer),
                "status": method.status,
                "inModel": method.in_model,
            });
            (method.id.to_owned(), value)
        })
        .collect();
    let list = |properties: &[(&'static str, Kind)]| -> Map<String, Value> {
        properties
            .iter()
            .map(|(name, held)| ((*name).to_owned(), json!(kind(*held))))
            .collect()
    };
    let types: Map<String, Value> = types()
        .iter()
        .map(|known| {
            let value = json!({
                "base": known.base,
                "open": known.open,
                "properties": list(known.properties),
                "navigation": list(known.navigation),
            });
            (known.name.to_owned(), value)
        })
        .collect();
    let enums: Map<String, Value> = types::ENUMS
        .iter()
        .map(|(name, members)| ((*name).to_owned(), json!(members)))
        .collect();
    json!({"methods": methods, "types": types, "enums": enums})
}

fn body(body: Body) -> Value {
    match body {
        Body::Nothing => Value::Null,
        Body::Entity(name) => json!({"entity": name}),
        Body::Parameters(parameters) => {
            let named: Map<String, Value> = parameters
                .iter()
                .map(|(name, held)| ((*name).to_owned(), json!(kind(*held))))
                .collect();
            json!({"parameters": named})
        }
        Body::Octets => json!({"octets": true}),
    }
}

fn answer(answer: Answer) -> Value {
    match answer {
        Answer::Nothing => Value::Null,
        Answer::Entity(name) => json!({"entity": name}),
        Answer::Collection(name) => json!({"collection": name}),
        Answer::Octets => json!({"octets": true}),
        Answer::Other => json!({"other": true}),
    }
}

fn kind(held: Kind) -> String {
    match held {
        Kind::String => "Edm.String".to_owned(),
        Kind::Bool => "Edm.Boolean".to_owned(),
        Kind::Int32 => "Edm.Int32".to_owned(),
        Kind::Int64 => "Edm.Int64".to_owned(),
        Kind::Binary => "Edm.Binary".to_owned(),
        Kind::DateTime => "Edm.DateTimeOffset".to_owned(),
        Kind::Guid => "Edm.Guid".to_owned(),
        Kind::Enum(name) | Kind::Of(name) => format!("graph.{name}"),
        Kind::List(inner) => format!("Collection({})", kind(*inner)),
    }
}
