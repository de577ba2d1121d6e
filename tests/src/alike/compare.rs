//! Values side by side.

use std::collections::BTreeSet;

use serde_json::Value;

/// Longest value that is shown whole, in characters.
const SHOWN: usize = 300;

/// All places where not all values are the same, each with what stands there.
pub(super) fn differences(views: &[(&'static str, Value)]) -> Vec<String> {
    let all: Vec<(&str, Option<&Value>)> = views
        .iter()
        .map(|(name, value)| (*name, Some(value)))
        .collect();
    let mut found = Vec::new();
    descend("", &all, &mut found);
    found
}

fn descend(at: &str, values: &[(&str, Option<&Value>)], found: &mut Vec<String>) {
    let Some((_, first)) = values.first() else {
        return;
    };
    if values.iter().all(|(_, value)| value == first) {
        return;
    }
    let objects: Vec<_> = values
        .iter()
        .filter_map(|(name, value)| Some((*name, value.and_then(Value::as_object)?)))
        .collect();
    if objects.len() == values.len() {
        let keys: BTreeSet<&String> = objects.iter().flat_map(|(_, map)| map.keys()).collect();
        for key in keys {
            let inner: Vec<_> = objects
                .iter()
                .map(|(name, map)| (*name, map.get(key)))
                .collect();
            descend(&format!("{at}/{key}"), &inner, found);
        }
        return;
    }
    let arrays: Vec<_> = values
        .iter()
        .filter_map(|(name, value)| Some((*name, value.and_then(Value::as_array)?)))
        .collect();
    let length = arrays.first().map_or(0, |(_, array)| array.len());
    if arrays.len() == values.len() && arrays.iter().all(|(_, array)| array.len() == length) {
        for index in 0..length {
            let inner: Vec<_> = arrays
                .iter()
                .map(|(name, array)| (*name, array.get(index)))
                .collect();
            descend(&format!("{at}/{index}"), &inner, found);
        }
        return;
    }
    let told: Vec<String> = values
        .iter()
        .map(|(name, value)| format!("\n    {name}: {}", shown(*value)))
        .collect();
    found.push(format!("  {at}{}", told.concat()));
}

fn shown(value: Option<&Value>) -> String {
    let text = value.map_or_else(|| "(none)".to_owned(), Value::to_string);
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
