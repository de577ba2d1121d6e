use serde_json::Value;

use super::*;

fn document() -> Value {
    serde_json::from_str(&openapi_json()).unwrap()
}

#[test]
fn the_document_in_the_repository_is_the_one_that_is_served() {
    // From the package's directory, in which its tests run.
    let kept = std::fs::read_to_string("../../docs/openapi.json").unwrap_or_default();
    assert!(
        kept == openapi_json(),
        "docs/openapi.json has drifted: write it anew with `polypost openapi > docs/openapi.json`"
    );
}

#[test]
fn it_is_the_same_each_time() {
    assert_eq!(openapi_json(), openapi_json());
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut waiting = vec![&document];
    let mut seen = 0;
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    let pointer = target.strip_prefix('#').unwrap();
                    assert!(document.pointer(pointer).is_some(), "{target}");
                    seen += 1;
                }
                waiting.extend(members.values());
            }
            Value::Array(elements) => waiting.extend(elements),
            _ => {}
        }
    }
    assert!(seen > 50);
}

#[test]
fn no_answer_may_be_null() {
    let document = document();
    let message = document
        .pointer("/components/schemas/EmailMessage")
        .unwrap()
        .to_string();
    assert!(!message.contains("null"), "{message}");
    let schema = |path| document.pointer(path).unwrap().clone();
    assert_eq!(
        schema("/components/schemas/EmailMessage/properties/from/$ref"),
        "#/components/schemas/EmailAddress"
    );
    assert_eq!(
        schema("/components/schemas/EmailMessage/properties/subject/type"),
        "string"
    );
}

#[test]
fn required_are_exactly_the_fields_that_are_always_there() {
    let document = document();
    let required = document
        .pointer("/components/schemas/EmailMessage/required")
        .unwrap();
    let mut required: Vec<_> = required
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    required.sort_unstable();
    assert_eq!(
        required,
        [
            "attachments",
            "bcc",
            "cc",
            "id",
            "internetHeaders",
            "keywords",
            "omitted",
            "replyTo",
            "sysClassifications",
            "sysLabels",
            "to"
        ]
    );
}

#[test]
fn every_operation_can_fail_in_the_one_shape() {
    let document = document();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let schema = "/responses/default/content/application~1json/schema/$ref";
            assert_eq!(
                operation.pointer(schema).and_then(Value::as_str),
                Some("#/components/schemas/ApiRequestFailed"),
                "{method} {path}"
            );
        }
    }
}
