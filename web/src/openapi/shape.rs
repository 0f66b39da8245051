//! The schema of a body, read off an example of it.
//!
//! It says of each member what kind of value it is, and that others are refused (requests) or may come (answers). Which
//! members may be left out, and the rules of the domain, are told by the refusals.

use serde_json::{Map, Value, json};

/// Of a request: what is not named is refused.
pub(super) fn request(example: &Value) -> Value {
    of(example, true)
}

/// Of an answer: more may come.
pub(super) fn response(example: &Value) -> Value {
    of(example, false)
}

fn of(example: &Value, closed: bool) -> Value {
    match example {
        Value::Null => json!({}),
        Value::Bool(_) => json!({ "type": "boolean" }),
        Value::Number(number) if number.is_f64() => json!({ "type": "number" }),
        Value::Number(_) => json!({ "type": "integer" }),
        Value::String(text) => string(text),
        Value::Array(items) => match items.first() {
            Some(first) => json!({ "type": "array", "items": of(first, closed) }),
            None => json!({ "type": "array" }),
        },
        Value::Object(members) => {
            let shaped = |(name, member): (&String, &Value)| (name.clone(), of(member, closed));
            let properties: Map<_, _> = members.iter().map(shaped).collect();
            let mut object = json!({ "type": "object", "properties": properties });
            if closed && !members.contains_key("type") {
                object["additionalProperties"] = false.into();
            }
            object
        }
    }
}

fn string(text: &str) -> Value {
    if uuid::Uuid::parse_str(text).is_ok() {
        json!({ "type": "string", "format": "uuid" })
    } else if text.parse::<jiff::Timestamp>().is_ok() {
        json!({ "type": "string", "format": "date-time" })
    } else {
        json!({ "type": "string" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_names_what_an_example_shows() {
        let example = json!({ "at": "2030-01-01T00:00:00Z", "lines": [{ "quantity": 2 }], "note": null });
        let line = json!({ "type": "object", "properties": { "quantity": { "type": "integer" } } });
        let at = json!({ "type": "string", "format": "date-time" });
        let properties = json!({ "at": at, "lines": { "type": "array", "items": line }, "note": {} });
        assert_eq!(response(&example), json!({ "type": "object", "properties": properties }));
        assert_eq!(request(&json!({ "a": true }))["additionalProperties"], false);
    }
}
