//! A schema in words: the members of a body, and what each may be.

use serde_json::Value;

/// Most values that are listed.
const MOST_LISTED: usize = 8;

/// One member.
#[derive(Debug)]
pub(super) struct MemberInWords<'a> {
    /// As `lines[].quantity`.
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) about: &'a str,
}

/// The members of a body, outer ones before inner ones.
pub(super) fn members_of(schema: &Value) -> Vec<MemberInWords<'_>> {
    let mut members = Vec::new();
    add(schema, "", &mut members);
    members
}

fn add<'a>(schema: &'a Value, within: &str, members: &mut Vec<MemberInWords<'a>>) {
    let required = schema.get("required").and_then(Value::as_array);
    let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|one| one == name));
    let own = schema.get("properties").and_then(Value::as_object);
    for (name, member) in own.into_iter().flatten() {
        let about = member.get("description").and_then(Value::as_str).unwrap_or_default();
        let kind = kind_of(member, is_required(name));
        let full = format!("{within}{name}");
        members.push(MemberInWords { name: full.clone(), kind, about });
        add(member, &format!("{full}."), members);
        if let Some(items) = member.get("items") {
            add(items, &format!("{full}[]."), members);
        }
    }
    // Variants of which one fits.
    for part in schema.get("oneOf").and_then(Value::as_array).into_iter().flatten() {
        if own.is_none() {
            add(part, within, members);
        }
    }
}

/// What a value may be.
pub(super) fn kind_of(schema: &Value, is_required: bool) -> String {
    let text = |name: &str| schema.get(name).and_then(Value::as_str);
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            kinds.collect::<Vec<_>>().join(" or ")
        }
        Some(_) | None => String::new(),
    };
    let mut words = vec![text("format").filter(|_| kind == "string").map_or(kind, str::to_owned)];
    if let Some(only) = text("const") {
        words = vec![only.to_owned()];
    }
    if let Some(Value::Array(values)) = schema.get("enum") {
        let listed: Vec<_> = values.iter().take(MOST_LISTED).filter_map(Value::as_str).collect();
        let rest = if values.len() > MOST_LISTED { ", …" } else { "" };
        words = vec![format!("{}{rest}", listed.join(", "))];
    }
    for (least, most) in [("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")] {
        words.extend(limits(schema.get(least), schema.get(most)));
    }
    if is_required {
        words.push("required".to_owned());
    }
    words.retain(|word| !word.is_empty());
    words.join("; ")
}

fn limits(least: Option<&Value>, most: Option<&Value>) -> Option<String> {
    match (least, most) {
        (Some(least), Some(most)) => Some(format!("{least} to {most}")),
        (Some(least), None) => Some(format!("at least {least}")),
        (None, Some(most)) => Some(format!("at most {most}")),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_told_with_what_they_may_be() {
        let line = json!({ "type": "object", "required": ["count"], "properties": {
            "count": { "type": ["integer", "null"], "minimum": 1, "maximum": 9 },
            "kind": { "type": "string", "enum": ["a", "b"] },
        } });
        let schema = json!({ "type": "object", "properties": {
            "lines": { "type": "array", "items": line, "minItems": 1, "description": "What is wanted." },
            "at": { "type": "string", "format": "date-time" },
        } });
        let mut told: Vec<_> =
            members_of(&schema).into_iter().map(|one| format!("{}: {}", one.name, one.kind)).collect();
        // Whether members keep their order is a feature of serde_json that any other crate may switch on.
        told.sort();
        let expected = [
            "at: date-time",
            "lines: array; at least 1",
            "lines[].count: integer; 1 to 9; required",
            "lines[].kind: a, b",
        ];
        assert_eq!(told, expected);
    }
}
